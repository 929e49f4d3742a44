"""Schema changes of oversight."""
