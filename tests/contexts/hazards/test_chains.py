"""Links that a hazard's class demands: asked once of whoever must name a person, drawn on the page, ended by the name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from anban.base.journal.verification import verify
from anban.contexts.hazards.jobs import chains
from anban.contexts.hazards.operations import Sighting, act, enter, name_link
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.chains import LINKS, link_rows, required_links
from anban.contexts.responsibility.models import Link
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from anban.web.shell import middleware
from tests.contexts.hazards.test_jobs import Watching
from tests.factories.signed import client_of
from tests.factories.town import town

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def leaking(t, class_code="GAS", at=NOW):
    seen = Sighting(place_id=t.place().pk, class_code=class_code, fact="软管老化", part=class_code, inspected=True)
    return enter(actor=t.actor("王敏"), at=at, sighting=seen).hazard


def named(hazard):
    return Obligation.objects.filter(matter_id=hazard.pk, kind__in=[row.duty for row in link_rows()])


def test_every_row_of_the_table_is_dated_sourced_and_names_a_known_link():
    assert {row.role for row in link_rows()} == set(LINKS)
    for row in link_rows():
        assert row.basis
        assert row.source
        assert row.certainty
        assert row.named_by in ("territory", "sector_lead", "special", "enforcer", "office")
        assert row in required_links(row.hazard_class, "catering", row.from_on)
        assert row not in required_links(row.hazard_class, "catering", row.from_on - timedelta(days=1))


def test_a_missing_link_is_asked_for_once_and_ends_when_a_person_is_named(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: NOW + timedelta(hours=2))
    t = town()
    hazard = leaking(t)
    other = leaking(t, class_code="FIRE")
    assert chains(NOW + timedelta(hours=1), Watching("town")) == {"asked": 1}
    assert chains(NOW + timedelta(days=3), Watching("town")) == {"asked": 0}
    duty = named(hazard).get()
    assert (duty.kind, duty.person, duty.due_at.date()) == ("name_supplier", t.people["王敏"], date(2026, 11, 27))
    assert not named(other).exists()
    page, form = f"/ledger/{hazard.pk}/", f"/ledger/{hazard.pk}/links/supplier/"
    assert form in client_of(t, "王敏").get(page).content.decode()
    watching = client_of(t, "何静").get(page).content.decode()
    assert "供应单位责任人" in watching
    assert "缺，请王敏指定责任人" in watching
    assert form not in watching
    assert client_of(t, "何静").get(form).status_code == 404
    street = client_of(t, "王敏")
    assert street.get(form).status_code == 200
    assert street.post(form, {"unit_name": "京燃公司", "name": ""}).status_code == 422
    sent = street.post(form, {"unit_name": "京燃公司", "name": "马力", "phone": "13800000000"})
    assert (sent.status_code, sent["Location"]) == (302, page)
    duty.refresh_from_db()
    link = Link.objects.get(matter_id=hazard.pk, role="supplier")
    assert (duty.state, link.unit_name, link.person.name, link.until_at) == ("done", "京燃公司", "马力", None)
    after = street.get(page).content.decode()
    assert "马力" in after
    assert form not in after
    assert chains(NOW + timedelta(days=4), Watching("town")) == {"asked": 0}
    assert [finding.en for finding in verify().findings] == []


def test_the_same_person_is_named_twice_and_stands_on_file_once():
    t = town()
    first, second = leaking(t), leaking(t, class_code="HOT")
    chains(NOW + timedelta(hours=1), Watching("town"))
    for hazard, role in ((first, "supplier"), (second, "builder")):
        name_link(actor=t.actor("王敏"), at=NOW + timedelta(hours=2), hazard_id=hazard.pk, role=role, name="马力", phone="138", unit_name="京燃")  # fmt: skip
    assert Link.objects.filter(person__name="马力").values("person").distinct().count() == 1
    with pytest.raises(Refusal) as again:
        name_link(actor=t.actor("王敏"), at=NOW + timedelta(hours=3), hazard_id=first.pk, role="supplier", name="马力", phone="138", unit_name="京燃")  # fmt: skip
    assert again.value.code == "obligation.not_yours"


def test_what_moves_a_hazard_leaves_the_naming_and_the_close_ends_it():
    t = town()
    hazard = leaking(t)
    chains(NOW + timedelta(hours=1), Watching("town"))
    to = {"body": t.bodies["朝阳消防"].pk, "reason": "无权责令"}
    act(actor=t.actor("王敏"), at=NOW + timedelta(hours=2), hazard_id=hazard.pk, action=Action.TRANSFER, given=to)
    assert named(hazard).get().state == "open"
    act(actor=t.actor("钱进"), at=NOW + timedelta(hours=3), hazard_id=hazard.pk, action=Action.RECEIVE, given={})
    photos = {"photo_before": [t.photo(hazard, "red").pk], "photo_after": [t.photo(hazard).pk]}
    act(
        actor=t.actor("王敏"), at=NOW + timedelta(hours=4), hazard_id=hazard.pk, action=Action.FIX_ON_SPOT, given=photos
    )
    assert named(hazard).get().state != "open"
