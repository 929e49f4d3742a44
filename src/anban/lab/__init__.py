"""The simulated city: supervision policies compared at equal effort against a truth that is known (floor 4; command line only)."""
