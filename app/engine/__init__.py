"""The pure core: a pack and a case in, a decision and its explanation out. No clock, no randomness, no I/O but reading a pack."""
