"""The documented API: a file for each resource, with its answers."""
