"""What customers see and say about themselves, in self-service: their choices, and the decisions about them in plain words."""
