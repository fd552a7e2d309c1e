"""What operations sees of the service: which request a line belongs to, metrics, spans."""
