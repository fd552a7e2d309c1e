"""The log: a tree over all entries, sealed and signed every second, and the witnesses that are told of it."""
