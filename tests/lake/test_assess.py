"""A whole assessment of a town: published whole, read within areas, drawn up and signed, refused where it must be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.conf import settings

from anban.base.jobs.registry import find, load
from anban.base.journal.models import Entry
from anban.base.journal.verification import verify
from anban.base.people.actor import job_actor
from anban.contexts.hazards.models import Cycle
from anban.contexts.risk import operations, queries
from anban.contexts.risk.models import Assessment, Cell, Curve, Look, Report, TopHazard, TopPlace
from anban.lake import assessing, folder
from anban.lake.assessing import assess, is_due_for_training, train
from anban.lake.duck import DuckDB
from anban.lake.folder import manifest_hash
from anban.lake.reading import FLAGS, SUMS, Reading
from anban.rules.errors import Refusal
from tests.factories.kept import kept_world
from tests.factories.office import Office
from tests.factories.town import Town
from tests.lake.conftest import NOW, built

DAY = date(2026, 3, 3)


@pytest.fixture
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(settings, "HOME", tmp_path)


@pytest.fixture(scope="module")
def known(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, assessing.Assessed]]:
    """A town that was assessed once, kept for all tests that only read it or draw up reports."""
    with pytest.MonkeyPatch.context() as patch, kept_world(django_db_blocker):
        patch.setattr(settings, "HOME", tmp_path_factory.mktemp("home"))
        made = built()
        yield made, assess(actor=actor(made), at=NOW)


@pytest.fixture
def read_town(known: tuple[Town, assessing.Assessed]) -> Town:
    return known[0]


def actor(town: Town):
    return job_actor("test", town.root)


def test_assessment_is_published_with_its_manifest_in_the_journal(known: tuple[Town, assessing.Assessed]) -> None:
    made = known[1]
    row = Assessment.objects.get()
    assert (row.as_of, row.places, row.engine) == (DAY, 3, "duckdb")
    entry = orjson.loads(Entry.objects.get(matter=f"assessment:{row.pk.hex}").body)
    assert entry["verb"] == "risk.assessed"
    assert entry["data"]["manifest"] == row.manifest_hash == manifest_hash(made.result.folder)
    assert entry["data"]["position"] == row.position == made.snapshot.position
    assert verify().ok
    assert {top.place.name for top in TopPlace.objects.select_related("place")} == {
        "巷口面馆",
        "和平饭店",
        "中关村仓库",
    }
    assert sum(Cell.objects.values_list("places", flat=True)) == 3
    assert not Curve.objects.filter(what="inspector").exists()


def test_every_figure_equals_the_list_that_it_opens(read_town: Town) -> None:
    """For each person of the town, over the areas and kinds of their posts."""
    seen = set()
    for name in ("王敏", "郑洁", "高远", "何静", "周航", "钱进", "林涛"):
        who = read_town.actor(name)
        newest = queries.current(who)
        assert newest is not None
        sums = queries.figures(who, newest)
        reading = Reading.of(newest.root, newest.folder)
        for figure in FLAGS:
            total, listed = reading.places(queries.reaches(who), figure)
            assert sums[figure] == total == len(listed), (name, figure)
        for figure in SUMS:
            total, listed = reading.places(queries.reaches(who), figure)
            assert sums[figure] == sum(row.amount for row in listed) == reading.amount(queries.reaches(who), figure)
            assert total == len(listed)
        assert reading.figures(queries.reaches(who)) == {figure: sums[figure] for figure in FLAGS}
        seen.add(sums["places"])
    assert seen == {1, 2, 3}
    # A commerce officer of one district answers for restaurants there, and sees no warehouse elsewhere.
    _, listed = Reading.of(newest.root, newest.folder).places(queries.reaches(read_town.actor("周航")), "places")
    assert {row.kind for row in listed} == {"catering"}


def test_lists_stay_within_areas(read_town: Town) -> None:
    newest = queries.current(read_town.actor("林涛"))
    assert newest is not None
    assert [one.name for one in queries.top_places(read_town.actor("王敏"), newest)] == ["巷口面馆"]
    assert {one.name for one in queries.top_places(read_town.actor("何静"), newest)} == {"巷口面馆", "和平饭店"}
    assert len(queries.top_places(read_town.actor("林涛"), newest)) == 3
    assert queries.top_places(read_town.actor("林涛"), newest, area="1/08/")[0].name == "中关村仓库"


def test_debts_are_what_the_reader_sees_on_the_ledger(own_home: None, a_town: Town) -> None:
    Cycle.objects.update(due_at=datetime(2026, 3, 10, tzinfo=UTC))
    assess(actor=actor(a_town), at=NOW + timedelta(days=30))
    newest = queries.current(a_town.actor("林涛"))
    assert newest is not None
    (debt,) = queries.top_hazards(a_town.actor("王敏"), newest, "debt")
    assert debt.weight == (date(2026, 4, 2) - date(2026, 3, 10)).days
    assert queries.top_hazards(a_town.actor("高远"), newest, "debt") == []


def test_earlier_day_is_added_and_the_newest_stays_in_front(own_home: None, a_town: Town) -> None:
    assess(actor=actor(a_town), at=NOW)
    earlier = assess(actor=actor(a_town), at=NOW + timedelta(hours=1), as_of=date(2026, 3, 2), fresh=False)
    assert earlier.assessment.as_of == date(2026, 3, 2)
    newest = queries.current(a_town.actor("林涛"))
    assert newest is not None
    assert newest.as_of == DAY
    # On that day the visit of the 3rd had not been.
    assert queries.figures(a_town.actor("林涛"), earlier.assessment)["never_seen"] == 3
    assert queries.figures(a_town.actor("林涛"), newest)["never_seen"] == 2


def test_refusals(own_home: None, a_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**more) -> str:
        with pytest.raises(Refusal) as refusal:
            assess(actor=more.pop("who", actor(a_town)), at=NOW, **more)
        return refusal.value.code

    assert refused(as_of=DAY + timedelta(days=1)) == "lake.day_ahead"
    assert refused(fresh=False) == "lake.no_snapshot"
    assert refused(engine="postgres") == "lake.engine_unknown"
    with assessing.the_lake().writing():
        assert refused() == "lake.busy"
    monkeypatch.setenv("ANBAN_LAKE_MEMORY", "much")
    assert refused() == "lake.setting_invalid"
    assert not Assessment.objects.exists()


def test_what_does_not_fit_into_the_memory_allowed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANBAN_LAKE_MEMORY", "30MB")
    engine = DuckDB(tmp_path / "scratch")
    with pytest.raises(Refusal) as refusal:
        engine.make("t", "SELECT list(i) AS all_of_them FROM range(20000000) AS t(i)", {})
    engine.close()
    assert refusal.value.code == "lake.memory_short"
    assert refusal.value.params["memory"] == "30MB"


def test_root_without_places_is_refused_by_name_and_passed_over_at_night(
    own_home: None, transactional_db: None
) -> None:
    office = Office()
    with pytest.raises(Refusal) as refusal:
        assess(actor=office.job, at=NOW)
    assert refusal.value.code == "lake.nothing_to_assess"
    load()
    kind = find("lake.assess")
    assert kind is not None
    assert kind.run(NOW, Handle("office")) == {"places": 0, "events": 0}


class Handle:
    """What a job is given."""

    args: dict[str, str] = {}
    asked_by = None

    def __init__(self, root: str) -> None:
        self.root = root
        self.said: list[str] = []

    def progress(self, _done: int, _total: int = 0, stage: str = "") -> None:
        self.said.append(stage)


def test_nightly_job_runs_once_for_a_slot(own_home: None, a_town: Town) -> None:
    load()
    kind = find("lake.assess")
    assert kind is not None
    assert kind.per_root
    handle = Handle("town")
    first = kind.run(NOW, handle)
    assert first is not None
    assert dict(first)["places"] == 3  # type: ignore[arg-type]
    assert handle.said
    again = kind.run(NOW, handle)
    assert again == {"places": 0, "events": dict(first)["events"]}  # type: ignore[arg-type]
    assert Assessment.objects.count() == Look.objects.count() == 1


def test_training_is_a_job_of_its_own_and_keeps_nothing_where_too_little_is_known(own_home: None, a_town: Town) -> None:
    load()
    kind = find("lake.train")
    assert kind is not None
    assert (kind.per_root, kind.lane) == (True, "long")
    assert kind.run(NOW, Handle("town")) == {"rows": 0}
    assert assessing.the_lake().kept("models/town") == []
    assert is_due_for_training("town", DAY)
    assert assess(actor=actor(a_town), at=NOW).result.manifest["order"]["way"] == "transparent"


def test_training_waits_for_no_other_writer_and_knows_no_later_day(own_home: None, a_town: Town) -> None:
    for more, code in (({"as_of": DAY + timedelta(days=1)}, "lake.day_ahead"), ({"fresh": False}, "lake.no_snapshot")):
        with pytest.raises(Refusal) as refusal:
            train(actor=actor(a_town), at=NOW, **more)  # type: ignore[arg-type]
        assert refusal.value.code == code
    with assessing.the_lake().writing(), pytest.raises(Refusal) as refusal:
        train(actor=actor(a_town), at=NOW)
    assert refusal.value.code == "lake.busy"


def test_a_publication_that_died_is_not_seen_and_swept_away(
    own_home: None, a_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assess(actor=actor(a_town), at=NOW)
    with monkeypatch.context() as patch:
        patch.setattr(operations, "_curves", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            assess(actor=actor(a_town), at=NOW + timedelta(days=1))
    assert Assessment.objects.count() == 1
    assert Cell.objects.values("assessment_id").distinct().count() == 2
    newest = queries.current(a_town.actor("林涛"))
    assert newest is not None
    assert queries.figures(a_town.actor("林涛"), newest)["places"] == 3
    assess(actor=actor(a_town), at=NOW + timedelta(days=2))
    assert set(Cell.objects.values_list("assessment_id", flat=True)) == set(
        Assessment.objects.values_list("pk", flat=True)
    )


def test_old_lists_are_thinned_out(own_home: None, a_town: Town) -> None:
    for n in range(operations.FULL_KEPT + 2):
        assess(actor=actor(a_town), at=NOW + timedelta(days=n), fresh=n == 0)
    kept = set(TopPlace.objects.values_list("assessment_id", flat=True))
    assert len(kept) == operations.FULL_KEPT
    assert Assessment.objects.count() == operations.FULL_KEPT + 2
    assert Cell.objects.values("assessment_id").distinct().count() == operations.FULL_KEPT + 2


# Reports


def test_results_under_a_report_are_kept(own_home: None, a_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(folder.KEPT, "results", 1)
    first = assess(actor=actor(a_town), at=NOW)
    operations.draw_up(actor=a_town.actor("何静"), at=NOW, area_code="A01")
    others = [assess(actor=actor(a_town), at=NOW + timedelta(hours=hours), fresh=False) for hours in (1, 2)]
    there = [one.result.folder.is_dir() for one in (first, *others)]
    assert there == [True, False, True]


def test_report_is_drawn_up_compared_and_signed_by_a_person(own_home: None, a_town: Town) -> None:
    assess(actor=actor(a_town), at=NOW)
    earlier = queries.current(a_town.actor("何静"))
    assert earlier is not None
    a_town.place("新开的店", manager=None)
    assess(actor=actor(a_town), at=NOW + timedelta(days=30))
    chair = a_town.actor("何静")
    row = operations.draw_up(actor=chair, at=NOW, area_code="A01", earlier_id=earlier.pk)
    facts = orjson.loads(row.figures)
    assert (facts["before"]["places"], facts["now"]["places"]) == (2, 3)
    assert set(facts["areas"]) == {"1/05/026/", "1/05/004/"}
    with pytest.raises(Refusal) as refusal:
        operations.sign(actor=chair, at=NOW, report_id=row.pk, opinion="  ")
    assert refusal.value.code == "risk.opinion_missing"
    signed = operations.sign(actor=chair, at=NOW, report_id=row.pk, opinion="望京餐饮未检较多，下月优先。")
    assert (signed.state, signed.signed_by_id) == (Report.State.SIGNED, chair.person_id)
    with pytest.raises(Refusal) as refusal:
        operations.sign(actor=chair, at=NOW, report_id=row.pk, opinion="再改")
    assert refusal.value.code == "risk.report_signed"
    withdrawn = operations.withdraw(actor=chair, at=NOW, report_id=row.pk)
    assert withdrawn.opinion == "望京餐饮未检较多，下月优先。"
    assert verify().ok


def test_report_in_a_sector_counts_its_kinds_alone(read_town: Town) -> None:
    row = operations.draw_up(actor=read_town.actor("林涛"), at=NOW, area_code="A", sector="commerce")
    kinds = queries.kinds_of_sector("town", "commerce", DAY)
    assert "catering" in kinds
    assert "warehouse" not in kinds
    facts = orjson.loads(row.figures)
    assert facts["now"]["places"] == 2
    listed = {one["name"] for one in facts["places"]}
    assert len(listed) == 2
    assert "中关村仓库" not in listed


@pytest.mark.parametrize(
    ("who", "area", "code"),
    [("王敏", "A01026", "risk.not_allowed"), ("刘洋", "A01", "risk.not_allowed"), ("何静", "X", "risk.area_unknown")],
)
def test_who_may_not_draw_up(read_town: Town, who: str, area: str, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        operations.draw_up(actor=read_town.actor(who), at=NOW, area_code=area)
    assert refusal.value.code == code


def test_who_may_not_sign_or_read(read_town: Town) -> None:
    row = operations.draw_up(actor=read_town.actor("刘洋"), at=NOW, area_code="A01026")
    for who, code in (("刘洋", "risk.signing_not_allowed"), ("高远", "risk.report_unknown")):
        with pytest.raises(Refusal) as refusal:
            operations.sign(actor=read_town.actor(who), at=NOW, report_id=row.pk, opinion="好")
        assert refusal.value.code == code
    with pytest.raises(Refusal) as refusal:
        operations.sign(actor=read_town.actor("何静"), at=NOW, report_id=uuid4(), opinion="好")
    assert refusal.value.code == "risk.report_unknown"
    assert TopHazard.objects.count() == 0
