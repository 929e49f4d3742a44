"""What is handed to a channel: one delivery, frozen when it was made, and the error of one that didn't arrive."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


class Undelivered(Exception):
    """The channel did not take the message; the text says why and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Line:
    """One notice in a message."""

    id: str
    kind: str
    title: str
    link: str
    at: str
    urgent: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """One message: its subject in two languages and the notices in it, in the order in which they came about."""

    id: str
    root: str
    person: str
    address: str
    slot: str
    subject_zh: str
    subject_en: str
    held: int
    lines: tuple[Line, ...]
    attempt: int = 1

    def frozen(self) -> str:
        """Return the text that is kept; the address and the try are filled in when it is sent."""
        plain = asdict(self)
        del plain["address"], plain["attempt"]
        return json.dumps(plain, ensure_ascii=False, sort_keys=True)

    @classmethod
    def thawed(cls, text: str, *, address: str, attempt: int) -> Payload:
        """Return the payload of a kept text, for one try."""
        plain = json.loads(text)
        lines = tuple(Line(**line) for line in plain.pop("lines"))
        return cls(**plain, lines=lines, address=address, attempt=attempt)

    @property
    def body(self) -> str:
        """Return the message as plain text."""
        return "\n".join(f"{'！' if line.urgent else '·'} {line.title}  {line.link}".rstrip() for line in self.lines)
