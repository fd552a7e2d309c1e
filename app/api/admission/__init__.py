"""Who is answered now, who waits, and who is told at once to come back later: decided before a body is parsed."""
