"""Floor 5: the JSON interface, one module per context."""
