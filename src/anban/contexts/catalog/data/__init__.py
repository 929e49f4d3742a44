"""Packaged master data of the catalog and the pure readers of its files."""
