"""Packaged areas of Beijing and the pure readers of their files."""
