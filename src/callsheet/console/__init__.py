"""The window: serves the console to a browser."""
