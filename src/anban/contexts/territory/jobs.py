"""Tells the table of jobs which area roots there are, so that a job can run for each in its own time zone."""

from __future__ import annotations

from collections.abc import Sequence

from anban.base.jobs.registry import roots_come_from
from anban.contexts.territory.models import AreaRoot


def _roots() -> Sequence[tuple[str, str]]:
    return list(AreaRoot.objects.order_by("code").values_list("code", "zone"))


roots_come_from(_roots)
