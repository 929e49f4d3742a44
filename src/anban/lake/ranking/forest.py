"""Grown trees as plain numbers: no code in a kept model, and a hundred thousand places scored in a few hundredths of a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from anban.lake.ranking.history import Floats, Ints

Matrix = npt.NDArray[np.float32]
MOST_LEAVES: Final = 8
"""A leaf is one bit of a byte."""
_AT_ONCE: Final = 50_000
_FEW: Final = 300
_FIRST_LEFT: Final[Ints] = np.array(
    [next((n for n in range(MOST_LEAVES) if not bits >> n & 1), MOST_LEAVES) for bits in range(256)]
)


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree: its tests, the leaves that each rules out where it is not met, and the leaves from left to right.

    A test is met where the feature is at most ``most``, or missing and ``missing_meets``; it is not met anywhere in ``never``.
    """

    feature: tuple[int, ...]
    most: tuple[float, ...]
    missing_meets: tuple[bool, ...]
    rules_out: tuple[int, ...]
    never: int
    leaves: tuple[float, ...]

    def table(self) -> Floats:
        """Return the value of the first leaf that is left, by the bits of those ruled out."""
        return np.asarray([*self.leaves, *[0.0] * (MOST_LEAVES + 1 - len(self.leaves))])[_FIRST_LEFT]


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees whose values are summed, from a beginning that all rows share."""

    start: float
    trees: tuple[Tree, ...]

    def score(self, matrix: Matrix) -> Floats:
        """Return the sum of each row."""
        if len(matrix) <= _FEW:
            return self._few(matrix)
        return np.concatenate([self._some(matrix[n : n + _AT_ONCE]) for n in range(0, len(matrix), _AT_ONCE)])

    def _few(self, matrix: Matrix) -> Floats:
        """Do the same for few rows, all tests of all trees at once."""
        # The first of each tree is met nowhere: it rules out what is never left.
        tests = [
            one
            for tree in self.trees
            for one in (
                (0, -np.inf, False, tree.never),
                *zip(tree.feature, tree.most, tree.missing_meets, tree.rules_out, strict=True),
            )
        ]
        feature, most, missing_meets, bits = (np.array(each) for each in zip(*tests, strict=True))
        value = matrix[:, feature]
        met = (value <= most.astype(np.float32)) | (np.isnan(value) & missing_meets)
        first = np.cumsum([0, *(len(tree.feature) + 1 for tree in self.trees)])[:-1]
        out = np.bitwise_or.reduceat(np.where(met, 0, bits), first, axis=1)
        found = np.stack([tree.table() for tree in self.trees])[np.arange(len(self.trees)), out]
        return np.asarray(np.cumsum(np.column_stack((np.full(len(matrix), self.start), found)), axis=1)[:, -1])

    def _some(self, matrix: Matrix) -> Floats:
        column: dict[int, Matrix] = {}
        missing: dict[int, npt.NDArray[np.bool_]] = {}
        total = np.full(len(matrix), self.start)
        for tree in self.trees:
            out = np.full(len(matrix), tree.never, dtype=np.uint8)
            for feature, most, missing_meets, bits in zip(
                tree.feature, tree.most, tree.missing_meets, tree.rules_out, strict=True
            ):
                if feature not in column:
                    column[feature] = np.ascontiguousarray(matrix[:, feature])
                    missing[feature] = np.isnan(column[feature])
                met = column[feature] <= np.float32(most)
                if missing_meets:
                    met |= missing[feature]
                # Not met: 0 - 1 is 255, every bit; met: none.
                out |= (met.view(np.uint8) - np.uint8(1)) & np.uint8(bits)
            total += tree.table()[out]
        return total

    def plain(self) -> dict[str, Any]:
        """Return it as values for JSON."""
        return {
            "start": self.start,
            "trees": [
                [list(t.feature), list(t.most), list(t.missing_meets), list(t.rules_out), t.never, list(t.leaves)]
                for t in self.trees
            ],
        }

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Forest:
        """Return the forest of such values."""
        return cls(
            float(plain["start"]),
            tuple(
                Tree(tuple(feature), tuple(most), tuple(missing), tuple(bits), never, tuple(leaves))
                for feature, most, missing, bits, never, leaves in plain["trees"]
            ),
        )


def grown(model: Any, columns: Ints, fixed: float) -> Forest:
    """Return the trees of a fitted booster over some columns of a matrix; its last feature always has the value ``fixed``."""
    # No public way leads to the nodes.
    trees = tuple(_tree(predictor.nodes, columns, fixed) for (predictor,) in model._predictors)
    return Forest(float(np.ravel(model._baseline_prediction)[0]), trees)


def _tree(nodes: Any, columns: Ints, fixed: float) -> Tree:
    tests: list[tuple[int, float, bool, int]] = []
    leaves: list[float] = []
    never = 0

    def walk(at: int) -> None:
        nonlocal never
        node = nodes[at]
        if node["is_leaf"]:
            leaves.append(float(node["value"]))
            return
        first = len(leaves)
        walk(int(node["left"]))
        # Where a test is not met, the leaves on its left are out.
        bits = sum(1 << leaf for leaf in range(first, len(leaves)))
        feature, most = int(node["feature_idx"]), float(node["num_threshold"])
        if feature == len(columns):
            never |= 0 if fixed <= most else bits
        else:
            tests.append((int(columns[feature]), _at_most(most), bool(node["missing_go_to_left"]), bits))
        walk(int(node["right"]))

    walk(0)
    if len(leaves) > MOST_LEAVES:
        raise ValueError("a tree has more leaves than a byte has bits")
    feature_of, most_of, missing_of, bits_of = zip(*tests, strict=True) if tests else ((), (), (), ())
    return Tree(feature_of, most_of, missing_of, bits_of, never, tuple(leaves))


def _at_most(threshold: float) -> float:
    """Return the largest number of single precision that is at most the threshold: features are of single precision."""
    near = np.float32(min(threshold, float(np.finfo(np.float32).max)))
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))
