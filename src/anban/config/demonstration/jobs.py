"""The worker's part of the demonstration: filling it up behind the first page."""

from __future__ import annotations

from datetime import datetime

from anban.base.jobs.registry import Handle, job
from anban.config import demonstration


@job(demonstration.FILL, lane="long")
def fill(slot: datetime, handle: Handle) -> dict[str, int]:
    """Fill the demonstration up to the target it was asked for; run again it goes on from what is there."""
    at = datetime.fromisoformat(str(handle.args["at"])) if "at" in handle.args else slot
    have = demonstration.fill(at=at, target=int(handle.args["target"]), progress=handle.progress)
    return {"hazards": have}
