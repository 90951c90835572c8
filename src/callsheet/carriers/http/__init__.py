"""Any REST provider, by a template that an account gives."""
