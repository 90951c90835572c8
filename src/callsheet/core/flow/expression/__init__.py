"""The expression language of FLOIP 1.0: Excel's functions, `@` in texts. What a contact wrote is data, never parsed."""
