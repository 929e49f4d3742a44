"""The city's own risk order: trained on a stated sample and kept; each night the kept model scores all places, in parts."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from anban.lake import texts
from anban.lake.duck import connected
from anban.lake.folder import Lake, file_hash, manifest_of, stamp
from anban.lake.ranking import Label, Model, Ranking, Reason, Unrankable, model_of, plain_of, rank, retrain
from anban.lake.ranking.card import Areas
from anban.lake.ranking.features import Features
from anban.lake.ranking.history import Floats, Ints
from anban.lake.ranking.reasons import Words, falls, told
from anban.lake.ranking.training import FEWEST
from anban.lake.snapshot import Snapshot

SERIOUS: Final = Label(None, "result", equals=("fail",))
"""The outcome of the city's own order: the next visit of any kind with a known result fails."""
MOST_PLACES: Final = 100_000
"""Places that are ranked at once: a larger city is split by the last digits of its keys, which are as good as a lot."""
MOST_AT_ONCE: Final = 4
"""Parts that are scored side by side, on a machine with as many cores."""
MODELS: Final = "models"
NO_MODEL: Final = "no model was trained for this day or before it"
WHY: Final = {
    NO_MODEL: "这一天或以前还没有训练过模型",
    "too few known outcomes to learn from": "已知的检查结果太少，学不出次序",
    "the transparent score was better on the earlier windows": "在以前的时段上，透明评分更好",
}
"""Why a pass is scored by the transparent score, in Chinese."""

LEARNED: Final = pa.schema(
    [("place", pa.int64()), ("chance", pa.float64()), ("index_value", pa.float64()), ("reasons", pa.string())]
)
"""What the pass reads of the order; ``reasons`` is a JSON list of [fact, Chinese, English], told of the places that may be published."""
TOLD: Final = texts.MOST + 10
"""So many places of each street get reasons: those that may be published, and some to spare where a text leaves one out."""
LIKE: Final = {
    "like:category": ("同类场所不合格的比别的多", "places of the same kind fail more often than others"),
    "like:industry": ("同行业单位不合格的比别的多", "places of the same trade fail more often than others"),
    "like:form": ("同类主体不合格的比别的多", "places of the same form fail more often than others"),
    "like:affiliation": ("隶属关系相同的单位不合格的比别的多", "places of the same affiliation fail more often than others"),
    "like:street": ("同街道单位不合格的比别处多", "places of the same street fail more often than elsewhere"),
    "like:area": ("同一地区单位不合格的比别处多", "places of the same area fail more often than elsewhere"),
}  # fmt: skip
"""What is said of likes: the register's columns hold codes, which nobody reads."""

