"""The rules of the field: pure tables and functions without clock, database or settings (floor 1)."""
