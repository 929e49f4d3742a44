"""Schema changes of catalog."""