BASE: Final = {
    "establishments": """
        SELECT p.place, p.kind, p.industry, p.form, p.affiliation, p.street, p.area_path, p.lng_wgs84, p.lat_wgs84,
            CASE WHEN k.high_risk THEN 3.0 ELSE 1.0 END AS consequence
        FROM places AS p
        LEFT JOIN (SELECT code, bool_or(high_risk) AS high_risk FROM place_kinds GROUP BY code) AS k ON k.code = p.kind
        WHERE p.survivor IS NULL AND (p.status <> 'closed' OR p.status_on > $as_of)""",
    "inspections": """
        SELECT v.visit, COALESCE(p.survivor, v.place) AS place, v.day, v.kind, v.result, v.body
        FROM visits AS v INNER JOIN places AS p ON p.place = v.place
        WHERE v.day < $as_of""",
    "hazards": """
        SELECT f.visit, COALESCE(p.survivor, f.place) AS place, f.code, f.severity, f.times
        FROM findings AS f INNER JOIN places AS p ON p.place = f.place
        WHERE f.day < $as_of""",
    "signals": """
        SELECT h.found_on, h.origin, COALESCE(p.survivor, h.place) AS place, h.hazard
        FROM hazards AS h INNER JOIN places AS p ON p.place = h.place
        WHERE h.origin IN ('report', 'ticket', 'whistleblower', 'alarm') AND h.found_on < $as_of""",
}
"""The rows that the order is made of; merged places count at the place that is left."""
TABLES: Final = {
    "establishments": """
        SELECT place AS establishment_id, kind AS category, industry, form, affiliation, street, area_path AS area,
            lng_wgs84 AS longitude, lat_wgs84 AS latitude, consequence
        FROM base_establishments ORDER BY place""",
    "inspections": """
        SELECT visit AS inspection_id, place AS establishment_id, day AS date, kind, result, CAST(body AS VARCHAR) AS inspector_group
        FROM base_inspections ORDER BY place, day, visit""",
    "hazards": """
        SELECT visit AS inspection_id, code, severity, sum(times) AS n
        FROM base_hazards GROUP BY visit, code, severity ORDER BY visit, code, severity""",
    "signals": """
        SELECT found_on AS date, origin AS kind, place AS establishment_id FROM base_signals ORDER BY place, found_on, hazard""",
}
"""The same rows in the generic shape, those of one place together."""
CODES: Final = """
    WITH classes AS (
        SELECT code, arg_max(zh, COALESCE(from_on, DATE '0001-01-01')) AS zh,
            arg_max(en, COALESCE(from_on, DATE '0001-01-01')) AS en
        FROM hazard_classes GROUP BY code
    ),
    codes AS (
        SELECT code, arg_max(zh, COALESCE(from_on, DATE '0001-01-01')) AS description,
            arg_max(en, COALESCE(from_on, DATE '0001-01-01')) AS description_en,
            arg_max(class_code, COALESCE(from_on, DATE '0001-01-01')) AS class_code
        FROM hazard_codes GROUP BY code
    )
    SELECT c.code, c.description, c.description_en, regexp_extract(k.zh, '^[^、（]*') AS subject,
        lower(trim(regexp_extract(k.en, '^[^,(]*'))) AS subject_en
    FROM codes AS c LEFT JOIN classes AS k ON k.code = c.class_code ORDER BY c.code"""
"""What an item says, and the first words of its class: what it is about."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the city (all of it, where it is small enough) and its order."""

    number: int
    of: int
    ranking: Ranking


@dataclass(frozen=True, slots=True)
class Kept:
    """A trained order as it is kept: its folder, and what its manifest says."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def as_of(self) -> date:
        """Return the day before which everything lies that it learned from."""
        return date.fromisoformat(self.manifest["as_of"])

    @property
    def card(self) -> dict[str, Any]:
        """Return what it was made from and how well it did on earlier windows."""
        card: dict[str, Any] = json.loads((self.folder / "card.json").read_text(encoding="utf-8"))
        return card

    def model(self) -> Model:
        """Return the model itself. Raises: ValueError where it is of another format."""
        return model_of(json.loads((self.folder / "model.json").read_text(encoding="utf-8")))


def kept(lake: Lake, root: str, until: date) -> Kept | None:
    """Return the newest model of a root that knows nothing of ``until`` or later days."""
    found = [Kept(folder, manifest_of(folder)) for folder in lake.kept(f"{MODELS}/{root}")]
    return max((one for one in found if one.as_of <= until), key=lambda one: (one.as_of, one.folder.name), default=None)


def train(
    lake: Lake, snapshot: Snapshot, root: str, as_of: date, *, at: datetime, most_places: int = MOST_PLACES
) -> Kept | None:
    """This function will learn the order of a root as of the end of a day and keep it; nothing where too few outcomes are known.

    Kept are ``model.json`` (numbers, no code), ``card.json`` and a manifest with the hash of both. Of a city with more than
    ``most_places`` places the sample is those whose key leaves no rest when divided by the number of parts. The caller holds
    ``lake.writing()``.
    """
    until = as_of + timedelta(days=1)
    if _outcomes(snapshot, root, until) < FEWEST:
        return None
    places = snapshot.rows("places", root)
    parts = _parts(places, most_places)
    ranking = rank(
        tables_of(snapshot, root, until, parts=parts), until, SERIOUS, data_position=_position(snapshot, root)
    )
    sample = {"places": len(ranking.place_ids), "of": places, "drawn": f"place key modulo {parts} is 0"}
    card = {**ranking.card, "sample": sample}
    draft = lake.draft(f"{MODELS}/{root}")
    for name, plain in (("model.json", plain_of(ranking.model)), ("card.json", card)):
        (draft / name).write_text(_json(plain), encoding="utf-8")
    manifest = {
        "root": root, "as_of": until.isoformat(), "trained_at": at.isoformat(), "position": snapshot.position,
        "chain": snapshot.manifest["chain"], "way": ranking.model.way, "seed": ranking.model.told["seed"], "sample": sample,
        "files": [{"path": name, "sha256": file_hash(draft / name)} for name in ("model.json", "card.json")],
    }  # fmt: skip
    folder = lake.publish(draft, stamp(at), manifest)
    return Kept(folder, manifest_of(folder))


def learn(snapshot: Snapshot, root: str, as_of: date, *, most_places: int = MOST_PLACES) -> Model:
    """Return what the city's visits teach as of a day; of a city with more places, from one part of them drawn by key."""
    parts = _parts(snapshot.rows("places", root), most_places)
    return retrain(tables_of(snapshot, root, as_of, parts=parts), as_of, SERIOUS)


