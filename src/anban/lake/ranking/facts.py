"""Facts that can be a reason: which features each is made of, who has it, and what those features are where it is absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from anban.lake.ranking.features import Features
from anban.lake.ranking.history import Bools

YEAR: Final = float(np.log1p(365.0))


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that may be so at a place: true where ``feature`` is above ``above``; ``parts`` are the features it is made of."""

    sort: str
    about: str
    feature: str
    above: float
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return what the fact is called in the model."""
        return f"{self.sort}:{self.about}" if self.about else self.sort

    def holds(self, features: Features) -> Bools:
        """Return at which rows it is so."""
        with np.errstate(invalid="ignore"):
            return np.asarray(features.column(self.feature) > self.above)


def facts_of(names: tuple[str, ...], label_kind: str | None) -> tuple[Fact, ...]:
    """Return the facts that these features can tell."""

    def parts(*prefixes: str) -> tuple[str, ...]:
        return tuple(each for each in names if each.startswith(prefixes))

    finds = ("own.rate", "own.ratio", "own.last", "own.found", "own.streak", "own.waited_found", "visit.", "code.")
    out = [Fact("found", "", "own.found", 0.0, parts(*finds))]
    routine = f"kind.{label_kind}.waited"
    out.append(
        Fact("waited", "", "own.waited", YEAR, parts("own.waited", "every.waited", routine, "own.rate", "own.ratio"))
    )
    for each in names:
        head, _, rest = each.partition(".")
        about, _, last = rest.rpartition(".")
        if head == "kind" and last == "365" and about != label_kind:
            out.append(Fact("kind", about, each, 0.0, parts(f"kind.{about}.")))
        elif head == "code":
            out.append(Fact("code", rest, each, 0.2, (each,)))
        elif head == "signal" and last == "365":
            out.append(Fact("signal", about, each, 0.0, parts(f"signal.{about}.")))
        elif head == "near" and last == "90":
            out.append(Fact("near", about, each, 0.7, parts(f"near.{about}.")))
        elif head == "like":
            out.append(Fact("like", rest, each, 0.1, (each, *parts(f"is.{rest}="))))
    if "around.40" in names:
        out.append(Fact("around", "", "around.40", 0.1, parts("around.")))
    return tuple(out)


def neutral_values(facts: tuple[Fact, ...], features: Features) -> dict[str, tuple[tuple[str, float], ...]]:
    """Return, for each fact, the mean of its features where it does not hold: what they would be without it."""
    out: dict[str, tuple[tuple[str, float], ...]] = {}
    for fact in facts:
        without = ~fact.holds(features)
        if not without.any():
            continue
        values = []
        for part in fact.parts:
            column = features.column(part)[without]
            known = column[np.isfinite(column)]
            values.append((part, float(known.mean()) if len(known) else float("nan")))
        out[fact.name] = tuple(values)
    return out
