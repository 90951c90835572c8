"""A simulated phone network: phones that ring, answer and press keys, as their numbers say."""