def tables_of(snapshot: Snapshot, root: str, as_of: date, *, part: int = 0, parts: int = 1) -> dict[str, pa.Table]:
    """Return one part of a root's tables in the generic shape."""
    with duckdb.connect() as duck:
        _views(duck, snapshot, root)
        for name, text in BASE.items():
            own = f"SELECT * FROM ({_of_day(text, as_of)}) WHERE place % {parts} = {part}"
            duck.execute(f"CREATE VIEW base_{name} AS {own}")
        return {name: duck.sql(text).to_arrow_table() for name, text in {**TABLES, "hazard_codes": CODES}.items()}


@contextmanager
def in_parts(
    snapshot: Snapshot, root: str, as_of: date, parts: int, scratch: Path
) -> Iterator[Callable[[int], dict[str, pa.Table]]]:
    """Yield what reads a part of a root's tables; the whole is read once and laid down by parts in ``scratch``."""
    if parts == 1:
        yield lambda _part: tables_of(snapshot, root, as_of)
        return
    scratch.mkdir(parents=True)
    with connected(scratch=scratch / "spilled") as duck:
        _views(duck, snapshot, root)
        codes = duck.sql(CODES).to_arrow_table()
        for name, text in BASE.items():
            duck.execute(
                f"COPY (SELECT *, CAST(place % {parts} AS INTEGER) AS part FROM ({_of_day(text, as_of)})) "
                f"TO '{scratch / name}' (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (part))"
            )
            (scratch / name).mkdir(exist_ok=True)
            duck.execute(
                f"COPY ({_of_day(text, as_of)} LIMIT 0) TO '{scratch / name / 'empty.parquet'}' (FORMAT parquet)"
            )

    def read(part: int) -> dict[str, pa.Table]:
        with duckdb.connect(config={"threads": 1}) as own:
            for name in BASE:
                # The empty one last, as in the snapshot.
                files = [*(scratch / name / f"part={part}").glob("*.parquet"), scratch / name / "empty.parquet"]
                own.read_parquet(list(map(str, files)), hive_partitioning=False).create_view(f"base_{name}")
            return {"hazard_codes": codes, **{name: own.sql(text).to_arrow_table() for name, text in TABLES.items()}}

    try:
        yield read
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _views(duck: duckdb.DuckDBPyConnection, snapshot: Snapshot, root: str) -> None:
    for name in ("places", "place_kinds", "visits", "findings", "hazards", "hazard_codes", "hazard_classes"):
        duck.read_parquet([str(path) for path in snapshot.files(name, root)]).create_view(name)


def _of_day(text: str, as_of: date) -> str:
    return text.replace("$as_of", f"DATE '{as_of.isoformat()}'")


def _parts(places: int, most_places: int) -> int:
    return max(math.ceil(places / most_places), 1)


def _position(snapshot: Snapshot, root: str) -> str:
    return f"{root}@{snapshot.position}"


