"""Small real worlds for tests, built through operations; one module per context."""
