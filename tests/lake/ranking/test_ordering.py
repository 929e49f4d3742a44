"""The city's own order, from a snapshot: better than chance on the visits that came after, the same for one part or several."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from anban.lake import ordering
from anban.lake.folder import Lake, check_files, file_hash
from anban.lake.ordering import SERIOUS, in_parts, kept, learn, order, tables_of, train, write_learned
from anban.lake.ranking import rank
from anban.lake.ranking.training import auc
from anban.lake.snapshot import Snapshot
from bench.lake_city import AS_OF, ROOT, make

DAY = date.fromisoformat(AS_OF) - timedelta(days=150)
AT = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(tmp_path_factory.mktemp("ordered") / "lake")


@pytest.fixture(scope="module")
def snapshot(lake: Lake) -> Snapshot:
    with lake.writing():
        return make(lake, 600)


@pytest.fixture(scope="module")
def trained(lake: Lake, snapshot: Snapshot) -> ordering.Kept:
    with lake.writing():
        made = train(lake, snapshot, ROOT, DAY - timedelta(days=1), at=AT)
    assert made is not None
    return made


def failed_after(snapshot: Snapshot) -> dict[str, bool]:
    files = [str(path) for path in snapshot.files("visits", ROOT)]
    text = "SELECT place, bool_or(result = 'fail') FROM read_parquet($files) WHERE day >= $day AND result <> 'unknown' GROUP BY 1"
    with duckdb.connect() as duck:
        return {str(place): failed for place, failed in duck.execute(text, {"files": files, "day": DAY}).fetchall()}


def test_the_city_is_ranked_by_its_snapshot(snapshot, trained, tmp_path):
    (part,) = order(snapshot, ROOT, DAY, model=trained.model(), scratch=tmp_path)
    ranking = part.ranking
    after = failed_after(snapshot)
    known = np.array([each in after for each in ranking.place_ids])
    found = np.array([float(after.get(each, False)) for each in ranking.place_ids])
    assert known.sum() > 200
    assert auc(ranking.scores[known], found[known]) > 0.65
    assert ranking.card["data_position"] == f"{ROOT}@{snapshot.position}"
    assert ranking.card["equity"]["by"] == "area"
    assert set(np.unique(ranking.index > 0)) == {True}


def test_a_model_is_kept_with_its_card_and_found_for_its_day_and_later_ones(lake, snapshot, trained):
    assert check_files(trained.folder) == 2
    assert (trained.as_of, trained.manifest["position"], trained.manifest["seed"]) == (DAY, snapshot.position, 20)
    assert trained.manifest["sample"]["of"] == 600
    assert trained.card["sample"] == trained.manifest["sample"]
    assert kept(lake, ROOT, DAY - timedelta(days=1)) is None
    assert kept(lake, "elsewhere", DAY) is None
    with lake.writing():
        earlier = train(lake, snapshot, ROOT, DAY - timedelta(days=60), at=AT + timedelta(hours=1))
    assert earlier is not None
    assert kept(lake, ROOT, DAY + timedelta(days=3)) == trained
    assert kept(lake, ROOT, DAY - timedelta(days=1)) == earlier
    again = ordering.Kept(trained.folder, trained.manifest).model()
    first = learn(snapshot, ROOT, DAY)
    features = rank(tables_of(snapshot, ROOT, DAY), DAY, SERIOUS, model=first).known
    assert np.array_equal(again.score(features), first.score(features))
    assert set(again.neutral) == set(first.neutral)


def test_a_pass_says_which_model_scored_it_and_why_none_did(snapshot, trained, tmp_path):
    for name, model in (("with", trained), ("without", None)):
        (tmp_path / name).mkdir()
        write_learned(snapshot, ROOT, DAY + timedelta(days=20), tmp_path / name, model)
    card = json.loads((tmp_path / "with" / "card.json").read_text())
    assert card["way"] == "learned"
    assert card["as_of"] == (DAY + timedelta(days=21)).isoformat()
    assert card["model"]["hash"] == file_hash(trained.folder / "model.json")
    assert (card["model"]["as_of"], card["model"]["seed"]) == (DAY.isoformat(), 20)
    assert sum(each["places"] for each in card["equity"]["areas"]) > 60
    card = json.loads((tmp_path / "without" / "card.json").read_text())
    assert (card["way"], bool(card["why"]), bool(card["why_zh"])) == ("transparent", True, True)
    assert pq.read_table(tmp_path / "without" / "learned.parquet").num_rows == 0


def test_merged_and_closed_places_are_not_ranked_and_nothing_later_is_read(snapshot):
    tables = tables_of(snapshot, ROOT, DAY)
    ids = set(tables["establishments"]["establishment_id"].to_pylist())
    assert 207 not in ids
    assert 206 in ids or 6 in ids
    assert max(tables["inspections"]["date"].to_pylist()) < DAY
    assert 207 not in set(tables["inspections"]["establishment_id"].to_pylist())


def test_a_city_in_parts_is_ranked_by_one_model(snapshot, tmp_path):
    model = learn(snapshot, ROOT, DAY, most_places=300)
    parts = list(order(snapshot, ROOT, DAY, model=model, scratch=tmp_path / "order", most_places=300))
    assert [(each.number, each.of) for each in parts] == [(0, 2), (1, 2)]
    ids = [each for part in parts for each in part.ranking.place_ids]
    whole = set(map(str, tables_of(snapshot, ROOT, DAY)["establishments"]["establishment_id"].to_pylist()))
    assert len(ids) == len(set(ids))
    assert set(ids) == whole
    assert all(part.ranking.model is model for part in parts)
    assert not (tmp_path / "order").exists()


def test_parts_laid_down_at_once_are_the_same_rows(snapshot, tmp_path):
    with in_parts(snapshot, ROOT, DAY, 3, tmp_path / "order") as read:
        for part in range(3):
            assert read(part) == tables_of(snapshot, ROOT, DAY, part=part, parts=3)


def test_the_first_of_each_street_are_told_whatever_the_parts(snapshot, trained, tmp_path, monkeypatch):
    """Of a city in parts, reasons are told of exactly the first places of each street over all parts."""
    monkeypatch.setattr(ordering, "TOLD", 3)
    monkeypatch.setattr(ordering, "MOST_PLACES", 150)
    monkeypatch.setattr(order, "__kwdefaults__", {"most_places": 150})
    write_learned(snapshot, ROOT, DAY, tmp_path, trained)
    rows = pq.read_table(tmp_path / "learned.parquet").to_pylist()
    street = dict(duckdb.sql(f"SELECT place, street FROM read_parquet({[str(f) for f in snapshot.files('places', ROOT)]!r})").fetchall())  # fmt: skip
    told = {row["place"] for row in rows if row["reasons"] != "[]"}
    first = set()
    for name in set(street.values()):
        own = sorted((-row["index_value"], row["place"]) for row in rows if street[row["place"]] == name)
        first |= {place for _, place in own[:3]}
    assert len(rows) > 500
    assert told <= first
    assert len(told) > 0.7 * len(first)


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
