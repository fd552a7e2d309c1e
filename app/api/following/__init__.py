"""The pack that every worker decides with, followed where it is in force."""
