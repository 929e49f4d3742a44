"""Rows of bodies: code, kind, name, area and superior; a body on file stays as it is."""

from __future__ import annotations

from anban.contexts.establishments.importers import Fate, Item, Problem, Run, Target, TypedRow
from anban.contexts.responsibility.columns import BODY_COLUMNS
from anban.contexts.responsibility.importers.words import bodies_by_word, day, load, problems_of, understood, words_of
from anban.contexts.territory.models import Body
from anban.contexts.territory.operations import add_bodies
from anban.contexts.territory.policies import can_arrange


def open_run(run: Run) -> None:
    """This function will load what the cells mean."""
    load(run)
    run.known["listed"] = {}


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will read what a row means and say what is wrong with it."""
    words = words_of(run)
    kind, area = words.body_kinds.get(row.text("kind")), words.areas.get(row.text("area"))
    problems = problems_of(row, (
        ("kind", kind is None, "kind_unknown", "没有这种机构类型", "there is no such kind of body"),
        ("area", area is None, "area_unknown", "没有这个地区，或同名不止一个（请写地区代码）", "no such area, or several of the name: write its code"),
        ("area", area is not None and not can_arrange(run.actor, area.path), "not_allowed", "您的岗位不能登记这个地区的机构", "your post may not enter bodies in this area"),
    ))  # fmt: skip
    if not problems and kind is not None and area is not None:
        understood(row, {"kind": kind.code, "area": area.code})
    return problems


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row by the body's code."""
    del run
    return row.text("code")


def plan(run: Run, items: list[Item]) -> None:
    """This function will decide what becomes of each row; a superior stands on file or further up in the files."""
    words = words_of(run)
    words.bodies = bodies_by_word(run.root)
    on_file = {one.code: one for one in words.bodies.values()}
    listed: dict[str, Body] = run.known["listed"]
    for item in items:
        row = item.row
        area = words.areas[row.text("area")]
        over, code = row.text("superior"), row.text("code")
        superior = (words.bodies.get(over) or listed.get(over)) if over else None
        item.area_path = area.path
        if over and superior is None:
            item.refuse("superior", "body_unknown", "没有这个上级机构（须先列出）", "no such superior: list it first")
            continue
        held = on_file.get(code)
        if held is not None:
            item.subject_id, item.fate = held.pk, Fate.SAME
            if (held.name, held.kind, held.area_id) != (row.text("name"), row.text("kind"), area.pk):
                item.refuse("code", "code_taken", f"代码已是“{held.name}”", f"the code belongs to {held.name}")
            continue
        item.fate = Fate.NEW
        listed[code] = item.plan = Body(
            root_id=run.root, code=code, kind=row.text("kind"), name=row.text("name"),
            name_en=row.text("name_en") or row.text("name"), area=area, sector=words.body_kinds[row.text("kind")].sector,
            superior=superior, from_on=day(row, "from"),
        )  # fmt: skip


def write(run: Run, items: list[Item]) -> None:
    """This function will write the batch's bodies inside its unit of work."""
    add_bodies(actor=run.actor, at=run.at, rows=[item.plan for item in items])
    for item in items:
        item.subject_id = item.plan.pk


BODIES = Target(
    code="bodies", kind="body", zh="机构表", en="Bodies", columns=BODY_COLUMNS, open=open_run, check=check, key=key,
    plan=plan, write=write, own_table=True,
)  # fmt: skip
