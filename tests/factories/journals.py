"""Small journals with everything in them that a journal can hold: plain entries, words, erased words, ledger rows, tiles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from anban.base.journal.models import Words
from anban.base.journal.operations import Draft, erase_words, record, record_many, unit
from anban.base.people.actor import job_actor
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.inspections.models import Visit
from tests.factories.town import AT, ON, Town, town

ACTOR = job_actor("set-up", "town")
MATTER = UUID("01957b2e-0000-7000-8000-000000000001")
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def plain(count: int, first: int = 0) -> None:
    """Append plain entries, all in one unit."""
    with unit():
        record_many(
            Draft(
                "test.noted", ACTOR.reference, ACTOR.root, ACTOR.channel, START + timedelta(seconds=n), f"test:{MATTER.hex}",
                f"test:{MATTER.hex}", {"n": n, "code": "RG07", "ok": True, "ratio": 0.5 if n % 3 else None}, {},
            )
            for n in range(first, first + count)
        )  # fmt: skip


def small() -> None:
    """Append ten entries: seven plain ones, two with words, one erasure."""
    plain(4)
    for number, text in enumerate(("报警器断电", "说话的人想要忘记")):
        with unit():
            record(
                "test.said", actor=ACTOR, at=START + timedelta(hours=1 + number), subject=("test", MATTER),
                words={"reason": text},
            )  # fmt: skip
    forgotten = Words.objects.get(text="说话的人想要忘记")
    erase_words(forgotten.pk, actor=ACTOR, at=START + timedelta(hours=3), reason="person_asked")
    plain(3, first=4)


def ledger() -> Town:
    """Build a town with one row at least of each sealed table."""
    made = town()
    place = made.place()
    enter(actor=made.actor("王敏"), at=AT, sighting=Sighting(place_id=place.pk, code="RG07", fact="报警器断电"))
    with unit():
        visit = Visit.objects.create(
            root=made.root, number="CHK-2026-000001", place=place, area_path=place.area_path, kind="patrol", on=ON,
            recorded_at=AT,
        )  # fmt: skip
        record("visit.recorded", actor=made.job, at=AT, subject=("visit", visit.pk), wrote=[visit])
    return made
