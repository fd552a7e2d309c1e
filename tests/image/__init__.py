"""The image without a container engine: the steps of the Dockerfile, performed in a folder."""
