"""The Asterisk that we run ourselves: fetched into a folder, configured from our trunks, started, watched, stopped."""
