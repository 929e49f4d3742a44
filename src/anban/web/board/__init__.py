"""The city overview."""
