"""Databases made by earlier releases, and the test that today's release brings them up to date."""
