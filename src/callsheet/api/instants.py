"""Instants as the API writes them."""

from callsheet.core.instants import write_instant

__all__ = ["write_instant"]
