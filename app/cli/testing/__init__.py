"""`wanliu pack test`: the suites of a pack, run, with what they cover and what they would not notice."""
