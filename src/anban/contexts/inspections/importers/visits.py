"""Rows of visits: whose place, which kind and result, and the set-based writing; a visit is never changed later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from anban.base.inserting import insert, prepared
from anban.base.journal.digests import row_digest, row_name
from anban.base.journal.operations import Draft, record_many, unit
from anban.contexts.establishments.derived import attributes_text
from anban.contexts.establishments.importers import Fate, Item, Problem, Run, Target, TypedRow
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.search import fold
from anban.contexts.hazards.importers import Places, allowed, settle
from anban.contexts.inspections.columns import HISTORICAL_ONLY, KINDS, RESULTS, VISIT_COLUMNS, said_by
from anban.contexts.inspections.models import Visit, Visitor
from anban.contexts.inspections.operations import SERIES
from anban.contexts.territory.operations import next_numbers
from anban.kit.canonical import digest
from anban.kit.ids import new_id

_KINDS = {fold(word): code for code, words in KINDS.items() for word in (code, *words)}
_RESULTS = {fold(word): code for code, words in RESULTS.items() for word in (code, *words)}


@dataclass(slots=True)
class Fresh:
    """One new visit and its party's mask, built before the transaction."""

    visit: Visit
    visitor: Visitor | None
    draft: Draft


def open_run(run: Run) -> None:
    """This function will load nothing: all that visits need is read with each batch."""
    run.known.setdefault("allowed", {})


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will read what a row means and say what is wrong with it."""
    problems = []
    found = row.values.get("on", "")
    if not isinstance(found, date):
        problems.append(row.problem("on", "date_missing", "缺少检查日期", "the date of the visit is missing"))
    elif found > run.on:
        problems.append(row.problem("on", "in_the_future", "检查日期在将来", "the day of the visit lies in the future"))
    for name, table, empty in (
        ("kind", _KINDS, "other" if run.mapping.historical else "patrol"),
        ("result", _RESULTS, "unknown"),
    ):
        text = row.text(name)
        code = table.get(fold(text), "") if text else empty
        if not code:
            problems.append(
                row.problem(name, "value_unknown", f"“{text}”不是可用的值", f"“{text}” is not a possible value")
            )
        row.values[name] = code
    if row.text("kind") in HISTORICAL_ONLY and not run.mapping.historical and not row.text("number"):
        problems.append(
            row.problem("kind", "history_only", "这一类型只用于历史记录", "this kind is for historical records only")
        )
    return problems


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row: by the source's key, its number, or what it says."""
    del run
    if text := row.text("source_key"):
        return f"k:{text}"
    if text := row.text("number"):
        return f"n:{text}"
    said = [
        row.text(name) for name in ("place_number", "credit_code", "place_name", "address", "on", "kind", "task_number")
    ]
    return f"d:{digest(said)[:40]}"


def plan(run: Run, items: list[Item]) -> None:
    """This function will decide what becomes of each row and build what is to be written, without writing."""
    places = Places(run, items)
    numbers = {item.row.text("number") for item in items} - {""}
    rows = Visit.objects.filter(root=run.root, number__in=numbers).select_related("place").prefetch_related("visitors")
    numbered = {row.number: row for row in rows} if numbers else {}
    fresh: list[tuple[Item, Place]] = []
    for item in items:
        standing = numbered.get(item.row.text("number"))
        if standing is not None:
            _compare(run, item, standing)
            continue
        place = places.of(item)
        if place is None or not allowed(run, item, place):
            continue
        settle(run, item, place)
        if item.fate is Fate.CHANGED:
            item.refuse("", "visit_fixed", "检查记录一经记下不再改动；有误请补记一次新的检查",
                        "a visit on record is never changed; record another one")  # fmt: skip
            continue
        fresh.append((item, place))
    if fresh and not run.dry:
        with unit():
            given = next_numbers(
                actor=run.actor, at=run.at, root=run.root, series=SERIES, year=run.on.year, count=len(fresh)
            )
        for (item, place), number in zip(fresh, given, strict=True):
            item.plan = _fresh(run, item, place, number)
            item.subject_id = item.plan.visit.pk
        made: list[Fresh] = [item.plan for item, _ in fresh]
        run.known["prepared"] = (
            prepared(m.visit for m in made),
            prepared(m.visitor for m in made if m.visitor is not None),
        )


def _compare(run: Run, item: Item, standing: Visit) -> None:
    if not allowed(run, item, standing.place):
        return
    settle(run, item, standing.place)
    item.subject_id = standing.pk
    for name, value in said_by(standing).items():
        # The findings are counted, not stated: they may have come since.
        if name != "findings" and name in item.row.headers and item.row.text(name) != value:
            item.refuse(name, "visit_fixed", f"检查记录一经记下不再改动（“{item.row.headers[name]}”）",
                        f"a visit on record is never changed (“{item.row.headers[name]}”)")  # fmt: skip
            return
    item.fate = Fate.SAME


def _fresh(run: Run, item: Item, place: Place, number: str) -> Fresh:
    row = item.row
    on: Any = row.values["on"]
    group = row.text("group")
    visit = Visit(
        id=new_id(), root=run.root, number=number, place=place, place_title=place.name, place_kind=place.kind,
        area_path=place.area_path, overview_code=place.overview_code, kind=row.text("kind"), on=on,
        result=row.text("result"), task_number=row.text("task_number"), findings_count=_findings(run, row),
        attributes=attributes_text(row.attributes), historical=run.mapping.historical, recorded_at=run.at,
    )  # fmt: skip
    data = {
        "number": number, "kind": visit.kind, "on": on.isoformat(), "result": visit.result, "source": run.mapping.source,
        **({"historical": True} if visit.historical else {}),
        **({"group": group} if group else {}), **({"task": visit.task_number} if visit.task_number else {}),
    }  # fmt: skip
    draft = Draft(
        "visit.recorded", run.actor.reference, run.root, run.actor.channel, run.at, f"visit:{visit.pk.hex}",
        f"place:{place.pk.hex}", data, {row_name(visit): row_digest(visit)},
    )  # fmt: skip
    return Fresh(visit, Visitor(visit=visit, group=group) if group else None, draft)


def _findings(run: Run, row: TypedRow) -> int:
    if run.mapping.options.get("findings") == "counted":
        # The source brings its findings in a file of their own; they are counted when they come.
        return 0
    value = row.values.get("findings", "")
    return value if isinstance(value, int) and value > 0 else 0


def write(run: Run, items: Sequence[Item]) -> None:
    """This function will write the batch's visits inside its unit of work, one entry each."""
    fresh = [item.plan for item in items if isinstance(item.plan, Fresh)]
    insert(*run.known.pop("prepared", ()))
    record_many(one.draft for one in fresh)


VISITS = Target(
    code="visits", kind="visit", zh="检查", en="Visits", columns=VISIT_COLUMNS, open=open_run, check=check, key=key, plan=plan,
    write=write,
)  # fmt: skip
