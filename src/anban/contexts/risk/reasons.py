"""Why a place stands on the list: facts of which each, taken away, lowers the chance that something serious is hidden there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from anban.rules.visit_index import hidden_probability

PRIOR: Final = 0.8
"""The shape of the prior of the transparent score (lake/sql/scores.sql)."""

LONGEST: Final = 730
"""Days after which a place counts as never seen."""

EVENTS: Final = ("fails_730", "rebounds_365", "calls_90")


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: which fact, its number, and by how much the chance falls without it."""

    fact: str
    number: int
    falls: float


def reasons(facts: Mapping[str, Any]) -> list[Why]:
    """Return the reasons of a place, the weightiest first; none has no effect.

    ``facts`` are the place's columns in the results: ``daily``, ``days_unseen`` and the counts of ``EVENTS``.
    """
    events = sum(int(facts[name]) for name in EVENTS)
    # What stands below the line of the rate: the prior's days and the days under observation.
    exposure = (PRIOR + events) / float(facts["daily"])
    unseen = facts.get("days_unseen")
    days = min(max(int(unseen if unseen is not None else LONGEST), 0), LONGEST)
    full = hidden_probability(float(facts["daily"]), days)
    found = []
    for name in EVENTS:
        number = int(facts[name])
        if number:
            without = hidden_probability((PRIOR + events - number) / exposure, days)
            found.append(Why(_said(name, facts), number, full - without))
    if days:
        # The chance no longer grows after LONGEST; the days that are told do.
        found.append(Why("never_seen", days, full) if unseen is None else Why("days_unseen", int(unseen), full))
    return sorted((why for why in found if why.falls > 0), key=lambda why: (-why.falls, why.fact))


def _said(name: str, facts: Mapping[str, Any]) -> str:
    """Return the fact under which a count is told: three failures in a row say more than their number."""
    if name == "fails_730" and facts.get("known_last3") == 3 and facts.get("fails_last3") == 3:
        return "failing"
    return name
