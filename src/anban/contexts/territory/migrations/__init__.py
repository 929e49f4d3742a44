"""Schema changes of territory."""
