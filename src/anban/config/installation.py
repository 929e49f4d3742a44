"""What makes and looks after an installation: migrate, init, keys, set-up links, status."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor

from anban.base import health, rights, schema
from anban.base.journal import guards
from anban.base.journal.operations import unit
from anban.base.people import operations as people
from anban.base.people import queries as accounts
from anban.base.people.actor import Actor
from anban.config import demonstration
from anban.config.speaking import Trouble, put, say
from anban.contexts.catalog.operations import load_standard
from anban.contexts.territory import operations as territory
from anban.contexts.territory import queries
from anban.kit.clock import city_date, now

REAL: Final = "beijing"
CITY: Final = "110000"
STEWARD: Final = "steward"
ADMINISTRATORS: Final = ("security_admin", "system_admin", "audit_admin")


def console(root: str = REAL) -> Actor:
    """Return the actor that the person at the machine's own console is."""
    return Actor(person_id=None, root=root, job="console", channel="cli")


def migrate() -> int:
    """Bring the database up to date, its guards and (PostgreSQL) the application's rights; returns how many steps it took."""
    if schema.is_new(connection):
        steps = schema.create(connection)
    else:
        executor = MigrationExecutor(connection)
        steps = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if steps:
        # Also with nothing left to do: Django keeps its own lists of models and permissions after it.
        call_command("migrate", interactive=False, verbosity=0, database=DEFAULT_DB_ALIAS)
    if steps or guards.missing(connection):
        guards.install(connection)
    rights.grant_application(connection)
    return steps


def init(*, at: datetime, demo: bool, fill: int) -> dict[str, Any]:
    """Create what is missing: the real areas with catalog and steward, and with ``demo`` a demonstration city.

    Returns the roots, a set-up link's token for a steward whom nobody has set up, and the demonstration's logins.
    """
    present = set(queries.roots().values_list("code", flat=True))
    made: dict[str, Any] = {"new": [], "set_up": [], "logins": []}
    if REAL not in present:
        _found_real(at)
        made["new"].append(REAL)
    for account in accounts.waiting_set_up(REAL).filter(login=STEWARD):
        token = people.reissue_setup(actor=console(), at=at, account=account)
        made["set_up"].append({"login": account.login, "path": f"/set-up/{token}/"})
    if demo and not demonstration.stands():
        demonstration.build(at=at, fill=fill)
        made["new"].append(demonstration.ROOT)
    made["logins"] = demonstration_logins()
    return made


def demonstration_logins() -> list[dict[str, str]]:
    """Return the logins that the sign-in page of a demonstration shows; none where there is no demonstration."""
    try:
        rows: list[dict[str, str]] = json.loads((Path(settings.HOME) / "demo-logins.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return rows


def _found_real(at: datetime) -> None:
    actor = console()
    with unit():
        territory.add_root(
            actor=actor, at=at, code=REAL, name="北京市", name_en="Beijing", kind="real", zone="Asia/Shanghai"
        )
        territory.load_beijing(actor=actor, at=at, root=REAL)
        load_standard(actor=actor, at=at, root=REAL)
        city = queries.area_by_code(REAL, CITY)
        if city is None:
            raise Trouble("行政区划文件里没有北京市", "the file of areas lacks the city itself")
        office = territory.add_body(
            actor=actor, at=at, area=city, code="city_committee_office", kind="city_committee_office",
            name="北京市安全生产委员会办公室", name_en="Office of the Beijing Work Safety Committee", sector="street_all",
        )  # fmt: skip
        post = territory.add_post(actor=actor, at=at, body=office, role="steward", area=city, title="数据管理员")
        # Vacant, so that the first page a steward sees says who is still missing.
        for role in ADMINISTRATORS:
            territory.add_post(actor=actor, at=at, body=office, role=role, area=city)
        holding = territory.appoint_new(
            actor=actor,
            at=at,
            post=post,
            name="数据管理员",
            phone="",
            from_on=city_date(at, "Asia/Shanghai"),
            steward=True,
        )
        people.open_account(actor=actor, at=at, person=holding.person, login=STEWARD)


def migrate_command(options: argparse.Namespace) -> int:
    """Answer ``anban migrate``."""
    del options
    steps = migrate()
    say(
        f"数据库已是最新（执行 {steps} 步），防护已就位。",
        f"The database is up to date ({steps} steps); its guards stand.",
    )
    return 0


def init_command(options: argparse.Namespace) -> int:
    """Answer ``anban init``."""
    migrate()
    made = init(at=now(), demo=options.demo, fill=options.fill)
    if options.json:
        put(json.dumps(made, ensure_ascii=False, indent=1))
        return 0
    tell(made, "http://127.0.0.1:8000")
    return 0


def tell(made: dict[str, Any], address: str) -> None:
    """Print what was created and who can sign in."""
    for link in made["set_up"]:
        say(
            f"数据管理员（账号 {link['login']}）的一次性设置链接，72 小时内有效：\n  {address}{link['path']}",
            f"One-time set-up link of the steward (login {link['login']}), good for 72 hours:\n  {address}{link['path']}",
        )
    if made["logins"]:
        say("演示账号（登录页上也有）：", "Logins of the demonstration (the sign-in page shows them too):")
        for row in made["logins"]:
            say(
                f"  {row['login']:<14} {row['password']:<16} {row['role_zh']} · {row['area']}",
                f"  {row['login']:<14} {row['password']:<16} {row['role_en']} · {row['area_en']}",
            )


def token_command(options: argparse.Namespace) -> int:
    """Answer ``anban token``: the key stands alone on its line, so that a script can take it."""
    account = _account(options.login)
    token, secret = people.issue_token(
        actor=console(account.person.root), at=now(), account=account, scope=options.scope, days=options.days,
        label="console",
    )  # fmt: skip
    if options.json:
        put(json.dumps({"token": secret, "scope": token.scope, "expires_at": token.expires_at.isoformat()}))
    else:
        put(secret)
    return 0


def link_command(options: argparse.Namespace) -> int:
    """Answer ``anban set-up-link``: for whoever has lost a password and finds nobody who may help."""
    account = _account(options.login)
    actor = console(account.person.root)
    with unit():
        if options.reset_factor:
            people.reset_factor(actor=actor, at=now(), account=account)
        token = people.reissue_setup(actor=actor, at=now(), account=account)
    put(f"/set-up/{token}/")
    return 0


def status_command(options: argparse.Namespace) -> int:
    """Answer ``anban status``: 1 when something is wrong."""
    checks = health.checks(now())
    if options.json:
        put(json.dumps({c.name: {"ok": c.ok, "zh": c.zh, "en": c.en} for c in checks}, ensure_ascii=False, indent=1))
    else:
        for check in checks:
            mark = "✓" if check.ok else "✕"
            say(f"{mark} {check.name}: {check.zh}", f"{mark} {check.name}: {check.en}")
    return 0 if all(check.ok for check in checks) else 1


def close() -> None:
    """Let go of the database before child processes are started."""
    connections.close_all()


def _account(login: str) -> Any:
    account = accounts.account_by_login(login)
    if account is None:
        raise Trouble(f"没有账号 {login}", f"there is no login {login}")
    return account
