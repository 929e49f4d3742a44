"""The command `net`: gaps and overlaps of the whole root, and who answers for one place and class."""

from __future__ import annotations

import argparse
import json
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from anban.base.people.actor import Actor
from anban.config.commands_tables import actor_in, report
from anban.config.installation import REAL, migrate
from anban.config.speaking import Trouble, complain, pick, put, say
from anban.contexts.catalog.queries import hazard_classes
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.queries import places_by_id, places_by_number
from anban.contexts.inspections.importers import mappings_named, take_in
from anban.contexts.responsibility import net
from anban.contexts.responsibility.queries import Answer, powers, resolve
from anban.contexts.responsibility.start import write_start
from anban.contexts.territory.queries import city_date
from anban.kit.clock import now


def add_arguments(subparsers: Any) -> None:
    """Add the command `net` with its word `resolve`."""
    parser = subparsers.add_parser(
        "net",
        help=pick("责任网：空白、交叉、查询一处", "the responsibility net: gaps, overlaps, one place"),
        description=pick(
            "全域核对监管职责，列出空白和交叉；resolve 查询一个场所、一类隐患由谁负责。",
            "Look over all mandates and list gaps and overlaps; resolve asks for one place and hazard class.",
        ),
    )
    _common(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help=pick("写 gaps.csv、overlaps.csv 的目录", "where to write gaps.csv and overlaps.csv"))  # fmt: skip
    words = parser.add_subparsers(dest="word", metavar="")
    asking = words.add_parser("resolve", help=pick("查询一处", "ask for one place"))
    asking.add_argument("place", metavar="PLACE", help=pick("场所编号", "a place's number"))
    asking.add_argument("hazard_class", metavar="CLASS", help=pick("隐患类别代码", "a hazard class's code"))
    _common(asking, again=True)
    starting = words.add_parser(
        "start",
        help=pick("采用起始职责表", "adopt the starting table"),
        description=pick(
            "按随附的起始职责表（有依据、有日期）为各区、各街道建立机构和职责；--out 只写表，先看后导。",
            "Make bodies and mandates of every district and street by the packaged table; --out only writes the tables.",
        ),
    )
    starting.add_argument("--from", dest="since", type=_day, metavar="DATE", help=pick("生效日期（默认今天）", "in force from (today)"))  # fmt: skip
    starting.add_argument("--members", action="store_true", help=pick("连同按职责参与的部门", "with those who take part by duty"))  # fmt: skip
    starting.add_argument("--out", type=Path, metavar="DIR", default=argparse.SUPPRESS, help=pick("只写表到此目录", "only write the tables here"))  # fmt: skip
    _common(starting, again=True)
    parser.set_defaults(run=_run)


