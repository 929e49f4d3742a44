"""A disk that is full: a clean 503, nothing half written, and work goes on once there is room; a file of 1 GB is turned away early."""

from __future__ import annotations

import io
import json
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client

from anban.api import access
from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.base.people.operations import issue_token, open_account
from anban.contexts.establishments.importers import mapping_named, preview
from anban.contexts.hazards.models import Hazard
from anban.web.shell import middleware
from tests.api.conftest import picture
from tests.factories.establishments import make_town, steward
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town
from tests.reliability.mixed_writes import LATER
from tests.reliability.processes import together

pytestmark = pytest.mark.django_db(transaction=True)
GIGABYTE = 1 << 30
Send = Callable[[str, Any], Any]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr(access, "now", lambda: LATER)
    monkeypatch.setattr(middleware, "now", lambda: AT)
    cache.clear()
    return town()


@pytest.fixture
def token(here: Town) -> str:
    """The street's inspector's token."""
    account, _ = open_account(actor=here.job, at=AT, person=here.people["王敏"], login="wang-min")
    return issue_token(actor=here.job, at=AT, account=account, scope="read write", days=30)[1]


@pytest.fixture
def send(token: str) -> Send:
    """Send JSON or bytes to the API as the street's inspector."""

    def post(path: str, body: Any) -> Any:
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        content = body if isinstance(body, bytes) else json.dumps(body)
        return Client(raise_request_exception=False).generic(
            "POST", f"/api/v1{path}", content, content_type=kind, HTTP_AUTHORIZATION=f"Bearer {token}"
        )

    return post


@contextmanager
def full_database() -> Iterator[None]:
    """Leave the database no further page (SQLite), or have its server say 53100 disk_full at the journal (PostgreSQL)."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # What earlier tests left free would be used up first: put one large value there.
            cursor.execute("PRAGMA freelist_count")
            (free,) = cursor.fetchone()
            cursor.execute("CREATE TABLE filler (x)")
            cursor.execute(f"INSERT INTO filler VALUES (zeroblob({max(1, free - 8) * 4000}))")
            cursor.execute("PRAGMA page_count")
            (pages,) = cursor.fetchone()
            cursor.execute(f"PRAGMA max_page_count = {pages}")
        else:
            cursor.execute(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
            )
            cursor.execute("CREATE TRIGGER no_room BEFORE INSERT ON journal_entry EXECUTE FUNCTION no_room()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA max_page_count = 1073741823")
                cursor.execute("DROP TABLE filler")
            else:
                cursor.execute("DROP TRIGGER no_room ON journal_entry")
                cursor.execute("DROP FUNCTION no_room()")


def sighting(place: Any, number: int = 0) -> dict[str, Any]:
    return {"place": str(place.pk), "code": "RG07", "part": f"{number}", "fact": "报警器断电" * 400}


def test_a_full_database_is_a_503_and_leaves_nothing_half_written(here: Town, send: Send) -> None:
    place = here.place()
    browser = client_of(here, "王敏")
    browser.raise_request_exception = False
    entries = Entry.objects.count()
    taken = 0
    with full_database():
        # SQLite still has free room inside its pages: write until there is none.
        for number in range(200):
            answer = send("/hazards", sighting(place, number))
            if answer.status_code != 201:
                break
            taken += 1
        assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
        assert answer.json()["code"] == "api.unavailable"
        page = browser.post(
            "/report/", {"place": str(place.pk), "code": "RG07", "fact": "报警器断电" * 400, "kind": "x"}
        )
        assert page.status_code in (200, 302, 422, 503)
        assert b"Traceback" not in answer.content + page.content
    assert Hazard.objects.count() >= taken
    assert verify(processes=1).findings == []
    again = send("/hazards", sighting(place, 999))
    assert again.status_code == 201
    assert Entry.objects.count() > entries
    assert verify(processes=1).findings == []


def test_a_database_file_that_may_not_grow_is_a_503_too(here: Town, send: Send) -> None:
    """The operating system refuses the write itself: in a process of its own whose files may not grow any more."""
    place = here.place()
    target = Path(settings.FILES_ROOT)

    def work(gate: Callable[[], None]) -> list[Any]:
        gate()
        send("/hazards", sighting(place, 1))
        grown = 4096 if connection.vendor == "postgresql" else _database_bytes()
        resource.setrlimit(resource.RLIMIT_FSIZE, (min(grown, 1 << 16), resource.RLIM_INFINITY))
        photo = send("/files?name=a.jpg", picture() + os.urandom(1 << 20))
        hazard = send("/hazards", sighting(place, 2)) if connection.vendor == "sqlite" else None
        return [photo.status_code, photo.json()["code"], hazard and [hazard.status_code, hazard.json()["code"]]]

    ((status, code, hazard),) = together([work])
    assert (status, code) == (503, "file.no_space")
    if connection.vendor == "sqlite":
        assert hazard == [503, "api.unavailable"]
    # The one before is there, the other left nothing behind, not even half a file.
    assert Hazard.objects.count() == 1
    assert [path for path in target.rglob("*") if path.is_file() and path.stat().st_size > 1 << 16] == []
    assert verify(processes=1).findings == []
    assert send("/hazards", sighting(place, 2)).status_code == 201
    assert send("/files?name=a.jpg", picture()).status_code == 201


def _database_bytes() -> int:
    return Path(str(connection.settings_dict["NAME"])).stat().st_size


class Endless(io.RawIOBase):
    """A request body of any size that counts how much of it was read."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.read_bytes += len(buffer)
        buffer[:] = bytes(len(buffer))
        return len(buffer)


@pytest.mark.parametrize("path", ["/api/v1/files?name=a.bin", "/api/v1/hazards"])
def test_a_request_of_1_gb_is_turned_away_before_it_is_read(token: str, path: str) -> None:
    body = Endless()
    head = {"HTTP_AUTHORIZATION": f"Bearer {token}", "CONTENT_LENGTH": str(GIGABYTE), "wsgi.input": body}
    answer = Client(raise_request_exception=False).post(path, b"", content_type="application/octet-stream", **head)
    assert (answer.status_code, answer.json()["code"]) == (413, "api.too_large")
    assert body.read_bytes < 64 << 20


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.csv.gz"])
def test_a_huge_file_without_sense_is_refused_without_filling_the_memory(tmp_path: Path, name: str, soak: bool) -> None:
    make_town()
    path = tmp_path / name
    with path.open("wb") as stream:
        stream.write({"a.csv": b"", "a.xlsx": b"PK\x03\x04", "a.csv.gz": b"\x1f\x8b\x08\0"}[name])
        stream.truncate(GIGABYTE if soak else GIGABYTE // 4)

    def work(gate: Callable[[], None]) -> list[Any]:
        gate()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen = preview([path], mapping_named("places"), actor=steward(), at=AT)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        return [seen.counts["new"], [p.code for p in seen.problems], grown // 1024]

    ((new, problems, grown_mib),) = together([work])
    assert new == 0
    assert problems
    assert grown_mib < 150, problems
