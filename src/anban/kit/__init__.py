"""Floor 0: pure building blocks without a domain, a database or a framework."""
