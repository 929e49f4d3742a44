"""Schema changes of journal."""
