"""Whole-city analysis: columnar snapshots, every SQL text over them, the engines that run it, and the pass."""
