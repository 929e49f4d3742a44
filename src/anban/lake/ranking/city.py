"""The tables of a city as columns of numbers: places, visits, codes cited, signals; nothing dated on or after the day of ranking."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anban.lake.ranking.history import Bools, Floats, Ints

UNKNOWN: Final = frozenset({"", "unknown", "unk", "n/a", "na", "none", "null", "nan", "未知", "不详"})
_FEW: Final = 60  # so many different numbers may be names: postcodes, wards, classes
_EPOCH = dt.date(1970, 1, 1).toordinal()
# Columns with a meaning of their own; every other column is used for what it looks like.
_ESTABLISHMENT: Final = frozenset({"establishment_id", "latitude", "longitude"})
GROUPS: Final = ("inspector_group", "inspector", "inspector_id", "team")  # who visited, under the names it goes by
_INSPECTION: Final = frozenset({"inspection_id", "establishment_id", "date", "kind", "kind_raw", "result", *GROUPS})


class Unrankable(Exception):
    """The tables cannot be ranked: one line in both languages, naming table and column."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class Label:
    """Which visits carry the outcome and when it counts as found."""

    kind: str | None
    column: str
    at_least: float | None = None
    equals: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Label:
        """Read the label of ``meta.json``: a kind, a column and ``at_least`` or ``equals``."""
        column, kind = raw.get("column"), raw.get("kind")
        if not isinstance(column, str) or not column:
            raise Unrankable("meta.json：label.column 缺失", "meta.json: label.column is missing")
        if kind is not None and not isinstance(kind, str):
            raise Unrankable("meta.json：label.kind 必须是文字", "meta.json: label.kind must be a text")
        bound = raw.get("at_least")
        wanted = raw.get("equals", raw.get("in"))
        if isinstance(bound, int | float) and not isinstance(bound, bool) and math.isfinite(bound):
            return cls(kind, column, at_least=float(bound))
        if isinstance(wanted, str | int | float) and not isinstance(wanted, bool):
            return cls(kind, column, equals=(str(wanted).strip().casefold(),))
        if isinstance(wanted, list) and wanted:
            return cls(kind, column, equals=tuple(str(each).strip().casefold() for each in wanted))
        raise Unrankable(
            "meta.json：label 需要 at_least（数字）或 equals（文字）",
            "meta.json: label needs at_least (a number) or equals (a text)",
        )


@dataclass(frozen=True, slots=True)
class Names:
    """A column of names as codes: -1 where the name is missing."""

    code: Ints
    levels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.levels)


@dataclass(frozen=True, slots=True)
class City:
    """Columns by table; visits, codes and signals point at places and visits by position."""

    as_of: int
    place_ids: npt.NDArray[np.object_]
    names: dict[str, Names]
    numbers: dict[str, Floats]
    born: dict[str, Floats]
    lists: dict[str, tuple[Ints, Ints, tuple[str, ...]]]
    x_km: Floats
    y_km: Floats
    visit_place: Ints
    visit_day: Ints
    visit_kind: Names
    visit_result: Names
    visit_group: Names
    visit_found: Floats
    visit_numbers: dict[str, Floats]
    cited_visit: Ints
    cited_code: Names
    cited_severity: Names
    cited_n: Floats
    signal_day: Ints
    signal_kind: Names
    signal_place: Ints
    signal_x_km: Floats
    signal_y_km: Floats
    label: Label
    code_texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    code_subjects: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Number of places."""
        return len(self.place_ids)

    @property
    def labeled(self) -> Bools:
        """Which visits carry a known outcome."""
        return np.isfinite(self.visit_found)


def day_number(day: dt.date) -> int:
    """Return the days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def date_of(number: int) -> dt.date:
    """Return the date of a day number."""
    return dt.date.fromordinal(int(number) + _EPOCH)


def texts(table: pa.Table, column: str) -> pa.ChunkedArray:
    """Return a column as text, trimmed; null where it is absent."""
    if column not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    values = table[column]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return pc.utf8_trim_whitespace(values.cast(pa.string()))


