"""The pass: its texts keep to the subset, and its figures equal twins counted in another way."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import lifelines
import numpy as np
import pytest

from anban.lake import ordering, passing, texts
from anban.lake.duck import DuckDB
from anban.lake.folder import Lake, check_files, file_hash
from anban.lake.ranking import choose
from anban.lake.ranking.reasons import scores_without
from anban.lake.snapshot import Snapshot
from anban.rules.visit_index import hidden_probability, visit_index
from bench.lake_city import AS_OF, ROOT, make
from tests.factories.town import Town
from tests.lake.conftest import NOW, snap

DAY = date.fromisoformat(AS_OF)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, Snapshot]:
    """A made-up city of 700 places in the lake's form."""
    lake = Lake(tmp_path_factory.mktemp("made") / "lake")
    with lake.writing():
        snapshot = make(lake, 700)
        assert ordering.train(lake, snapshot, ROOT, DAY, at=NOW) is not None
        return lake, snapshot


@pytest.fixture(scope="session")
def passed(city: tuple[Lake, Snapshot]) -> passing.Result:
    """The pass over the made-up city."""
    return assessed(*city, DAY)


def assessed(lake: Lake, snapshot: Snapshot, as_of: date, root: str = ROOT, at: datetime = NOW) -> passing.Result:
    engine = DuckDB(lake.home / "scratch")
    try:
        with lake.writing():
            return passing.run(lake, engine, snapshot, root=root, as_of=as_of, at=at)
    finally:
        engine.close()


def read(snapshot: Snapshot, table: str, root: str = ROOT) -> list[dict[str, Any]]:
    import duckdb

    paths = [str(path) for path in snapshot.files(table, root)]
    with duckdb.connect() as duck:
        return duck.sql(f"SELECT * FROM read_parquet({paths!r})").to_arrow_table().to_pylist()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDB]:
    made = DuckDB(tmp_path / "scratch")
    yield made
    made.close()


# The texts


@pytest.mark.parametrize("step", texts.STEPS, ids=lambda step: step.name)
def test_text_keeps_to_the_subset(step: texts.Step) -> None:
    assert texts.faults(texts.text(step.name), ordered=step.kind == "result") == []


@pytest.mark.parametrize(
    "planted",
    [
        "SELECT current_date AS x ORDER BY x", "SELECT random() AS x ORDER BY x", "SELECT a FROM t",
        "SELECT row_number() OVER (PARTITION BY a) AS n FROM t ORDER BY n", "SELECT list(a) AS x FROM t ORDER BY x",
    ],
)  # fmt: skip
def test_what_leaves_the_subset_is_found(planted: str) -> None:
    assert texts.faults(planted, ordered=True) != []


def test_every_text_is_a_step_and_every_step_a_text() -> None:
    folder = Path(texts.__file__).parent / "sql"
    assert {path.stem for path in folder.glob("*.sql")} == {step.name for step in texts.STEPS}


# The figures


def test_facts_of_places_equal_a_count_by_hand(city: tuple[Lake, Snapshot], passed: passing.Result) -> None:
    """Everything is counted again from the rows, place by place, in plain Python."""
    snapshot = city[1]
    survivor = {p["place"]: p["survivor"] or p["place"] for p in read(snapshot, "places")}
    visits: dict[int, list[Any]] = defaultdict(list)
    for row in read(snapshot, "visits"):
        if row["day"] <= DAY:
            visits[survivor[row["place"]]].append(row)
    rounds: dict[int, list[Any]] = defaultdict(list)
    for row in read(snapshot, "cycles"):
        if row["found_on"] <= DAY and row["state"] not in ("not_founded", "merged"):
            rounds[survivor[row["place"]]].append(row)
    led = {m["place_kind"] for m in read(snapshot, "mandates")}
    wanted = {}
    for place in read(snapshot, "places"):
        key = place["place"]
        if place["survivor"] or (place["status"] == "closed" and place["status_on"] <= DAY):
            continue
        if place["registered_on"] > DAY and key not in visits and key not in rounds:
            continue
        wanted[key] = by_hand(visits[key], rounds[key], place["kind"] not in led)
    found = {row.pop("place"): row for row in passed.table("place_results").to_pylist()}
    assert found.keys() == wanted.keys()
    assert len(found) > 600
    for key, facts in wanted.items():
        assert {name: found[key][name] for name in facts} == facts, key
    assert sum(row["is_repeat"] for row in found.values()) > 20
    assert sum(row["is_rebound"] for row in found.values()) > 20


