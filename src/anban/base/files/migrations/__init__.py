"""Schema changes of files."""
