"""The starting table of mandates: dated, sourced rows per kind of body."""
