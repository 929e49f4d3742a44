"""Schema changes of accidents."""
