"""Schema changes of risk."""
