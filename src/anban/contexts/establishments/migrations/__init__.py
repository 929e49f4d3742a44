"""Schema changes of establishments."""
