"""Links that a hazard's class demands: asked once of whoever must name a person, drawn on the page, ended by the name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from anban.base.journal.verification import verify
from anban.contexts.catalog.data.tables import check_lists, hazard_classes, place_kinds
from anban.contexts.establishments.importers import Result, apply, mapping_named
from anban.contexts.hazards.jobs import chains
from anban.contexts.hazards.operations import Sighting, act, enter, name_link
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.chained import Named
from anban.contexts.responsibility.chains import LINKS, Asking, link_rows, required_links
from anban.contexts.responsibility.exporters import export_link_templates
from anban.contexts.responsibility.importers import TEMPLATES
from anban.contexts.responsibility.models import Link, LinkTemplate
from anban.contexts.territory.models import Holding
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from anban.web.shell import middleware
from tests.contexts.hazards.test_jobs import Watching
from tests.factories.signed import client_of
from tests.factories.town import town

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HEADER = "matter,hazard_class,place_kind,work,grade,role,named_by,from,until,basis,source,certainty"


def resign(t, *names):
    Holding.objects.filter(person__in=[t.people[name].pk for name in names]).update(until_on=date(2026, 6, 1))


def leaking(t, class_code="GAS", at=NOW):
    seen = Sighting(place_id=t.place().pk, class_code=class_code, fact="软管老化", part=class_code, inspected=True)
    return enter(actor=t.actor("王敏"), at=at, sighting=seen).hazard


def named(hazard):
    return Obligation.objects.filter(matter_id=hazard.pk, kind__in=[row.duty for row in link_rows()])


def take_in(path, t, refused=None) -> Result:
    return apply([path], mapping_named(TEMPLATES.code), actor=t.job, at=NOW, refused=refused)


ISSUE_4 = ("builder", "supervisor", "owner_unit", "managing_unit", "supplier", "installer", "checker", "reviewer", "regulator", "territory", "leader")  # fmt: skip


def asking(
    hazard_class="GAS", *, place_kind="catering", code="", grade="general", on=date(2026, 11, 24), matter="hazard"
):
    return Asking(matter=matter, hazard_class=hazard_class, place_kind=place_kind, code=code, grade=grade, on=on)


def test_the_table_asks_for_every_kind_of_link_and_says_of_every_class_what_its_chain_needs():
    assert {row.role for row in link_rows()} == set(LINKS) == set(ISSUE_4)
    assert {row.hazard_class for row in link_rows()} - {""} == {row.code for row in hazard_classes()}
    kinds, works = {row.code for row in place_kinds()}, {row.code for row in check_lists()}
    for row in link_rows():
        assert row.basis
        assert row.source
        assert row.certainty in ("read", "practice", "estimate")
        assert row.named_by in ("territory", "sector_lead", "special", "enforcer", "office")
        assert row.place_kind in {*kinds, ""}
        assert row.work in {*works, ""}


def test_a_row_holds_from_its_day_for_what_it_names_and_the_closest_one_decides():
    first = link_rows()[0].from_on
    assert required_links(link_rows(), asking(on=first - timedelta(days=1))) == ()
    roles = [row.role for row in required_links(link_rows(), asking("STRU", code="CS01", place_kind="building_site"))]
    assert roles == ["territory", "regulator", "owner_unit", "builder", "supervisor", "reviewer"]
    assert "leader" in [row.role for row in required_links(link_rows(), asking(grade="major"))]
    wide = next(row for row in link_rows() if row.role == "supplier" and row.hazard_class == "GAS")
    close = replace(wide, place_kind="catering", named_by="special")
    for rows in ((wide, close), (close, wide)):
        assert [row.named_by for row in required_links(rows, asking())] == ["special"]
        assert [row.named_by for row in required_links(rows, asking(place_kind="market"))] == ["territory"]


def test_a_missing_link_is_asked_for_once_and_ends_when_a_person_is_named(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: NOW + timedelta(hours=2))
    t = town()
    hazard = leaking(t)
    other = leaking(t, class_code="FIRE")
    assert chains(NOW + timedelta(hours=1), Watching("town")) == {"asked": 0}
    duty = named(hazard).get()
    assert (duty.kind, duty.person, duty.due_at.date()) == ("name_supplier", t.people["王敏"], date(2026, 11, 27))
    assert not named(other).exists()
    page, form = f"/ledger/{hazard.pk}/", f"/ledger/{hazard.pk}/links/supplier/"
    assert form in client_of(t, "王敏").get(page).content.decode()
    watching = client_of(t, "何静").get(page).content.decode()
    assert "供应单位责任人" in watching
    assert "缺，请王敏指定责任人，限11月27日" in watching
    monkeypatch.setattr(middleware, "now", lambda: NOW + timedelta(days=5))
    assert "缺，请王敏指定责任人，限11月27日，已逾期" in client_of(t, "何静").get(page).content.decode()
    monkeypatch.setattr(middleware, "now", lambda: NOW + timedelta(hours=2))
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
    for hazard, role in ((first, "supplier"), (second, "builder")):
        name_link(actor=t.actor("王敏"), at=NOW + timedelta(hours=2), hazard_id=hazard.pk, role=role, given=Named(name="马力", phone="138", unit_name="京燃"))  # fmt: skip
    assert Link.objects.filter(person__name="马力").values("person").distinct().count() == 1
    with pytest.raises(Refusal) as again:
        name_link(actor=t.actor("王敏"), at=NOW + timedelta(hours=3), hazard_id=first.pk, role="supplier", given=Named(name="马力", phone="138", unit_name="京燃"))  # fmt: skip
    assert again.value.code == "obligation.not_yours"


def test_what_moves_a_hazard_leaves_the_naming_and_the_close_ends_it():
    t = town()
    hazard = leaking(t)
    to = {"body": t.bodies["朝阳消防"].pk, "reason": "无权责令"}
    act(actor=t.actor("王敏"), at=NOW + timedelta(hours=2), hazard_id=hazard.pk, action=Action.TRANSFER, given=to)
    assert named(hazard).get().state == "open"
    act(actor=t.actor("钱进"), at=NOW + timedelta(hours=3), hazard_id=hazard.pk, action=Action.RECEIVE, given={})
    photos = {"photo_before": [t.photo(hazard, "red").pk], "photo_after": [t.photo(hazard).pk]}
    act(
        actor=t.actor("王敏"), at=NOW + timedelta(hours=4), hazard_id=hazard.pk, action=Action.FIX_ON_SPOT, given=photos
    )
    assert named(hazard).get().state == "void", "nobody was named: it was not done"


def test_entering_asks_with_three_statements_more_and_a_place_that_has_named_is_not_asked_again():
    t = town()
    place = t.place()
    older = NOW - timedelta(days=9)
    plain = Sighting(place_id=place.pk, class_code="GAS", fact="软管老化", part="1", inspected=True)
    with CaptureQueriesContext(connection) as before:
        enter(actor=t.actor("王敏"), at=older, sighting=plain)
    with CaptureQueriesContext(connection) as asking_too:
        hazard = enter(actor=t.actor("王敏"), at=NOW, sighting=replace(plain, part="2")).hazard
    assert len(asking_too) - len(before) <= 3
    assert named(hazard).get().kind == "name_supplier"
    given = Named(name="马力", phone="13800000000", unit_name="京燃公司")
    name_link(actor=t.actor("王敏"), at=NOW, hazard_id=hazard.pk, role="supplier", given=given)
    again = enter(actor=t.actor("王敏"), at=NOW + timedelta(hours=1), sighting=replace(plain, part="3")).hazard
    assert not named(again).exists()
    assert Link.objects.get(matter_id=again.pk, role="supplier").person.name == "马力"
    other = enter(actor=t.actor("王敏"), at=NOW, sighting=replace(plain, place_id=t.place("另一家").pk)).hazard
    assert named(other).get().kind == "name_supplier"
    works = enter(actor=t.actor("王敏"), at=NOW, sighting=replace(plain, class_code="HOT", part="4")).hazard
    name_link(actor=t.actor("王敏"), at=NOW, hazard_id=works.pk, role="builder", given=given)
    more = enter(actor=t.actor("王敏"), at=NOW + timedelta(hours=2), sighting=replace(plain, class_code="HOT", part="5")).hazard  # fmt: skip
    assert named(more).get().kind == "name_builder", "a builder stays with one work"
    assert [finding.en for finding in verify().findings] == []


def test_a_street_without_an_officer_is_the_offices_to_name_and_only_an_official_may_be_named(monkeypatch):
    t = town()
    finder = t.actor("王敏")
    resign(t, "王敏", "刘洋")
    seen = Sighting(place_id=t.place().pk, class_code="EBIK", fact="楼道充电", inspected=True)
    hazard = enter(actor=finder, at=NOW, sighting=seen).hazard
    duty = named(hazard).get(kind="name_territory")
    office = duty.person
    monkeypatch.setattr(middleware, "now", lambda: NOW + timedelta(hours=2))
    watching = client_of(t, "林涛").get(f"/ledger/{hazard.pk}/").content.decode()
    assert office.name != "林涛"
    assert f"请{office.name}指定责任人，限" in watching, "a standing link that has nobody says so to all"
    assert "/links/territory/" not in watching
    assert duty.body.kind == "district_committee_office"
    me = next(name for name, person in t.people.items() if person.pk == office.pk)
    with pytest.raises(Refusal) as wrong:
        name_link(
            actor=t.actor(me), at=NOW, hazard_id=hazard.pk, role="territory", given=Named(person=t.people["李强"].pk)
        )
    assert wrong.value.code == "link.not_official"
    t.hold("新人", "望京平安办", "safety_inspector", "望京街道")
    name_link(actor=t.actor(me), at=NOW, hazard_id=hazard.pk, role="territory", given=Named(person=t.people["新人"].pk))
    assert Link.objects.get(matter_id=hazard.pk, role="territory_officer").person.name == "新人"
    assert not named(hazard).filter(kind="name_territory", state="open").exists()


def test_a_changed_table_reaches_what_is_open_by_the_job_and_new_hazards_at_once(tmp_path):
    t = town()
    hazard = leaking(t, class_code="FIRE")
    assert not named(hazard).exists()
    path = tmp_path / "link-templates.csv"
    path.write_text(
        f"{HEADER}\n,FIRE,catering,,,检测单位,专业监管,2026-11-01,,消防法 第十六条,FP 1.3,practice\n", "utf-8"
    )
    assert take_in(path, t).counts == {"new": 1, "changed": 0, "same": 0, "refused": 0}  # fmt: skip
    assert chains(NOW + timedelta(hours=1), Watching("town")) == {"asked": 1}
    assert chains(NOW + timedelta(hours=2), Watching("town")) == {"asked": 0}
    assert named(hazard).get().kind == "name_checker"
    assert named(leaking(t, class_code="FIRE", at=NOW + timedelta(hours=3))).get().kind == "name_checker"


def test_templates_come_out_as_they_went_in_and_bad_rows_are_refused_by_column(tmp_path):
    t = town()
    for form in ("csv", "xlsx"):
        for words in (False, True):
            path = tmp_path / f"out-{words}.{form}"
            assert export_link_templates(actor=t.job, at=NOW, out=path, form=form, words=words) == len(link_rows())
            taken = take_in(path, t)
            assert taken.counts == {"new": 0, "changed": 0, "same": len(link_rows()), "refused": 0}
    path, refused = tmp_path / "mended.csv", tmp_path / "refused.csv"
    rows = (
        ",GAS,,,,supplier,territory,2026-11-21,2027-01-01,改了依据,FP,practice",
        ",GAS,,,,captain,territory,2026-11-21,,依据,,",
        ",WIND,,,,supplier,territory,2026-11-21,,依据,,",
        "dream,,,ZZ,grave,supplier,nobody,2026-11-21,2026-11-01,依据,,sure",
        ",GAS,,,,supplier,special,2026-11-21,,另一样,,",
    )
    path.write_text("\n".join((HEADER, *rows)) + "\n", "utf-8")
    taken = take_in(path, t, refused)
    assert taken.counts == {"new": 0, "changed": 1, "same": 0, "refused": 4}
    assert [(one.row, one.code) for one in taken.problems] == [
        (3, "role_unknown"), (4, "class_unknown"), (5, "matter_unknown"), (5, "namer_unknown"), (5, "work_unknown"),
        (5, "grade_unknown"), (5, "certainty_unknown"), (5, "reversed"), (6, "key_twice"),
    ]  # fmt: skip
    assert len(refused.read_text("utf-8").splitlines()) == 5
    own = LinkTemplate.objects.filter(root="town")
    assert own.count() == len(link_rows())
    assert own.get(role="supplier", hazard_class="GAS").until_on == date(2027, 1, 1)
