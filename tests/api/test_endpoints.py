"""Every endpoint does what it says, and leaves its entry in the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from anban.base.journal.models import Entry
from anban.base.people.models import AccessRecord
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.models import Visit
from anban.contexts.obligations.models import Obligation
from anban.kit.signed_notes import problems_of
from tests.api.conftest import Caller, caller_of, picture, see
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db
Call = Callable[..., Caller]


def verbs(matter: str) -> list[str]:
    return [orjson.loads(e.body)["verb"] for e in Entry.objects.filter(matter=matter).order_by("position")]


def store(caller: Caller, content: bytes, name: str = "before.jpg") -> Any:
    return caller.post(f"/files?name={name}", content, content_type="application/octet-stream")


def test_register_a_place_then_read_it(here: Town, call: Call) -> None:
    made = call("王敏").post(
        "/places", {"name": "新面馆", "area": "A01026", "kind": "catering", "lng": 116.48, "lat": 39.99}
    )
    assert made.status_code == 201
    body = made.json()
    assert (body["root"], body["root_kind"], body["notice"]) == ("town", "real", None)
    assert (body["name"], body["area"]["code"], body["version"], body["lng_wgs84"]) == ("新面馆", "A01026", 1, 116.48)
    assert made["Location"] == f"/api/v1/places/{body['id']}"
    assert made["ETag"] == '"1"'
    assert call("王敏").get(f"/places/{body['id']}").json() == body
    assert verbs(f"place:{body['id'].replace('-', '')}") == ["place.registered"]


def test_amend_a_place_and_its_status(here: Town, call: Call) -> None:
    place = here.place()
    done = call("王敏").patch(f"/places/{place.pk}", {"address": "新街9号", "status": "stopped"}, if_match='"1"')
    assert done.status_code == 200
    assert (done.json()["address"], done.json()["status"], done.json()["version"]) == ("新街9号", "stopped", 3)
    assert done["ETag"] == '"3"'
    assert verbs(f"place:{place.pk.hex}") == ["place.registered", "place.amended", "place.status_set"]


def test_names_of_persons_in_charge_are_a_logged_read(here: Town, call: Call) -> None:
    place = here.place()
    body = call("王敏").get(f"/places/{place.pk}").json()
    assert [(p["role"], p["person"]["name"]) for p in body["in_charge"]] == [("safety_manager", "李强")]
    logged = AccessRecord.objects.get()
    assert (logged.person_id, logged.what, logged.rows) == (here.people["王敏"].pk, "place.in_charge", 1)


@pytest.mark.parametrize("path", ["/places", "/hazards", "/visits", "/obligations"])
def test_pages_follow_their_keys_without_gap_or_repeat(here: Town, call: Call, path: str) -> None:
    places = [here.place(f"面馆{n}", manager=None) for n in range(5)]
    for place in places:
        see(here, place)
        Visit.objects.create(
            root="town",
            number=f"V{place.number}",
            place=place,
            area_path=place.area_path,
            kind="patrol",
            on=ON,
            recorded_at=AT,
        )
    caller = call("王敏")
    whole = [row["id"] for row in caller.get(f"{path}?size=200").json()["items"]]
    pages, key = [], ""
    while True:
        answer = caller.get(f"{path}?size=2" + (f"&after={key}" if key else ""))
        pages.append([row["id"] for row in answer.json()["items"]])
        key = answer.json()["next"]
        assert ("Link" in answer) == bool(key)
        if not key:
            break
    assert [one for page in pages for one in page] == whole
    assert len(whole) == len(set(whole)) >= 5
    assert all(len(page) <= 2 for page in pages)


def test_enter_a_hazard_new_then_joined(here: Town, call: Call) -> None:
    place = here.place()
    seen = {"place": str(place.pk), "code": "RG07", "fact": "报警器断电"}
    first = call("王敏").post("/hazards", seen)
    assert (first.status_code, first.json()["kind"]) == (201, "new")
    row = first.json()["hazard"]
    assert (row["number"], row["state"], row["state_en"], row["place_id"]) == (
        "HZ-2026-000001",
        "unverified",
        "To be verified",
        str(place.pk),
    )
    again = call("刘洋").post("/hazards", seen)
    assert (again.status_code, again.json()["kind"], again.json()["hazard"]["voices_count"]) == (200, "joined", 2)
    assert Hazard.objects.count() == 1
    assert verbs(f"hazard:{row['id'].replace('-', '')}")[0] == "hazard.entered"


def test_one_hazard_carries_its_file_and_what_the_caller_may_do(here: Town, call: Call) -> None:
    hazard = see(here, here.place())
    body = call("王敏").get(f"/hazards/{hazard.pk}").json()
    assert "verify" in body["allowed_actions"]
    assert body["voices_count"] == 1
    assert [c["no"] for c in body["cycles"]] == [1]
    assert {link["role"] for link in body["links"]} >= {"finder", "liable_person"}
    assert [(o["kind"], o["person"]["name"]) for o in body["obligations"]] == [("verify", "王敏")]
    assert body["timeline"][0]["verb"] == "hazard.entered"
    assert AccessRecord.objects.filter(what="hazard.file", subject=f"hazard:{hazard.pk}").count() == 1


def test_a_firm_reads_its_hazard_but_not_who_told(here: Town, call: Call) -> None:
    hazard = see(here, here.place())
    answer = call("李强").get(f"/hazards/{hazard.pk}")
    assert answer.status_code == 200
    body = answer.json()
    assert body["finder"] is None
    assert "finder" not in {link["role"] for link in body["links"]}
    entered = [line for line in body["timeline"] if line["verb"] == "hazard.entered"]
    assert [line["actor"] for line in entered] == [""]


def test_act_through_the_life_with_photo_and_two_persons(here: Town, call: Call) -> None:
    hazard = see(here, here.place())
    path = f"/hazards/{hazard.pk}"
    done = call("王敏").post(
        f"{path}/actions/verify", {"verdict": "founded", "given": {"reason": "属实"}}, if_match='"1"'
    )
    assert (done.status_code, done.json()["state"]) == (200, "rectifying")
    order = {"given": {"due_on": "2026-03-09", "basis": "条例", "measures": "更换"}}
    assert call("孙倩").post(f"{path}/actions/order", order).json()["due_at"] == "2026-03-09T15:59:59Z"
    missing = call("李强").post(f"{path}/actions/request_extension", {})
    assert (missing.status_code, missing.json()["code"], missing.json()["field"]) == (
        422,
        "hazard.needs_missing",
        "due_on",
    )
    stored = store(call("李强"), picture())
    assert stored.status_code == 201
    attached = call("李强").post(f"{path}/attachments", {"file": stored.json()["id"], "purpose": "after"})
    assert attached.status_code == 201
    assert call("李强").post(f"{path}/actions/apply_review", {}).json()["state"] == "awaiting_review"
    review = {
        "verdict": "passed",
        "given": {"second_person": str(here.people["吴桐"].pk), "opinion": "已修好", "on_site": True},
    }
    closed = call("孙倩").post(f"{path}/actions/review", review)
    assert closed.status_code == 200, closed.content
    assert (closed.json()["state"], closed.json()["proof"], closed.json()["outcome"]) == (
        "closed",
        "on_site",
        "rectified",
    )
    assert [a["purpose"] for a in closed.json()["attachments"]] == ["after"]
    assert Visit.objects.get().kind == "review"
    assert "hazard.reviewed" in verbs(f"hazard:{hazard.pk.hex}")


def test_an_action_of_another_role_is_refused_and_changes_nothing(here: Town, call: Call) -> None:
    hazard = see(here, here.place())
    firm, officer = call("李强"), call("孙倩")
    before = Entry.objects.count()
    answer = firm.post(f"/hazards/{hazard.pk}/actions/verify", {"verdict": "founded", "given": {"reason": "属实"}})
    assert (answer.status_code, answer.json()["code"]) == (403, "hazard.role_missing")
    wrong_state = officer.post(f"/hazards/{hazard.pk}/actions/delist", {"given": {"notice": "x"}})
    assert (wrong_state.status_code, wrong_state.json()["code"]) == (409, "hazard.action_not_allowed")
    assert Entry.objects.count() == before


def test_filters_are_those_of_the_ledger(here: Town, call: Call) -> None:
    here_hazard = see(here, here.place())
    see(here, here.place("超市", area="呼家楼街道", manager=None), who="郑洁")
    caller = call("何静")

    def found(query: str) -> list[str]:
        return [row["id"] for row in caller.get(f"/hazards?{query}").json()["items"]]

    assert len(found("")) == 2
    assert found("area=A01026") == found("area=1/05/026/") == [str(here_hazard.pk)]
    assert found("states=closed,merged") == []
    assert found(f"place={here_hazard.place_id}&open_only=true") == [str(here_hazard.pk)]
    assert found("q=超市") != [] != found("class_code=GAS&states=unverified")
    unknown = caller.get("/hazards?states=open")
    assert (unknown.status_code, unknown.json()["field"]) == (422, "states")


def test_record_a_visit_puts_what_failed_on_the_ledger(here: Town, call: Call) -> None:
    place = here.place()
    visit = {
        "place": str(place.pk),
        "visitors": [{"person": str(here.people["吴桐"].pk), "certified": True}],
        "answers": {"RG07": "fail"},
        "findings": [{"code": "RG07", "fact": "报警器断电"}],
    }
    made = call("孙倩").post("/visits", visit)
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["kind"], body["result"], body["findings_count"]) == ("enforcement", "fail", 1)
    assert body["findings"][0]["hazard_id"] == str(Hazard.objects.get().pk)
    assert {v["person"]["name"] for v in body["visitors"]} == {"孙倩", "吴桐"}
    assert call("王敏").get(f"/visits/{body['id']}").json() == body
    assert "visit.recorded" in verbs(f"place:{place.pk.hex}")


def test_mine_and_area_obligations_hand_over_and_sign(here: Town, call: Call) -> None:
    see(here, here.place())
    mine = call("王敏").get("/obligations").json()["items"]
    assert [(o["kind"], o["person"]["name"]) for o in mine] == [("verify", "王敏")]
    assert call("刘洋").get("/obligations").json()["items"] == []
    assert [o["id"] for o in call("刘洋").get("/obligations?scope=area").json()["items"]] == [mine[0]["id"]]
    offered = call("王敏").post(f"/obligations/{mine[0]['id']}/handover", {"to_person": str(here.people["刘洋"].pk)})
    assert offered.status_code == 201
    assert call("王敏").post(f"/handovers/{offered.json()['id']}/sign", None).status_code == 404
    waiting = call("刘洋").get("/handovers").json()["items"]
    assert [w["id"] for w in waiting] == [offered.json()["id"]]
    signed = call("刘洋").post(f"/handovers/{waiting[0]['id']}/sign", None)
    assert (signed.status_code, signed.json()["person"]["name"]) == (200, "刘洋")
    assert Obligation.objects.get(pk=mine[0]["id"]).person_id == here.people["刘洋"].pk


def test_decline_leaves_the_obligation_where_it_is(here: Town, call: Call) -> None:
    see(here, here.place())
    duty = Obligation.objects.get()
    offered = call("王敏").post(f"/obligations/{duty.pk}/handover", {"to_person": str(here.people["刘洋"].pk)}).json()
    declined = call("刘洋").post(f"/handovers/{offered['id']}/decline", {"reason": "不在岗"})
    assert declined.status_code == 200
    assert declined.json()["declined_at"] is not None
    duty.refresh_from_db()
    assert duty.person_id == here.people["王敏"].pk


def test_a_file_is_read_only_through_a_matter_that_one_may_see(here: Town, call: Call) -> None:
    hazard = see(here, here.place())
    content = picture()
    stored = store(call("王敏"), content).json()
    assert (stored["mime"], stored["size"], stored["name"]) == ("image/jpeg", len(content), "before.jpg")
    assert call("王敏").get(f"/files/{stored['id']}").status_code == 404
    assert (
        call("刘洋").post(f"/hazards/{hazard.pk}/attachments", {"file": stored["id"], "purpose": "before"}).status_code
        == 404
    )
    assert (
        call("王敏").post(f"/hazards/{hazard.pk}/attachments", {"file": stored["id"], "purpose": "before"}).status_code
        == 201
    )
    got = call("刘洋").get(f"/files/{stored['id']}")
    assert b"".join(got.streaming_content) == content
    assert (got["Content-Type"], got["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert call("郑洁").get(f"/files/{stored['id']}").status_code == 404
    small = call("刘洋").get(f"/files/{stored['id']}?width=160")
    assert (small.status_code, small["Content-Type"]) == (200, "image/jpeg")
    small.close()
    got.close()


def test_multipart_and_raw_bodies_store_the_same_file(here: Town, call: Call) -> None:
    caller = call("王敏")
    raw = store(caller, picture()).json()
    sent = Client().post(
        "/api/v1/files", {"file": SimpleUploadedFile("a.jpg", picture())}, HTTP_AUTHORIZATION=f"Bearer {caller.secret}"
    )
    assert (sent.status_code, sent.json()["id"]) == (201, raw["id"])


def test_the_journal_is_public_and_its_proofs_hold(here: Town) -> None:
    see(here, here.place())
    head = Client().get("/api/v1/journal/head").json()
    assert head["size"] == Entry.objects.count() > 10
    key = bytes.fromhex(head["public_key"])
    proof = Client().get(f"/api/v1/journal/entries/{head['size'] - 1}/proof").json()
    assert problems_of(proof, key) == []
    consistent = Client().get(f"/api/v1/journal/consistency?first=3&second={head['size']}").json()
    assert problems_of(consistent, key) == []
    consistent["first_root"] = "00" * 32
    assert problems_of(consistent, key) != []
    assert Client().get(f"/api/v1/journal/entries/{head['size']}/proof").status_code == 404
    assert Client().get("/api/v1/journal/consistency?first=9&second=3").json()["code"] == "journal.sizes_wrong"


@pytest.mark.parametrize("kind", ["demonstration", "sample"])
def test_a_root_that_is_not_real_says_so_in_every_body(here: Town, kind: str) -> None:
    other = town("other", kind)
    hazard = see(other, other.place())
    caller = caller_of(other, "王敏")
    for path in (
        "/places",
        "/hazards",
        f"/hazards/{hazard.pk}",
        f"/places/{hazard.place_id}",
        "/obligations",
        "/visits",
        "/handovers",
    ):
        body = caller.get(path).json()
        assert (body["root"], body["root_kind"], bool(body["notice"])) == ("other", kind, True), path


@pytest.mark.parametrize(
    "path", ["/places", "/hazards", "/visits", "/obligations?scope=area", "/hazards/{hazard}", "/places/{place}"]
)
def test_the_number_of_queries_does_not_grow_with_the_rows(here: Town, call: Call, path: str) -> None:
    counts = []
    caller = call("王敏")
    for size in (1, 3):
        while Hazard.objects.count() < size:
            place = here.place(f"面馆{Hazard.objects.count()}", manager=None)
            hazard = see(here, place)
            Visit.objects.create(
                root="town",
                number=f"V{place.number}",
                place=place,
                area_path=place.area_path,
                kind="patrol",
                on=ON,
                recorded_at=AT,
            )
        with CaptureQueriesContext(connection) as captured:
            answer = caller.get(path.format(hazard=hazard.pk, place=place.pk))
        assert answer.status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] == QUERIES[path]


QUERIES = {
    "/places": 8,
    "/hazards": 11,
    "/visits": 8,
    "/obligations?scope=area": 9,
    "/hazards/{hazard}": 20,
    "/places/{place}": 15,
}
"""Five of them are the caller's own: token, roots, zone, posts, root; the last names the root in the body."""
