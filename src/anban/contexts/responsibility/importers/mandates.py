"""Rows of mandates: which body, which duty, over what; contradictions are refused, overlaps of bodies listed, the effect told."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from anban.contexts.establishments.importers import Fate, Finish, Item, Problem, Run, Said, Target, TypedRow
from anban.contexts.responsibility.columns import MANDATE_COLUMNS, PHASE_WORDS, ROLE_WORDS
from anban.contexts.responsibility.importers.words import day, load, problems_of, term, understood, words_of
from anban.contexts.responsibility.models import Mandate
from anban.contexts.responsibility.operations import add_mandates, change_mandates, look_over
from anban.contexts.responsibility.settling import effect_of_table
from anban.contexts.territory.policies import can_arrange
from anban.rules.errors import Refusal

Scope = tuple[Any, ...]
Spot = tuple[str, str, int]
"""Where a row stands: file, sheet, number."""


@dataclass(slots=True)
class Planned:
    """The rows of the files so far, against each other and against what is on file."""

    on_file: dict[Scope, list[Mandate]] = field(default_factory=dict)
    rows: dict[Scope, dict[Spot, tuple[Mandate, TypedRow]]] = field(default_factory=dict)
    changes: dict[Spot, tuple[Mandate, date | None, str]] = field(default_factory=dict)
    fresh: dict[Spot, Mandate] = field(default_factory=dict)
    wrote: bool = False

    def read(self, root: str) -> None:
        """Read anew what is on file: others, and the batches before this one, may have changed it."""
        self.on_file.clear()
        for row in Mandate.objects.filter(root=root).select_related("body", "area"):
            self.on_file.setdefault(_scope(row), []).append(row)

    def forget(self, spot: Spot) -> None:
        """Forget a row that is planned again."""
        self.changes.pop(spot, None)
        self.fresh.pop(spot, None)
        for held in self.rows.values():
            held.pop(spot, None)

    def consider(self, item: Item) -> None:
        """Decide what becomes of a row."""
        row, spot, scope = item.plan, _spot(item.row), _scope(item.plan)
        mine = self.rows.setdefault(scope, {})
        for other, where in mine.values():
            if other.body_id == row.body_id and _meet(other, row):
                item.refuse(
                    "from", "contradicts", f"与第 {where.number} 行是同一机构、同一职责，期间重叠，内容却不同",
                    f"contradicts row {where.number}: the same body and duty, at the same time, otherwise",
                )  # fmt: skip
                return
        for held in self.on_file.get(scope, ()):
            if held.body_id != row.body_id:
                continue
            if held.from_on == row.from_on:
                self._as_on_file(item, held)
                return
            if _meet(held, row):
                since = held.from_on.isoformat() if held.from_on else "—"
                item.refuse(
                    "from", "overlaps_itself", f"该机构的同一职责已登记（自 {since}），期间重叠；先给原行填写终止日期",
                    f"this body has the duty on file already (from {since}) for part of the time; end that row first",
                )  # fmt: skip
                return
        item.fate = Fate.NEW
        mine[spot] = (row, item.row)
        self.fresh[spot] = row

    def _as_on_file(self, item: Item, held: Mandate) -> None:
        row, spot = item.plan, _spot(item.row)
        self.rows[_scope(row)][spot] = (row, item.row)
        item.subject_id = held.pk
        if (held.until_on, held.basis) == (row.until_on, row.basis):
            item.fate = Fate.SAME
        else:
            item.fate = Fate.CHANGED
            self.changes[spot] = (held, row.until_on, row.basis)

    def crossing(self) -> Iterator[Problem]:
        """Give the rows that meet another body's row over the same scope: both are taken in, and the net shows an overlap."""
        for scope, rows in self.rows.items():
            for row, line in rows.values():
                others = [one for one, _ in rows.values() if one is not row] + self.on_file.get(scope, [])
                names = sorted({one.body.name for one in others if one.body_id != row.body_id and _meet(one, row)})
                if names:
                    yield line.problem(
                        "body", "overlap", f"与{'、'.join(names)}职责交叉，将列入待界定",
                        f"overlaps with {', '.join(names)}; to be listed and settled",
                    )  # fmt: skip


def _scope(row: Mandate) -> Scope:
    return (row.role, row.place_kind, row.industry, row.hazard_class, row.area_id, row.phase)


def _spot(row: TypedRow) -> Spot:
    return (row.file, row.sheet, row.number)


def _meet(one: Mandate, other: Mandate) -> bool:
    """Tell whether two rows hold on a common day."""
    return (one.until_on is None or other.from_on is None or other.from_on < one.until_on) and (
        other.until_on is None or one.from_on is None or one.from_on < other.until_on
    )