def by_hand(visits: Sequence[Any], rounds: Sequence[Any], unled: bool) -> dict[str, Any]:
    year, two = DAY - timedelta(days=365), DAY - timedelta(days=730)
    known = sorted((v for v in visits if v["result"] != "unknown"), key=lambda v: (v["day"], v["visit"]))[-3:]
    last = max((v["day"] for v in visits), default=None)
    open_now = [r for r in rounds if r["ended_on"] is None or r["ended_on"] > DAY]
    repeats = 0
    for code in {r["code"] for r in rounds}:
        ordered = sorted((r for r in rounds if r["code"] == code), key=lambda r: (r["found_on"], r["cycle"]))
        for before, after in pairwise(ordered):
            ended = before["ended_on"] if before["ended_on"] and before["ended_on"] <= DAY else None
            if ended and after["found_on"] > year and 0 <= (after["found_on"] - ended).days <= 180:
                repeats += 1
    checks = sum(v["day"] > year and v["kind"] in ("enforcement", "routine") for v in visits)
    return {
        "last_day": last,
        "days_unseen": (DAY - last).days if last else None,
        "visits": len(visits),
        "visits_365": sum(v["day"] > year for v in visits),
        "bodies_365": len({v["body"] for v in visits if v["day"] > year}),
        "fails_730": sum(v["day"] > two and v["result"] == "fail" for v in visits),
        "fails_last3": sum(v["result"] == "fail" for v in known),
        "open_now": len(open_now),
        "overdue_now": sum(r["due_on"] < DAY for r in open_now),
        "rebounds_365": sum(r["found_on"] > year and r["no"] > 1 for r in rounds),
        "repeats_365": repeats,
        "is_never_seen": last is None,
        "is_stale": last is not None and (DAY - last).days > 365,
        "is_failing": len(known) == 3 and all(v["result"] == "fail" for v in known),
        "is_burdened": checks > 4,
        "is_unled": unled,
    }


def test_cells_sum_what_the_lists_hold(passed: passing.Result) -> None:
    places = passed.table("place_results").to_pylist()
    cells = passed.table("cells").to_pylist()
    assert sum(cell["places"] for cell in cells) == len(places)
    for figure, flag in (
        ("never_seen", "is_never_seen"),
        ("stale", "is_stale"),
        ("overdue", "is_overdue"),
        ("unled", "is_unled"),
    ):
        assert sum(cell[figure] for cell in cells) == sum(row[flag] for row in places) > 0
    assert sum(cell["hazards_overdue"] for cell in cells) == sum(row["overdue_now"] for row in places)


def test_score_is_the_index_of_the_rule(city: tuple[Lake, Snapshot], tmp_path: Path) -> None:
    """The transparent score, which stands where no model was kept."""
    passed = assessed(Lake(tmp_path / "other"), city[1], DAY, at=NOW + timedelta(seconds=3))
    assert passed.manifest["order"]["way"] == "transparent"
    assert passed.manifest["order"]["why_zh"] == ordering.WHY[ordering.NO_MODEL]
    assert passed.manifest["order"]["model"] is None
    for row in passed.table("place_results").to_pylist()[::7]:
        unseen = min(row["days_unseen"] if row["days_unseen"] is not None else 730, 730)
        weight = 3.0 if row["high_risk"] else 1.0
        assert row["chance"] == pytest.approx(hidden_probability(row["daily"], unseen), rel=1e-9, abs=1e-12)
        assert row["index_value"] == pytest.approx(visit_index(weight, row["daily"], unseen), rel=1e-6, abs=1e-9)
        assert row["reasons"] is None
    assert visit_index(10, 0.01, 90) == pytest.approx(227.518, abs=1e-3)


def test_learned_order_stands_where_there_is_enough_to_learn_from(
    city: tuple[Lake, Snapshot], passed: passing.Result, tmp_path: Path
) -> None:
    kept = ordering.kept(city[0], ROOT, DAY + timedelta(days=1))
    assert kept is not None
    order = passed.manifest["order"]
    assert (order["way"], order["card"]) == ("learned", file_hash(passed.folder / "card.json"))
    assert order["model"] == file_hash(kept.folder / "model.json")
    card = json.loads((passed.folder / "card.json").read_text(encoding="utf-8"))
    assert card["data_position"] == f"{ROOT}@{passed.manifest['position']}"
    until = DAY + timedelta(days=1)
    (part,) = ordering.order(city[1], ROOT, until, model=kept.model(), scratch=tmp_path)
    ranking = part.ranking
    row_of = {key: row for row, key in enumerate(ranking.place_ids)}
    rows = {str(row["place"]): row for row in passed.table("place_results").to_pylist()}
    assert len(rows) > 600
    for key, row in rows.items():
        assert row["chance"] == pytest.approx(ranking.probabilities[row_of[key]], rel=1e-9)
        assert row["index_value"] == pytest.approx(ranking.index[row_of[key]], rel=1e-9)
    # Each reason of the published places names a fact whose removal lowers the score.
    top = {row["id"] for row in passed.table("top_places").to_pylist()}
    features = ranking.features(ranking.rows)
    told = 0
    for key, row in list(rows.items())[::6]:
        for fact, zh, en in json.loads(row["reasons"]) if row["id"] in top else ():
            before, after = scores_without(ranking.model, features, row_of[key], fact, None)
            assert after < before, (key, fact)
            assert zh
            assert en
            told += 1
    assert told > 100


