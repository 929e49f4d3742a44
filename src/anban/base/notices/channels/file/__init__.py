"""The null sender of development and demonstrations: messages become lines of JSON in the installation's folder ``outbox``."""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.conf import settings

from anban.base.notices.channels.payload import Payload, Undelivered

NEEDS_ADDRESS = False


def is_open() -> bool:
    """Tell whether this channel is used without being asked for: where no real one is set up."""
    return not os.environ.get("ANBAN_SMTP_URL")


def sent(payload: Payload) -> None:
    """Append the message to the day's file, once also when an earlier try ended before it could be written down.

    Raises: Undelivered when the disk doesn't take it.
    """
    path = Path(settings.FILES_ROOT).parent / "outbox" / f"{payload.slot[:10] or 'undated'}.jsonl"
    line = json.dumps(
        {"id": payload.id, "person": payload.person, "subject": payload.subject_zh, "text": payload.body},
        ensure_ascii=False,
    )
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if payload.attempt > 1 and path.exists() and _holds(path, payload.id):
            return
        with path.open("a+b") as out:
            # A line torn by a crash is ended first, so that it can't swallow this one.
            torn = out.tell() > 0 and _last_byte(path) != b"\n"
            out.write((b"\n" if torn else b"") + line.encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        message = f"outbox: {error.strerror}"
        raise Undelivered(message) from error


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def _holds(path: Path, identity: str) -> bool:
    with path.open("rb") as lines:
        return any(line.startswith(f'{{"id": "{identity}"'.encode()) and line.endswith(b"}\n") for line in lines)
