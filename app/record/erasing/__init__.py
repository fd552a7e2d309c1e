"""What is taken away: the key of a person who is erased, and whole months that are older than records are kept."""
