"""A model as plain values and back, to the last digit: what is kept of a training is numbers that anyone can read, never code."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from anban.lake.ranking.forest import Forest
from anban.lake.ranking.history import Floats
from anban.lake.ranking.training import Fold, Linear, Model

FORMAT: Final = 1


def plain_of(model: Model) -> dict[str, Any]:
    """Return the model as values for JSON; a number that is none (not a number, without bound) stands as a text."""
    linear = model.linear
    return {
        "format": FORMAT, "names": list(model.names), "way": model.way, "share": model.share, "spread": list(model.spread),
        "slope": model.slope, "intercept": model.intercept, "base": model.base, "strictness": model.strictness, "told": model.told,
        "linear": linear and {name: _out(getattr(linear, name)) for name in Linear.__slots__},
        "trees": model.trees and model.trees.plain(),
        "folds": [
            {"start": each.start, "found": _out(each.found), "scores": _out(each.scores), "group": each.group.tolist()}
            for each in model.folds
        ],
        "neutral": {fact: [[name, *_out(np.array([value]))] for name, value in parts] for fact, parts in model.neutral.items()},
    }  # fmt: skip


def model_of(plain: dict[str, Any]) -> Model:
    """Return the model of such values. Raises: ValueError where it is of another format."""
    if plain.get("format") != FORMAT:
        raise ValueError("a model of another format")
    linear, trees = plain["linear"], plain["trees"]
    return Model(
        names=tuple(plain["names"]), way=plain["way"], linear=linear and Linear(*(_in(linear[name]) for name in Linear.__slots__)),
        trees=trees and Forest.of(trees), share=plain["share"], spread=(plain["spread"][0], plain["spread"][1]),
        slope=plain["slope"], intercept=plain["intercept"], base=plain["base"], strictness=plain["strictness"],
        folds=tuple(Fold(each["start"], _in(each["found"]), _in(each["scores"]), np.array(each["group"], dtype=np.int64))
            for each in plain["folds"]),
        neutral={
            fact: tuple((name, float(value)) for name, value in parts) for fact, parts in plain["neutral"].items()
        },
        told=plain["told"],
    )  # fmt: skip


def _out(values: Floats) -> list[float | str]:
    return [value if math.isfinite(value) else str(value) for value in values.tolist()]


def _in(values: list[float | str]) -> Floats:
    return np.array([float(value) for value in values], dtype=np.float64)
