"""What the whole-city pass found, as the desk sees it: top lists, area figures, curves, signed assessments (风险研判)."""
