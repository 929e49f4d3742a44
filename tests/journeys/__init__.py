"""One story for each demand of the founding documents, told by several persons through the real pages."""
