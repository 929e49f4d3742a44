"""Floor 3: one Django app per bounded context; imports go downward only."""
