"""Where carriers call us back."""
