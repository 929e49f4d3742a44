"""Foreign history: cycles inferred from clean visits, rebounds, any order of files, later rows, a crash, a second import."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from anban.base.journal.digests import row_digest, row_name
from anban.base.journal.models import Entry
from anban.contexts.establishments.models import Observation
from anban.contexts.hazards.history import Inferred, Standing, infer
from anban.contexts.hazards.models import Cycle, Hazard, Voice
from anban.contexts.inspections.exporters import export_visits
from anban.contexts.inspections.importers import Taken, history, keeper, mappings_named, take_in
from anban.contexts.inspections.models import Finding, Visit
from anban.contexts.inspections.queries import Filters
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.models import Link
from anban.rules import rebound
from tests.factories.inspections import chicago, table
from tests.factories.town import AT

NOTHING = {"new": 0, "changed": 0, "same": 0, "refused": 0}
WINDOW = rebound.windows(on=date(2026, 3, 2))
FIRST = date(2012, 1, 1)
VISITS = [
    ("V1", "1", "2012-01-10", "routine", "fail"),
    ("V2", "1", "2012-02-10", "reinspection", "unknown"),
    ("V3", "1", "2012-06-10", "routine", "pass"),
    ("V4", "1", "2012-09-10", "routine", "fail"),
    ("V5", "1", "2014-01-10", "routine", "pass"),
    ("V6", "2", "2012-03-01", "routine", "fail"),
    ("V7", "2", "2012-08-01", "complaint", "unknown"),
]
VIOLATIONS = [("V1", "3"), ("V1", "33"), ("V4", "3"), ("V6", "33")]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def days(cycles: list[Inferred]) -> list[tuple[int, int | None, bool]]:
    return [((c.found_on - FIRST).days, (c.ended_on - FIRST).days if c.ended_on else None, c.rebound) for c in cycles]


@pytest.mark.parametrize(
    ("cited", "clean", "expected"),
    [
        ([0], [], [(0, None, False)]),
        ([0], [50], [(0, 50, False)]),
        ([0], [0], [(0, None, False)]),
        ([5], [1, 2], [(5, None, False)]),
        ([0, 30], [50], [(0, 50, False)]),
        ([0, 100], [50], [(0, 50, False), (100, None, True)]),
        ([0, 415], [50], [(0, 50, False), (415, None, True)]),
        ([0, 416], [50], [(0, 50, False), (416, None, False)]),
        ([0, 100, 100], [50, 100, 120, 130], [(0, 50, False), (100, 120, True)]),
        ([0, 100, 200], [50, 150, 250], [(0, 50, False), (100, 150, True), (200, 250, True)]),
    ],
)
def test_a_cycle_ends_on_the_first_clean_day_after_its_last_citation(
    cited: list[int], clean: list[int], expected: list[Any]
):
    assert days(infer([day(n) for n in cited], [day(n) for n in clean], WINDOW)) == expected


def test_what_stands_is_gone_on_from_and_never_rewritten():
    ended = Standing(1, day(0), day(0), day(50))
    cycles = infer([day(20), day(100)], [day(50), day(150)], WINDOW, ended)
    assert [(c.no, c.standing, c.cited) for c in cycles] == [(1, True, [0]), (2, False, [1])]
    assert cycles[0].ended_on == day(50)
    assert (cycles[1].ended_on, cycles[1].rebound) == (day(150), True)
    still = infer([], [day(10), day(60)], WINDOW, Standing(1, day(0), day(30), None))
    assert still[0].ended_on == day(60)


def test_every_split_of_the_citations_gives_the_same_last_cycle_when_they_come_in_order():
    cited, clean = [day(n) for n in (0, 40, 100, 160, 700)], [day(n) for n in (60, 120, 200)]
    whole = infer(cited, clean, WINDOW)
    for cut in range(1, len(cited)):
        known = [one for one in clean if one < cited[cut]]
        first = infer(cited[:cut], known, WINDOW)
        last = first[-1]
        assert last.last_on is not None
        rest = infer(cited[cut:], clean, WINDOW, Standing(last.no, last.found_on, last.last_on, last.ended_on))
        assert days([*first[:-1], *rest])[-1][:2] == days(whole)[-1][:2]
        assert rest[-1].no == whole[-1].no


# On the database


def bring(files: list[Path], **more: Any) -> Taken:
    actor = keeper(None, "chicago", zone="America/Chicago")
    return take_in(files, mappings_named("chicago"), actor=actor, at=AT, **more)


def lives() -> list[tuple[Any, ...]]:
    rows = Hazard.objects.order_by("place__number", "code")
    return [
        (r.place.number, r.code, r.state, r.cycle_no, r.rebound_no, r.voices_count, str(r.closed_on or ""), r.proof,
         [(c.no, str(c.found_on), str(c.ended_on or ""), c.inferred) for c in r.cycles.order_by("no")])
        for r in rows
    ]  # fmt: skip


EXPECTED = [
    (
        "1",
        "3",
        "closed",
        2,
        1,
        2,
        "2014-01-10",
        "inferred",
        [(1, "2012-01-10", "2012-06-10", True), (2, "2012-09-10", "2014-01-10", True)],
    ),
    ("1", "33", "closed", 1, 0, 1, "2012-06-10", "inferred", [(1, "2012-01-10", "2012-06-10", True)]),
    ("2", "33", "rectifying", 1, 0, 1, "", "", [(1, "2012-03-01", "", True)]),
]


@pytest.mark.django_db
def test_history_is_on_the_ledger_without_duties_and_a_second_import_changes_nothing(tmp_path: Path):
    files = chicago(tmp_path, VISITS, VIOLATIONS)
    assert bring(files).counts == {**NOTHING, "new": 2 + 7 + 4}
    assert lives() == EXPECTED
    assert (Obligation.objects.count(), Link.objects.count()) == (0, 0)
    hazard = Hazard.objects.get(place__number="1", code="3")
    assert hazard.historical
    assert hazard.holder.steward
    assert hazard.watch_until is None
    assert hazard.due_at is None
    assert sorted(Finding.objects.filter(hazard=hazard).values_list("cycle_no", flat=True)) == [1, 2]
    assert Voice.objects.filter(hazard=hazard, observation__isnull=False).count() == 2
    assert dict(Visit.objects.values_list("kind", "findings_count").filter(place__number="1", on="2012-01-10")) == {
        "routine": 2
    }
    assert set(Observation.objects.filter(kind="hazard").values_list("subject_id", flat=True)) == set(
        Hazard.objects.values_list("pk", flat=True)
    )
    body = Entry.objects.get(matter=f"hazard:{hazard.pk.hex}").body
    assert all(f'"{row_name(row)}":"{row_digest(row)}"' in body for row in [hazard, *hazard.cycles.all()])
    entries = Entry.objects.exclude(body__contains='"verb":"source.read"').count()
    again = bring(files)
    assert again.counts == {**NOTHING, "same": 13}
    assert again.derived["chicago_hazards"].hazards == 0
    assert Entry.objects.exclude(body__contains='"verb":"source.read"').count() == entries
    for visit in Visit.objects.all():
        assert (
            f'"{row_name(visit)}":"{row_digest(visit)}"'
            in Entry.objects.get(body__contains=f'"subject":"visit:{visit.pk.hex}"').body
        )


@pytest.mark.django_db
def test_years_that_come_one_after_the_other_end_as_if_they_had_come_at_once(tmp_path: Path):
    early = [v for v in VISITS if v[2] < "2012-09-01"]
    names = {v[0] for v in early}
    bring(chicago(tmp_path, early, [v for v in VIOLATIONS if v[0] in names]))
    assert lives()[0][2:5] == ("closed", 1, 0)
    late = [v for v in VISITS if v[0] == "V4"]
    bring(chicago(tmp_path, late, [("V4", "3")]))
    assert lives()[0][2:5] == ("rectifying", 2, 1)
    # A later clean visit alone ends the open cycle, although no row of a hazard comes with it.
    bring(chicago(tmp_path, [v for v in VISITS if v[0] == "V5"], []))
    assert lives() == EXPECTED
    hazard = Hazard.objects.get(place__number="1", code="3")
    last = Entry.objects.filter(matter=f"hazard:{hazard.pk.hex}").order_by("-position")[0].body
    assert f'"{row_name(hazard)}":"{row_digest(hazard)}"' in last


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("at_write", [1, 2, 3])
def test_a_crash_in_the_middle_resumes_by_running_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_write: int):
    files = chicago(tmp_path, VISITS, VIOLATIONS)
    whole = history._write
    calls = 0

    def broken(*given: Any) -> float:
        nonlocal calls
        calls += 1
        if calls == at_write:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(history, "_write", broken)
    monkeypatch.setattr(history, "FIRST_ROWS", 1)
    monkeypatch.setattr(history, "LEAST_ROWS", 1)
    monkeypatch.setattr(history, "MOST_ROWS", 1)
    with pytest.raises(KeyboardInterrupt):
        bring(files)
    assert Hazard.objects.count() == at_write - 1
    monkeypatch.setattr(history, "_write", whole)
    assert bring(files).counts == {**NOTHING, "same": 13}
    assert lives() == EXPECTED


@pytest.mark.django_db
def test_rows_of_unknown_visits_and_places_and_changed_visits_are_refused(tmp_path: Path):
    bring(chicago(tmp_path, VISITS, VIOLATIONS))
    changed = [("V1", "1", "2012-01-11", "routine", "fail"), ("V8", "77", "2012-01-11", "routine", "fail")]
    taken = bring(chicago(tmp_path, changed, [("V9", "3"), ("V1", "99")]), refused=tmp_path / "back.csv")
    assert taken.counts == {**NOTHING, "same": 2, "refused": 4}
    assert {p.code for p in taken.problems} == {"visit_fixed", "place_unknown", "visit_unknown", "code_unknown"}
    assert sorted(path.name for path in taken.refused_files) == ["back-hazards.csv", "back-visits.csv"]
    assert Visit.objects.get(place__number="1", kind="routine", on="2012-01-10").version == 1


@pytest.mark.django_db
def test_a_preview_knows_what_earlier_files_would_bring_and_leaves_no_root_behind(tmp_path: Path):
    files = chicago(tmp_path, VISITS, [*VIOLATIONS, ("V9", "3")])
    taken = bring(files, dry=True)
    assert taken.counts == {**NOTHING, "new": 13, "refused": 1}
    assert (Visit.objects.count(), Entry.objects.count(), Observation.objects.count()) == (0, 0, 0)


@pytest.mark.django_db
def test_visits_come_back_unchanged_and_unknown_files_are_named(tmp_path: Path):
    stranger = table(tmp_path / "signals.csv", ("date", "kind"), [("2012-01-01", "x")])
    taken = bring([*chicago(tmp_path, VISITS, VIOLATIONS), stranger])
    assert taken.unknown == ["signals.csv"]
    actor = keeper(None, "chicago", zone="America/Chicago")
    out = tmp_path / "out.csv"
    assert export_visits(actor=actor, at=AT, filters=Filters(), out=out) == 7
    back = take_in([out], mappings_named("visits"), actor=actor, at=AT)
    assert back.counts == {**NOTHING, "same": 7}


@pytest.mark.django_db
def test_reports_without_places_stand_at_their_source_each_for_itself(tmp_path: Path):
    rows = [
        ("R1", "消防设施是否完好", "灭火器过期"),
        ("R2", "消防设施是否完好", ""),
        ("R3", "疏散通道是否畅通", "灭火器过期"),
    ]
    path = table(tmp_path / "r.csv", ("report_id", "item", "finding"), rows, encoding="gb18030")
    actor = keeper(None, "hazard_reports_zh", zone="Asia/Shanghai")
    taken = take_in([path], mappings_named("hazard_reports_zh"), actor=actor, at=AT)
    assert taken.counts == {**NOTHING, "new": 3}
    assert taken.results["hazard_reports_zh"].flags["blank_text"] == 1
    assert sorted(Hazard.objects.values_list("part", "fact", "class_code", "state", "found_on")) == [
        ("R1", "灭火器过期", "unclassified", "unverified", date(2026, 3, 2)), ("R2", "", "unclassified", "unverified", date(2026, 3, 2)),
        ("R3", "灭火器过期", "unclassified", "unverified", date(2026, 3, 2)),
    ]  # fmt: skip
    assert Cycle.objects.filter(ended_on__isnull=False).count() == 0
    assert len(set(Hazard.objects.values_list("code", flat=True))) == 2
    assert take_in([path], mappings_named("hazard_reports_zh"), actor=actor, at=AT).counts == {**NOTHING, "same": 3}
