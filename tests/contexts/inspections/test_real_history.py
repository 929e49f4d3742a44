"""The public data sets through the importers: a sample of Chicago and of the self-reports, and both whole under soak."""

from __future__ import annotations

import csv
import gzip
import itertools
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest

from anban.contexts.hazards.models import Cycle, Hazard
from anban.contexts.inspections.importers import keeper, mappings_named, take_in
from anban.contexts.inspections.models import Finding, Visit
from tests.data_location import real_data
from tests.factories.inspections import table
from tests.factories.town import AT

pytestmark = [pytest.mark.real_data, pytest.mark.django_db]
NOTHING = {"new": 0, "changed": 0, "same": 0, "refused": 0}
Rows = list[dict[str, str]]


def read(name: str) -> Rows:
    with gzip.open(real_data(name), "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def sample(folder: Path, every: int) -> tuple[list[Path], Rows, Rows, Rows]:
    """Cut every so many places out of Chicago, with all of their visits and violations."""
    places = read("chicago/establishments.csv.gz")[::every]
    kept = {row["establishment_id"] for row in places}
    visits = [row for row in read("chicago/inspections.csv.gz") if row["establishment_id"] in kept]
    named = {row["inspection_id"] for row in visits}
    violations = [row for row in read("chicago/hazards.csv.gz") if row["inspection_id"] in named]
    files = [
        table(folder / f"{name}.csv.gz", list(rows[0]), [list(row.values()) for row in rows])
        for name, rows in (("hazards", violations), ("inspections", visits), ("establishments", places))
    ]
    return files, places, visits, violations


def ends(visits: Rows, violations: Rows) -> dict[tuple[str, str], list[tuple[date, date | None]]]:
    """Work the cycles out another way: replay each place day by day."""
    cited = defaultdict(set)
    for row in violations:
        cited[row["inspection_id"]].add(row["code"])
    by_place: dict[str, dict[date, list[tuple[bool, set[str]]]]] = defaultdict(lambda: defaultdict(list))
    for row in visits:
        known = row["kind"] == "routine" and row["result"] != "unknown"
        by_place[row["establishment_id"]][date.fromisoformat(row["date"])].append((known, cited[row["inspection_id"]]))
    found: dict[tuple[str, str], list[tuple[date, date | None]]] = {}
    for place, days in by_place.items():
        for code in {code for day in days.values() for _, codes in day for code in codes}:
            cycles: list[tuple[date, date | None]] = []
            for day in sorted(days):
                is_cited = any(code in codes for _, codes in days[day])
                is_clean = any(known and code not in codes for known, codes in days[day])
                open_now = bool(cycles) and cycles[-1][1] is None
                if is_cited and not open_now:
                    cycles.append((day, None))
                elif not is_cited and is_clean and open_now:
                    cycles[-1] = (cycles[-1][0], day)
            found[place, code] = cycles
    return found


def check(places: Rows, visits: Rows, violations: Rows) -> None:
    expected = ends(visits, violations)
    assert Hazard.objects.count() == len(expected)
    assert (Visit.objects.count(), Finding.objects.count()) == (len(visits), len(violations))
    ours: dict[tuple[str, str], list[tuple[date, date | None]]] = defaultdict(list)
    rows = Cycle.objects.order_by("no").values_list("hazard__place__number", "hazard__code", "found_on", "ended_on")
    for place, code, found_on, ended_on in rows:
        ours[place, code].append((found_on, ended_on))
    assert ours == expected
    rebounds = sum(
        sum(0 <= (later[0] - earlier[1]).days <= 365 for earlier, later in itertools.pairwise(cycles) if earlier[1])
        for cycles in expected.values()
    )
    assert sum(Hazard.objects.values_list("rebound_no", flat=True)) == rebounds > 0
    assert len(places) > 0


def test_a_sample_of_chicago_has_the_cycles_that_a_replay_gives(tmp_path: Path):
    files, places, visits, violations = sample(tmp_path, 150)
    actor = keeper(None, "chicago", zone="America/Chicago")
    taken = take_in(files, mappings_named("chicago"), actor=actor, at=AT)
    assert taken.counts == {**NOTHING, "new": len(places) + len(visits) + len(violations)}
    check(places, visits, violations)
    assert take_in(files, mappings_named("chicago"), actor=actor, at=AT).counts == {
        **NOTHING,
        "same": taken.counts["new"],
    }


def test_a_sample_of_the_self_reports_is_taken_in_blanks_included(tmp_path: Path):
    rows = [
        row for n, row in enumerate(read("hazard_reports_zh/reports.csv.gz")) if n < 200 or not row["finding"].strip()
    ]
    path = table(tmp_path / "reports.csv", list(rows[0]), [list(row.values()) for row in rows], encoding="gb18030")
    actor = keeper(None, "hazard_reports_zh", zone="Asia/Shanghai")
    taken = take_in([path], mappings_named("hazard_reports_zh"), actor=actor, at=AT)
    assert taken.counts == {**NOTHING, "new": len(rows)}
    assert taken.results["hazard_reports_zh"].flags["blank_text"] == 47
    assert Hazard.objects.filter(fact="").count() == 47
    assert set(Hazard.objects.values_list("class_code", flat=True)) == {"unclassified"}


def test_the_whole_of_both_sets(soak: bool):
    if not soak:
        assert {row["code"] for row in read("chicago/hazards.csv.gz")} <= {*(str(n) for n in range(1, 45)), "70"}
        return
    files = [real_data(f"chicago/{name}.csv.gz") for name in ("establishments", "inspections", "hazards")]
    actor = keeper(None, "chicago", zone="America/Chicago")
    taken = take_in(files, mappings_named("chicago"), actor=actor, at=AT)
    assert taken.counts == {**NOTHING, "new": 22_211 + 66_378 + 101_473}
    check(*(read(f"chicago/{name}.csv.gz") for name in ("establishments", "inspections", "hazards")))
    reports = [real_data("hazard_reports_zh/reports.csv.gz")]
    words = keeper(None, "hazard_reports_zh", zone="Asia/Shanghai")
    assert take_in(reports, mappings_named("hazard_reports_zh"), actor=words, at=AT).counts == {
        **NOTHING,
        "new": 20_105,
    }
