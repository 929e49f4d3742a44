"""How often the range of unseen hazards holds the planted truth: independent sources, tied sources, hazards unequally visible.

Run: .venv/bin/python bench/unseen_coverage.py  (about a minute on one core). Prints the table of docs/early-warning.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from anban.lake.warning.hidden import hidden

TOTAL = 600
RUNS = 400
SOURCES = ("visits", "calls", "alarms")
CHANCES = (0.3, 0.2, 0.15)


def found(rng: np.random.Generator, width: int, tie: float, shape: float) -> dict[tuple[bool, ...], int]:
    """Draw one city: `tie` is the chance that a first source's find brings the second; `shape` how unequal the visibility (0: equal)."""
    visible = rng.gamma(shape, 1 / shape, TOTAL)[:, None] if shape else np.ones((TOTAL, 1))
    seen = rng.random((TOTAL, width)) < 1 - (1 - np.array(CHANCES[:width])) ** visible
    seen[:, 1] |= seen[:, 0] & (rng.random(TOTAL) < tie)
    counted: dict[tuple[bool, ...], int] = {}
    for row in seen[seen.any(axis=1)]:
        key = tuple(bool(each) for each in row)
        counted[key] = counted.get(key, 0) + 1
    return counted


def measured(runs: int = RUNS) -> Iterator[tuple[str, tuple[float, int, float, int]]]:
    """Yield each case with the share of runs whose interval holds the truth and the middle estimate, for two and three sources."""
    cases = [(f"tied: {tie:.0%} of the first's finds bring the second", tie, 0.0) for tie in (0.1, 0.2, 0.3, 0.5)]
    cases = [("independent, all equally visible", 0.0, 0.0), *cases, ("unequally visible (gamma, shape 2)", 0.0, 2.0)]
    for name, tie, shape in cases:
        told: list[float] = []
        for width in (2, 3):
            rng = np.random.default_rng(20261125)
            made = [hidden(found(rng, width, tie, shape), SOURCES[:width]) for _ in range(runs)]
            known = [each for each in made if each is not None]
            held = sum(each.low95 <= TOTAL <= each.high95 for each in known)
            told += [100 * held / runs, float(np.median([each.estimate for each in known]))]
        yield name, (told[0], round(told[1]), told[2], round(told[3]))


def main() -> None:
    """Print the table."""
    print("| case | two sources | their estimate | three sources | their estimate |")
    print("|---|---|---|---|---|")
    for name, (two, two_middle, three, three_middle) in measured():
        print(f"| {name} | {two:.1f} % | {two_middle} | {three:.1f} % | {three_middle} |")


if __name__ == "__main__":
    main()
