"""Pages of officials and inspectors."""
