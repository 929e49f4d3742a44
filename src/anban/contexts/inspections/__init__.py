"""Visits, their answers and findings (检查)."""
