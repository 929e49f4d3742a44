"""Schema changes of responsibility."""
