"""Operations of the register: what they change, what the journal says, what they refuse."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from anban.base.journal.digests import row_digest, row_name
from anban.base.journal.models import Entry
from anban.base.people.actor import Actor, job_actor
from anban.base.people.models import AccessRecord
from anban.base.people.operations import add_person, erase_person
from anban.contexts.establishments import operations, queries
from anban.contexts.establishments.models import Merge, Observation, Party, PersonInCharge, Place, SourceList
from anban.rules.errors import Refusal
from tests.factories.establishments import AT, ROOT, Town, actor_with, make_place, make_town, steward, valid_code

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 1)


@pytest.fixture
def town() -> Town:
    return make_town()


def entries(verb: str = "") -> list[dict[str, Any]]:
    bodies = [json.loads(body) for body in Entry.objects.order_by("position").values_list("body", flat=True)]
    return [body for body in bodies if not verb or body["verb"] == verb]


def refusal(call: Any, **kwargs: Any) -> Refusal:
    size = Entry.objects.count()
    with pytest.raises(Refusal) as caught:
        call(**kwargs)
    assert Entry.objects.count() == size, "a refusal leaves no entry"
    return caught.value


def sealed(place: Place) -> None:
    """The last entry that names a row carries the digest of what stands in the database."""
    stored = Place.objects.get(pk=place.pk)
    digests = [e["rows"][row_name(stored)] for e in entries() if row_name(stored) in e["rows"]]
    assert digests[-1] == row_digest(stored)


def test_register_gives_a_number_and_derives_area_and_overview(town: Town) -> None:
    place = make_place(town, "E1", credit_code=valid_code(1).lower(), kind="catering", lng=116.39, lat=39.9)
    stored = Place.objects.get(pk=place.pk)
    assert (stored.number, stored.area_path, stored.overview_code) == ("PL-2026-000001", "1/E/1/", "E")
    assert (stored.credit_code, stored.status, stored.version) == (valid_code(1), "operating", 1)
    (entry,) = entries("place.registered")
    assert entry["subject"] == entry["matter"] == f"place:{place.pk.hex}"
    assert entry["data"]["number"] == "PL-2026-000001"
    assert "福满楼" not in json.dumps(entry, ensure_ascii=False)
    sealed(place)


def test_register_shifts_a_position_to_wgs84_and_keeps_where_it_came_from(town: Town) -> None:
    place = make_place(town, lng=116.403988, lat=39.914266, datum="gcj02")
    assert place.lng_wgs84 == pytest.approx(116.397746, abs=2e-5)
    assert place.source_datum == "gcj02"


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"name": "  "}, "place.name_missing", "name"),
        ({"credit_code": "91110105MA000001X0"}, "place.code_wrong", "credit_code"),
        ({"credit_code": "9.11E+17"}, "place.code_wrong", "credit_code"),
        ({"status": "gone"}, "place.value_unknown", "status"),
        ({"lng": 190.0, "lat": 1.0}, "place.position_wrong", "lng"),
        ({"number": "PL-2026-000001"}, "place.number_taken", "number"),
    ],
)
def test_register_refuses_what_cannot_be(town: Town, facts: dict[str, Any], code: str, field: str) -> None:
    make_place(town)
    found = refusal(lambda **kw: make_place(town, **kw), **facts)
    assert (found.code, found.field) == (code, field)


def test_wrong_credit_code_says_what_is_wrong(town: Town) -> None:
    broken = valid_code(1)[:-1] + ("0" if valid_code(1)[-1] != "0" else "1")
    found = refusal(lambda: make_place(town, credit_code=broken))
    assert "第18位校验码不符" in found.zh
    assert "check character (18)" in found.en


def test_register_of_an_area_of_another_root_is_refused(town: Town) -> None:
    other = make_town("other")
    call = lambda: operations.register_place(  # noqa: E731
        actor=steward(), at=AT, name="甲", area_id=other.area("E1").pk
    )
    assert refusal(call).code == "place.area_unknown"


@pytest.mark.parametrize(
    ("actor", "allowed"),
    [
        (actor_with("safety_inspector", "1/E/1/"), True),
        (actor_with("grid_worker", "1/E/1/"), True),
        (actor_with("safety_inspector", "1/E/2/"), False),
        (actor_with("safety_inspector", "1/E/1/9/"), False),
        (actor_with("district_regulator", "1/E/", kinds=["catering"]), True),
        (actor_with("district_regulator", "1/E/", kinds=["school"]), False),
        (actor_with("leader_viewer"), False),
        (actor_with("system_admin"), False),
        (actor_with("steward", root="other"), False),
    ],
)
def test_register_asks_for_area_role_and_sector(town: Town, actor: Actor, allowed: bool) -> None:
    facts: dict[str, Any] = {"at": AT, "name": "甲", "area_id": town.area("E1").pk, "kind": "catering"}
    if allowed:
        assert operations.register_place(actor=actor, **facts).area_path == "1/E/1/"
    else:
        assert refusal(operations.register_place, actor=actor, **facts).code in {
            "place.not_allowed", "place.area_unknown",
        }  # fmt: skip


def test_amend_saves_facts_version_and_entry(town: Town) -> None:
    place = make_place(town)
    changes = {"name": "新名", "kind": "school", "area_id": town.area("E2").pk}
    after = operations.amend(actor=steward(), at=AT, place_id=place.pk, version=1, changes=changes)
    assert (after.version, after.name, after.area_path, after.overview_code) == (2, "新名", "1/E/2/", "E")
    assert [p.pk for p in queries.page(steward(), queries.Filters(q="新名")).rows] == [place.pk]
    (entry,) = entries("place.amended")
    assert entry["data"]["changed"] == ["area_id", "kind", "name"]
    assert entry["data"]["after"]["kind"] == "school"
    assert set(entry["data"]["words"]) == {"name_before", "name_after"}
    sealed(place)


def test_amend_of_a_stale_version_is_refused(town: Town) -> None:
    place = make_place(town)
    operations.amend(actor=steward(), at=AT, place_id=place.pk, version=1, changes={"name": "乙"})
    found = refusal(operations.amend, actor=steward(), at=AT, place_id=place.pk, version=1, changes={"name": "丙"})
    assert found.code == "place.changed_meanwhile"
    assert "2" in found.zh
    assert Place.objects.get(pk=place.pk).name == "乙"


def test_amend_without_a_change_writes_nothing(town: Town) -> None:
    place = make_place(town)
    operations.amend(actor=steward(), at=AT, place_id=place.pk, version=1, changes={"name": place.name})
    assert entries("place.amended") == []
    assert Place.objects.get(pk=place.pk).version == 1


@pytest.mark.parametrize("field", ["status", "number", "survivor_id", "root"])
def test_amend_changes_only_what_may_be_amended(town: Town, field: str) -> None:
    place = make_place(town)
    found = refusal(operations.amend, actor=steward(), at=AT, place_id=place.pk, version=1, changes={field: "x"})
    assert found.code == "place.field_unknown"


def test_place_cannot_be_moved_into_an_area_that_is_not_ones_own(town: Town) -> None:
    place = make_place(town, "E1")
    actor = actor_with("safety_inspector", "1/E/1/")
    changes = {"area_id": town.area("W1").pk}
    assert refusal(operations.amend, actor=actor, at=AT, place_id=place.pk, version=1, changes=changes).code == (
        "place.not_allowed"
    )


def test_place_out_of_sight_is_unknown(town: Town) -> None:
    place = make_place(town, "W1")
    actor = actor_with("safety_inspector", "1/E/1/")
    assert (
        refusal(operations.amend, actor=actor, at=AT, place_id=place.pk, version=1, changes={}).code == "place.unknown"
    )


def test_status_awaiting_demolition_is_kept_with_its_day_and_history(town: Town) -> None:
    place = make_place(town)
    operations.set_status(
        actor=steward(), at=AT, place_id=place.pk, version=1, status="awaiting_demolition", on=DAY, reason="征收公告"
    )
    stored = Place.objects.get(pk=place.pk)
    assert (stored.status, stored.status_on, stored.version) == ("awaiting_demolition", DAY, 2)
    found = queries.file_of(steward(), place.pk)
    assert found is not None
    assert [(s.status, s.on) for s in found.statuses] == [("operating", ""), ("awaiting_demolition", "2026-03-01")]
    sealed(place)


def test_party_is_followed_by_the_next_one_and_kept(town: Town) -> None:
    place = make_place(town)
    for name in ("甲公司", "甲公司", "乙公司", ""):
        operations.set_party(actor=steward(), at=AT, place_id=place.pk, role="owner_unit", name=name, from_on=DAY)
    rows = Party.objects.filter(place=place).order_by("id").values_list("name", "until_on")
    assert list(rows) == [("甲公司", DAY), ("乙公司", DAY)]
    assert len(entries("place.party_set")) == 3


def test_person_in_charge_is_named_and_reading_the_name_is_logged(town: Town) -> None:
    place = make_place(town)
    person = add_person(actor=steward(), at=AT, root=ROOT, name="王五")
    firm = actor_with("enterprise_manager", place_id=place.pk)
    operations.set_in_charge(actor=firm, at=AT, place_id=place.pk, role="principal", person_id=person.pk)
    blind = queries.file_of(steward(), place.pk)
    assert blind is not None
    assert [p.name for p in blind.in_charge] == [""]
    assert AccessRecord.objects.count() == 0
    named = operations.open_file(actor=steward(), at=AT, place_id=place.pk)
    assert [p.name for p in named.in_charge] == ["王五"]
    assert AccessRecord.objects.values_list("what", "rows").get() == ("place.in_charge", 1)
    assert all("王五" not in json.dumps(entry, ensure_ascii=False) for entry in entries())
    sealed(place)


def test_person_in_charge_must_be_on_file_and_not_erased(town: Town) -> None:
    place = make_place(town)
    person = add_person(actor=steward(), at=AT, root=ROOT, name="王五")
    erase_person(person.pk, actor=steward(), at=AT, reason="本人要求")
    found = refusal(
        operations.set_in_charge, actor=steward(), at=AT, place_id=place.pk, role="principal", person_id=person.pk
    )
    assert found.code == "person.unknown"
    assert PersonInCharge.objects.count() == 0


def test_merge_and_its_undo_keep_survivors_one_step_away(town: Town) -> None:
    a, b, c = (make_place(town, name=name) for name in "甲乙丙")
    first = operations.merge(actor=steward(), at=AT, survivor_id=b.pk, absorbed_id=a.pk, reason="同一家")
    second = operations.merge(actor=steward(), at=AT, survivor_id=c.pk, absorbed_id=b.pk)
    assert {queries.surviving(p.pk) for p in (a, b, c)} == {c.pk}
    assert queries.surviving_many([a.pk, c.pk]) == {a.pk: c.pk, c.pk: c.pk}
    assert set(queries.standing_for(a.pk)) == {a.pk, b.pk, c.pk}
    assert [p.pk for p in queries.page(steward(), queries.Filters()).rows] == [c.pk]
    for place in (a, b, c):
        sealed(place)
    operations.undo_merge(actor=steward(), at=AT, merge_id=second.pk)
    assert [queries.surviving(p.pk) for p in (a, b, c)] == [b.pk, b.pk, c.pk]
    operations.undo_merge(actor=steward(), at=AT, merge_id=first.pk)
    assert [queries.surviving(p.pk) for p in (a, b, c)] == [a.pk, b.pk, c.pk]
    for place in (a, b, c):
        sealed(place)
    assert Merge.objects.filter(undone_at__isnull=True).count() == 0
    assert refusal(operations.undo_merge, actor=steward(), at=AT, merge_id=first.pk).code == "merge.unknown"
    assert [len(entries(verb)) for verb in ("place.merged", "place.merge_undone")] == [2, 2]


def test_merge_refuses_itself_a_merged_one_and_a_post_without_the_right(town: Town) -> None:
    a, b, c = (make_place(town, name=name) for name in "甲乙丙")
    ask: dict[str, Any] = {"actor": steward(), "at": AT}
    assert refusal(operations.merge, **ask, survivor_id=a.pk, absorbed_id=a.pk).code == "place.merge_self"
    operations.merge(**ask, survivor_id=a.pk, absorbed_id=b.pk)
    assert refusal(operations.merge, **ask, survivor_id=b.pk, absorbed_id=c.pk).code == "place.merged_away"
    assert refusal(operations.amend, **ask, place_id=b.pk, version=2, changes={"name": "x"}).code == "place.merged_away"
    inspector = actor_with("safety_inspector", "1/E/1/")
    found = refusal(operations.merge, actor=inspector, at=AT, survivor_id=a.pk, absorbed_id=c.pk)
    assert found.code == "place.not_allowed"


@pytest.fixture
def blind(town: Town) -> Observation:
    source = operations.add_source(actor=steward(), at=AT, code="gas", name="燃气用户")
    return Observation.objects.create(
        source=source, kind="place", key="1", digest="0" * 64, payload="{}", area_path="1/E/1/", taken_at=AT
    )


def test_source_is_added_once(town: Town) -> None:
    for name in ("燃气用户", "另一个名字"):
        operations.add_source(actor=steward(), at=AT, code="gas", name=name)
    assert SourceList.objects.get().name == "燃气用户"
    assert len(entries("source.added")) == 1


def test_blind_spot_is_seen_where_it_lies(town: Town, blind: Observation) -> None:
    for actor, sees in (
        (steward(), 1), (actor_with("safety_inspector", "1/E/1/"), 1), (actor_with("safety_inspector", "1/W/"), 0),
        (actor_with("district_regulator", "1/E/", kinds=["school"]), 0), (job_actor("x", "other"), 0),
    ):  # fmt: skip
        assert queries.blind_spots(actor).count() == sees
        assert (queries.observation(actor, blind.pk) is not None) == bool(sees)


def test_blind_spot_is_matched_registered_or_dismissed_once(town: Town, blind: Observation) -> None:
    place = make_place(town)
    ask: dict[str, Any] = {"actor": steward(), "at": AT, "observation_id": blind.pk}
    assert refusal(operations.dismiss_observation, **ask, reason=" ").code == "observation.reason_missing"
    operations.match_observation(**ask, place_id=place.pk)
    blind.refresh_from_db()
    assert (blind.place_id, blind.matched_by) == (place.pk, "person")
    assert queries.blind_spots(steward()).count() == 0
    assert refusal(operations.dismiss_observation, **ask, reason="x").code == "observation.settled"
    (entry,) = entries("observation.matched")
    assert entry["matter"] == f"place:{place.pk.hex}"
    found = queries.file_of(steward(), place.pk)
    assert found is not None
    assert [s.source for s in found.sources] == ["燃气用户"]


def test_blind_spot_is_put_on_the_register(town: Town, blind: Observation) -> None:
    place = operations.register_from_observation(
        actor=steward(), at=AT, observation_id=blind.pk, name="新店", area_id=town.area("E1").pk, kind="catering"
    )
    blind.refresh_from_db()
    assert (blind.place_id, blind.matched_by) == (place.pk, "registered")
    assert [e["verb"] for e in entries()][-2:] == ["place.registered", "observation.matched"]


def test_dismissed_blind_spot_is_kept_with_its_reason(town: Town, blind: Observation) -> None:
    operations.dismiss_observation(actor=steward(), at=AT, observation_id=blind.pk, reason="重复登记的户名")
    blind.refresh_from_db()
    assert blind.dismissed_reason == "重复登记的户名"
    assert queries.blind_spots(steward()).count() == 0
    assert len(entries("observation.dismissed")) == 1