def test_top_lists_hold_the_highest_of_each_street(passed: passing.Result) -> None:
    places = passed.table("place_results").to_pylist()
    top = passed.table("top_places").to_pylist()
    for street in {row["street"] for row in places}:
        own = sorted((-row["index_value"], row["place"], row["id"]) for row in places if row["street"] == street)
        assert [row["id"] for row in top if row["street"] == street] == [one[2] for one in own[: texts.MOST]]


def test_lots_are_those_of_whoever_draws_again(passed: passing.Result) -> None:
    """By the published seed, street by street, in plain Python; and the first tenth of the city is a tenth of it."""
    places = sorted(passed.table("place_results").to_pylist(), key=lambda row: row["place"])
    seed = passed.manifest["seed"]
    drawn = 0
    for street in {row["street"] for row in places}:
        own = [row for row in places if row["street"] == street]
        listed = min(-(-len(own) // 10), texts.MOST)
        index = np.array([row["index_value"] for row in own])
        again = choose(tuple(row["id"] for row in own), index, capacity=listed, seed=seed, on=DAY)
        lots = [one.place_id for one in again if one.why == "lot"]
        assert [row["id"] for row in sorted(own, key=lambda r: r["lot"] or "g") if row["is_drawn"]] == lots, street
        assert all(
            row["lot"] == sha256(f"{seed}|{DAY.isoformat()}|{row['id']}".encode()).hexdigest()
            for row in own
            if row["is_drawn"]
        )
        drawn += len(lots)
    assert drawn >= 300
    first = sorted(places, key=lambda row: (-row["index_value"], row["place"]))[: -(-len(places) // 10)]
    assert {row["place"] for row in first} == {row["place"] for row in places if row["is_first_tenth"]}


def test_another_seed_draws_others_and_the_order_stays(
    city: tuple[Lake, Snapshot], passed: passing.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "seed_of", lambda snapshot, root: "another")
    other = assessed(*city, DAY, at=NOW + timedelta(seconds=4))
    rows = [{row["id"]: row for row in one.table("place_results").to_pylist()} for one in (passed, other)]
    drawn = [{key for key, row in each.items() if row["is_drawn"]} for each in rows]
    assert len(drawn[0]) == len(drawn[1])
    assert len(drawn[0] & drawn[1]) < len(drawn[0]) * 0.75
    assert all(rows[0][key]["index_value"] == row["index_value"] for key, row in rows[1].items())


def test_places_of_unsettled_duties_are_those_of_the_scope(engine: DuckDB) -> None:
    engine.make(
        "places",
        "SELECT * FROM (VALUES ('catering', '6210', '1/05/026/', NULL), ('shop', '5211', '1/05/026/', NULL), "
        "('shop', '5211', '1/08/', NULL), ('hotel', '6110', '1/05/', 7)) AS t (kind, industry, area_path, survivor)",
        {},
    )
    engine.make(
        "boundaries",
        "SELECT * FROM (VALUES ('catering', '', '', '1/05/', DATE '2026-01-01', CAST(NULL AS DATE)), "
        "('', '52', '', '1/08/', DATE '2026-01-01', NULL), ('', '', '', '1/08/', DATE '2026-05-01', NULL), "
        "('shop', '', '', '1/05/', DATE '2026-01-01', DATE '2026-02-01'), ('shop', '', 'GAS', '1/05/', DATE '2026-01-01', NULL), "
        "('hotel', '', '', '1/', DATE '2026-01-01', NULL)) AS t (place_kind, industry, hazard_class, area_path, found_on, ended_on)",
        {},
    )
    found = engine.fetch(texts.text("unsettled"), texts.values(DAY, "")).to_pylist()
    assert {(row["kind"], row["area_path"]) for row in found} == {("catering", "1/05/026/"), ("shop", "1/08/")}


# Survival


def test_curves_equal_the_worked_example(engine: DuckDB) -> None:
    """Source: standards C.6, with S, the median's neighbourhood and Greenwood's error at 7 days."""
    times = [(2, 1), (3, 1), (3, 1), (5, 1), (7, 1), (7, 0), (10, 1), (10, 0), (14, 0), (14, 0)]
    values = ", ".join(f"('rebound', 'S', 'k', 'GAS', 'photo', 1, FALSE, {days}, {event})" for days, event in times)
    engine.make(
        "episodes",
        f"SELECT * FROM (VALUES {values}) AS t (curve, street, place_kind, class_code, proof, acceptor, inferred, days, event)",
        {},
    )
    engine.make("areas", "SELECT 'D' AS path, 'district' AS level", {})
    rows = [row for row in engine.fetch(texts.text("curves"), {}).to_pylist() if row["what"] == "all"]
    assert {row["days"]: round(row["share"], 12) for row in rows} == {
        2: 0.9,
        3: 0.7,
        5: 0.6,
        7: 0.5,
        10: 0.375,
        14: 0.375,
    }
    assert next(row["error"] for row in rows if row["days"] == 7) == pytest.approx(0.1581, abs=5e-5)


@pytest.mark.parametrize("proof", ["on_site", "photo", "declared"])
def test_curves_equal_another_library(city: tuple[Lake, Snapshot], passed: passing.Result, proof: str) -> None:
    followed: dict[int, list[Any]] = defaultdict(list)
    for row in read(city[1], "cycles"):
        if row["found_on"] <= DAY and row["state"] not in ("not_founded", "merged"):
            followed[row["hazard"]].append(row)
    days, events = [], []
    for rounds in followed.values():
        rounds.sort(key=lambda r: r["no"])
        for one, after in zip(rounds, [*rounds[1:], None], strict=False):
            if one["proof"] == proof and one["ended_on"] and one["ended_on"] <= DAY:
                length = ((after["found_on"] if after else DAY) - one["ended_on"]).days
                days.append(min(length, 365))
                events.append(bool(after) and length <= 365)
    twin = lifelines.KaplanMeierFitter().fit(days, events).survival_function_["KM_estimate"]
    ours = [
        r
        for r in passed.table("curves").to_pylist()
        if (r["curve"], r["what"], r["name"]) == ("rebound", "proof", proof)
    ]
    assert sum(row["events"] for row in ours) == sum(events) > 50
    for row in ours:
        assert row["share"] == pytest.approx(twin.loc[row["days"]], abs=1e-9)


def test_a_group_in_which_everything_came_back_ends_at_zero(engine: DuckDB) -> None:
    engine.make(
        "episodes",
        "SELECT 'rebound' AS curve, 'S' AS street, 'k' AS place_kind, 'GAS' AS class_code, 'photo' AS proof, 1 AS acceptor, "
        "FALSE AS inferred, unnest([1, 2]) AS days, 1 AS event",
        {},
    )
    engine.make("areas", "SELECT 'D' AS path, 'district' AS level", {})
    rows = [row for row in engine.fetch(texts.text("curves"), {}).to_pylist() if row["what"] == "all"]
    assert [row["share"] for row in rows] == [pytest.approx(0.5), 0.0]


# Days


def test_an_earlier_day_is_computed_as_it_stood(city: tuple[Lake, Snapshot]) -> None:
    earlier = DAY - timedelta(days=400)
    before = assessed(*city, earlier, at=NOW + timedelta(seconds=1))
    facts = {row["place"]: row for row in before.table("place_results").to_pylist()}
    assert max(row["last_day"] for row in facts.values() if row["last_day"]) <= earlier
    still = [
        r for r in read(city[1], "cycles") if r["found_on"] <= earlier and r["ended_on"] and r["ended_on"] > earlier
    ]
    closed_since = next(r for r in still if r["place"] in facts and r["state"] == "closed")
    assert facts[closed_since["place"]]["open_now"] >= 1
    assert before.manifest["as_of"] == earlier.isoformat()
    assert check_files(before.folder) == len(passing.RESULTS) + len(passing.LEARNED)


def test_same_snapshot_and_day_give_the_same_bytes(city: tuple[Lake, Snapshot], passed: passing.Result) -> None:
    again = assessed(*city, DAY, at=NOW + timedelta(seconds=2))
    assert again.folder != passed.folder
    for name in passing.RESULTS:
        assert again.table(name).equals(passed.table(name)), name


def test_a_town_is_read_from_its_own_database(a_town: Town, lake: Lake) -> None:
    result = assessed(lake, snap(lake), date(2026, 3, 3), "town")
    rows = {row["id"]: row for row in result.table("place_results").to_pylist()}
    assert len(rows) == 3
    seen = next(row for row in rows.values() if row["last_day"])
    assert (seen["last_day"], seen["open_now"], seen["is_unled"]) == (date(2026, 3, 3), 1, False)
    assert sum(row["is_never_seen"] for row in rows.values()) == 2
    assert next(row for row in rows.values() if row["kind"] == "warehouse")["is_unled"]


def test_a_root_without_any_row_gives_empty_results(a_town: Town, lake: Lake) -> None:
    result = assessed(lake, snap(lake), date(2026, 3, 3), "nowhere")
    assert result.manifest["order"]["way"] == "transparent"
    assert {name: result.table(name).num_rows for name in passing.RESULTS} == dict.fromkeys(passing.RESULTS, 0)
