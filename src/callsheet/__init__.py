"""Callsheet: outbound SMS and voice campaigns on the owner's own machines."""

__version__ = "0.1.0"
