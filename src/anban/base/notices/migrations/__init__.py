"""Schema changes of notices."""