def open_run(run: Run) -> None:
    """This function will load what the cells mean."""
    load(run)
    run.known["planned"] = Planned()


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will read what a row means and say what is wrong with it."""
    words = words_of(run)
    body, area = words.bodies.get(row.text("body")), words.areas.get(row.text("area"))
    role, phase = term(ROLE_WORDS, row.text("role")), term(PHASE_WORDS, row.text("phase"))
    kind, klass, industry = row.text("place_kind"), row.text("hazard_class"), row.text("industry")
    since, until = day(row, "from"), day(row, "until")
    gone = (
        body is not None and body.until_on is not None and until is None and (since is None or since >= body.until_on)
    )
    problems = problems_of(row, (
        ("body", body is None, "body_unknown", "没有这个机构，或同名不止一个（请写机构代码）", "no such body, or several of the name: write its code"),
        ("area", area is None, "area_unknown", "没有这个地区，或同名不止一个（请写地区代码）", "no such area, or several of the name: write its code"),
        ("role", not role, "role_unknown", "职责只能是 sector_lead、special、enforcer、territory（行业主管、专业监管、执法主体、属地）", "the role is one of sector_lead, special, enforcer, territory"),
        ("phase", bool(row.text("phase")) and not phase, "phase_unknown", "环节只能是 before、during、after（事前、事中、事后）或空", "the phase is before, during, after or empty"),
        ("place_kind", bool(kind) and kind not in words.kinds, "kind_unknown", "目录里没有这种场所", "the catalog has no such kind of place"),
        ("hazard_class", bool(klass) and klass not in words.classes, "class_unknown", "目录里没有这个隐患类别", "the catalog has no such hazard class"),
        ("industry", bool(kind and industry), "kind_and_industry", "场所类型和行业只能填一个", "give a place kind or an industry, not both"),
        ("industry", industry.isalpha(), "industry_section", "门类字母之下没有编码，请写大类（两位）及以下的代码", "a section letter begins no code: write the division's two digits or more"),
        ("body", gone, "body_gone", "这个机构已撤销", "this body no longer exists"),
        ("area", area is not None and not can_arrange(run.actor, area.path), "not_allowed", "您的岗位不能登记这个地区的职责", "your post may not enter duties in this area"),
    ))  # fmt: skip
    if not problems and body is not None and area is not None:
        understood(row, {
            "body": body.code, "area": area.code, "role": role, "phase": phase, "place_kind": words.kinds.get(kind, ""),
            "hazard_class": words.classes.get(klass, ""),
        })  # fmt: skip
    return problems


_KEY: Final = ("body", "role", "place_kind", "industry", "hazard_class", "area", "phase", "from")


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row by the duty and the day on which it begins."""
    del run
    return "|".join(row.text(name) for name in _KEY)


def plan(run: Run, items: list[Item]) -> None:
    """This function will decide what becomes of each row."""
    planned: Planned = run.known["planned"]
    words = words_of(run)
    planned.read(run.root)
    for item in items:
        row = item.row
        planned.forget(_spot(row))
        item.plan = Mandate(
            root=run.root, body=words.bodies[row.text("body")], area=words.areas[row.text("area")],
            **{name: row.text(name) for name in ("role", "phase", "industry", "place_kind", "hazard_class", "basis")},
            from_on=day(row, "from"), until_on=day(row, "until"),
        )  # fmt: skip
        item.area_path = item.plan.area.path
        planned.consider(item)


def write(run: Run, items: list[Item]) -> None:
    """This function will write the batch's mandates inside its unit of work."""
    planned: Planned = run.known["planned"]
    fresh = [item for item in items if item.fate is Fate.NEW]
    changes = [planned.changes[_spot(item.row)] for item in items if item.fate is Fate.CHANGED]
    if fresh:
        add_mandates(actor=run.actor, at=run.at, rows=[item.plan for item in fresh])
    if changes:
        change_mandates(actor=run.actor, at=run.at, changes=changes)
    for item in fresh:
        item.subject_id = item.plan.pk
    planned.wrote = True


def finish(run: Run) -> Finish:
    """This function will list what crosses and, in a preview, tell what the table would do; in earnest look the net over."""
    planned: Planned = run.known["planned"]
    notes = list(planned.crossing())
    if run.dry:
        return Finish(tuple(notes), tuple(_effects(run, planned)))
    if planned.wrote:
        notes += _looked_over(run)
    return Finish(tuple(notes))


def _looked_over(run: Run) -> list[Problem]:
    """This function will put what is newly open on desks; where nobody could take it, the rows stay in and it is said."""
    try:
        look_over(actor=run.actor, at=run.at)
    except Refusal as refusal:
        return [Problem("", "", 0, "", refusal.code, refusal.zh, refusal.en)]
    return []


def _effects(run: Run, planned: Planned) -> Iterator[Said]:
    """Give what the table would do to the places that the actor sees, on the first day on which it does anything."""
    moved = [*planned.fresh.values()]
    for held, until_on, basis in planned.changes.values():
        changed = copy(held)
        changed.until_on, changed.basis = until_on, basis
        moved.append(changed)
    if not moved:
        return
    begins = [row.from_on or run.on for row in planned.fresh.values()] + [run.on] * bool(planned.changes)
    on = max(run.on, min(begins))
    effect = effect_of_table(run.actor, run.root, on, moved)
    told = (
        (effect.settles, "会明确 {} 个场所原来空白或交叉的责任", "settle what was open at {} places"),
        (effect.overlaps, "会在 {} 个场所新增责任交叉", "make overlaps at {} places"),
        (effect.gaps, "会在 {} 个场所新增责任空白", "make gaps at {} places"),
    )
    said = [Said(zh.format(n), en.format(n)) for n, zh, en in told if n]
    nothing = [Said("不增加也不消除空白和交叉", "neither make nor settle a gap or an overlap")]
    yield from (
        Said(f"自 {on.isoformat()} 起，好的行{one.zh}", f"from {on.isoformat()} on, the good rows {one.en}")
        for one in said or nothing
    )


MANDATES = Target(
    code="mandates", kind="mandate", zh="职责表", en="Mandates", columns=MANDATE_COLUMNS, open=open_run, check=check, key=key,
    plan=plan, write=write, finish=finish, own_table=True,
)  # fmt: skip
