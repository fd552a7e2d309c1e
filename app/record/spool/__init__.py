"""The spool: where entries wait while the store is down, and how they get into it afterwards."""
