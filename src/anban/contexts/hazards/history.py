"""What foreign history implies: from the days on which a code was cited and not cited, cycles whose ends are inferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from anban.rules import rebound


@dataclass(slots=True)
class Inferred:
    """One cycle as the source's visits imply it; ``cited`` are positions in the list of citations."""

    no: int
    found_on: date
    cited: list[int] = field(default_factory=list)
    last_on: date | None = None
    ended_on: date | None = None
    rebound: bool = False
    standing: bool = False
    """Whether the cycle was on the ledger before, so that only what is new about it is to be written."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The last cycle of a hazard that an earlier import put on the ledger, and the last day on which it was cited."""

    no: int
    found_on: date
    last_on: date
    ended_on: date | None


def infer(
    cited: Sequence[date], clean: Sequence[date], window: rebound.Windows, standing: Standing | None = None
) -> list[Inferred]:
    """This function will give the cycles of one danger at one place from its citations and the place's clean visits.

    ``cited`` are the days on which a visit cited the code, in order; ``clean`` the days of routine visits with a known
    result that did not cite it, in order. A cycle begins with a citation and is inferred to end on the first clean day
    *after* its last citation; a clean and a citing visit on one day prove nothing, so the danger stays. A later citation
    opens the next cycle of the same file: a rebound when ``rules.rebound`` says so, else a new cycle that counts as none.

    With ``standing`` only what follows from it is given: an ended cycle never changes, so citations from before its end
    are voices of it (``cited`` of the first result). Days are compared as the source states them, without times.
    """
    cycles: list[Inferred] = []
    now: Inferred | None = None
    closed_on: date | None = None
    if standing is not None:
        now = Inferred(standing.no, standing.found_on, [], standing.last_on, standing.ended_on, standing=True)
        cycles.append(now)
        closed_on = standing.ended_on
    days = iter(clean)
    next_clean = next(days, None)
    for position, day in enumerate(cited):
        if closed_on is not None and cycles and cycles[-1].standing and day < closed_on:
            cycles[-1].cited.append(position)
            continue
        # Clean days up to the day of this citation end the open cycle; a clean visit of the same day does not.
        while next_clean is not None and next_clean < day:
            if now is not None and now.ended_on is None and now.last_on is not None and next_clean > now.last_on:
                now.ended_on = closed_on = next_clean
            next_clean = next(days, None)
        if now is not None and now.ended_on is None:
            now.cited.append(position)
            now.last_on = day if now.last_on is None else max(now.last_on, day)
            continue
        again = closed_on is not None and rebound.classify(closed_on, day, window).is_rebound
        number = cycles[-1].no + 1 if cycles else 1
        now = Inferred(number, day, [position], day, None, again)
        cycles.append(now)
    while next_clean is not None:
        if now is not None and now.ended_on is None and now.last_on is not None and next_clean > now.last_on:
            now.ended_on = next_clean
            break
        next_clean = next(days, None)
    return cycles
