"""Schema changes of obligations."""
