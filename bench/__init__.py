"""Benchmarks: each compares with a hand-written optimum or a peer in the same run and reports ratios (`make bench`)."""
