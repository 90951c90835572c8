"""What goes wrong while a flow runs: a value that the session tells, never a crash."""

from __future__ import annotations


class Amiss(Exception):
    """A block could not do what it should; the sentence says why, and quotes nobody's number or text.

    The block is left by its default exit, else the flow goes on at its exit block, else it ends.
    """


class BadExpression(ValueError):
    """An expression cannot be read; the sentence says what is wrong, and where."""
