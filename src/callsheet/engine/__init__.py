"""The hands: small loops, one verb each."""
