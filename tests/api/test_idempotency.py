"""One key, one change: replayed, refused for another body, and once only when two arrive together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from anban.api import hazards as hazards_api
from anban.base.journal.models import Entry
from anban.base.people.models import Receipt
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import enter
from tests.api.conftest import Caller, caller_of, picture, see
from tests.factories.town import Town, town

Call = Callable[..., Caller]
KEY = "0192-5f1c"


def sighting(place: Place) -> dict[str, Any]:
    return {"place": str(place.pk), "code": "RG07", "fact": "报警器断电"}


@pytest.mark.django_db
def test_a_repeated_key_gives_the_stored_answer_and_changes_nothing(here: Town, call: Call) -> None:
    caller, place = call("王敏"), here.place()
    first = caller.post("/hazards", sighting(place), idempotency_key=KEY)
    assert first.status_code == 201
    assert "Idempotent-Replay" not in first
    entries = Entry.objects.count()
    again = caller.post("/hazards", sighting(place), idempotency_key=KEY)
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotent-Replay"] == "true"
    assert (again["ETag"], again["Location"], again["Content-Type"]) == (
        first["ETag"],
        first["Location"],
        first["Content-Type"],
    )
    assert Entry.objects.count() == entries
    assert Hazard.objects.get().voices_count == 1
    assert caller.post("/hazards", sighting(place)).json()["kind"] == "joined"


@pytest.mark.django_db
def test_the_same_key_with_another_body_or_address_is_refused(here: Town, call: Call) -> None:
    caller, place = call("王敏"), here.place()
    caller.post("/hazards", sighting(place), idempotency_key=KEY)
    for path, body in (("/hazards", {**sighting(place), "part": "后厨"}), ("/places", {"name": "x", "area": "A01026"})):
        answer = caller.post(path, body, idempotency_key=KEY)
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
            422,
            "idempotency.reused",
            "Idempotency-Key",
        )
    assert (Hazard.objects.count(), Place.objects.count(), Receipt.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_a_key_is_its_account_s_own(here: Town, call: Call) -> None:
    place = here.place()
    call("王敏").post("/hazards", sighting(place), idempotency_key=KEY)
    other = call("刘洋").post("/hazards", sighting(place), idempotency_key=KEY)
    assert other.json()["kind"] == "joined"
    assert Receipt.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_request_leaves_its_key_free(here: Town, call: Call) -> None:
    caller, place = call("王敏"), here.place()
    wrong = caller.post("/hazards", {**sighting(place), "code": "NONE"}, idempotency_key=KEY)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "hazard.code_unknown")
    assert Receipt.objects.count() == 0
    assert caller.post("/hazards", sighting(place), idempotency_key=KEY).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "a b", "k" * 201, "钥匙"])
def test_a_key_that_is_none_is_refused(here: Town, call: Call, key: str) -> None:
    answer = call("王敏").post("/hazards", sighting(here.place()), idempotency_key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency.key_invalid")
    assert Hazard.objects.count() == 0


@pytest.mark.django_db
def test_every_writing_endpoint_replays(here: Town, call: Call) -> None:
    place = here.place()
    hazard = see(here, place)
    me, other, firm = call("王敏"), call("刘洋"), call("李强")
    file_id = me.post("/files?name=a.jpg", picture(), content_type="application/octet-stream").json()["id"]

    def twice(caller: Caller, path: str, body: Any, **more: str) -> Any:
        key = f"key-{path}"
        first = caller.post(path, body, idempotency_key=key, **more)
        assert first.status_code in (200, 201), (path, first.content)
        entries = Entry.objects.count()
        again = caller.post(path, body, idempotency_key=key, **more)
        assert (again.content, again["Idempotent-Replay"]) == (first.content, "true"), path
        assert Entry.objects.count() == entries, path
        return first.json()

    twice(me, "/places", {"name": "新店", "area": "A01026"})
    twice(me, "/visits", {"place": str(place.pk)})
    twice(me, f"/hazards/{hazard.pk}/attachments", {"file": file_id, "purpose": "before"})
    duty = me.get("/obligations").json()["items"][0]["id"]
    offered = twice(me, f"/obligations/{duty}/handover", {"to_person": str(here.people["刘洋"].pk)})
    twice(other, f"/handovers/{offered['id']}/sign", None)
    back = other.post(f"/obligations/{duty}/handover", {"to_person": str(here.people["王敏"].pk)}).json()
    twice(me, f"/handovers/{back['id']}/decline", {"reason": "不收"})
    twice(me, f"/hazards/{hazard.pk}/actions/verify", {"verdict": "founded", "given": {"reason": "属实"}})
    twice(firm, "/files?name=b.jpg", picture(9), content_type="application/octet-stream")


@pytest.mark.django_db(transaction=True)
def test_two_requests_with_one_key_at_the_same_time_make_one_hazard(monkeypatch: pytest.MonkeyPatch) -> None:
    made = town()
    place = made.place()
    caller = caller_of(made, "王敏")
    inside, go_on = threading.Event(), threading.Event()
    calls: list[int] = []

    def slow(**facts: Any) -> Any:
        calls.append(1)
        inside.set()
        # The first holds its transaction until the second has begun to wait for it.
        assert go_on.wait(20)
        return enter(**facts)

    monkeypatch.setattr(hazards_api.operations, "enter", slow)
    answers: dict[int, Any] = {}

    def send(number: int) -> None:
        try:
            answers[number] = caller.post("/hazards", sighting(place), idempotency_key=KEY)
        finally:
            connections.close_all()

    first, second = (threading.Thread(target=send, args=(number,)) for number in (1, 2))
    first.start()
    assert inside.wait(20)
    second.start()
    waits_in_database(second)
    go_on.set()
    first.join(40)
    second.join(40)
    assert (answers[1].status_code, answers[2].status_code) == (201, 201)
    assert answers[1].content == answers[2].content
    assert ("Idempotent-Replay" in answers[1], "Idempotent-Replay" in answers[2]) == (False, True)
    assert len(calls) == 1
    assert Hazard.objects.get().voices_count == 1
    assert Receipt.objects.get().status == 201


def waits_in_database(thread: threading.Thread) -> None:
    """Give the second request the time to reach the first one's lock; the assertions hold whether it got there or not."""
    if connection.vendor == "postgresql":
        for _ in range(200):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0]:
                    return
            thread.join(0.05)
    else:
        thread.join(0.5)
