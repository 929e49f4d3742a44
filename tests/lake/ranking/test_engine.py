"""The engine on cities whose truth is known, on too little data, and on what it must not look at."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from anban.lake.ranking import Label, Unrankable, model_of, plain_of, rank, retrain
from anban.lake.ranking.city import city_of, day_number
from anban.lake.ranking.engine import weigh
from anban.lake.ranking.features import Book
from anban.lake.ranking.forest import grown
from anban.lake.ranking.reasons import scores_without
from anban.lake.ranking.training import Setting, auc, strict_of
from tests.lake.ranking.planted import AS_OF, LABEL, Planted, plant

FAILS = Label.of(LABEL)


@pytest.fixture(scope="module")
def planted() -> Planted:
    return plant(strict=1.5)


@pytest.fixture(scope="module")
def ranking(planted):
    return rank(planted.tables, AS_OF, FAILS, data_position="test")


def within(scores, found, group):
    return np.mean([auc(scores[group == each], found[group == each]) for each in np.unique(group)])


def test_engine_finds_the_planted_propensity_and_is_calibrated(planted, ranking):
    assert ranking.model.way == "learned"
    assert within(ranking.scores, (planted.truth > -1.0).astype(float), planted.group_of) > 0.8
    assert auc(ranking.scores, planted.coming) > 0.6
    assert abs(ranking.probabilities.mean() - fail_rate(planted)) < 0.05
    assert len(ranking.card["calibration"]) == 10
    low, high = ranking.card["calibration"][0], ranking.card["calibration"][-1]
    assert low["found"] < high["found"]
    assert ranking.card["equity"]["by"] == "district"
    assert sum(each["places"] for each in ranking.card["equity"]["areas"]) == 500


def fail_rate(planted):
    visits = planted.tables["inspections"]
    known = [r for r, k in zip(visits["result"].to_pylist(), visits["kind"].to_pylist(), strict=True) if k == "routine"]
    return np.mean([each == "fail" for each in known])


def test_engine_does_not_learn_who_visits(planted, ranking):
    """A place of a strict group is found wanting more often; its own ratio is taken against what the group finds elsewhere."""
    city = city_of(planted.tables, AS_OF, FAILS)
    expected, strict, _ = strict_of(city)
    assert strict["g2"] - strict["g0"] > 1.0
    book = Book(city, expected, 0.3)
    features = book.features(np.arange(city.size), np.full(city.size, city.as_of))
    ratio, rate = features.column("own.ratio.1095"), features.column("own.rate.1095")
    harsh, mild = planted.group_of == 2, planted.group_of == 0
    assert rate[harsh].mean() - rate[mild].mean() > 0.15
    assert abs(ratio[harsh].mean() - ratio[mild].mean()) < 0.25


def test_nothing_on_or_after_the_day_is_used(planted, ranking):
    tables = dict(planted.tables)
    visits = tables["inspections"]
    late = visits.slice(0, 400)
    moved = [(AS_OF + timedelta(days=number % 50)).isoformat() for number in range(400)]
    late = late.set_column(2, "date", pa.array(moved)).set_column(
        0, "inspection_id", pa.array([f"L{n}" for n in range(400)])
    )
    tables["inspections"] = pa.concat_tables([visits, late])
    again = rank(tables, AS_OF, FAILS)
    assert np.array_equal(again.scores, ranking.scores)
    assert any("400" in en for _, en in again.book.city.notes)


def test_features_as_of_a_day_do_not_know_what_came_after(planted):
    """The features of an earlier day, read from all the tables, equal those read from tables that end before that day."""
    then = AS_OF - timedelta(days=200)
    visits = planted.tables["inspections"]
    before = visits.filter(pa.array([each < then.isoformat() for each in visits["date"].to_pylist()]))
    whole = city_of(planted.tables, AS_OF, FAILS)
    cut = city_of({**planted.tables, "inspections": before}, then, FAILS)
    place = np.arange(whole.size)
    day = np.full(whole.size, day_number(then))
    books = [Book(each, np.full(int(each.labeled.sum()), 0.2), 0.2) for each in (whole, cut)]
    one, two = (each.features(place, day) for each in books)
    shared = [name for name in one.names if name in two.names and not name.startswith("visit.")]
    assert len(shared) > 25
    for name in shared:
        assert np.allclose(one.column(name), two.column(name), equal_nan=True), name


def test_order_of_rows_and_names_of_ids_mean_nothing(planted, ranking):
    random = np.random.default_rng(1)
    tables = {name: table.take(random.permutation(table.num_rows)) for name, table in planted.tables.items()}
    again = rank(tables, AS_OF, FAILS, wanted=planted.ids)
    assert again.place_ids == ranking.place_ids
    assert np.corrcoef(again.scores, ranking.scores)[0, 1] > 0.98


def test_reasons_name_facts_whose_removal_lowers_the_score(planted, ranking):
    worst = [ranking.place_ids[each] for each in np.argsort(-ranking.scores)[:30]]
    said = ranking.reasons(worst)
    rows = np.array([planted.ids.index(each) for each in worst])
    features = ranking.features(rows)
    told = 0
    for row, reasons in enumerate(said):
        for reason in reasons:
            before, after = scores_without(ranking.model, features, row, reason.fact, "routine")
            assert after < before
            assert reason.lowers_by == pytest.approx(before - after, abs=1e-3)
            assert reason.zh
            assert reason.en
            told += 1
    assert told >= 60
    assert any(reason.zh.startswith("最近") and "不合格" in reason.zh for reasons in said for reason in reasons)


def test_the_index_grows_with_the_time_unseen_also_where_reinspections_follow_within_days(planted, ranking):
    """Every failure is looked at again after ten days: a place unseen for long still stands before one just seen."""
    visits = planted.tables["inspections"]
    again = [
        {**row, "inspection_id": f"again {row['inspection_id']}", "date": str(date.fromisoformat(row["date"]) + timedelta(days=10)), "result": "pass"}
        for row in visits.to_pylist()
        if row["result"] == "fail" and row["date"] < "2024-06-01"
    ]  # fmt: skip
    tables = {**planted.tables, "inspections": pa.concat_tables([visits, pa.Table.from_pylist(again, visits.schema)])}
    city = city_of(tables, AS_OF, FAILS)
    book = Book(city, np.zeros(len(city.visit_day)), 0.15)
    rows = np.arange(city.size)
    waited = book.every.waited(
        np.full(city.size, city.as_of), *book.every.positions(rows, np.full(city.size, city.as_of))
    )
    alike = weigh(city, book, rows, np.full(city.size, 0.4), np.ones(city.size), 0)
    assert np.array_equal(np.argsort(waited, kind="stable"), np.argsort(alike, kind="stable"))
    assert alike[np.argmax(waited)] / alike[np.argmin(waited)] == pytest.approx(waited.max() / waited.min())
    assert (weigh(city, book, rows, np.full(city.size, 0.5), np.ones(city.size), 0) > alike).all()


SPOKEN = {1: "一", 2: "两", 3: "三"}


def test_a_reason_tells_the_numbers_that_stand_in_the_tables(planted, ranking):
    visits = planted.tables["inspections"].to_pylist()
    for place, reasons in zip(planted.ids[:80], ranking.reasons(planted.ids[:80]), strict=True):
        for reason in reasons:
            if reason.fact == "kind:complaint":
                days = [v["date"] for v in visits if v["establishment_id"] == place and v["kind"] == "complaint"]
                recent = [each for each in days if each >= (AS_OF - timedelta(days=365)).isoformat()]
                assert f"有{SPOKEN.get(len(recent), len(recent))}次投诉检查" in reason.zh


def test_a_code_is_told_in_the_words_of_its_list(planted):
    ids = sorted(planted.tables["hazards"]["code"].unique().to_pylist())
    codes = pa.table(
        {
            "code": ids,
            "description": [f"软管老化{each}" for each in ids],
            "description_en": [f"old hose {each}" for each in ids],
        }
    )
    coded = rank({**planted.tables, "hazard_codes": codes}, AS_OF, FAILS, wanted=planted.ids)
    plain = rank(planted.tables, AS_OF, FAILS, model=coded.model, wanted=planted.ids)
    told = 0
    for ours, theirs in zip(coded.reasons(planted.ids[:200]), plain.reasons(planted.ids[:200]), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            if one.fact.startswith("code:"):
                code = one.fact.partition(":")[2]
                assert f"查出“软管老化{code}”" in one.zh
                assert f"“old hose {code}” was found" in one.en
                assert f"查出第{code}项" in other.zh
                told += 1
    assert told > 10


def test_failed_checks_are_told_with_what_they_were_about(planted, ranking):
    """Told again by hand: of the failures among the last three known checks, what each of them cited something of."""
    subject = {
        code: "燃气使用" if int(code) % 2 else "消防设施" for code in planted.tables["hazards"]["code"].to_pylist()
    }
    codes = pa.table({"code": list(subject), "subject": list(subject.values())})
    coded = rank({**planted.tables, "hazard_codes": codes}, AS_OF, FAILS, model=ranking.model, wanted=planted.ids)
    cited = {}
    for row in planted.tables["hazards"].to_pylist():
        cited.setdefault(row["inspection_id"], []).append(subject[row["code"]])
    known = {}
    for row in sorted(planted.tables["inspections"].to_pylist(), key=lambda row: row["date"]):
        if row["kind"] == "routine" and row["result"] in ("pass", "fail"):
            known.setdefault(row["establishment_id"], []).append(row)
    told = Counter()
    for place, reasons in zip(planted.ids, coded.reasons(planted.ids), strict=True):
        said = next((reason.zh for reason in reasons if reason.fact == "found"), None)
        last = known.get(place, [])[-3:]
        bad = [set(cited.get(row["inspection_id"], [])) for row in last if row["result"] == "fail"]
        if said is None or not bad:
            continue
        common = set.intersection(*bad)
        assert {name for name in subject.values() if name in said} == common
        assert said.replace("有结论的", "").startswith("最近三次检查都不合格") == (len(bad) == 3)
        told[len(common)] += 1
    assert min(told[0], told[1]) > 5, told


def test_a_kept_model_scores_without_training(planted, ranking):
    model = retrain(planted.tables, AS_OF, FAILS)
    again = rank(planted.tables, AS_OF, FAILS, model=model, wanted=planted.ids[:7])
    assert np.allclose(again.scores, ranking.scores[:7])


def test_a_model_as_plain_values_is_the_same_to_the_last_digit(planted, ranking):
    again = model_of(json.loads(json.dumps(plain_of(ranking.model), allow_nan=False)))
    assert np.array_equal(again.score(ranking.known), ranking.model.score(ranking.known))
    assert again.names == ranking.model.names
    assert [each.scores.tolist() for each in again.folds] == [each.scores.tolist() for each in ranking.model.folds]
    for fact, parts in ranking.model.neutral.items():
        assert [name for name, _ in again.neutral[fact]] == [name for name, _ in parts]
        values = np.array([[one, two] for (_, one), (_, two) in zip(again.neutral[fact], parts, strict=True)])
        assert np.array_equal(values[:, 0], values[:, 1], equal_nan=True)
    with pytest.raises(ValueError, match="another format"):
        model_of({**plain_of(ranking.model), "format": 99})


@pytest.mark.parametrize("leaves", [2, 8])
def test_trees_as_plain_numbers_score_as_the_library_does(leaves):
    """With missing values, values on the very threshold, and the term that is set to its middle."""
    random = np.random.default_rng(3)
    matrix = np.round(random.standard_normal((3000, 5)), 1).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    odds = random.standard_normal(3000)
    found = (np.nan_to_num(matrix[:, 1]) + np.isnan(matrix[:, 3]) + odds > 0.5).astype(float)
    columns = np.array([3, 1, 4])
    own = np.column_stack((matrix[:, columns], odds))
    library = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=leaves, early_stopping=False, random_state=1)
    library.fit(own, found)
    fixed = np.column_stack((matrix[:, columns], np.full(3000, 0.3)))
    forest = grown(library, columns, 0.3)
    assert np.array_equal(forest.score(matrix), library.decision_function(fixed))
    assert np.array_equal(forest.score(matrix[:200]), library.decision_function(fixed[:200]))


def test_noise_is_not_learned():
    nothing = plant(spread=0.0, seed=8, places=300)
    ranking = rank(nothing.tables, AS_OF, FAILS)
    assert ranking.probabilities.std() < 0.06


@pytest.mark.parametrize("places", [1, 10])
def test_little_data_gives_the_transparent_score(places):
    few = plant(places=places, seed=3)
    ranking = rank(few.tables, AS_OF, FAILS)
    assert ranking.model.way == "transparent"
    assert np.isfinite(ranking.scores).all()
    if places == 10:
        found = np.array(
            [
                int((ranking.book.city.visit_found[ranking.book.city.visit_place == each] == 1).sum())
                for each in range(10)
            ]
        )
        assert ranking.scores[found.argmax()] > ranking.scores[found.argmin()]
        assert all(reason.lowers_by > 0 for reasons in ranking.reasons(few.ids) for reason in reasons)


def test_one_sort_of_outcome_and_no_history_are_ranked_honestly(planted):
    visits = planted.tables["inspections"]
    passed = visits.set_column(4, "result", pa.array(["pass"] * visits.num_rows))
    for tables in ({**planted.tables, "inspections": passed}, {**planted.tables, "inspections": visits.slice(0, 0)}):
        ranking = rank(tables, AS_OF, FAILS)
        assert ranking.model.way == "transparent"
        assert len(ranking.scores) == 500
        assert np.isfinite(ranking.index).all()


def test_other_shapes_are_taken_as_they_are(planted):
    """Dates as dates, ids as numbers, no kind of its own for the label, places that the register lacks."""
    visits = planted.tables["inspections"]
    number = {each: n for n, each in enumerate(planted.ids)}
    tables = {
        "establishments": pa.table({"establishment_id": pa.array(range(500), pa.int64())}),
        "inspections": pa.table(
            {
                "inspection_id": pa.array(range(visits.num_rows), pa.int64()),
                "establishment_id": pa.array([number[each] for each in visits["establishment_id"].to_pylist()]),
                "date": visits["date"].cast(pa.date32()),
                "n_bad": pa.array([int(each == "fail") for each in visits["result"].to_pylist()]),
            }
        ),
    }
    ranking = rank(
        tables,
        AS_OF,
        Label(None, "n_bad", at_least=1),
        wanted=["499", "no such place", "0"],
        setting=Setting(most_rows=3000),
    )
    assert ranking.place_ids == ("499", "no such place", "0")
    assert ranking.model.way == "learned"
    assert ranking.model.told["rows"] == 3000


def test_what_cannot_be_ranked_is_refused_by_table_and_column(planted):
    with pytest.raises(Unrankable, match="inspections lacks the column n_critical"):
        rank(planted.tables, AS_OF, Label("routine", "n_critical", at_least=1))
    with pytest.raises(Unrankable, match="label needs at_least"):
        Label.of({"column": "result"})
    assert dataclasses.is_dataclass(Label.of({"column": "result", "equals": ["fail", "FAILED"]}))
