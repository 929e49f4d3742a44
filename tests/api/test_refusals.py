"""Whatever is wrong with a request is said in one shape, by code and field, in both languages, and never as a traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from anban.api import access
from anban.api.problems import MEDIA_TYPE, STATUS, TITLES
from anban.base.journal.models import Entry
from anban.base.people.models import Account
from anban.base.people.operations import disable_account, issue_token, open_account, revoke_token
from anban.base.people.queries import oneself
from anban.contexts.establishments.models import Place
from anban.rules.errors import all_codes
from anban.web.shell.access import ADMINISTRATORS, PRIVILEGED
from tests.api.conftest import LATER, Caller, caller_of, see
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db
Call = Callable[..., Caller]


def problem(answer: Any, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """Check the shape of a refusal and return its body."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:anban:problem:{code}")
    assert body["title"] == TITLES[status]
    assert body["instance"].startswith("/api/v1")
    assert body["detail_zh"] == body["detail"]
    assert body["detail_en"] != body["detail_zh"]
    assert body["field"] == field
    assert b"Traceback" not in answer.content
    return body


def test_no_token_a_wrong_one_an_ended_one_are_all_401(here: Town, call: Call) -> None:
    answer = Client().get("/api/v1/hazards")
    problem(answer, 401, "api.unauthenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    problem(Caller("anban_nothing").get("/hazards"), 401, "api.unauthenticated")
    caller = call("王敏")
    assert caller.get("/hazards").status_code == 200
    account = Account.objects.get(person=here.people["王敏"])
    revoke_token(actor=here.job, at=AT, token=account.tokens.get())
    problem(caller.get("/hazards"), 401, "api.unauthenticated")
    other = call("王敏")
    disable_account(actor=here.job, at=AT, account=account)
    problem(other.get("/hazards"), 401, "api.unauthenticated")


def test_a_token_ends_at_its_day(here: Town, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = call("王敏")
    monkeypatch.setattr(access, "now", lambda: AT + timedelta(days=30))
    problem(caller.get("/hazards"), 401, "api.unauthenticated")
    monkeypatch.setattr(access, "now", lambda: AT + timedelta(days=30) - timedelta(seconds=1))
    assert caller.get("/hazards").status_code == 200


def test_a_token_does_no_more_than_its_scope(here: Town, call: Call) -> None:
    place = here.place()
    reader = call("王敏", "read")
    assert reader.get("/places").status_code == 200
    assert (
        "places:write"
        in problem(reader.patch(f"/places/{place.pk}", {"name": "x"}), 403, "api.scope_missing")["detail_en"]
    )
    assert Place.objects.get().name == place.name
    assert call("王敏", "write").get("/places").status_code == 200


@pytest.mark.parametrize(
    ("words", "need", "may"),
    [
        ({"read"}, "places:read", True), ({"read"}, "places:write", False), ({"write"}, "hazards:read", True),
        ({"places:read"}, "places:read", True), ({"places:read"}, "hazards:read", False),
        ({"hazards:write"}, "hazards:read", True), ({"hazards:write"}, "hazards:write", True),
        ({"hazards:write"}, "files:write", False), (set(), "places:read", False),
    ],
)  # fmt: skip
def test_scope_words(words: set[str], need: str, may: bool) -> None:
    assert access.permits(frozenset(words), need) is may


def test_privileged_roles_are_those_of_the_pages() -> None:
    assert access.PRIVILEGED == PRIVILEGED
    assert access.ADMINISTRATORS == ADMINISTRATORS


def test_a_privileged_post_needs_a_token_issued_with_a_second_factor(here: Town) -> None:
    person = here.people["何静"]
    account, _ = open_account(actor=here.job, at=AT, person=person, login="he.jing")
    _, secret = issue_token(actor=oneself(account), at=AT, account=account, scope="read", days=9)
    problem(Caller(secret).get("/hazards"), 403, "api.second_factor_missing")
    assert caller_of(here, "何静").get("/hazards").status_code == 200
    Account.objects.filter(pk=account.pk).update(totp_secret="JBSWY3DPEHPK3PXP")
    assert Caller(secret).get("/hazards").status_code == 200


def test_the_administrators_have_no_part_in_business(here: Town) -> None:
    here.hold("贺冰", "市安委办", "system_admin", "试验市")
    for path in ("/places", "/hazards", "/visits", "/obligations?scope=area"):
        problem(caller_of(here, "贺冰").get(path), 403, "api.no_business")


def test_the_root_is_the_only_one_or_must_be_named(here: Town, call: Call) -> None:
    caller = call("王敏")
    problem(caller.get("/places?root=elsewhere"), 403, "api.root_not_yours", "root")
    here.person("无岗")
    problem(caller_of(here, "无岗").get("/places"), 403, "api.no_post")
    other = town("other", "sample")
    other.people["王敏"] = here.people["王敏"]
    other.hold("王敏", "望京平安办", "steward", "试验市")
    assert "other" in problem(caller.get("/places"), 422, "api.root_missing", "root")["detail"]
    assert caller.get("/places?root=other").json()["root"] == "other"
    caller.root = "town"
    assert caller.get("/places").json()["root"] == "town"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[1,]",
        b'{"place": NaN}',
        b'{"lng": Infinity}',
        b"\xff\xfe",
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b"nothing",
    ],
    ids=range(8),
)
def test_malformed_json(here: Town, call: Call, content: bytes) -> None:
    problem(call("王敏").post("/hazards", content), 400, "api.malformed")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (None, "api.field_missing", "body"),
        ([], "api.value_type", "body"),
        ({"fact": "x"}, "api.field_missing", "place"),
        ({"place": "P", "fact": "x"}, "api.value_type", "place"),
        ({"place": "P", "fact": 7}, "api.value_type", "fact"),
        ({"place": "P", "fact": None}, "api.value_type", "fact"),
        ({"place": "P", "fact": "x" * 4001}, "api.value_range", "fact"),
        ({"place": "P", "fact": "a\x00b"}, "api.value_type", "fact"),
        ({"place": "P", "fact": "x", "found_on": "2026-02-30"}, "api.value_type", "found_on"),
        ({"place": "P", "fact": "x", "found_on": "9999-12-31"}, "api.value_range", "found_on"),
        ({"place": "P", "fact": "x", "found_at": "2026-03-02T09:00:00"}, "api.value_type", "found_at"),
        ({"place": "P", "fact": "x", "grade": "major"}, "api.value_unknown", "grade"),
        ({"place": "P", "fact": "x", "stete": "closed"}, "api.field_unknown", "stete"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_by_the_name_of_their_field(
    here: Town, call: Call, body: Any, code: str, field: str
) -> None:
    if isinstance(body, dict) and body.get("place") == "P" and field != "place":
        body = {**body, "place": "019c0000-0000-7000-8000-000000000000"}
    found = problem(call("王敏").post("/hazards", body), 422, code, field)
    assert [each["field"] for each in found["errors"]] == [field]


def test_several_wrong_values_are_all_named(here: Town, call: Call) -> None:
    body = {"name": 7, "area": "A01026", "colour": "red", "lng": 200}
    found = problem(call("王敏").post("/places", body), 422, "api.invalid", "name")
    assert {each["field"]: each["code"] for each in found["errors"]} == {
        "name": "api.value_type", "lng": "api.value_range", "colour": "api.field_unknown",
    }  # fmt: skip


def test_a_nested_field_is_named_by_its_path(here: Town, call: Call) -> None:
    hazard = see(here, here.place())
    answer = call("孙倩").post(f"/hazards/{hazard.pk}/actions/order", {"given": {"due_on": "soon"}})
    problem(answer, 422, "api.value_type", "given.due_on")
    claimed = call("李强").post(f"/hazards/{hazard.pk}/actions/apply_review", {"given": {"photo_after": True}})
    problem(claimed, 422, "api.field_unknown", "given.photo_after")
    problem(call("李强").post(f"/hazards/{hazard.pk}/actions/vanish", {}), 422, "api.value_unknown", "action")


@pytest.mark.parametrize(
    ("path", "code", "field"),
    [
        ("/hazards?stat=closed", "api.field_unknown", "stat"),
        ("/hazards?size=0", "api.value_range", "size"),
        ("/hazards?size=999", "api.value_range", "size"),
        ("/hazards?size=many", "api.value_type", "size"),
        ("/hazards?after=7", "api.value_type", "after"),
        ("/hazards?due=sometime", "api.value_unknown", "due"),
        ("/hazards?area=nowhere", "api.value_unknown", "area"),
        ("/hazards?q=a%00b", "api.value_type", "q"),
        ("/places?q=%00", "api.value_type", "q"),
        ("/obligations?scope=city", "api.value_unknown", "scope"),
        ("/handovers?after=x", "api.field_unknown", "after"),
    ],
)
def test_a_query_that_means_nothing_is_refused(here: Town, call: Call, path: str, code: str, field: str) -> None:
    problem(call("王敏").get(path), 422, code, field)


def test_another_content_type_is_415(here: Town, call: Call) -> None:
    caller = call("王敏")
    problem(caller.post("/hazards", b"a=1", content_type="application/x-www-form-urlencoded"), 415, "api.media_type")
    problem(caller.post("/hazards", b"{}", content_type="text/plain"), 415, "api.media_type")
    problem(caller.post("/files", b"{}"), 415, "api.media_type")
    problem(
        caller.post("/files", b"MZ\x90\x00" * 40, content_type="application/octet-stream"),
        415,
        "file.type_unknown",
        "file",
    )
    problem(caller.post("/files", b"nothing", content_type="multipart/form-data"), 400, "api.malformed")


def test_a_huge_body_is_refused_unread(here: Town, call: Call) -> None:
    problem(call("王敏").post("/hazards", b" " * (1024 * 1024 + 1)), 413, "api.too_large")


def test_what_is_not_there_and_what_may_not_be_seen_answer_the_same(here: Town, call: Call) -> None:
    hazard = see(here, here.place())
    caller = call("郑洁")
    for path, hidden in (("/hazards/{}", hazard.pk), ("/places/{}", hazard.place_id), ("/visits/{}", hazard.pk)):
        missing = "019c0000-0000-7000-8000-000000000000"
        seen = caller.get(path.format(hidden))
        absent = caller.get(path.format(missing))
        problem(seen, 404, "api.not_found")
        assert seen.content.replace(str(hidden).encode(), missing.encode()) == absent.content
    problem(caller.get("/nowhere"), 404, "api.not_found")
    problem(caller.get("/hazards/7"), 404, "api.not_found")
    problem(Client().get("/api/v1/"), 404, "api.not_found")
    assert Client().get("/api/v2/hazards").json()["code"] == "api.not_found"


def test_another_method_is_405(here: Town, call: Call) -> None:
    answer = call("王敏").send("DELETE", f"/places/{here.place().pk}")
    problem(answer, 405, "api.method_not_allowed")
    assert set(answer["Allow"].split(", ")) == {"GET", "PATCH"}


def test_english_where_it_is_asked_for(here: Town, call: Call) -> None:
    body = call("王敏").get("/nowhere", accept_language="en").json()
    assert body["detail"] == body["detail_en"]


def test_a_stale_version_is_412_with_both_values(here: Town, call: Call) -> None:
    place = here.place()
    assert call("刘洋").patch(f"/places/{place.pk}", {"name": "新名"}, if_match='"1"').status_code == 200
    stale = call("王敏").patch(f"/places/{place.pk}", {"name": "旧名"}, if_match='"1"')
    body = problem(stale, 412, "api.precondition_failed", "If-Match")
    assert (body["given"], body["present"], body["theirs"]["name"], body["yours"]) == (
        '"1"',
        2,
        "新名",
        {"name": "旧名"},
    )
    assert Place.objects.get(pk=place.pk).name == "新名"
    hazard = see(here, place)
    act = f"/hazards/{hazard.pk}/actions/verify"
    answer = call("王敏").post(act, {"verdict": "founded", "given": {"reason": "属实"}}, if_match='"7"')
    assert problem(answer, 412, "api.precondition_failed", "If-Match")["theirs"]["state"] == "unverified"
    problem(call("王敏").post(act, {}, if_match="seven"), 400, "api.precondition_malformed", "If-Match")


def test_if_none_match_spares_the_body(here: Town, call: Call) -> None:
    place = here.place()
    caller = call("王敏")
    first = caller.get(f"/places/{place.pk}")
    again = caller.get(f"/places/{place.pk}", if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert caller.get(f"/places/{place.pk}", if_none_match='"9"').status_code == 200


def test_too_many_requests_of_one_token_are_429(here: Town, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "REQUESTS_PER_MINUTE", 2)
    caller = call("王敏")
    assert [caller.get("/places").status_code for _ in range(2)] == [200, 200]
    answer = caller.get("/places")
    problem(answer, 429, "api.too_many")
    assert int(answer["Retry-After"]) == 60
    assert call("刘洋").get("/places").status_code == 200
    monkeypatch.setattr(access, "now", lambda: LATER + timedelta(minutes=1))
    assert caller.get("/places").status_code == 200


def test_storage_that_fails_is_503_and_a_fault_500_with_a_reference(
    here: Town, call: Call, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caller = call("王敏")
    seen = {"place": str(here.place().pk), "code": "RG07", "fact": "x"}
    before = Entry.objects.count()

    def fail(error: Exception) -> Callable[..., None]:
        def raising(**_: object) -> None:
            raise error

        return raising

    with caplog.at_level(logging.CRITICAL):
        monkeypatch.setattr("anban.api.hazards.operations.enter", fail(OperationalError("disk I/O error")))
        answer = caller.post("/hazards", seen, idempotency_key="k")
        problem(answer, 503, "api.unavailable")
        assert "Retry-After" in answer
        monkeypatch.setattr("anban.api.hazards.operations.enter", fail(OSError("no space")))
        problem(caller.post("/hazards", seen), 503, "api.unavailable")
        monkeypatch.setattr("anban.api.hazards.operations.enter", fail(KeyError("secret detail")))
        broken = caller.post("/hazards", seen)
    problem(broken, 500, "api.broken")
    assert b"secret" not in broken.content
    assert Entry.objects.count() == before
    monkeypatch.undo()
    monkeypatch.setattr(access, "now", lambda: LATER)
    assert caller.post("/hazards", seen, idempotency_key="k").status_code == 201


def test_every_status_is_of_a_code_that_exists() -> None:
    assert set(STATUS) <= set(all_codes())
