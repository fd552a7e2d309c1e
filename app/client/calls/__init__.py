"""The calls, each once, for both clients: what is sent for it and what its answer is."""
