"""The command line: one command a file. What is heavy is imported inside the commands, so that help comes at once."""

from callsheet.cli.program import app, main

__all__ = ["app", "main"]
