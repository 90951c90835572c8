"""Our own resources: everything that the documented API lacks."""
