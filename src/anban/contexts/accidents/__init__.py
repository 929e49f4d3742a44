"""Accidents on record: kind, day, place, grade, persons (事故)."""
