"""The city's own order, from a snapshot: better than chance on the visits that came after, the same for one part or several."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow.compute as pc
import pytest

from anban.lake.folder import Lake
from anban.lake.ordering import SERIOUS, learn, order, tables_of
from anban.lake.ranking import rank
from anban.lake.ranking.training import auc
from anban.lake.snapshot import Snapshot
from bench.lake_city import AS_OF, ROOT, make

DAY = date.fromisoformat(AS_OF) - timedelta(days=150)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    lake = Lake(tmp_path_factory.mktemp("ordered") / "lake")
    with lake.writing():
        return make(lake, 600)


def failed_after(snapshot: Snapshot) -> dict[str, bool]:
    files = [str(path) for path in snapshot.files("visits", ROOT)]
    text = "SELECT place, bool_or(result = 'fail') FROM read_parquet($files) WHERE day >= $day AND result <> 'unknown' GROUP BY 1"
    with duckdb.connect() as duck:
        return {str(place): failed for place, failed in duck.execute(text, {"files": files, "day": DAY}).fetchall()}


def test_the_city_is_ranked_by_its_snapshot(snapshot):
    (part,) = order(snapshot, ROOT, DAY)
    ranking = part.ranking
    after = failed_after(snapshot)
    known = np.array([each in after for each in ranking.place_ids])
    found = np.array([float(after.get(each, False)) for each in ranking.place_ids])
    assert known.sum() > 200
    assert auc(ranking.scores[known], found[known]) > 0.65
    assert ranking.card["data_position"] == f"{ROOT}@{snapshot.position}"
    assert ranking.card["equity"]["by"] == "area"
    assert set(np.unique(ranking.index > 0)) == {True}


def test_merged_and_closed_places_are_not_ranked_and_nothing_later_is_read(snapshot):
    tables = tables_of(snapshot, ROOT, DAY)
    ids = set(tables["establishments"]["establishment_id"].to_pylist())
    assert 207 not in ids
    assert 206 in ids or 6 in ids
    assert max(tables["inspections"]["date"].to_pylist()) < DAY
    assert 207 not in set(tables["inspections"]["establishment_id"].to_pylist())


def test_a_city_in_parts_is_ranked_by_one_model(snapshot):
    model = learn(snapshot, ROOT, DAY, most_places=300)
    parts = list(order(snapshot, ROOT, DAY, model=model, most_places=300))
    assert [each.of for each in parts] == [2, 2]
    ids = [each for part in parts for each in part.ranking.place_ids]
    whole = set(map(str, tables_of(snapshot, ROOT, DAY)["establishments"]["establishment_id"].to_pylist()))
    assert len(ids) == len(set(ids))
    assert set(ids) == whole
    assert all(part.ranking.model is model for part in parts)


def test_a_part_that_lacks_what_the_model_learned_is_ranked_and_explained(snapshot):
    model = learn(snapshot, ROOT, DAY)
    tables = tables_of(snapshot, ROOT, DAY)
    kinds = tables["inspections"]["kind"].value_counts().to_pylist()
    rare = min(kinds, key=lambda each: each["counts"])["values"]
    visits = tables["inspections"].filter(pc.field("kind") != rare)
    lacking = {
        **tables,
        "inspections": visits,
        "hazards": tables["hazards"].slice(0, 0),
        "signals": tables["signals"].slice(0, 0),
    }
    ranking = rank(lacking, DAY, SERIOUS, model=model)
    assert set(model.names) - set(ranking.features(ranking.rows[:1]).names)
    first = [ranking.place_ids[row] for row in np.argsort(-ranking.index)[:50]]
    assert any(ranking.reasons(first))
