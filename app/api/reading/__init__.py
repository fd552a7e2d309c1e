"""Reading the record over HTTP. Whoever reads what is about a person is on the record before they see it."""
