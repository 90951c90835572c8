"""Child processes: what must not break us, or is not ours, works behind a pipe and may die at any moment."""
