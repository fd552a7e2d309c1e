"""Who calls: what a request carries, and who that makes of them: a caller whom the store knows by key, or one whom a token names."""
