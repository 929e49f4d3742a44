"""Reads of published result files for pages: the places that a figure counts, of the areas and kinds that a reader may see."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from anban.lake.assessing import the_lake
from anban.lake.folder import MANIFEST, file_hash, manifest_of
from anban.rules.errors import Refusal, register

register(
    "lake.results_older",
    zh="这次评估做得早，里面还没有这个数字。下一次评估就有。",
    en="This assessment was made before there was such a figure. The next one has it.",
)
register(
    "lake.results_gone",
    zh="这次评估的结果文件已清理，或不在这台机器上。请打开最新的评估。",
    en="The files of this assessment were cleared away or are not on this machine. Open the newest one.",
)

FLAGS: Final = {
    "places": "TRUE", "never_seen": "is_never_seen", "stale": "is_stale", "overdue": "is_overdue", "rebound": "is_rebound",
    "repeated": "is_repeat", "failing": "is_failing", "burdened": "is_burdened", "unled": "is_unled",
    "unsettled": "is_unsettled", "first_tenth": "is_first_tenth", "drawn": "is_drawn",
}  # fmt: skip
"""Each figure and the column that says which places it counts; the same columns are summed in ``sql/cells.sql``."""

SUMS: Final = {
    "hazards_open": "open_now", "hazards_overdue": "overdue_now", "hazards_major": "major_now", "hazards_found": "found_365",
    "visits": "visits_365", "checks": "checks_365",
}  # fmt: skip
"""Figures that count more than places: each opens the places that it is made of, with how much is each one's."""

LISTS: Final = {**FLAGS, **{name: f"{column} > 0" for name, column in SUMS.items()}}
"""Each figure and the condition of the places that it opens."""

PLACES: Final = "place_results.parquet"
CARD: Final = "card.json"
SIGHTINGS: Final = "sightings.parquet"
SOURCES: Final = ("by_visits", "by_calls", "by_alarms", "by_checks")
"""Kinds of source that see hazards independently, as far as they do, and the columns that say which of them saw it."""
ORDERS: Final = {"drawn": "lot, place", **{name: f"{column} DESC, place" for name, column in SUMS.items()}}
"""In which order a figure's list stands, where not those first whose visit averts most."""

Reaches = Sequence[tuple[str, frozenset[str] | None]]


