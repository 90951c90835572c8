"""Our own resources, below `/v1`: a file for each, with its answers."""
