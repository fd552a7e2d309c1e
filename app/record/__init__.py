"""What happened, durable before it is answered, and provable afterwards."""
