"""The commands of tables: `import` takes files in, `export` gives lists out that import back unchanged."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.config.installation import REAL, console, migrate
from anban.config.speaking import Trouble, complain, pick, put, say
from anban.contexts.accidents.importers import ACCIDENTS
from anban.contexts.establishments.exporters import export_places
from anban.contexts.establishments.queries import Filters as PlaceFilters
from anban.contexts.hazards.exporters import HEADERS, rows_of
from anban.contexts.hazards.queries import Filters as HazardFilters
from anban.contexts.hazards.queries import in_pages
from anban.contexts.inspections.exporters import export_visits
from anban.contexts.inspections.importers import Taken, families, keeper, mappings_named, take_in
from anban.contexts.inspections.queries import Filters as VisitFilters
from anban.contexts.oversight.exporters import export_duties
from anban.contexts.oversight.importers import DUTIES
from anban.contexts.responsibility.exporters import export_bodies, export_link_templates, export_mandates
from anban.contexts.responsibility.importers import OFFICE_TABLES
from anban.contexts.risk.importers import EVENTS
from anban.contexts.territory.queries import area_by_code, city_date, roots
from anban.kit.clock import now
from anban.kit.tabular import FileRefused, write_csv, write_xlsx
from anban.rules.errors import Refusal

LISTS: Final = ("places", "visits", "hazards", "mandates", "bodies", "duties", "link-templates")
FURTHER: Final = (ACCIDENTS, DUTIES, EVENTS, *OFFICE_TABLES)
"""Targets of contexts above the register: known to `import` by being named here."""

SHOWN: Final = 20
EVERY_S: Final = 1.0


def add_arguments(subparsers: Any) -> None:
    """Add the commands `import` and `export`."""
    taking = subparsers.add_parser(
        "import", help=pick("导入表格", "take in tables"),
        description=pick("导入 .csv、.csv.gz、.xlsx；好的行入账，其余退回。", "Take in .csv, .csv.gz and .xlsx: good rows are taken, the others handed back."),
    )  # fmt: skip
    taking.add_argument("mapping", metavar="MAPPING", help=pick("映射名（places、visits、hazards、chicago…）或 TOML 文件", "a mapping's name (places, visits, hazards, chicago …) or a TOML file"))  # fmt: skip
    taking.add_argument("files", nargs="+", type=Path, metavar="PATH", help=pick("要导入的文件", "the files"))
    taking.add_argument(
        "--root",
        default="",
        metavar="CODE",
        help=pick("地区根（映射自带时不必写）", "the area root, unless the mapping names one"),
    )
    taking.add_argument("--preview", action="store_true", help=pick("只看不写", "look only, write nothing"))
    taking.add_argument(
        "--refused",
        type=Path,
        metavar="FILE",
        help=pick("退回的行写入此文件（.csv 或 .xlsx）", "write the refused rows here (.csv or .xlsx)"),
    )
    taking.add_argument("--json", action="store_true", help=pick("输出一个 JSON 对象", "print one JSON object"))
    taking.set_defaults(run=_import)
    giving = subparsers.add_parser("export", help=pick("导出表格", "give out tables"))
    giving.add_argument("list", choices=LISTS, help=pick("清单", "the list"))
    giving.add_argument("--root", default=REAL, metavar="CODE", help=pick("地区根", "the area root"))
    giving.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=pick("写到哪里（.csv 或 .xlsx）", "where to write (.csv or .xlsx)"),
    )
    giving.add_argument("--area", default="", metavar="CODE", help=pick("地区代码", "an area's code"))
    giving.add_argument(
        "--kind", default="", help=pick("场所类型（检查：检查类型）", "kind of place (visits: kind of visit)")
    )
    giving.add_argument(
        "--state", action="append", default=[], help=pick("隐患状态，可重复", "state of hazards, may be repeated")
    )
    giving.add_argument("--open", action="store_true", help=pick("只要在账的隐患", "open hazards only"))
    giving.add_argument(
        "--from", dest="since", type=_day, metavar="DATE", help=pick("自此日（含）", "from this day on")
    )
    giving.add_argument("--until", type=_day, metavar="DATE", help=pick("至此日（不含）", "before this day"))
    giving.add_argument("--json", action="store_true", help=pick("输出一个 JSON 对象", "print one JSON object"))
    giving.set_defaults(run=_export)


def _day(text: str) -> Any:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: YYYY-MM-DD") from error


def _import(options: argparse.Namespace) -> int:
    """Answer ``anban import``: 0 when the good rows are in, even with refusals; 1 when nothing could be read; 2 when called wrongly."""
    absent = [str(path) for path in options.files if not path.is_file()]
    if absent:
        complain(Trouble(f"没有这个文件：{'、'.join(absent)}", f"no such file: {', '.join(absent)}"))
        return 2
    if options.refused is not None and options.refused.suffix.lower() not in (".csv", ".xlsx"):
        complain(Trouble("--refused 须是 .csv 或 .xlsx", "--refused takes a .csv or an .xlsx"))
        return 2
    try:
        mappings = mappings_named(options.mapping)
    except Refusal as refusal:
        known = "、".join(families())
        complain(Trouble(f"{refusal.zh} 可用：{known}", f"{refusal.en} There are: {known}"))
        return 2
    migrate()
    own = mappings[0].root
    if own and options.root and options.root != own:
        complain(Trouble(f"映射只能导入地区根 {own}", f"the mapping belongs to the root {own}"))
        return 2
    zone = str(mappings[0].prepare.get("root", {}).get("zone", ""))
    actor = keeper(None, own, zone=zone or _zone(own)) if own else actor_in(options.root or REAL)
    try:
        taken = take_in(
            options.files,
            mappings,
            actor=actor,
            at=now(),
            refused=options.refused,
            dry=options.preview,
            progress=_Saying(),
        )
    except FileRefused as refused:
        complain(Trouble(refused.zh, refused.en))
        return 1
    report(taken, preview=options.preview)
    if options.json:
        put(json.dumps(taken.counts))
    else:
        counts = taken.counts
        say(
            f"新增 {counts['new']}，变更 {counts['changed']}，未变 {counts['same']}，退回 {counts['refused']}",
            f"new {counts['new']}, changed {counts['changed']}, same {counts['same']}, refused {counts['refused']}",
        )
    # A file whose table nobody could read is a failure; refused rows are not.
    read = sum(taken.counts.values())
    return 0 if read or not taken.problems else 1


class _Saying:
    """Says on standard error how far an import is, at most once a second."""

    def __init__(self) -> None:
        self._said = 0.0
        self._begun = time.monotonic()

    def __call__(self, done: int, total: int, stage: str) -> None:
        """Say how far it is."""
        if time.monotonic() - self._said < EVERY_S and stage != "done":
            return
        self._said = time.monotonic()
        of = f"/{total}" if total else ""
        words = {
            "reading": ("读取", "reading"),
            "writing": ("写入", "writing"),
            "history": ("推断历史", "inferring history"),
            "done": ("完成", "done"),
        }
        zh, en = words.get(stage, (stage, stage))
        sys.stderr.write(f"{self._said - self._begun:6.0f} s  {pick(zh, en)} {done}{of}\n")


def report(taken: Taken, *, preview: bool = False) -> None:
    """Say on standard error what became of each mapping's rows and why rows are refused."""
    for name, one in taken.results.items():
        sys.stderr.write(f"{name}: {json.dumps(one.counts)}{pick('（预览）', ' (preview)') if preview else ''}\n")
        for label, rows in (("", one.problems), (pick("提示 ", "note "), one.notes)):
            for problem in rows[:SHOWN]:
                where = " ".join(
                    part for part in (problem.file, problem.sheet, str(problem.row or ""), problem.column) if part
                )
                sys.stderr.write(f"  {label}{where}: {pick(problem.zh, problem.en)}\n")
        if one.problem_count > SHOWN:
            more = one.problem_count - SHOWN
            sys.stderr.write(pick(f"  ……另有 {more} 处\n", f"  … and {more} more\n"))
        for effect in getattr(one, "effects", ()):
            sys.stderr.write(f"  {pick(effect.zh, effect.en)}\n")
        if one.flags:
            sys.stderr.write(f"  {pick('标记', 'flags')}: {json.dumps(dict(one.flags), ensure_ascii=False)}\n")
    for name, done in taken.derived.items():
        sys.stderr.write(
            pick(
                f"{name}：隐患 {done.hazards} 条，轮次 {done.cycles}，推断结束 {done.ended}，反弹 {done.rebounds}\n",
                f"{name}: {done.hazards} hazards, {done.cycles} cycles, {done.ended} inferred ends, {done.rebounds} rebounds\n",
            )
        )
    for label in taken.unknown:
        sys.stderr.write(pick(f"没有认出 {label}，未导入\n", f"{label} was not recognised and not taken in\n"))
    for path in taken.refused_files:
        sys.stderr.write(pick(f"退回的行在 {path}\n", f"the refused rows are in {path}\n"))


