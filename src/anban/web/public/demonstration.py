"""The logins of a demonstration, which its sign-in page shows to everybody; there is no such file where a city works."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from anban.base.people.backend import usable_code
from anban.base.people.queries import account_by_login
from anban.web.shell.wording import in_english


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """One login of the demonstration, in the reader's language."""

    login: str
    password: str
    name: str
    role: str
    area: str
    second_factor: bool


def demo_logins() -> tuple[DemoLogin, ...]:
    """Return the logins of ``demo-logins.json`` in the home folder; none where there is no demonstration."""
    path = Path(settings.HOME) / "demo-logins.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return ()
    english = in_english()
    return tuple(
        DemoLogin(
            row["login"],
            row["password"],
            row["name"],
            row["role_en"] if english else row["role_zh"],
            row["area_en"] if english else row["area"],
            bool(row.get("otpauth")),
        )
        for row in rows
    )


def demo_login(login: str) -> DemoLogin | None:
    """Return one login of the demonstration."""
    return next((row for row in demo_logins() if row.login == login), None)


def demo_code(login: str, at: datetime) -> str:
    """Return the code that a demonstration's authenticator shows now; nothing for anybody else."""
    if demo_login(login) is None:
        return ""
    account = account_by_login(login)
    return usable_code(account, at) if account is not None else ""
