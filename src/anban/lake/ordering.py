"""The city's own risk order: a snapshot's tables in the generic shape, handed to the engine that also ranks folders."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import duckdb
import pyarrow as pa

from anban.lake.ranking import Label, Model, Ranking, rank, retrain
from anban.lake.snapshot import Snapshot

SERIOUS: Final = Label(None, "result", equals=("fail",))
"""The outcome of the city's own order: the next visit of any kind with a known result fails."""
MOST_PLACES: Final = 100_000
"""Places that are ranked at once: a larger city is split by the last digits of its keys, which are as good as a lot."""

TABLES: Final = {
    "establishments": """
        SELECT p.place AS establishment_id, p.kind AS category, p.industry, p.form, p.affiliation, p.street, p.area_path AS area,
            p.lng_wgs84 AS longitude, p.lat_wgs84 AS latitude, CASE WHEN k.high_risk THEN 3.0 ELSE 1.0 END AS consequence
        FROM places AS p
        LEFT JOIN (SELECT code, bool_or(high_risk) AS high_risk FROM place_kinds GROUP BY code) AS k ON k.code = p.kind
        WHERE p.survivor IS NULL AND (p.status <> 'closed' OR p.status_on > $as_of) AND p.place % $parts = $part
        ORDER BY p.place""",
    "inspections": """
        SELECT v.visit AS inspection_id, COALESCE(p.survivor, v.place) AS establishment_id, v.day AS date, v.kind, v.result,
            CAST(v.body AS VARCHAR) AS inspector_group
        FROM visits AS v INNER JOIN places AS p ON p.place = v.place
        WHERE v.day < $as_of AND COALESCE(p.survivor, v.place) % $parts = $part
        ORDER BY v.visit""",
    "hazards": """
        SELECT f.visit AS inspection_id, f.code, f.severity, sum(f.times) AS n
        FROM findings AS f INNER JOIN places AS p ON p.place = f.place
        WHERE f.day < $as_of AND COALESCE(p.survivor, f.place) % $parts = $part
        GROUP BY f.visit, f.code, f.severity ORDER BY f.visit, f.code, f.severity""",
    "signals": """
        SELECT h.found_on AS date, h.origin AS kind, COALESCE(p.survivor, h.place) AS establishment_id
        FROM hazards AS h INNER JOIN places AS p ON p.place = h.place
        WHERE h.origin IN ('report', 'ticket', 'whistleblower', 'alarm') AND h.found_on < $as_of
            AND COALESCE(p.survivor, h.place) % $parts = $part
        ORDER BY h.hazard""",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the city (all of it, where it is small enough) and its order."""

    number: int
    of: int
    ranking: Ranking


def tables_of(snapshot: Snapshot, root: str, as_of: date, *, part: int = 0, parts: int = 1) -> dict[str, pa.Table]:
    """Return one part of a root's tables in the generic shape; merged places count at the place that is left."""
    with duckdb.connect(config={"threads": 2}) as duck:
        for name in ("places", "place_kinds", "visits", "findings", "hazards"):
            files = [str(path) for path in snapshot.files(name, root)]
            duck.read_parquet(files).create_view(name)
        given = {"as_of": as_of, "part": part, "parts": parts}
        return {name: duck.sql(text, params=_used(text, given)).to_arrow_table() for name, text in TABLES.items()}


def _used(text: str, given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if re.search(rf"\${name}\b", text)}


def learn(snapshot: Snapshot, root: str, as_of: date, *, most_places: int = MOST_PLACES) -> Model:
    """Return what the city's visits teach as of a day; of a city with more places, from one part of them drawn by key."""
    parts = max(math.ceil(snapshot.rows("places", root) / most_places), 1)
    return retrain(tables_of(snapshot, root, as_of, parts=parts), as_of, SERIOUS)


def order(
    snapshot: Snapshot, root: str, as_of: date, *, model: Model | None = None, most_places: int = MOST_PLACES
) -> Iterator[Part]:
    """Yield the order of each part of the city, with one model for all: place keys as texts, scores that compare across parts."""
    parts = max(math.ceil(snapshot.rows("places", root) / most_places), 1)
    position = f"{root}@{snapshot.position}"
    for part in range(parts):
        tables = tables_of(snapshot, root, as_of, part=part, parts=parts)
        ranking = rank(tables, as_of, SERIOUS, model=model, data_position=position)
        model = ranking.model
        yield Part(part, parts, ranking)
