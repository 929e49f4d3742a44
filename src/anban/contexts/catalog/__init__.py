"""Hazard classes and codes, place kinds, industries, per root and dated (目录)."""
