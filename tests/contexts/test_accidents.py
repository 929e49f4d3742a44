"""Chains of accidents: who answers by the net stands in them at once, who is missing is asked for, named on a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from anban.base.journal.verification import verify
from anban.contexts.accidents.chains import CLASS_OF
from anban.contexts.accidents.operations import Report, record_accident
from anban.contexts.accidents.queries import KINDS
from anban.contexts.catalog.data.tables import hazard_classes
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight.models import SanctionCase
from anban.contexts.oversight.operations import sanctions
from anban.contexts.responsibility.models import Link
from anban.web.shell import middleware
from tests.factories.signed import client_of
from tests.factories.town import town

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def happened(t, place, days=1):
    on = (NOW - timedelta(days=days)).date()
    made = Report(kind="gas", on=on, area_path="1/05/026/", unit_name="巷口面馆", place=place)
    return record_accident(actor=t.actor("何静"), at=NOW, report=made)


def test_every_kind_of_accident_has_a_class_whose_regulators_answer():
    assert set(CLASS_OF) == {code for code, _ in KINDS}
    assert set(CLASS_OF.values()) <= {row.code for row in hazard_classes()}


def test_an_accident_has_its_chain_at_once_and_what_is_missing_on_desks(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: NOW + timedelta(hours=2))
    t = town()
    row = happened(t, t.place())
    assert set(Link.objects.filter(matter_id=row.pk).values_list("role", "person__name")) == {
        ("territory_officer", "王敏"), ("sector_officer", "周航"), ("special_officer", "赵磊"),
        ("enforcer", Link.objects.get(matter_id=row.pk, role="enforcer").person.name),
    }  # fmt: skip
    owed = {one.kind: one.person.name for one in Obligation.objects.filter(matter_id=row.pk)}
    assert owed == {"name_leader": "何静", "name_supplier": "王敏"}
    sanctions.open_case(actor=t.actor("何静"), at=NOW, accident=row)
    page = f"/oversight/sanctions/{SanctionCase.objects.get().pk}/"
    form = f"/oversight/accidents/{row.pk}/links/leader/"
    shown = client_of(t, "何静").get(page).content.decode()
    assert "责任链条" in shown
    assert form in shown
    assert client_of(t, "宋岩").get(form).status_code == 404
    office = client_of(t, "何静")
    assert office.get(form).status_code == 200
    assert office.post(form, {"person": str(t.people["李强"].pk)}).status_code == 422
    assert office.post(form, {"person": str(t.people["宋岩"].pk)}).status_code == 302
    assert Link.objects.get(matter_id=row.pk, role="case_leader").person.name == "宋岩"
    assert form not in client_of(t, "何静").get(page).content.decode()
    assert [finding.en for finding in verify().findings] == []


def test_an_accident_before_the_table_asks_nothing_and_one_without_a_place_asks_the_office():
    t = town()
    assert not Obligation.objects.filter(matter_id=happened(t, t.place(), days=30).pk).exists()
    homeless = happened(t, None)
    assert set(Obligation.objects.filter(matter_id=homeless.pk).values_list("kind", "person__name")) == {
        ("name_leader", "何静"), ("name_supplier", "何静"), ("name_territory", "何静"),
    }  # fmt: skip
