"""The city's own risk order: a snapshot's tables in the generic shape, handed to the engine that also ranks folders."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anban.lake import texts
from anban.lake.ranking import Label, Model, Ranking, Reason, Unrankable, rank, retrain
from anban.lake.ranking.training import FEWEST
from anban.lake.snapshot import Snapshot

SERIOUS: Final = Label(None, "result", equals=("fail",))
"""The outcome of the city's own order: the next visit of any kind with a known result fails."""
MOST_PLACES: Final = 100_000
"""Places that are ranked at once: a larger city is split by the last digits of its keys, which are as good as a lot."""

LEARNED: Final = pa.schema(
    [("place", pa.int64()), ("chance", pa.float64()), ("index_value", pa.float64()), ("reasons", pa.string())]
)
"""What the pass reads of the order; ``reasons`` is a JSON list of [fact, Chinese, English], told of the places that may be published."""
LIKE: Final = {
    "like:category": ("同类场所查出问题多于一般", "places of the same kind are found wanting more often"),
    "like:industry": ("同行业单位查出问题多于一般", "places of the same industry are found wanting more often"),
    "like:form": ("同类主体查出问题多于一般", "places of the same form are found wanting more often"),
    "like:affiliation": (
        "相同隶属关系的单位查出问题多于一般",
        "places of the same affiliation are found wanting more often",
    ),
    "like:street": ("同街道单位查出问题多于一般", "places of the same street are found wanting more often"),
    "like:area": ("同一地区单位查出问题多于一般", "places of the same area are found wanting more often"),
}
"""What is said of likes: the register's columns hold codes, which nobody reads."""

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
    "hazard_codes": """
        SELECT code, arg_max(zh, COALESCE(from_on, DATE '0001-01-01')) AS description,
            arg_max(en, COALESCE(from_on, DATE '0001-01-01')) AS description_en
        FROM hazard_codes GROUP BY code ORDER BY code""",
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
        for name in ("places", "place_kinds", "visits", "findings", "hazards", "hazard_codes"):
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


def write_learned(snapshot: Snapshot, root: str, as_of: date, folder: Path) -> None:
    """Write the order of a root into a folder: ``learned.parquet`` for the pass and ``card.json``, which tells how it was made.

    What is known at the end of the day counts, as in the pass's own texts. Without enough outcomes, or where the transparent
    score did better on earlier windows, the table is empty: the pass's own score stands then, and the card says why.
    """
    until = as_of + timedelta(days=1)
    card: Mapping[str, Any] = {"way": "transparent", "why": "too few known outcomes to learn from"}
    with pq.ParquetWriter(folder / "learned.parquet", LEARNED, compression="zstd") as file:
        if _outcomes(snapshot, root, until) >= FEWEST:
            try:
                model = learn(snapshot, root, until)
                if model.way == "learned":
                    for part in order(snapshot, root, until, model=model):
                        file.write_table(_rows(part))
                        card = card if part.number else part.ranking.card
                else:
                    card = {"way": model.way, "why": model.told["why_transparent"], "training": model.told}
            except Unrankable as problem:
                card = {"way": "transparent", "why": str(problem)}
    text = json.dumps(card, ensure_ascii=False, sort_keys=True, indent=1)
    (folder / "card.json").write_text(text, encoding="utf-8")


def _outcomes(snapshot: Snapshot, root: str, until: date) -> int:
    """Return how many visits of the rarer outcome there are."""
    files = [str(path) for path in snapshot.files("visits", root)]
    text = """
        SELECT least(count(*) FILTER (result = 'fail'), count(*) FILTER (result <> 'fail' AND result <> 'unknown'))
        FROM read_parquet($files) WHERE root = $root AND day < $until"""
    with duckdb.connect() as duck:
        return int(duck.execute(text, {"files": files, "root": root, "until": until}).fetchall()[0][0])


def _rows(part: Part) -> pa.Table:
    """Return the rows of one part, with reasons of those first in their street.

    Parts are as good as drawn by lot: of a street's list each holds about its share, and three times the share nearly always all.
    """
    ranking = part.ranking
    most = min(3 * math.ceil(texts.MOST / part.of), texts.MOST)
    places = np.array([int(each) for each in ranking.place_ids], dtype=np.int64)
    street = ranking.book.city.names["street"].code[ranking.rows]
    by_street = np.lexsort((places, -ranking.index, street))
    starts = np.searchsorted(street[by_street], street[by_street])
    first = by_street[np.arange(len(by_street)) - starts < most]
    told = ["[]"] * len(places)
    for row, reasons in zip(first.tolist(), ranking.reasons([ranking.place_ids[row] for row in first]), strict=True):
        told[row] = json.dumps([(each.fact, *_said(each)) for each in reasons], ensure_ascii=False)
    return pa.table([places, ranking.probabilities, ranking.index, pa.array(told, pa.string())], schema=LEARNED)


def _said(reason: Reason) -> tuple[str, str]:
    return LIKE.get(reason.fact, (reason.zh, reason.en))