def _common(parser: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Take the options before and after the word ``resolve`` alike."""
    kept: dict[str, Any] = {"default": argparse.SUPPRESS} if again else {}
    parser.add_argument(
        "--on", type=_day, metavar="DATE", help=pick("哪一天（默认今天）", "on which day (today)"), **kept
    )
    parser.add_argument("--root", metavar="CODE", help=pick("地区根", "the area root"), **(kept or {"default": REAL}))
    parser.add_argument("--json", action="store_true", help=pick("输出一个 JSON 对象", "print one JSON object"), **kept)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: YYYY-MM-DD") from error


def _run(options: argparse.Namespace) -> int:
    """Answer ``anban net`` and ``anban net resolve``."""
    migrate()
    actor = actor_in(options.root)
    on = options.on or city_date(now(), options.root)
    if options.word == "resolve":
        return _resolve(options, on)
    if options.word == "start":
        return _start(options, actor)
    found = net.write_lists(actor, on, options.out) if options.out else net.figures(actor, on)
    if options.json:
        put(json.dumps(found.as_json()))
        return 0
    say(
        f"{on}：{found.places} 个场所 × {found.classes} 类隐患 × 4 项职责：明确 {found.resolved}，空白 {found.gaps}，"
        f"交叉 {found.overlaps}（其中已指定 {found.assigned}）",
        f"{on}: {found.places} places × {found.classes} classes × 4 roles: {found.resolved} resolved, {found.gaps} gaps, "
        f"{found.overlaps} overlaps ({found.assigned} of them assigned)",
    )
    return 0


def _start(options: argparse.Namespace, actor: Actor) -> int:
    """Adopt the starting table: bodies first, then mandates, both through their importers; twice changes nothing."""
    since = options.since or city_date(now(), options.root)
    if options.out:
        made = write_start(options.root, since, options.out, members=options.members)
        say(
            f"已写 {made.body_rows} 个机构、{made.mandate_rows} 条职责到 {options.out}",
            f"{made.body_rows} bodies and {made.mandate_rows} mandates written to {options.out}",
        )
        return 0
    with TemporaryDirectory() as folder:
        made = write_start(options.root, since, Path(folder), members=options.members)
        bodies = {"new": 0}
        if made.body_rows:
            bodies = take_in([made.bodies], mappings_named("bodies"), actor=actor, at=now()).counts
        taken = take_in([made.mandates], mappings_named("mandates"), actor=actor, at=now())
    counts = taken.counts
    if options.json:
        put(json.dumps({"bodies": bodies["new"], **counts}))
    else:
        say(
            f"新建机构 {bodies['new']} 个；职责新增 {counts['new']}，未变 {counts['same']}，退回 {counts['refused']}",
            f"{bodies['new']} bodies made; mandates: {counts['new']} new, {counts['same']} same, {counts['refused']} refused",
        )
    report(taken)
    return 0


def _place(root: str, text: str) -> Place | None:
    found = places_by_number(root, [text]).get(text)
    if found is None:
        try:
            found = places_by_id([UUID(text)]).get(UUID(text))
        except ValueError:
            return None
    return found if found is not None and found.root == root else None


def _resolve(options: argparse.Namespace, on: date) -> int:
    place = _place(options.root, options.place)
    if place is None:
        complain(Trouble(f"没有场所 {options.place}", f"there is no place {options.place}"))
        return 1
    known = sorted(hazard_classes(options.root, on).values_list("code", flat=True))
    if options.hazard_class not in known:
        complain(Trouble(f"没有隐患类别 {options.hazard_class}。现有：{'、'.join(known)}", f"there is no hazard class {options.hazard_class}. There are: {', '.join(known)}"))  # fmt: skip
        return 1
    found = resolve(place, options.hazard_class, on)
    answers = {
        one.role: _told(options.root, options.hazard_class, one)
        for one in (found.sector_lead, found.special, found.enforcer, found.territory)
    }
    if options.json:
        put(
            json.dumps(
                {"place": place.number, "class": options.hazard_class, "on": on.isoformat(), "answers": answers},
                ensure_ascii=False,
            )
        )
        return 0
    for role, told in answers.items():
        rows = "；".join(str(row["basis"] or row["body"]) for row in told["rows"])
        say(
            f"{role}: {told['state']} {told['name'] or '—'} {told['officer'] or '—'}（{told['reason']}）{rows}",
            f"{role}: {told['state']} {told['name'] or '—'} {told['officer'] or '—'} ({told['reason']}) {rows}",
        )
    return 0


def _told(root: str, hazard_class: str, one: Answer) -> dict[str, Any]:
    """Return one answer for printing: who, why, and the mandates that win."""
    rows = [
        {
            "body": row.body.code,
            "name": row.body.name,
            "place_kind": row.place_kind,
            "industry": row.industry,
            "hazard_class": row.hazard_class,
            "area": row.area.code,
            "phase": row.phase,
            "from": row.from_on.isoformat() if row.from_on else "",
            "until": row.until_on.isoformat() if row.until_on else "",
            "basis": row.basis,
        }
        for row in one.rows
    ]
    body = one.rows[0].body if one.rows and one.role == "territory" else one.body
    told: dict[str, Any] = {
        "state": one.state.value,
        "body": body.code if body else "",
        "name": body.name if body else "",
        "officer": one.person.name if one.person else "",
        "reason": one.reason,
        "assigned": bool(one.boundary and one.boundary.assigned_body_id),
        "boundary": one.boundary.number if one.boundary else "",
        "rows": rows,
    }
    if one.role == "enforcer":
        told["powers"] = list(powers(root, hazard_class, one.body))
    return told
