"""The workbench of the people who write policies: tests of packs, what a pack means, what a change does."""
