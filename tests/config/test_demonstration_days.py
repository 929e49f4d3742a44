"""The demonstration on other days than today: the desks of those who sign in have what they are for, whatever the calendar says."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction

from anban.base.jobs import registry
from anban.base.jobs.worker import run_once
from anban.config import demonstration
from anban.config.demonstration import desks, mandates, oversight
from anban.config.demonstration.accounts import SEATS
from anban.config.demonstration.bodies import read_city
from anban.config.demonstration.lives import ZONE
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations.models import Obligation
from anban.rules.duty_lists import Period, spans

NIGHT = ("hazards.clocks", "hazards.chains", "oversight.day")
INSTANTS = (
    datetime(2027, 1, 1, 0, 5, tzinfo=ZONE), datetime(2026, 12, 2, 7, 59, tzinfo=ZONE), datetime(2027, 2, 7, 12, 0, tzinfo=ZONE),
    datetime(2027, 2, 28, 23, 55, tzinfo=ZONE), datetime(2028, 2, 29, 8, 1, tzinfo=ZONE), datetime(2027, 5, 2, 17, 0, tzinfo=ZONE),
)  # fmt: skip
"""The first minutes of a year whose working days nobody has announced; a month in mid-quarter; feasts, a leap day."""

SINGLE = {
    "director": "post_duty", "gashead": "post_duty", "firehead": "post_duty", "inspector": "post_duty", "committee": "sanction",
    "commerce": "rectify_finding", "gas": "joint_part", "fire": "joint_part", "emergency": "joint_part",
}  # fmt: skip
"""What the journeys look for on a desk beside the planned matters."""


@pytest.mark.django_db
def test_every_desk_has_what_it_is_for_on_other_days_too(soak, tmp_path):
    registry.load()
    for at in INSTANTS if soak else INSTANTS[:1]:
        with transaction.atomic():
            demonstration.build(at=at, home=tmp_path, hazards=1, fill=0)
            run_once(NIGHT, at=at)
            _look(at)
            net = json.loads((tmp_path / mandates.TRUTH).read_text(encoding="utf-8"))
            district = [row for row in net if row["area"].startswith(oversight.DISTRICT)]
            assert (
                Obligation.objects.filter(kind="assign_boundary", state="open").count() == len(net) >= len(district) > 0
            )
            assert all(json.loads((tmp_path / oversight.TRUTH).read_text(encoding="utf-8")).values())
            transaction.set_rollback(True)


def _look(at: datetime) -> None:
    city = read_city(at)
    seats = {seat.login: city.people(seat.body, seat.area, seat.role)[seat.which] for seat in SEATS if city.people(seat.body, seat.area, seat.role)}  # fmt: skip
    duties = Obligation.objects.filter(root=demonstration.ROOT, state="open")
    for one in desks.MATTERS:
        (hazard,) = Hazard.objects.filter(root=demonstration.ROOT, code=one.code, part=one.part)
        owed = duties.filter(matter_id=hazard.pk, kind=one.duty)
        if one.login in seats:
            owed = owed.filter(person=seats[one.login])
        assert owed.exists(), (at, one)
    for login, kind in SINGLE.items():
        assert duties.filter(person=seats[login], kind=kind).exists(), (at, login)


def test_the_duty_lists_begin_so_that_one_quarter_and_the_last_months_are_due_on_every_day():
    for day in (date(2026, 11, 26) + timedelta(days=number) for number in range(500)):
        for hour in (0, 1, 12):
            at = datetime(day.year, day.month, day.day, hour, 5, tzinfo=ZONE)
            night = (at - timedelta(hours=1)).date()
            since = oversight._begun(at)
            assert len(list(spans(Period.QUARTER, since, night))) == 1
            assert 2 <= len(list(spans(Period.MONTH, since, night))) <= 3
