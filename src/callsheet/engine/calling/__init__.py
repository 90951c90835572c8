"""Calling: the lines for voice, and what leads one call from its dialing to its end."""
