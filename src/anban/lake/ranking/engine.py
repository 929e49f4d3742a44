"""The risk order of a city: train, score every place, weigh by consequence and time since seen, and say how sure that is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from anban.lake.ranking.card import card_of
from anban.lake.ranking.city import City, Label, Unrankable, city_of, day_number, numbers, positions, texts
from anban.lake.ranking.features import Book, Features
from anban.lake.ranking.history import Floats, Ints
from anban.lake.ranking.reasons import Reason, explain
from anban.lake.ranking.training import Model, Setting, train
from anban.rules.visit_index import visit_index

CHUNK: Final = 200_000


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every place in the caller's order: log-odds, probability and index; reasons on asking; the model and its card."""

    place_ids: tuple[str, ...]
    scores: Floats
    probabilities: Floats
    index: Floats
    model: Model
    book: Book
    rows: Ints
    data_position: str
    known: Features | None = None

    @property
    def card(self) -> dict[str, Any]:
        """Return what the model was made from, how well it is calibrated, and how it treats the areas."""
        unique, first = np.unique(self.rows, return_index=True)
        return card_of(self.book.city, self.book, self.model, unique, self.scores[first], self.data_position)

    def reasons(self, place_ids: Sequence[str], most: int = 4) -> list[tuple[Reason, ...]]:
        """Return the reasons of some places, the weightiest first: each names a fact whose removal lowers the score."""
        where = {each: number for number, each in enumerate(self.place_ids)}
        rows = self.rows[[where[each] for each in place_ids]]
        with threadpool_limits(1):
            return explain(self.model, self.book, self.features(rows), rows, most)

    def features(self, rows: Ints) -> Features:
        """Return the features of some rows of the book as of the day of ranking."""
        if self.known is not None:
            return self.known.rows(rows)
        return self.book.features(rows, np.full(len(rows), self.book.city.as_of))


def rank(
    tables: Mapping[str, pa.Table],
    as_of: date,
    label: Label,
    *,
    wanted: Sequence[str] | None = None,
    model: Model | None = None,
    setting: Setting | None = None,
    data_position: str = "",
    recorded_since: date | None = None,
) -> Ranking:
    """Return the risk order of the places of a city as of a day.

    ``tables`` holds Arrow tables named and shaped like the generic folder: ``establishments`` (establishment_id; optional:
    latitude, longitude, consequence, and any class, area, date or number) and ``inspections`` (inspection_id, establishment_id,
    date, kind, the label's column; optional: result, inspector_group, counts) at least; ``hazards`` (inspection_id, code;
    optional: severity, n), ``hazard_codes`` (code, severity, description, subject) and ``signals`` (date, kind; latitude and longitude or
    establishment_id) where there are any. Ids may be texts or whole numbers, dates may be dates or ISO texts. Rows dated on or
    after ``as_of`` are never used. ``label`` says which visits carry the outcome: ``Label("routine", "n_serious", at_least=1)``.

    ``wanted`` (default: the whole register) are the places to rank, in the order of the answer; the same id may come twice.
    ``model`` is one that ``retrain`` made for tables of this shape; without it one is trained now. ``data_position`` goes into
    the card: which state of the data this is. ``recorded_since`` (default: the first visit in the tables) is the day since which
    visits are on record: where nobody ever was, nobody was since then.

    Raises: Unrankable with one line in both languages when a table or column that is needed is not there.
    """
    extra = None if wanted is None else pa.chunked_array([pa.array([str(each) for each in wanted], pa.string())])
    city = city_of(tables, as_of, label, extra)
    rows = np.arange(city.size) if wanted is None else _rows(city, wanted)
    unique, back = np.unique(rows, return_inverse=True)
    with one_thread(learns=model is None):
        trained, book = train(city, setting, model)
        parts = [unique[begin : begin + CHUNK] for begin in range(0, len(unique), CHUNK)]
        features = (book.features(part, np.full(len(part), city.as_of)) for part in parts)
        # The features of a city (or a part of one) that is ranked whole are kept: its first places are explained by them.
        known = next(features) if wanted is None and len(parts) == 1 else None
        scored = [trained.score(each) for each in ((known,) if known else features)]
        scores = np.concatenate([np.zeros(0), *scored])[back]
    chance = 1 / (1 + np.exp(-scores))
    ids = tuple(str(each) for each in city.place_ids[rows])
    since = day_number(recorded_since) if recorded_since else min(city.visit_day.tolist(), default=city.as_of)
    weighed = weigh(city, book, rows, chance, _consequence(tables, city, rows), since)
    return Ranking(
        place_ids=ids, scores=scores, probabilities=chance, index=weighed, model=trained, book=book, rows=rows,
        data_position=data_position, known=known,
    )  # fmt: skip