def order(
    snapshot: Snapshot, root: str, as_of: date, *, model: Model, scratch: Path, most_places: int = MOST_PLACES
) -> Iterator[Part]:
    """Yield the order of each part of the city, by one model for all: place keys as texts, scores that compare across parts."""
    parts = _parts(snapshot.rows("places", root), most_places)
    at_once = min(len(os.sched_getaffinity(0)), MOST_AT_ONCE, parts)
    since = _recorded_since(snapshot, root)

    def ranked(part: int) -> Ranking:
        return rank(
            read(part), as_of, SERIOUS, model=model, data_position=_position(snapshot, root), recorded_since=since
        )

    with (
        in_parts(snapshot, root, as_of, parts, scratch) as read,
        threadpool_limits(1),
        ThreadPoolExecutor(at_once) as pool,
    ):
        coming = [pool.submit(ranked, part) for part in range(at_once)]
        for part in range(parts):
            ranking = coming.pop(0).result()
            if part + at_once < parts:
                coming.append(pool.submit(ranked, part + at_once))
            yield Part(part, parts, ranking)


def write_learned(snapshot: Snapshot, root: str, as_of: date, folder: Path, model: Kept | None) -> None:
    """Write the order of a root into a folder: ``learned.parquet`` for the pass and ``card.json``, which tells how it was made.

    What is known at the end of the day counts, as in the pass's own texts. Without a kept model, or where the transparent
    score did better on earlier windows, the table is empty: the pass's own score stands then, and the card says why.
    """
    until = as_of + timedelta(days=1)
    card, scores = _without(model), Scores()
    if model is not None and model.manifest["way"] == "learned":
        try:
            own = model.model()
            for part in order(snapshot, root, until, model=own, scratch=folder / ".order"):
                scores.add(part.ranking)
            scores.tell(own)
            card = {
                **model.card, "as_of": until.isoformat(), "data_position": _position(snapshot, root),
                "equity": Areas.together(scores.areas).told(), "model": _told_of(model),
            }  # fmt: skip
        except (Unrankable, ValueError) as problem:
            card, scores = {**_why(str(problem)), "model": _told_of(model)}, Scores()
    pq.write_table(scores.table(), folder / "learned.parquet", compression="zstd")
    (folder / "card.json").write_text(_json(card), encoding="utf-8")


def _without(model: Kept | None) -> dict[str, Any]:
    """Return the card of a pass that is scored by the transparent score."""
    if model is None:
        return _why(NO_MODEL)
    training = model.card["training"]
    return {**_why(training.get("why_transparent", "")), "training": training, "model": _told_of(model)}


def _why(why: str) -> dict[str, Any]:
    return {"way": "transparent", "why": why, "why_zh": WHY.get(why, why)}


def _told_of(model: Kept) -> dict[str, Any]:
    """Return what a pass's card says of the model that scored it."""
    said = model.manifest
    return {
        "name": model.folder.name, **{name: said[name] for name in ("as_of", "trained_at", "position", "chain", "seed", "sample")},
        "hash": next(one["sha256"] for one in said["files"] if one["path"] == "model.json"),
    }  # fmt: skip


