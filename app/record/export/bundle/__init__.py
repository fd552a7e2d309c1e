"""What is put into every bundle as it stands here: the verifier `verify.py` and `README.md`. Nothing of it is imported by the service."""