@contextmanager
def one_thread(*, learns: bool) -> Iterator[None]:
    """Keep the numeric engines to one thread: theirs spin while they wait, and on a shared machine two are several times slower than one."""
    if learns:
        # A limit reaches only the engines that are loaded when it is set; scoring alone does without this one.
        import sklearn.ensemble  # noqa: F401
    with threadpool_limits(1):
        yield


def retrain(tables: Mapping[str, pa.Table], as_of: date, label: Label, setting: Setting | None = None) -> Model:
    """Return a model learned from the tables as of a day: what a nightly job keeps and ``rank`` takes."""
    with one_thread(learns=True):
        return train(city_of(tables, as_of, label), setting)[0]


def weigh(city: City, book: Book, rows: Ints, chance: Floats, consequence: Floats, since: int) -> Floats:
    """Return the index of each place, of its chance, its consequence and its days since anybody saw it.

    The chance is that of a place unseen for so long: hazards are born there at the rate that makes it so after these days. (A rate over
    some usual interval instead would call every place rich in hazards where re-inspections follow within days, and the index
    would no longer grow with the time since a visit.)
    """
    visits = book.every
    today = np.full(len(rows), city.as_of)
    waited = visits.waited(today, *visits.positions(rows, today))
    waited = np.maximum(np.where(np.isfinite(waited), waited, city.as_of - since), 1.0)
    daily = -np.log1p(-np.clip(chance, 1e-6, 1 - 1e-6)) / waited
    return np.asarray(visit_index(consequence, daily, waited, exp=np.exp))


def separated(scores: Floats, keys: Sequence[str]) -> Floats:
    """Return the scores with ties broken by the digest of each key: never by the order of rows or the size of an id."""
    digest = np.array(
        [int.from_bytes(hashlib.sha256(each.encode()).digest()[:6], "big") for each in keys], dtype=np.float64
    )
    order = np.lexsort((digest, scores))
    out = np.array(scores, dtype=np.float64)
    last = -np.inf
    for each in order:
        out[each] = last = max(out[each], np.nextafter(last, np.inf) if np.isfinite(last) else out[each])
    return out


def _rows(city: City, wanted: Sequence[str]) -> Ints:
    where = {str(each): number for number, each in enumerate(city.place_ids)}
    missing = [each for each in wanted if str(each) not in where]
    if missing:
        raise Unrankable(f"要排序的单位没有编号：{missing[0]!r}", f"a place to rank has no id: {missing[0]!r}")
    return np.array([where[str(each)] for each in wanted], dtype=np.int64)


def _consequence(tables: Mapping[str, pa.Table], city: City, rows: Ints) -> Floats:
    """Return the weight of each place: the register's column ``consequence``, 1 where it says nothing."""
    places = tables["establishments"]
    if "consequence" not in places.column_names:
        return np.ones(len(rows))
    ids = pa.chunked_array([pa.array(city.place_ids[rows], pa.string())])
    where = positions(ids, texts(places, "establishment_id"))
    out = np.where(where >= 0, numbers(places, "consequence")[where], 1.0)
    return np.where(np.isfinite(out) & (out > 0), out, 1.0)


__all__ = ["Ranking", "day_number", "rank", "retrain", "separated", "weigh"]
