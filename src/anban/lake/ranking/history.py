"""What was known of every place on a given day: sums, last values and times over visits, read as of that day and never later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_SPAN = 1 << 20  # more days than any history has: place and day make one sortable key


@dataclass(frozen=True, slots=True)
class Clock:
    """The days on which a log was being kept, counted: a spell in which nobody wrote is not a spell in which nothing happened."""

    first: int
    counted: Ints

    def at(self, days: Ints) -> Ints:
        """Return the number of kept days before each day."""
        inside = np.clip(days - self.first, 0, len(self.counted) - 1)
        return self.counted[inside] + np.maximum(days - self.first - (len(self.counted) - 1), 0)

    @classmethod
    def of(cls, days: Ints, until: int, spell: int = 28, share: float = 0.05) -> Clock:
        """Count the days up to ``until``, leaving out spells of four weeks or more in which the log is nearly empty."""
        first = int(days.min()) if len(days) else until
        length = max(until - first, 1)
        volume = np.bincount(days - first, minlength=length)[:length].astype(float)
        total = np.concatenate(([0.0], np.cumsum(volume)))
        starts = np.arange(max(length - spell + 1, 0))
        sums = total[starts + spell] - total[starts]
        kept = np.ones(length, dtype=bool)
        if len(sums) and len(days) >= 200:
            for start in starts[sums <= share * np.median(sums)]:
                kept[start : start + spell] = False
        return cls(first, np.concatenate(([0], np.cumsum(kept))))


class Strand:
    """Some of the visits, in order of place and day, that can be summed up to any day before which they lie."""

    def __init__(self, place: Ints, day: Ints, clock: Clock) -> None:
        self.clock = clock
        tick = clock.at(day)
        later = place[1:] * _SPAN + day[1:] >= place[:-1] * _SPAN + day[:-1]
        # Rows that come in this order already are read where they lie.
        self.order: Ints | slice = slice(None) if later.all() else np.lexsort((day, place))
        self.tick = tick[self.order]
        self.key = place[self.order] * _SPAN + self.tick
        self.zero = int(self.tick.min()) if len(tick) else 0
        self._weight: dict[float, Floats] = {}

    def positions(self, place: Ints, day: Ints) -> tuple[Ints, Ints]:
        """Return, for each place and day, where its visits begin and where those before the day end."""
        begin = np.searchsorted(self.key, place * _SPAN, side="left")
        end = np.searchsorted(self.key, place * _SPAN + self.clock.at(day), side="left")
        return begin, end

    def since(self, place: Ints, day: Ints, days: int) -> Ints:
        """Return where the visits of the last ``days`` kept days begin."""
        return np.searchsorted(self.key, place * _SPAN + np.maximum(self.clock.at(day) - days, 0), side="left")

    def running(self, values: Floats) -> Floats:
        """Return the running sum of a column given in the caller's order of visits; a missing value adds nothing."""
        return _summed(_known(values[self.order]))

    def faded(self, values: Floats, life: float) -> Floats:
        """Return the running sum in which older visits weigh less: a factor e for every ``life`` kept days."""
        if life not in self._weight:
            self._weight[life] = np.exp((self.tick - self.zero) / life)
        return _summed(_known(values[self.order]) * self._weight[life])

    def fading(self, day: Ints, life: float) -> Floats:
        """Return the factor that brings a faded sum to its worth on each day."""
        return np.exp(-(self.clock.at(day) - self.zero) / life)

    def last(self, values: Floats, begin: Ints, end: Ints, back: int = 1) -> Floats:
        """Return the value at the last visit, the last but one …; not a number where there is none."""
        where = end - back
        there = where >= begin
        ordered = values[self.order]
        out = np.full(len(end), np.nan)
        out[there] = ordered[where[there]]
        return out

    def waited(self, day: Ints, begin: Ints, end: Ints) -> Floats:
        """Return the kept days since the last visit; not a number where there is none."""
        there = end > begin
        out = np.full(len(end), np.nan)
        out[there] = (self.clock.at(day)[there] - self.tick[end[there] - 1]).astype(float)
        return out


def _known(values: Floats) -> Floats:
    """Return the values with 0 where one is missing."""
    return values if np.isfinite(values).all() else np.nan_to_num(values)


def _summed(values: Floats) -> Floats:
    out = np.zeros(len(values) + 1)
    np.cumsum(values, out=out[1:])
    return out