def _zone(code: str) -> str:
    row = roots().filter(pk=code).first()
    return row.zone if row else "Asia/Shanghai"


def actor_in(code: str) -> Actor:
    """Return the hand of the command line in a root. Raises: Trouble."""
    row = roots().filter(pk=code).first()
    if row is None:
        known = "、".join(roots().values_list("code", flat=True))
        raise Trouble(
            f"没有地区根 {code}。现有：{known or '无'}", f"there is no root {code}. There are: {known or 'none'}"
        )
    made = console(code)
    return Actor(person_id=None, root=code, job=made.job, channel="cli", zone=row.zone)


def _export(options: argparse.Namespace) -> int:
    """Answer ``anban export``."""
    suffix = options.out.suffix.lower()
    if suffix not in (".csv", ".xlsx"):
        complain(Trouble("--out 须是 .csv 或 .xlsx", "--out takes a .csv or an .xlsx"))
        return 2
    migrate()
    actor, at = actor_in(options.root), now()
    form: Literal["csv", "xlsx"] = "xlsx" if suffix == ".xlsx" else "csv"
    path = ""
    if options.area:
        area = area_by_code(options.root, options.area)
        if area is None:
            complain(Trouble(f"没有地区 {options.area}", f"there is no area {options.area}"))
            return 2
        path = area.path
    if options.list == "mandates":
        rows = export_mandates(actor=actor, at=at, out=options.out, form=form, area_path=path)
    elif options.list == "bodies":
        rows = export_bodies(actor=actor, at=at, out=options.out, form=form)
    elif options.list == "link-templates":
        rows = export_link_templates(actor=actor, at=at, out=options.out, form=form)
    elif options.list == "places":
        filters = PlaceFilters(area=options.area, kind=options.kind)
        rows = export_places(actor=actor, at=at, filters=filters, out=options.out, form=form)
    elif options.list == "visits":
        visits = VisitFilters(area=path, kind=options.kind, on_from=options.since, on_until=options.until)
        rows = export_visits(actor=actor, at=at, filters=visits, out=options.out, form=form)
    elif options.list == "duties":
        on = city_date(at, options.root)
        rows = export_duties(actor=actor, at=at, on=on, out=options.out, form=form, area_path=path)
    else:
        hazards = HazardFilters(
            area=path, kind=options.kind, states=tuple(options.state), open_only=options.open, found_from=options.since,
            found_until=options.until,
        )  # fmt: skip
        rows = _export_hazards(actor, at, hazards, options.out, form)
    if options.json:
        put(json.dumps({"rows": rows}))
    else:
        say(f"已导出 {rows} 行到 {options.out}", f"{rows} rows written to {options.out}")
    return 0


def _export_hazards(actor: Actor, at: datetime, filters: HazardFilters, out: Path, form: str) -> int:
    def rows() -> Iterator[tuple[str, ...]]:
        for page in in_pages(actor, filters, at=at):
            yield from rows_of(page, actor.zone)

    write = write_xlsx if form == "xlsx" else write_csv
    written = write(out, HEADERS, rows())
    note_access(actor=actor, at=at, what="hazards.exported", subject=filters.area[:120], rows=written)
    return written
