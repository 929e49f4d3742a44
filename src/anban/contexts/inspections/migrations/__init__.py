"""Schema changes of inspections."""
