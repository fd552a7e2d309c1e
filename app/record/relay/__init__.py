"""One writer for all processes of a service: workers send their entries to the keeper, which stores them together."""