def numbers(table: pa.Table, column: str) -> Floats:
    """Return a column as numbers; not a number where it is absent or no number."""
    if column not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values = table[column]
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_boolean(values.type):
        return np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    out = np.full(table.num_rows, np.nan)
    coded = texts(table, column).combine_chunks().dictionary_encode()
    known = np.array([_number(each) for each in coded.dictionary.to_pylist()], dtype=np.float64)
    codes = np.asarray(coded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    there = codes >= 0
    out[there] = known[codes[there]]
    return out


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def days(table: pa.Table, column: str) -> Floats:
    """Return a column of dates as day numbers; not a number where it is absent or no date."""
    if column not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values = table[column]
    if pa.types.is_temporal(values.type):
        plain = values.cast(pa.date32()).cast(pa.int32()).cast(pa.float64())
        return np.asarray(plain.to_numpy(zero_copy_only=False), dtype=np.float64)
    out = np.full(table.num_rows, np.nan)
    coded = texts(table, column).combine_chunks().dictionary_encode()
    known = np.array([_day(each) for each in coded.dictionary.to_pylist()], dtype=np.float64)
    codes = np.asarray(coded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    there = codes >= 0
    out[there] = known[codes[there]]
    return out


def _day(text: str) -> float:
    try:
        return float(day_number(dt.date.fromisoformat(text[:10])))
    except ValueError:
        return math.nan


def names(table: pa.Table, column: str) -> Names:
    """Return a column of names as codes in the order of the names, so that the order of rows means nothing."""
    values = texts(table, column)
    coded = values.combine_chunks().dictionary_encode()
    levels = [str(each) for each in coded.dictionary.to_pylist()]
    codes = np.asarray(coded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    kept = sorted({each for each in levels if each.casefold() not in UNKNOWN})
    rank = {each: number for number, each in enumerate(kept)}
    turn = np.array([rank.get(each, -1) for each in levels] + [-1], dtype=np.int64)
    return Names(turn[codes], tuple(kept))


def keys(table: pa.Table, column: str) -> pa.ChunkedArray:
    """Return a column of ids: whole numbers as they are, anything else as text."""
    if column in table.column_names and pa.types.is_integer(table[column].type) and not table[column].null_count:
        return table[column]
    return texts(table, column)


def positions(wanted: pa.ChunkedArray, ids: pa.ChunkedArray) -> Ints:
    """Return where each wanted id stands (first) among the ids; -1 where it does not."""
    if pa.types.is_integer(wanted.type) and pa.types.is_integer(ids.type):
        there, sought = (np.asarray(each.to_numpy(), dtype=np.int64) for each in (ids, wanted))
        order = np.argsort(there, kind="stable")
        place = np.minimum(np.searchsorted(there, sought, sorter=order), max(len(there) - 1, 0))
        if not len(there):
            return np.full(len(sought), -1)
        return np.where(there[order[place]] == sought, order[place], -1)
    wanted, ids = (each if pa.types.is_string(each.type) else each.cast(pa.string()) for each in (wanted, ids))
    found = pc.index_in(wanted.combine_chunks(), value_set=ids.combine_chunks(), skip_nulls=True)
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def city_of(
    tables: Mapping[str, pa.Table], as_of: dt.date, label: Label, extra_ids: pa.ChunkedArray | None = None
) -> City:
    """Return the columns of a city: tables named as in the generic shape, ``establishments`` and ``inspections`` at least.

    ``extra_ids`` are ids of places to be ranked that the register may lack: they are ranked by what is known, which is nothing.
    """
    notes: list[tuple[str, str]] = []
    places, visits = tables["establishments"], tables["inspections"]
    for name, table, needed in (
        ("establishments", places, ("establishment_id",)),
        ("inspections", visits, ("inspection_id", "establishment_id", "date", label.column)),
    ):
        for column in needed:
            if column not in table.column_names:
                raise Unrankable(f"{name} 缺少列 {column}", f"{name} lacks the column {column}")
    today = day_number(as_of)
    ids = keys(places, "establishment_id") if extra_ids is None else texts(places, "establishment_id")
    places, ids = _once(places, ids)
    if extra_ids is not None:
        strangers = pc.unique(
            extra_ids.filter(pc.invert(pc.is_in(extra_ids, value_set=ids.combine_chunks()))).drop_null()
        )
        if len(strangers):
            blank = pa.table({"establishment_id": strangers})
            places = pa.concat_tables([_as_text_id(places), blank], promote_options="default")
            ids = texts(places, "establishment_id")
    x_km, y_km, centre = _plane(numbers(places, "latitude"), numbers(places, "longitude"), None)
    text_names, figures, born, lists = _sorted_columns(places, today)

    day = days(visits, "date")
    where = positions(keys(visits, "establishment_id"), ids)
    kept = np.isfinite(day) & (day < today) & (where >= 0)
    late = int(np.sum(np.isfinite(day) & (day >= today)))
    if late:
        notes.append(
            (f"检查中有 {late} 行日期不早于 {as_of}，未采用", f"{late} visits dated on or after {as_of} were left out")
        )
    visits = visits.filter(pa.array(kept))
    where = where[kept]
    kind = names(visits, "kind")
    found = _found(visits, kind, label)
    visit_numbers = {
        column: values
        for column in sorted(set(visits.column_names) - _INSPECTION)
        if _plain_number(values := numbers(visits, column)) and (not column.endswith("_id"))
    }

    cited = tables.get("hazards")
    if cited is None or not {"inspection_id", "code"} <= set(cited.column_names):
        cited = pa.table({"inspection_id": pa.array([], pa.string()), "code": pa.array([], pa.string())})
    cited_visit = positions(keys(cited, "inspection_id"), keys(visits, "inspection_id"))
    cited = cited.filter(pa.array(cited_visit >= 0))
    code_texts, code_subjects, severity_of = _codes(tables.get("hazard_codes"))
    if "severity" not in cited.column_names and severity_of:
        found_severity = [severity_of.get(each or "") for each in texts(cited, "code").to_pylist()]
        cited = cited.append_column("severity", pa.array(found_severity, pa.string()))
    cited_n = numbers(cited, "n")

    signals = tables.get("signals")
    if signals is None or "date" not in signals.column_names:
        signals = pa.table({"date": pa.array([], pa.string())})
    signal_day = days(signals, "date")
    early = np.isfinite(signal_day) & (signal_day < today)
    late = int(np.sum(np.isfinite(signal_day) & (signal_day >= today)))
    if late:
        notes.append(
            (f"信号中有 {late} 行日期不早于 {as_of}，未采用", f"{late} signals dated on or after {as_of} were left out")
        )
    signals = signals.filter(pa.array(early))
    signal_x, signal_y, _ = _plane(numbers(signals, "latitude"), numbers(signals, "longitude"), centre)
    return City(
        as_of=today,
        place_ids=np.array(ids.cast(pa.string()).to_pylist(), dtype=object),
        names=text_names,
        numbers=figures,
        born=born,
        lists=lists,
        x_km=x_km,
        y_km=y_km,
        visit_place=where,
        visit_day=day[kept].astype(np.int64),
        visit_kind=kind,
        visit_result=names(visits, "result"),
        visit_group=_busy(names(visits, next((each for each in GROUPS if each in visits.column_names), GROUPS[0]))),
        visit_found=found,
        visit_numbers=visit_numbers,
        cited_visit=cited_visit[cited_visit >= 0],
        cited_code=names(cited, "code"),
        cited_severity=names(cited, "severity"),
        cited_n=np.where(np.isfinite(cited_n) & (cited_n > 0), cited_n, 1.0),
        signal_day=signal_day[early].astype(np.int64),
        signal_kind=names(signals, "kind"),
        signal_place=positions(keys(signals, "establishment_id"), ids),
        signal_x_km=signal_x,
        signal_y_km=signal_y,
        label=label,
        code_texts=code_texts,
        code_subjects=code_subjects,
        notes=notes,
    )


def _busy(group: Names, most: int = 60, least: int = 100) -> Names:
    """Keep the groups that visit often enough to show a habit; the others are like visits by nobody in particular."""
    volume = (
        np.bincount(group.code[group.code >= 0], minlength=len(group)) if len(group) else np.zeros(0, dtype=np.int64)
    )
    kept = sorted(int(each) for each in np.argsort(-volume, kind="stable")[:most] if volume[each] >= least)
    turn = np.full(len(group) + 1, -1)
    turn[kept] = np.arange(len(kept))
    return Names(turn[group.code], tuple(group.levels[each] for each in kept))


def _as_text_id(places: pa.Table) -> pa.Table:
    where = places.column_names.index("establishment_id")
    return places.set_column(where, "establishment_id", texts(places, "establishment_id"))


def _once(table: pa.Table, ids: pa.ChunkedArray) -> tuple[pa.Table, pa.ChunkedArray]:
    """Keep the first row of every id."""
    if pa.types.is_integer(ids.type) and pc.count_distinct(ids).as_py() == len(ids):
        return table, ids
    first: dict[str | int, int] = {}
    for number, each in enumerate(ids.to_pylist()):
        if each is not None and each != "":
            first.setdefault(each, number)
    if len(first) == table.num_rows:
        return table, ids
    rows = pa.array(list(first.values()), pa.int64())
    return table.take(rows), ids.take(rows)


def _plane(
    latitude: Floats, longitude: Floats, centre: tuple[float, float] | None
) -> tuple[Floats, Floats, tuple[float, float]]:
    """Return kilometres east and north of the middle of the city; coordinates that cannot be are missing."""
    wrong = ~(np.abs(latitude) <= 90) | ~(np.abs(longitude) <= 180) | ((latitude == 0) & (longitude == 0))
    latitude, longitude = np.where(wrong, np.nan, latitude), np.where(wrong, np.nan, longitude)
    if centre is None:
        known = np.isfinite(latitude) & np.isfinite(longitude)
        centre = (float(np.median(latitude[known])), float(np.median(longitude[known]))) if known.any() else (0.0, 0.0)
    x_km = (longitude - centre[1]) * 111.32 * math.cos(math.radians(centre[0]))
    y_km = (latitude - centre[0]) * 110.57
    far = ~(np.hypot(x_km, y_km) < 500)  # a misplaced point is no neighbor of anything
    return np.where(far, np.nan, x_km), np.where(far, np.nan, y_km), centre


def _plain_number(values: Floats) -> bool:
    known = np.isfinite(values)
    return bool(known.any()) and float(np.ptp(values[known])) > 0


def _sorted_columns(
    places: pa.Table, today: int
) -> tuple[dict[str, Names], dict[str, Floats], dict[str, Floats], dict[str, tuple[Ints, Ints, tuple[str, ...]]]]:
    """Sort the columns of the register by what they look like: dates, numbers, lists with ``;``, names."""
    text_names: dict[str, Names] = {}
    figures: dict[str, Floats] = {}
    born: dict[str, Floats] = {}
    lists: dict[str, tuple[Ints, Ints, tuple[str, ...]]] = {}
    for column in sorted(set(places.column_names) - _ESTABLISHMENT):
        coded = names(places, column)
        if not len(coded):
            continue
        known = int(np.sum(coded.code >= 0))
        dated = days(places, column)
        if np.sum(np.isfinite(dated)) >= 0.9 * known:
            born[column] = np.where(dated < today, dated, np.nan)
            continue
        figure = numbers(places, column)
        if np.sum(np.isfinite(figure)) >= 0.95 * known and _plain_number(figure) and not column.endswith("_id"):
            figures[column] = figure
            if len(coded) > max(_FEW, len(coded.code) // 50):
                continue  # a measure, not a number that names an area or a class
        if sum(";" in each for each in coded.levels) >= 3:
            lists[column] = _split(coded)
            continue
        text_names[column] = coded
    return text_names, figures, born, lists


def _split(coded: Names) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Return place and item of every item of a column of lists."""
    items = sorted({part.strip() for each in coded.levels for part in each.split(";") if part.strip()})
    rank = {each: number for number, each in enumerate(items)}
    of_level = [[rank[part.strip()] for part in each.split(";") if part.strip()] for each in coded.levels]
    place = [number for number, code in enumerate(coded.code.tolist()) if code >= 0 for _ in of_level[code]]
    item = [each for code in coded.code.tolist() if code >= 0 for each in of_level[code]]
    return np.array(place, dtype=np.int64), np.array(item, dtype=np.int64), tuple(items)


def _found(visits: pa.Table, kind: Names, label: Label) -> Floats:
    """Return 1 where the outcome was found, 0 where not, not a number where the visit does not tell."""
    if label.at_least is not None:
        values = numbers(visits, label.column)
        found = np.where(np.isfinite(values), (values >= label.at_least).astype(float), np.nan)
    else:
        column = names(visits, label.column)
        hit = np.array([each.casefold() in label.equals for each in column.levels] + [False], dtype=float)
        found = np.where(column.code >= 0, hit[column.code], np.nan)
    if label.kind is not None and len(kind):
        right = np.array([each.casefold() == label.kind.casefold() for each in kind.levels] + [False])
        found = np.where(right[kind.code], found, np.nan)
    return found


def _codes(
    table: pa.Table | None,
) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]], dict[str, str]]:
    """Return each code's description and subject (the same twice where there is none in English) and its severity."""
    if table is None or "code" not in table.column_names:
        return {}, {}, {}
    code = texts(table, "code").to_pylist()

    def said(column: str) -> dict[str, tuple[str, str]]:
        zh, en = texts(table, column).to_pylist(), texts(table, f"{column}_en").to_pylist()
        return {key: (one, other or one) for key, one, other in zip(code, zh, en, strict=True) if key and one}

    grave = dict(zip(code, texts(table, "severity").to_pylist(), strict=True))
    return said("description"), said("subject"), {k: v for k, v in grave.items() if k and v}
