"""Reads of oversight, one module a subject; every list begins at what the actor may see."""
