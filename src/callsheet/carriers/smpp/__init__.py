"""SMPP 3.4: the codec, and the carrier that speaks it."""
