"""Tables of mandates and bodies: good rows go in, bad ones come back with row, column and reason; twice changes nothing."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from anban.base.journal.models import Entry
from anban.config.cli import main
from anban.contexts.establishments.importers import Result, apply, mapping_named, preview
from anban.contexts.establishments.models import Observation
from anban.contexts.responsibility.exporters import export_bodies, export_mandates
from anban.contexts.responsibility.models import Boundary, Mandate
from anban.contexts.responsibility.operations import change_mandates
from anban.contexts.territory.models import Body
from anban.kit.tabular import write_xlsx
from tests.factories.town import AT, town

pytestmark = pytest.mark.django_db

HEADER = "body,role,place_kind,industry,hazard_class,area,phase,from,until,basis"


def table(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "mandates.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def take_in(path: Path, *, actor, name: str = "mandates", refused: Path | None = None) -> Result:
    return apply([path], mapping_named(name), actor=actor, at=AT, refused=refused)


GOOD = (
    "朝阳商务局,sector_lead,hospital,,,A01,,2026-01-01,,试验依据",
    "朝阳消防,special,,62,FIRE,A01,during,2026-01-01,2027-01-01,",
    "朝阳城管委,行业主管,住宿业务,,,A01,,,,",
)


def test_good_rows_go_in_and_a_second_import_changes_nothing(tmp_path):
    t = town()
    path = table(tmp_path, *GOOD[:2])
    before = Mandate.objects.count()
    assert preview([path], mapping_named("mandates"), actor=t.job, at=AT).counts == {"new": 2, "changed": 0, "same": 0, "refused": 0}  # fmt: skip
    assert Mandate.objects.count() == before
    assert take_in(path, actor=t.job).counts["new"] == 2
    assert Mandate.objects.count() == before + 2
    entries = Entry.objects.count()
    again = take_in(path, actor=t.job)
    assert again.counts == {"new": 0, "changed": 0, "same": 2, "refused": 0}
    assert Entry.objects.count() == entries + 1, "that the file was read"
    assert Observation.objects.filter(kind="mandate").count() == 2


BAD = (
    ("没有的局,special,,,GAS,A01,,,,", "body", "body_unknown"),
    ("朝阳消防,chief,,,GAS,A01,,,,", "role", "role_unknown"),
    ("朝阳消防,special,,,GAS,Z99,,,,", "area", "area_unknown"),
    ("朝阳消防,special,castle,,,A01,,,,", "place_kind", "kind_unknown"),
    ("朝阳消防,special,,,WIND,A01,,,,", "hazard_class", "class_unknown"),
    ("朝阳消防,special,catering,62,,A01,,,,", "industry", "kind_and_industry"),
    ("朝阳消防,special,,H,,A01,,,,", "industry", "industry_section"),
    ("朝阳消防,special,,,GAS,A01,sometime,,,", "phase", "phase_unknown"),
    ("朝阳消防,special,,,GAS,A01,,2026-05-01,2026-05-01,", "until", "reversed"),
    ("朝阳消防,special,,,GAS,A01,,31 May,,", "from", "not_a_date"),
    (",special,,,GAS,A01,,,,", "body", "blank"),
    ("朝阳消防,special", "place_kind", "short_row"),
)


def test_a_bad_row_is_refused_by_column_and_the_good_one_beside_it_goes_in(tmp_path):
    t = town()
    refused = tmp_path / "refused.csv"
    path = table(tmp_path, GOOD[0], *(row for row, _, _ in BAD))
    taken = take_in(path, actor=t.job, refused=refused)
    assert taken.counts == {"new": 1, "changed": 0, "same": 0, "refused": len(BAD)}
    first = {problem.row: (problem.column, problem.code) for problem in reversed(taken.problems)}
    assert first == {number: (column, code) for number, (_, column, code) in enumerate(BAD, start=3)}
    assert all(problem.zh and problem.en for problem in taken.problems)
    with refused.open(encoding="utf-8-sig", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == len(BAD)


def test_contradicting_rows_are_refused_and_overlapping_bodies_are_listed(tmp_path):
    t = town()
    taken = take_in(
        table(
            tmp_path,
            "朝阳商务局,sector_lead,hospital,,,A01,,2026-01-01,,甲",
            "朝阳商务局,sector_lead,hospital,,,A01,,2026-01-01,2026-06-01,乙",
            "朝阳商务局,sector_lead,hospital,,,A01,,2026-03-01,,丙",
            "朝阳消防,sector_lead,hospital,,,A01,,2026-02-01,,丁",
            "朝阳城管委,special,,,GAS,A01,,2026-02-01,,与已登记的重叠",
        ),
        actor=t.job,
    )
    assert taken.counts == {"new": 2, "changed": 0, "same": 0, "refused": 3}
    assert [one.row for one in taken.problems] == [3, 4, 6]
    assert sorted({one.row for one in taken.notes}) == [2, 5]
    assert "朝阳消防" in taken.notes[0].zh


def test_a_row_that_only_ends_a_duty_changes_it(tmp_path):
    t = town()
    take_in(table(tmp_path, GOOD[0]), actor=t.job)
    ended = GOOD[0].replace("2026-01-01,,", "2026-01-01,2026-09-01,")
    assert take_in(table(tmp_path, ended), actor=t.job).counts["changed"] == 1
    assert str(Mandate.objects.get(place_kind="hospital").until_on) == "2026-09-01"
    assert Entry.objects.filter(body__contains="mandate.changed").count() == 1


def test_an_officer_of_a_district_cannot_enter_duties_of_another(tmp_path):
    t = town()
    taken = take_in(table(tmp_path, GOOD[0], GOOD[0].replace("A01", "A02")), actor=t.actor("何静"))
    assert taken.counts == {"new": 1, "changed": 0, "same": 0, "refused": 1}
    assert taken.problems[0].code == "not_allowed"


def test_a_table_without_its_columns_or_content_is_refused(tmp_path):
    t = town()
    taken = take_in(table(tmp_path, "朝阳消防,special", header="body,role"), actor=t.job)
    assert taken.counts["refused"] == 1
    assert "地区代码" in taken.problems[0].zh
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert [one.code for one in take_in(empty, actor=t.job).problems] == ["file_empty"]


def test_an_export_imports_back_unchanged(tmp_path):
    t = town()
    take_in(table(tmp_path, *GOOD[:2]), actor=t.job)
    for form, words in (("csv", False), ("csv", True), ("xlsx", False), ("xlsx", True)):
        out = tmp_path / f"all-{words}.{form}"
        rows = export_mandates(actor=t.job, at=AT, out=out, form=form, words=words)
        assert take_in(out, actor=t.job).counts == {
            "new": 0,
            "changed": 0,
            "same": rows,
            "refused": 0,
        }


def test_bodies_go_in_once_and_may_name_a_superior_of_the_same_file(tmp_path):
    t = town()
    path = tmp_path / "bodies.xlsx"
    header = ["机构代码", "机构类型", "名称", "地区", "上级机构"]
    rows = [
        ["education", "区教育委员会", "朝阳教委", "A01", ""],
        ["edu-station", "district_education", "朝阳教委一站", "朝阳区", "education"],
        ["bad", "no_such_kind", "某局", "A01", ""],
        ["朝阳消防", "district_fire", "另一个消防", "A01", ""],
        ["bad2", "district_fire", "某局", "A01", "没有的"],
    ]
    write_xlsx(path, header, rows)
    assert take_in(path, actor=t.job, name="bodies").counts == {"new": 2, "changed": 0, "same": 0, "refused": 3}
    assert Body.objects.get(code="edu-station").superior.code == "education"
    assert take_in(path, actor=t.job, name="bodies").counts == {"new": 0, "changed": 0, "same": 2, "refused": 3}


def test_the_command_takes_a_table_in_and_puts_what_is_open_on_desks(tmp_path, capsys):
    t = town()
    t.place(kind="postnatal_centre", manager=None)
    path = table(tmp_path, GOOD[0], "没有的局,special,,,GAS,A01,,,,")
    assert main(["import", "mandates", str(path), "--root", "town", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"new": 1, "changed": 0, "same": 0, "refused": 1}
    assert Boundary.objects.filter(place_kind="postnatal_centre", fault="gap", role="sector_lead").count() == 1
    out = tmp_path / "out.csv"
    assert main(["export", "mandates", "--root", "town", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8-sig").splitlines()[0] == HEADER
    assert main(["import", "mandates", str(tmp_path / "none.csv"), "--root", "town"]) == 2


def test_bodies_come_out_as_they_go_in_superiors_first(tmp_path):
    t = town()
    child, parent = t.bodies["朝阳消防"], t.bodies["朝阳城管委"]
    child.superior = parent
    child.save()
    for form, words in (("csv", False), ("xlsx", True)):
        out = tmp_path / f"bodies-{words}.{form}"
        rows = export_bodies(actor=t.job, at=AT, out=out, form=form, words=words)
        assert rows == Body.objects.filter(root="town").count()
        assert take_in(out, actor=t.job, name="bodies").counts == {"new": 0, "changed": 0, "same": rows, "refused": 0}
    lines = (tmp_path / "bodies-False.csv").read_text(encoding="utf-8-sig").splitlines()
    codes = [line.split(",")[0] for line in lines]
    assert codes.index(parent.code) < codes.index(child.code)


def test_a_preview_tells_what_the_table_would_do_to_places_and_the_import_puts_the_rest_on_desks(tmp_path):
    t = town()
    for name in ("一号会所", "二号会所"):
        t.place(name, kind="postnatal_centre", manager=None)
    path = table(
        tmp_path, "朝阳商务局,sector_lead,postnatal_centre,,,A01,,2026-01-01,,试验依据",
        "朝阳消防,special,,,GAS,A01,,2026-01-01,,交叉",
    )  # fmt: skip
    told = [one.zh for one in preview([path], mapping_named("mandates"), actor=t.job, at=AT).effects]
    assert any("会明确 2 个场所" in one for one in told)
    assert any("2 个场所新增责任交叉" in one for one in told)
    later = table(tmp_path, "朝阳商务局,sector_lead,hospital,,,A01,,2026-05-01,,试验依据")
    assert "2026-05-01" in preview([later], mapping_named("mandates"), actor=t.job, at=AT).effects[0].zh


def test_a_file_stands_for_the_table_even_after_somebody_changed_it_elsewhere(tmp_path):
    t = town()
    path = table(tmp_path, GOOD[0])
    take_in(path, actor=t.job)
    row = Mandate.objects.get(place_kind="hospital")
    change_mandates(actor=t.job, at=AT, changes=[(row, date(2027, 1, 1), "另一依据")])
    assert take_in(path, actor=t.job).counts["changed"] == 1
    row.refresh_from_db()
    assert (row.until_on, row.basis) == (None, "试验依据")


def test_a_row_written_in_words_and_in_codes_is_one_row(tmp_path):
    t = town()
    words = "朝阳商务局,行业主管,医院,,,朝阳区,,2026-01-01,,试验依据"
    assert take_in(table(tmp_path, GOOD[0], words), actor=t.job).counts == {"new": 1, "changed": 0, "same": 1, "refused": 0}  # fmt: skip
