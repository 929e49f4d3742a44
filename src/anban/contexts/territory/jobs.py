"""Tells the timetable of jobs which area roots there are, and in which time zone each lives."""

from __future__ import annotations

from collections.abc import Sequence

from anban.base.jobs.registry import roots_come_from
from anban.contexts.territory.queries import roots


def roots_with_zones() -> Sequence[tuple[str, str]]:
    """Return (code, IANA time zone) of every area root."""
    return tuple(roots().values_list("code", "zone"))


roots_come_from(roots_with_zones)
