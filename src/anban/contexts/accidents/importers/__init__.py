"""Files of accidents: one row an accident, with the causal links and the persons that its report names."""

from __future__ import annotations

from datetime import date

from anban.contexts.accidents.models import Accident
from anban.contexts.accidents.operations import Named, Report, amend_accident, record_accident
from anban.contexts.establishments.columns import Column
from anban.contexts.establishments.importers import (
    Item,
    Problem,
    Run,
    Target,
    TypedRow,
    register_mappings,
    register_target,
)
from anban.contexts.establishments.queries import places_by_number
from anban.contexts.establishments.search import fold
from anban.contexts.territory.models import Area
from anban.kit.canonical import digest
from anban.rules.accountability import AccidentGrade

COLUMNS = (
    Column("source_key", "事故编号", "Accident number", ("编号",), required=True, max_chars=60),
    Column("on", "事故日期", "Day", ("发生日期", "日期"), required=True, kind="date"),
    Column("kind", "事故类别", "Kind", ("类别",), required=True),
    Column("grade", "事故等级", "Grade", ("等级",)),
    Column("area", "地区代码", "Area code", ("地区",), required=True),
    Column("place_number", "单位编号", "Place number", ("监管对象编号",), max_chars=30),
    Column("unit_name", "事故单位", "Unit", ("单位名称",), required=True, max_chars=200),
    Column("deaths", "死亡人数", "Deaths", ("死亡",), kind="integer"),
    Column("serious_injuries", "重伤人数", "Serious injuries", ("重伤",), kind="integer"),
    Column("loss_yuan", "直接经济损失（元）", "Direct loss in yuan", ("直接经济损失",), kind="number"),
    Column("causes", "原因环节", "Causal links", ("环节",), max_chars=300),
    Column("persons", "责任人", "Persons", ("责任人员",), max_chars=600, personal=True),
)
KINDS = {fold(word): code for code, label in Accident.Kind.choices for word in (code, str(label))}
GRADES = {fold(word): grade for grade in AccidentGrade for word in (grade.value, grade.zh, grade.en)}
DIRECT = "直接"


def open_run(run: Run) -> None:
    """This function will load the areas by their codes."""
    run.known["areas"] = dict(Area.objects.filter(root_id=run.root).values_list("code", "path"))


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will read what a row means and say what is wrong with it."""
    problems = []
    kind = KINDS.get(fold(row.text("kind")), "")
    if not kind:
        problems.append(row.problem("kind", "value_unknown", "不是可用的事故类别", "no known kind of accident"))
    grade = GRADES.get(fold(row.text("grade"))) if row.text("grade") else AccidentGrade.UNDETERMINED
    if grade is None:
        problems.append(row.problem("grade", "value_unknown", "不是可用的事故等级", "no known grade of accident"))
    if row.text("area") not in run.known["areas"]:
        problems.append(row.problem("area", "area_unknown", "没有这个地区代码", "there is no area with this code"))
    on = row.values.get("on")
    if isinstance(on, date) and on > run.on:
        problems.append(row.problem("on", "in_the_future", "事故日期在将来", "the day lies in the future"))
    for name in ("deaths", "serious_injuries", "loss_yuan"):
        value = row.values.get(name) or 0
        if not isinstance(value, int | float) or value < 0:
            problems.append(row.problem(name, "negative", "不能为负", "it cannot be negative"))
    row.values["kind"] = kind
    row.values["grade"] = grade.value if grade else ""
    return problems


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row by the source's number."""
    del run
    return f"k:{row.text('source_key')}" if row.text("source_key") else f"d:{digest(row.payload)[:40]}"


def plan(run: Run, items: list[Item]) -> None:
    """This function will find the place of each row; a number that is on no register is refused, none at all is allowed."""
    numbers = {item.row.text("place_number") for item in items} - {""}
    places = places_by_number(run.root, numbers)
    for item in items:
        row = item.row
        number = row.text("place_number")
        place = places.get(number) if number else None
        if number and place is None:
            item.refuse("place_number", "place_unknown", f"台账里没有 {number}", f"{number} is not on the register")
            continue
        item.place_id = place.pk if place else None
        item.area_path = run.known["areas"][row.text("area")]
        loss = row.values.get("loss_yuan")
        on = row.values["on"]
        item.plan = Report(
            kind=row.text("kind"), on=on if isinstance(on, date) else run.on, area_path=item.area_path,
            unit_name=row.text("unit_name"), place=place, grade=AccidentGrade(row.text("grade")),
            deaths=int(row.text("deaths") or 0), serious_injuries=int(row.text("serious_injuries") or 0),
            loss_yuan=round(loss) if isinstance(loss, int | float) else None,
            causes=tuple(_parts(row.text("causes"))), source_key=row.text("source_key"), named=tuple(_named(row)),
        )  # fmt: skip


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace(";", "；").split("；") if part.strip()]


def _named(row: TypedRow) -> list[Named]:
    """Read persons as 姓名/环节/直接; link and directness may be left out."""
    found = []
    for part in _parts(row.text("persons")):
        name, link, direct = ([piece.strip() for piece in part.split("/")] + ["", ""])[:3]
        if name:
            found.append(Named(name=name[:80], link=link[:60], direct=direct == DIRECT))
    return found


def write(run: Run, items: list[Item]) -> None:
    """This function will write the batch's accidents inside its unit of work."""
    rows = Accident.objects.filter(root=run.root, source_key__in=[item.row.text("source_key") for item in items])
    there = {row.source_key: row for row in rows}
    for item in items:
        report: Report = item.plan
        known = there.get(report.source_key)
        if known is None:
            made = record_accident(actor=run.actor, at=run.at, report=report)
        else:
            made = amend_accident(actor=run.actor, at=run.at, accident=known, report=report)
        item.subject_id = made.pk


ACCIDENTS = Target(
    code="accidents", kind="accident", zh="事故", en="Accidents", columns=COLUMNS, open=open_run, check=check, key=key,
    plan=plan, write=write,
)  # fmt: skip
register_mappings("anban.contexts.accidents")
register_target(ACCIDENTS)

__all__ = ["ACCIDENTS"]
