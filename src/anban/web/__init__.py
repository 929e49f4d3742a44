"""Floor 5: pages by audience, not by model."""
