"""Tables of standards that are too large for a provision: read by the rules beside this folder, each with its source."""
