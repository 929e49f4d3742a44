"""The register of places (监管对象台账)."""