@dataclass(frozen=True, slots=True)
class Found:
    """A place that a figure counts."""

    place_id: UUID
    kind: str
    area_path: str
    last_day: date | None
    open_now: int
    overdue_now: int
    visits_365: int
    chance: float
    lot: str | None
    """The number that it drew: SHA-256 over seed, day and id."""
    amount: int
    """How much of the figure is its own: 1 where the figure counts places."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The results of one assessment."""

    folder: Path

    @classmethod
    def of(cls, root: str, folder: str) -> Reading:
        """Return the results in a folder. Raises: lake.results_gone."""
        path = the_lake().home / "results" / root / folder
        if not (path / MANIFEST).is_file():
            raise Refusal("lake.results_gone")
        return cls(path)

    @property
    def seed(self) -> str:
        """Return what the lots were drawn with; empty where none were drawn yet."""
        return str(manifest_of(self.folder).get("seed", ""))

    def card(self) -> dict[str, Any]:
        """Return the card of the order (how it was made), as the manifest names it. Raises: lake.results_older, lake.damaged."""
        wanted = manifest_of(self.folder).get("order", {}).get("card")
        path = self.folder / CARD
        if wanted is None:
            raise Refusal("lake.results_older")
        if not path.is_file() or file_hash(path) != wanted:
            raise Refusal("lake.damaged", file=CARD)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def figures(self, reaches: Reaches, *, area: str = "") -> dict[str, int]:
        """Return every figure that counts places over what a reader may see; for posts that reach less than a street."""
        where, values = scoped(reaches, area, None)
        counts = ", ".join(f"count(*) FILTER (WHERE {flag})" for flag in FLAGS.values())
        row = self._rows(PLACES, f"SELECT {counts} FROM read_parquet(?) WHERE {where}", values)[0]
        return dict(zip(FLAGS, (int(n) for n in row), strict=True))

    def places(
        self, reaches: Reaches, figure: str, *, area: str = "", street: str = "", kinds: frozenset[str] | None = None, offset: int = 0,
        limit: int = 50,
    ) -> tuple[int, list[Found]]:  # fmt: skip
        """Return how many places a figure is made of, and a page of them, those first whose visit averts most or that have most."""
        where, values = scoped(reaches, area, kinds, street=street)
        where = f"{LISTS[figure]} AND {where}"
        total = self._rows(PLACES, f"SELECT count(*) FROM read_parquet(?) WHERE {where}", values)[0][0]
        rows = self._rows(
            PLACES,
            "SELECT id, kind, area_path, last_day, open_now, overdue_now, visits_365, chance, lot, "
            f"CAST({SUMS.get(figure, '1')} AS INTEGER) FROM read_parquet(?) WHERE {where} "
            f"ORDER BY {ORDERS.get(figure, 'index_value DESC, place')} LIMIT {int(limit)} OFFSET {int(offset)}",
            values,
        )
        return int(total), [Found(UUID(row[0]), *row[1:]) for row in rows]

    def amount(
        self, reaches: Reaches, figure: str, *, area: str = "", street: str = "", kinds: frozenset[str] | None = None
    ) -> int:
        """Return the figure itself, summed over the places that it opens."""
        where, values = scoped(reaches, area, kinds, street=street)
        text = (
            f"SELECT COALESCE(sum({SUMS.get(figure, '1')}), 0) FROM read_parquet(?) WHERE {LISTS[figure]} AND {where}"
        )
        return int(self._rows(PLACES, text, values)[0][0])

    def sightings(self, reaches: Reaches, *, area: str = "") -> dict[str, dict[tuple[bool, ...], int]]:
        """Return by street how many hazards of the last year each set of ``SOURCES`` saw. Raises: lake.results_older."""
        if not (self.folder / SIGHTINGS).is_file():
            raise Refusal("lake.results_older")
        where, values = scoped(reaches, area, None, path="street", kind="place_kind")
        names = ", ".join(SOURCES)
        text = f"SELECT street, {names}, sum(hazards) FROM read_parquet(?) WHERE {where} GROUP BY ALL ORDER BY ALL"
        found: dict[str, dict[tuple[bool, ...], int]] = {}
        for street, *seen, hazards in self._rows(SIGHTINGS, text, values):
            found.setdefault(street, {})[tuple(seen)] = int(hazards)
        return found

    def _rows(self, file: str, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        import duckdb

        # A page's share of the machine, not the night's.
        with closing(duckdb.connect(config={"threads": 1, "memory_limit": "256MB"})) as duck:
            try:
                rows: list[tuple[Any, ...]] = duck.execute(text, [str(self.folder / file), *values]).fetchall()
            except duckdb.BinderException:
                # A column that results of an earlier release don't have.
                raise Refusal("lake.results_older") from None
            return rows


def scoped(
    reaches: Reaches,
    area: str,
    kinds: frozenset[str] | None,
    *,
    street: str = "",
    path: str = "area_path",
    kind: str = "kind",
) -> tuple[str, list[Any]]:
    """Return the condition of the rows that a reader may see, below an area and of some kinds, and its values.

    ``street`` asks for what counts in exactly this area: places above the streets count in their district itself.
    """
    parts, values = [], []
    for prefix, own in reaches:
        one = ["TRUE"]
        if prefix:
            one.append(f"starts_with({path}, ?)")
            values.append(prefix)
        if own is not None:
            one.append(_among(kind, own))
            values += sorted(own)
        parts.append(f"({' AND '.join(one)})")
    where = f"({' OR '.join(parts)})" if parts else "FALSE"
    if area:
        where += f" AND starts_with({path}, ?)"
        values.append(area)
    if street:
        where += " AND street = ?"
        values.append(street)
    if kinds is not None:
        where += f" AND {_among(kind, kinds)}"
        values += sorted(kinds)
    return where, values


def _among(column: str, names: frozenset[str]) -> str:
    return f"{column} IN ({', '.join('?' * len(names))})" if names else "FALSE"