class Scores:
    """The scores of all parts so far, and of the first places of each street what it takes to give their reasons."""

    def __init__(self) -> None:
        self.areas: list[Areas] = []
        self._columns: list[tuple[Ints, Floats, Floats]] = []
        self._reasons: dict[int, str] = {}
        self._first: list[_First] = []
        self._streets: dict[str, int] = {}

    def add(self, ranking: Ranking) -> None:
        """Add one part, and let go of places that are no longer among the first of their street."""
        city = ranking.book.city
        places = np.array([int(each) for each in ranking.place_ids], dtype=np.int64)
        self._columns.append((places, ranking.probabilities, ranking.index))
        self.areas.append(Areas.of(city, ranking.rows, ranking.probabilities))
        levels = city.names["street"].levels if "street" in city.names else ()
        numbers = [self._streets.setdefault(level, len(self._streets)) for level in levels]
        # Places whose street is not known are a street of their own.
        turn = np.array([*numbers, -1], dtype=np.int64)
        street = turn[city.names["street"].code[ranking.rows]] if levels else np.full(len(places), -1)
        mine = _first_of(street, ranking.index, places)
        old = sum(len(one.place) for one in self._first)
        stays = _first_of(
            np.concatenate([*(one.street for one in self._first), street[mine]]),
            np.concatenate([*(one.index for one in self._first), ranking.index[mine]]),
            np.concatenate([*(one.place for one in self._first), places[mine]]),
        )
        kept, begin = [], 0
        for one in self._first:
            inside = stays[(stays >= begin) & (stays < begin + len(one.place))] - begin
            begin += len(one.place)
            kept.append(one.only(inside))
        new = mine[stays[stays >= old] - old]
        rows = ranking.rows[new]
        features = ranking.features(rows)
        self._first = [
            *kept,
            _First(street[new], ranking.index[new], places[new], rows, features, Words.of(ranking.book, rows)),
        ]

    def tell(self, model: Model) -> None:
        """Give the reasons of the first places of each street, all parts together."""
        matrix = np.concatenate([one.features.aligned(model.names).matrix for one in self._first])
        with threadpool_limits(1):
            found = falls(model, Features(np.asfortranarray(matrix), model.names), SERIOUS.kind)
        begin = 0
        for one in self._first:
            reasons = told(found[begin : begin + len(one.place)], one.words, one.rows)
            begin += len(one.place)
            for place, each in zip(one.place.tolist(), reasons, strict=True):
                self._reasons[place] = json.dumps([(why.fact, *_said(why)) for why in each], ensure_ascii=False)

    def table(self) -> pa.Table:
        """Return the rows that the pass reads."""
        place, chance, index = (
            np.concatenate([np.zeros(0, dtype=kind), *(each[n] for each in self._columns)])
            for n, kind in enumerate((np.int64, np.float64, np.float64))
        )
        reasons = pa.array([self._reasons.get(each, "[]") for each in place.tolist()], pa.string())
        return pa.table([place, chance, index, reasons], schema=LEARNED)


@dataclass(frozen=True, slots=True)
class _First:
    """Places of one part that are among the first of their streets."""

    street: Ints
    index: Floats
    place: Ints
    rows: Ints
    features: Features
    words: Words

    def only(self, which: Ints) -> _First:
        """Return some of them."""
        if len(which) == len(self.place):
            return self
        return _First(
            self.street[which], self.index[which], self.place[which], self.rows[which], self.features.rows(which), self.words
        )  # fmt: skip


def _first_of(street: Ints, index: Floats, place: Ints) -> Ints:
    """Return which are the first of each street: the highest index, then the lowest key."""
    by_street = np.lexsort((place, -index, street))
    begin = np.searchsorted(street[by_street], street[by_street])
    return np.sort(by_street[np.arange(len(by_street)) - begin < TOLD])


def _outcomes(snapshot: Snapshot, root: str, until: date) -> int:
    """Return how many visits of the rarer outcome there are."""
    files = [str(path) for path in snapshot.files("visits", root)]
    text = """
        SELECT least(count(*) FILTER (result = 'fail'), count(*) FILTER (result <> 'fail' AND result <> 'unknown'))
        FROM read_parquet($files) WHERE root = $root AND day < $until"""
    with duckdb.connect() as duck:
        return int(duck.execute(text, {"files": files, "root": root, "until": until}).fetchall()[0][0])


def _recorded_since(snapshot: Snapshot, root: str) -> date | None:
    """Return the day of the first visit on record in the whole city."""
    files = [str(path) for path in snapshot.files("visits", root)]
    with duckdb.connect() as duck:
        found: date | None = duck.execute(
            "SELECT min(day) FROM read_parquet($files) WHERE root = $root", {"files": files, "root": root}
        ).fetchall()[0][0]
    return found


def _said(reason: Reason) -> tuple[str, str]:
    return LIKE.get(reason.fact, (reason.zh, reason.en))


def _json(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
