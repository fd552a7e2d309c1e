"""Reading: one decision opened, explained, decided again and questioned, and the figures over many."""
