"""Schema changes of hazards."""
