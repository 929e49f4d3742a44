"""The channels themselves: lines in the outbox file, and mail to a real server on this machine."""

from __future__ import annotations

import email
import json
import socket
import threading
from datetime import time
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.base.notices import routing
from anban.base.notices.channels import file, smtp
from anban.base.notices.channels.payload import Line, Payload, Undelivered

PAYLOAD = Payload(
    id="0190-a", root="bj", person="p", address="wang@example.org", slot="2026-05-04T00:00:00+00:00",
    subject_zh="安办：1 条通知", subject_en="Anban: 1 notice", held=0,
    lines=(Line("n", "due", "灭火器缺失", "/ledger/1/", "2026-05-04T00:00:00+00:00", urgent=True),),
)  # fmt: skip


def test_a_payload_comes_back_as_it_was_frozen() -> None:
    assert Payload.thawed(PAYLOAD.frozen(), address=PAYLOAD.address, attempt=1) == PAYLOAD
    assert "example.org" not in PAYLOAD.frozen()


def test_a_line_torn_by_a_crash_does_not_swallow_the_next(settings: object, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path / "files"  # type: ignore[attr-defined]
    file.sent(PAYLOAD)
    path = tmp_path / "outbox" / "2026-05-04.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    file.sent(Payload.thawed(PAYLOAD.frozen(), address="", attempt=2))
    file.sent(Payload.thawed(PAYLOAD.frozen(), address="", attempt=3))
    lines = path.read_bytes().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["text"] == "！ 灭火器缺失  /ledger/1/"


class MailServer(threading.Thread):
    """As much of SMTP as one client needs, on a free port."""

    def __init__(self, answer: str = "250 ok") -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(20)
        self.port = self.socket.getsockname()[1]
        self.answer = answer
        self.mail = b""

    def run(self) -> None:
        client, _ = self.socket.accept()
        with client, client.makefile("rwb") as talk:
            talk.write(b"220 here\r\n")
            talk.flush()
            for line in talk:
                word = line[:4].upper().strip()
                if word == b"DATA":
                    talk.write(b"354 go on\r\n")
                    talk.flush()
                    while (part := talk.readline()) != b".\r\n":
                        self.mail += part
                    talk.write(f"{self.answer}\r\n".encode())
                elif word == b"QUIT":
                    talk.write(b"221 bye\r\n")
                    talk.flush()
                    break
                else:
                    talk.write(b"250 ok\r\n")
                talk.flush()
        self.socket.close()


def test_mail_arrives_with_an_id_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    server = MailServer()
    server.start()
    monkeypatch.setenv("ANBAN_SMTP_URL", f"smtp+plain://127.0.0.1:{server.port}?from=anban@example.org")
    smtp.sent(PAYLOAD)
    server.join(20)
    mail = email.message_from_bytes(server.mail, policy=default)
    assert (mail["From"], mail["To"]) == ("anban@example.org", "wang@example.org")
    assert (mail["Subject"], mail["Message-ID"]) == ("安办：1 条通知", "<0190-a@anban>")
    assert "灭火器缺失  /ledger/1/" in mail.get_content()


def test_mail_that_is_refused_or_has_no_server_is_undelivered(monkeypatch: pytest.MonkeyPatch) -> None:
    server = MailServer("554 no")
    server.start()
    monkeypatch.setenv("ANBAN_SMTP_URL", f"smtp+plain://127.0.0.1:{server.port}")
    with pytest.raises(Undelivered, match="SMTPDataError"):
        smtp.sent(PAYLOAD)
    server.join(20)
    with pytest.raises(Undelivered, match="ConnectionRefusedError"):
        smtp.sent(PAYLOAD)
    for url in ("http://x", ""):
        monkeypatch.setenv("ANBAN_SMTP_URL", url)
        with pytest.raises(Undelivered, match="ANBAN_SMTP_URL"):
            smtp.sent(PAYLOAD)


@given(st.datetimes(timezones=st.just(routing.ZoneInfo("UTC"))))
def test_quiet_hours_end_at_seven_of_the_city_and_never_before_now(at: object) -> None:
    end = routing.quiet_end(at, "Asia/Shanghai") if routing.is_quiet(at, "Asia/Shanghai") else None  # type: ignore[arg-type]
    local = at.astimezone(routing.ZoneInfo("Asia/Shanghai"))  # type: ignore[attr-defined]
    assert (end is None) == (time(7) <= local.time() < time(21))
    if end is not None:
        assert end > at
        assert (end - at).total_seconds() <= 10 * 3600  # type: ignore[operator]
        assert not routing.is_quiet(end, "Asia/Shanghai")


@given(st.integers(0, 100), st.integers(0, 100))
def test_the_cap_never_lets_more_go_and_loses_none(count: int, sent_today: int) -> None:
    may_go, held = routing.split_by_cap(count, sent_today)
    assert may_go + held == count
    assert may_go >= 0
    assert may_go == 0 or sent_today + may_go <= routing.HABITS.most_singles_per_day


@pytest.mark.parametrize(
    ("wishes", "urgent", "expected"),
    [
        ({}, False, "digest"),
        ({}, True, "now"),
        ({"*": "now"}, False, "now"),
        ({"*": "now", "due": "digest"}, False, "digest"),
        ({"due": "digest"}, True, "now"),
        ({"due": "off"}, True, "off"),
        ({"*": "off", "due": "now"}, False, "now"),
    ],
)
def test_cadence_follows_the_closest_wish(wishes: dict[str, str], urgent: bool, expected: str) -> None:
    assert routing.cadence(wishes, "due", urgent=urgent) == expected


def test_rests_double_up_to_six_hours() -> None:
    assert [routing.rest(tries).total_seconds() / 60 for tries in (1, 2, 3, 8, 9, 10, 99)] == [
        1, 2, 4, 128, 256, 360, 360,
    ]  # fmt: skip
