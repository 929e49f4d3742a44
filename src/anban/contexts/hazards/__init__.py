"""The ledger of hazards from found to closed (隐患台账)."""
