"""Files of open hazards: the same rows as entering by hand, joined and rebounding, brought back unchanged, refused with reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import models

from anban.base.journal.digests import row_digest, row_name
from anban.base.journal.models import Entry
from anban.base.notices.models import Notice
from anban.contexts.establishments.importers import SourceFile
from anban.contexts.hazards.exporters import HEADERS, rows_of
from anban.contexts.hazards.models import Cycle, Hazard, Voice
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.inspections.importers import Taken, mappings_named, take_in
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.models import Link
from anban.kit.tabular import write_csv, write_xlsx
from tests.factories.inspections import table
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db
HEADER = ("来源编号", "单位编号", "检查项", "隐患类别", "部位", "情况描述", "发现日期", "来源")
NOTHING = {"new": 0, "changed": 0, "same": 0, "refused": 0}


def bring(t: Town, path: Path, *, who: str = "", mapping: str = "hazards", **more: Any) -> Taken:
    actor = t.actor(who) if who else t.job
    return take_in([path], mappings_named(mapping), actor=actor, at=more.pop("at", AT), **more)


def plain(row: models.Model, *left_out: str) -> dict[str, Any]:
    own = {"id", "number", "search", "hazard_id", "matter_id", "subject_id", "origin_ref", *left_out}
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname not in own}


LATE = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(("manager", "at"), [("李强", AT), (None, AT), ("李强", LATE)])
def test_a_row_becomes_what_entering_by_hand_makes(tmp_path: Path, manager: str | None, at: datetime):
    t = town()
    # Two places with one id's last digits would share officers; the officer is chosen by the place, so take the same place.
    place = t.place(manager=manager)
    actor = t.actor("刘洋")
    on = at.date()
    by_hand = enter(
        actor=actor,
        at=at,
        sighting=Sighting(place_id=place.pk, code="RG07", part="东侧", fact="报警器断电", origin="patrol"),
    ).hazard
    rows = [("A1", place.number, "RG07", "", "西侧", "报警器断电", f"{on}", "巡查")]
    assert bring(t, table(tmp_path / "h.csv", HEADER, rows), who="刘洋", at=at).counts == {**NOTHING, "new": 1}
    by_file = Hazard.objects.exclude(pk=by_hand.pk).get()
    assert plain(by_file, "part") == plain(Hazard.objects.get(pk=by_hand.pk), "part")
    for model, of in ((Cycle, "hazard"), (Voice, "hazard"), (Link, "matter_id"), (Obligation, "matter_id")):
        ours = sorted((str(plain(r)) for r in model.objects.filter(**{of: by_file.pk})), key=str)
        theirs = sorted((str(plain(r)) for r in model.objects.filter(**{of: by_hand.pk})), key=str)
        assert ours == theirs
        assert ours
    # From the day of the templates on, what the chain lacks is asked for in both ways.
    assert Obligation.objects.filter(kind="name_supplier").count() == (2 if at == LATE else 0)
    body = Entry.objects.get(matter=f"hazard:{by_file.pk.hex}").body
    sealed = [
        by_file,
        *Cycle.objects.filter(hazard=by_file),
        *Link.objects.filter(matter_id=by_file.pk),
        *Obligation.objects.filter(matter_id=by_file.pk),
    ]
    assert all(f'"{row_name(row)}":"{row_digest(row)}"' in body for row in sealed)
    assert Notice.objects.filter(key__startswith="import:").count() == 1


def test_repeated_dangers_join_and_a_second_import_changes_nothing(tmp_path: Path):
    t = town()
    place = t.place()
    rows = [
        ("A1", place.number, "RG07", "", "", "断电", "2026-03-01", "检查"),
        ("A2", place.number, "RG07", "", "厨房", "又断电", "2026-03-02", "12345"),
        ("A3", place.number, "RG03", "", "", "两种气源", "2026-03-02", ""),
        ("A4", place.number, "", "GAS", "", "", "", ""),
    ]
    path = table(tmp_path / "h.csv", HEADER, rows, encoding="gb18030")
    first = bring(t, path)
    assert first.counts == {**NOTHING, "new": 4}
    assert dict(first.results["hazards"].flags) == {"blank_text": 1, "no_date": 1}
    assert sorted(Hazard.objects.values_list("code", "voices_count")) == [("", 1), ("RG03", 1), ("RG07", 2)]
    entries = Entry.objects.filter(body__contains='"hazard.').count()
    assert bring(t, path).counts == {**NOTHING, "same": 4}
    assert Entry.objects.filter(body__contains='"hazard.').count() == entries


def test_a_closed_danger_in_a_file_is_a_rebound(tmp_path: Path):
    t = town()
    place = t.place()
    hazard = enter(actor=t.job, at=AT, sighting=Sighting(place_id=place.pk, code="RG07", fact="断电")).hazard
    Cycle.objects.filter(hazard=hazard).update(ended_on=AT.date(), ended_at=AT)
    Hazard.objects.filter(pk=hazard.pk).update(state="closed", is_open=False, closed_on=AT.date())
    later = AT + timedelta(days=30)
    rows = [("B1", place.number, "RG07", "", "", "又断电", later.date().isoformat(), "检查")]
    assert bring(t, table(tmp_path / "h.csv", HEADER, rows), at=later).counts == {**NOTHING, "new": 1}
    hazard.refresh_from_db()
    assert (hazard.cycle_no, hazard.rebound_no, hazard.is_open) == (2, 1, True)


def test_broken_rows_go_back_with_their_reason_and_the_good_ones_stay(tmp_path: Path):
    t = town()
    place = t.place()
    rows = [
        ("A1", place.number, "RG07", "", "", "断电", "2026-03-01", ""),
        ("A2", "EST-999999", "RG07", "", "", "x", "2026-03-01", ""),
        ("A3", place.number, "ZZ99", "", "", "x", "2026-03-01", ""),
        ("A4", place.number, "RG03", "", "", "x", "2026-02-30", ""),
        ("A5", place.number, "RG03", "", "", "x", "2027-03-01", ""),
        ("A6", place.number, "", "没有的类", "", "x", "2026-03-01", ""),
        ("A7", place.number, "RG03", "", "", "x", "2026-03-01"),
    ]
    refused = tmp_path / "refused.xlsx"
    source = tmp_path / "h.xlsx"
    write_xlsx(source, HEADER, [[*row, ""][:8] for row in rows], sheet="三月")
    taken = bring(t, source, refused=refused)
    assert taken.counts == {**NOTHING, "new": 2, "refused": 5}
    assert sorted((p.sheet, p.row, p.column, p.code) for p in taken.problems) == [
        ("三月", 3, "单位编号", "place_unknown"), ("三月", 4, "检查项", "code_unknown"), ("三月", 5, "发现日期", "no_such_day"),
        ("三月", 6, "发现日期", "in_the_future"), ("三月", 7, "隐患类别", "class_unknown"),
    ]  # fmt: skip
    assert bring(t, refused).counts == {**NOTHING, "refused": 5}
    ragged = table(tmp_path / "r.csv", HEADER, [rows[0], rows[6]])
    assert bring(t, ragged).counts == {**NOTHING, "same": 1, "refused": 1}


def test_an_export_comes_back_unchanged_and_only_descriptions_are_corrected(tmp_path: Path):
    t = town()
    place = t.place()
    rows = [
        (f"A{n}", place.number, code, "", "", f"=情况{n}", "2026-03-01", "检查")
        for n, code in enumerate(("RG07", "RG03", "RG01"))
    ]
    bring(t, table(tmp_path / "h.csv", HEADER, rows))
    enter(actor=t.actor("王敏"), at=AT, sighting=Sighting(place_id=place.pk, class_code="FIRE", fact="通道堵塞\n两处"))
    shown = [list(row) for row in rows_of(Hazard.objects.select_related("holder", "holder_body"), "Asia/Shanghai")]
    path = tmp_path / "out.csv"
    write_csv(path, HEADERS, shown)
    before = Entry.objects.filter(body__contains='"hazard.').count()
    assert bring(t, path).counts == {**NOTHING, "same": 4}
    assert Entry.objects.filter(body__contains='"hazard.').count() == before
    at = {name: number for number, name in enumerate(HEADERS)}
    shown[0][at["事实"]] = "改过的情况"
    shown[1][at["状态"]] = "closed"
    write_csv(path, HEADERS, shown)
    taken = bring(t, path)
    assert taken.counts == {**NOTHING, "changed": 1, "same": 2, "refused": 1}
    assert [(p.column, p.code) for p in taken.problems] == [("状态", "not_by_file")]
    assert Hazard.objects.filter(fact="改过的情况", version=2).count() == 1
    assert Entry.objects.filter(body__contains='"hazard.described_again"').count() == 1
    assert bring(t, path).counts == {**NOTHING, "same": 3, "refused": 1}


def test_a_preview_writes_nothing_and_says_the_same(tmp_path: Path):
    t = town()
    place = t.place()
    path = table(tmp_path / "h.csv", HEADER, [("A1", place.number, "RG07", "", "", "断电", "2026-03-01", "")])
    before = Entry.objects.count()
    assert take_in([SourceFile(path, "三月.csv")], mappings_named("hazards"), actor=t.job, at=AT, dry=True).counts == {
        **NOTHING,
        "new": 1,
    }
    assert (Hazard.objects.count(), Entry.objects.count()) == (0, before)


def test_who_may_not_keep_the_place_brings_nothing(tmp_path: Path):
    t = town()
    there = t.place("中关村面馆", area="中关村街道", manager=None)
    path = table(tmp_path / "h.csv", HEADER, [("A1", there.number, "RG07", "", "", "断电", "2026-03-01", "")])
    taken = bring(t, path, who="刘洋")
    assert taken.counts == {**NOTHING, "refused": 1}
    assert taken.problems[0].code == "not_allowed"
    assert Hazard.objects.count() == 0
