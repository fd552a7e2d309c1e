"""The store: the database, SQLite or PostgreSQL, who writes to it and who reads it, and the record that stands on it."""
