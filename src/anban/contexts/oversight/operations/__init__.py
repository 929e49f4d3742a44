"""Writes of oversight, one module a subject."""
