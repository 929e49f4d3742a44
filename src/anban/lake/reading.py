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

PLACES: Final = "place_results.parquet"
CARD: Final = "card.json"
ORDERS: Final = {"drawn": "lot, place"}
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
    checks_365: int
    chance: float
    lot: str | None
    """The number that it drew: SHA-256 over seed, day and id."""


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
        """Return every figure over what a reader may see; for posts that reach less than a street."""
        where, values = _where(reaches, area, "")
        counts = ", ".join(f"count(*) FILTER (WHERE {flag})" for flag in FLAGS.values())
        row = self._rows(f"SELECT {counts} FROM read_parquet(?) WHERE {where}", values)[0]
        return dict(zip(FLAGS, (int(n) for n in row), strict=True))

    def places(
        self, reaches: Reaches, figure: str, *, area: str = "", kind: str = "", offset: int = 0, limit: int = 50
    ) -> tuple[int, list[Found]]:
        """Return how many places a figure counts, and a page of them, those first whose visit averts most."""
        where, values = _where(reaches, area, kind)
        where = f"{FLAGS[figure]} AND {where}"
        total = self._rows(f"SELECT count(*) FROM read_parquet(?) WHERE {where}", values)[0][0]
        rows = self._rows(
            "SELECT id, kind, area_path, last_day, open_now, overdue_now, checks_365, chance, lot FROM read_parquet(?) "
            f"WHERE {where} ORDER BY {ORDERS.get(figure, 'index_value DESC, place')} LIMIT {int(limit)} OFFSET {int(offset)}",
            values,
        )
        return int(total), [Found(UUID(row[0]), *row[1:]) for row in rows]

    def _rows(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        import duckdb

        # A page's share of the machine, not the night's.
        with closing(duckdb.connect(config={"threads": 1, "memory_limit": "256MB"})) as duck:
            try:
                rows: list[tuple[Any, ...]] = duck.execute(text, [str(self.folder / PLACES), *values]).fetchall()
            except duckdb.BinderException:
                # A column that results of an earlier release don't have.
                raise Refusal("lake.results_older") from None
            return rows


def _where(reaches: Reaches, area: str, kind: str) -> tuple[str, list[Any]]:
    parts, values = [], []
    for path, kinds in reaches:
        one = ["TRUE"]
        if path:
            one.append("starts_with(area_path, ?)")
            values.append(path)
        if kinds is not None:
            one.append(f"kind IN ({', '.join('?' * len(kinds))})" if kinds else "FALSE")
            values += sorted(kinds)
        parts.append(f"({' AND '.join(one)})")
    where = f"({' OR '.join(parts)})" if parts else "FALSE"
    if area:
        where += " AND starts_with(area_path, ?)"
        values.append(area)
    if kind:
        where += " AND kind = ?"
        values.append(kind)
    return where, values
