"""Files of dated events: alarms, calls, fires, injuries; one row an event."""

from __future__ import annotations

from datetime import date

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
from anban.contexts.risk.models import Event
from anban.contexts.risk.operations import Happened, take_events
from anban.contexts.territory.models import Area
from anban.kit.canonical import digest

COLUMNS = (
    Column("source_key", "事件编号", "Event number", ("编号", "流水号"), max_chars=60),
    Column("kind", "事件类别", "Kind", ("类别", "kind"), required=True, max_chars=40),
    Column("on", "事件日期", "Day", ("发生日期", "日期", "on", "date"), required=True, kind="date"),
    Column("area", "地区代码", "Area code", ("地区", "辖区", "area"), required=True),
    Column("lng", "经度", "Longitude", ("lng", "lng_wgs84"), kind="number"),
    Column("lat", "纬度", "Latitude", ("lat", "lat_wgs84"), kind="number"),
)
"""Positions are WGS-84."""


def open_run(run: Run) -> None:
    """This function will load the areas by their codes."""
    run.known["areas"] = dict(Area.objects.filter(root_id=run.root).values_list("code", "path"))


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will say what is wrong with a row."""
    problems = []
    if row.text("area") not in run.known["areas"]:
        problems.append(row.problem("area", "area_unknown", "没有这个地区代码", "there is no area with this code"))
    on = row.values.get("on")
    if isinstance(on, date) and on > run.on:
        problems.append(row.problem("on", "in_the_future", "事件日期在将来", "the day lies in the future"))
    given = [name for name, most in (("lng", 180), ("lat", 90)) if _number(row, name, most) is not None]
    if len(given) == 1 or any(row.text(name) and name not in given for name in ("lng", "lat")):
        problems.append(
            row.problem("lng", "position_invalid", "经纬度要么都填、要么都不填，并须是 WGS-84", "give both longitude and latitude (WGS-84), or neither")
        )  # fmt: skip
    return problems


def _number(row: TypedRow, name: str, most: int) -> float | None:
    value = row.values.get(name)
    return float(value) if isinstance(value, int | float) and -most <= value <= most else None


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row by the source's number, else by its content."""
    del run
    return f"k:{row.text('source_key')}" if row.text("source_key") else f"d:{digest(row.payload)[:40]}"


def plan(run: Run, items: list[Item]) -> None:
    """This function will make of each row what is to be taken in."""
    for item in items:
        row = item.row
        on = row.values["on"]
        item.area_path = run.known["areas"][row.text("area")]
        item.plan = Happened(
            source_key=key(run, row), kind=row.text("kind"), on=on if isinstance(on, date) else run.on,
            area_path=item.area_path, lng_wgs84=_number(row, "lng", 180), lat_wgs84=_number(row, "lat", 90),
        )  # fmt: skip


def write(run: Run, items: list[Item]) -> None:
    """This function will write the batch's events inside its unit of work."""
    rows: list[Event] = take_events(actor=run.actor, at=run.at, events=[item.plan for item in items])
    for item, row in zip(items, rows, strict=True):
        item.subject_id = row.pk


EVENTS = Target(
    code="events", kind="event", zh="事件", en="Events", columns=COLUMNS, open=open_run, check=check, key=key, plan=plan,
    write=write,
)  # fmt: skip
register_mappings("anban.contexts.risk")
register_target(EVENTS)

__all__ = ["EVENTS"]
