"""Dated events (事件): accidents, alarms, calls, hazards; read from a table, counted by kind and area."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "kind": ("kind", "类别"),
    "on": ("on", "date", "日期"),
    "area": ("area", "辖区"),
    "lng": ("lng", "lng_wgs84", "经度"),
    "lat": ("lat", "lat_wgs84", "纬度"),
}
"""A column goes by any of these names; position is WGS-84 and may be missing."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: what kind, on which day, in which area (a code or path), where if known."""

    kind: str
    on: date
    area: str
    lng: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is no event: its number as a spreadsheet shows it, the column, and why in both languages."""

    row: int
    column: str
    zh: str
    en: str


def read(header: Sequence[str], rows: Iterable[Sequence[str]], *, today: date) -> tuple[list[Event], list[RefusedRow]]:
    """This function will read a table of events: good rows as events, the others refused with row, column and reason.

    A table that lacks a needed column gives no events and one refusal of row 1.
    """
    at = _columns(header)
    for needed in ("kind", "on", "area"):
        if needed not in at:
            names = "、".join(COLUMNS[needed])
            return [], [RefusedRow(1, needed, f"缺少列：{names}", f"a column is missing: {', '.join(COLUMNS[needed])}")]
    events: list[Event] = []
    refused: list[RefusedRow] = []
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        made = _event(number, {name: row[i].strip() if i < len(row) else "" for name, i in at.items()}, today)
        if isinstance(made, Event):
            events.append(made)
        else:
            refused.append(made)
    return events, refused


def _columns(header: Sequence[str]) -> dict[str, int]:
    found = {}
    plain = [name.strip().lower() for name in header]
    for column, names in COLUMNS.items():
        for name in names:
            if name in plain:
                found[column] = plain.index(name)
                break
    return found


def _event(number: int, cells: Mapping[str, str], today: date) -> Event | RefusedRow:
    if not cells["kind"]:
        return RefusedRow(number, "kind", "没有写类别", "the kind is missing")
    try:
        on = date.fromisoformat(cells["on"])
    except ValueError:
        return RefusedRow(number, "on", f"不是日期：{cells['on'][:40]}", f"not a day: {cells['on'][:40]}")
    if on > today:
        return RefusedRow(number, "on", f"日期在今天之后：{on}", f"the day is in the future: {on}")
    if bool(cells.get("lng")) is not bool(cells.get("lat")):
        return RefusedRow(
            number, "lng", "经度和纬度要么都填、要么都不填", "give both longitude and latitude, or neither"
        )
    if not cells.get("lng"):
        return Event(cells["kind"], on, cells["area"])
    try:
        lng, lat = float(cells["lng"]), float(cells["lat"])
    except ValueError:
        return RefusedRow(number, "lng", "经纬度不是数", "the position isn't a number")
    if not (-180 <= lng <= 180 and -90 <= lat <= 90):
        return RefusedRow(number, "lng", "没有这样的经纬度", "there is no such position")
    return Event(cells["kind"], on, cells["area"], lng, lat)


WHOLE = ""
"""The area that stands for the whole city."""


def streams(events: Iterable[Event]) -> dict[tuple[str, str], list[date]]:
    """This function will give the days of the events of each kind in each area, and of each kind in the whole city, in order."""
    found: dict[tuple[str, str], list[date]] = {}
    for each in events:
        for area in {each.area, WHOLE}:
            found.setdefault((each.kind, area), []).append(each.on)
    return {key: sorted(days) for key, days in sorted(found.items())}


def within(days: Sequence[date], first: date, last: date) -> list[date]:
    """This function will give those of the days that lie from the first to the last, both included."""
    return [day for day in days if first <= day <= last]
