"""Files of places: understood, previewed, taken in once, resumed after a crash, handed back, exported and brought back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anban.base.journal.digests import row_digest, row_name
from anban.base.journal.models import Entry
from anban.base.people.actor import Actor, job_actor
from anban.base.people.models import AccessRecord, Person
from anban.contexts.catalog.operations import load_standard
from anban.contexts.establishments import operations, queries
from anban.contexts.establishments.exporters import export_places
from anban.contexts.establishments.importers import (
    Mapping,
    Result,
    apply,
    mapping_named,
    places,
    preview,
    read_mapping,
    recognise,
    running,
)
from anban.contexts.establishments.importers.reading import SourceFile
from anban.contexts.establishments.models import Observation, Party, Place, SourceList
from anban.contexts.establishments.queries import Filters
from anban.contexts.territory.operations import add_root, load_beijing
from anban.kit.tabular import write_xlsx
from anban.rules.errors import Refusal
from tests.data_location import REPOSITORY
from tests.factories.establishments import AT, Town, actor_with, make_place, make_town, steward, valid_code

pytestmark = pytest.mark.django_db
HEADER = ("名称", "地址", "统一社会信用代码", "场所类型", "街道", "所属区")
NONE = {"new": 0, "changed": 0, "same": 0, "refused": 0}


@pytest.fixture
def town() -> Town:
    return make_town()


def rows(count: int, start: int = 0) -> list[tuple[str, ...]]:
    return [(f"店{n}", f"建设路{n}号", valid_code(n), "饭店", "建设街道", "东区") for n in range(start, start + count)]


def write(path: Path, body: Sequence[Sequence[str]], header: Sequence[str] = HEADER, encoding: str = "utf-8") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *body])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def take(path: Path, mapping: str | Mapping = "places", actor: Actor | None = None, **more: Any) -> Result:
    found = mapping if isinstance(mapping, Mapping) else mapping_named(mapping)
    return apply([path], found, actor=actor or steward(), at=AT, **more)


def counts(**found: int) -> dict[str, int]:
    return NONE | found


def entries(verb: str) -> list[dict[str, Any]]:
    bodies = [json.loads(body) for body in Entry.objects.order_by("position").values_list("body", flat=True)]
    return [body for body in bodies if body["verb"] == verb]


def everything_is_sealed() -> None:
    last: dict[str, str] = {}
    for body in Entry.objects.order_by("position").values_list("body", flat=True):
        last.update(json.loads(body)["rows"])
    assert {row_name(p): row_digest(p) for p in Place.objects.all()} == last


def test_import_puts_places_on_the_register_with_entries_and_observations(town: Town, tmp_path: Path) -> None:
    result = take(write(tmp_path / "a.csv", rows(3)))
    assert result.counts == counts(new=3)
    place = Place.objects.get(name="店1")
    assert (place.kind, place.area_path, place.overview_code) == ("catering", "1/E/2/", "E")
    assert (place.credit_code, place.number) == (valid_code(1), "PL-2026-000002")
    assert len(entries("place.registered")) == 3
    assert Observation.objects.filter(place=place).get().matched_by == "registered"
    assert entries("source.read")[0]["data"] == {"mapping": "places", **counts(new=3)}
    assert SourceList.objects.get().last_read_at == AT
    everything_is_sealed()


def test_importing_twice_changes_nothing(town: Town, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows(5))
    take(path)
    before = (list(Place.objects.order_by("id").values()), list(Observation.objects.order_by("id").values()))
    assert take(path).counts == counts(same=5)
    assert (list(Place.objects.order_by("id").values()), list(Observation.objects.order_by("id").values())) == before
    assert len(entries("place.registered")) == 5


def test_preview_says_what_apply_does_and_writes_nothing(town: Town, tmp_path: Path) -> None:
    take(write(tmp_path / "a.csv", rows(2)))
    path = write(tmp_path / "b.csv", [*rows(3), ("坏", "x", "", "饭店", "没有街道", "东区")])
    size = Entry.objects.count()
    seen = preview([path], mapping_named("places"), actor=steward(), at=AT)
    assert seen.counts == counts(new=1, same=2, refused=1)
    (problem,) = seen.problems
    assert (problem.row, problem.column, problem.code) == (5, "街道", "area_unknown")
    assert [s.fate for s in seen.samples] == ["same", "same", "new"]
    assert dict(seen.tables[0].found)["kind"] == "场所类型"
    assert (Entry.objects.count(), Place.objects.count()) == (size, 2)
    assert take(path).counts == seen.counts


def test_preview_of_a_source_never_seen_writes_nothing(town: Town, tmp_path: Path) -> None:
    seen = preview([write(tmp_path / "a.csv", rows(2))], mapping_named("places"), actor=steward(), at=AT)
    assert seen.counts == counts(new=2)
    assert SourceList.objects.count() == Place.objects.count() == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_encodings_are_read_alike(town: Town, tmp_path: Path, encoding: str) -> None:
    take(write(tmp_path / "a.csv", rows(2)))
    assert take(write(tmp_path / "b.csv", rows(2), encoding=encoding)).counts == counts(same=2)


def test_workbook_says_the_same_as_text(town: Town, tmp_path: Path) -> None:
    take(write(tmp_path / "a.csv", rows(2)))
    write_xlsx(tmp_path / "a.xlsx", HEADER, rows(2))
    assert take(tmp_path / "a.xlsx").counts == counts(same=2)


def test_crash_in_the_middle_resumes_by_running_again(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.csv", rows(50))
    monkeypatch.setattr(running, "FIRST_BATCH", 10)
    monkeypatch.setattr(running, "SMALLEST_BATCH", 10)
    monkeypatch.setattr(running, "LARGEST_BATCH", 10)
    monkeypatch.setattr(running, "SERVER_BATCH", 10)
    real, done = running._observe, []

    def crash(*args: Any) -> None:
        real(*args)
        done.append(1)
        if len(done) == 3:
            raise ConnectionError("the lights went out")

    with monkeypatch.context() as patch:
        patch.setattr(running, "_observe", crash)
        with pytest.raises(ConnectionError):
            take(path)
    assert Place.objects.count() == Observation.objects.count() == 20
    assert len(entries("place.registered")) == 20
    assert take(path).counts == counts(new=30, same=20)
    assert Place.objects.count() == 50
    everything_is_sealed()


def test_batch_is_planned_again_when_somebody_changed_its_place(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_place(town, "E2", name="旧名")
    path = write(tmp_path / "a.csv", [(place.number, "新名", "E2")], ("编号", "名称", "地区代码"))
    real = places._number
    moved: list[Place] = []

    def meanwhile(*args: Any) -> None:
        if not moved:
            moved.append(
                operations.amend(actor=steward(), at=AT, place_id=place.pk, version=1, changes={"kind": "school"})
            )
        real(*args)

    monkeypatch.setattr(places, "_number", meanwhile)
    target = places.PLACES
    assert target.write is places._write
    # The amendment of the first try is rolled back with its unit; what is left is one clean change.
    assert take(path).counts == counts(changed=1)
    assert Place.objects.get(pk=place.pk).name == "新名"
    everything_is_sealed()


def test_refused_rows_come_back_in_their_own_columns_and_in_again_when_mended(town: Town, tmp_path: Path) -> None:
    header = (*HEADER, "经度", "纬度", "坐标系", "备注")
    good = (*rows(1)[0], "", "", "", "好")
    bad = [
        ("甲", "=1+1", "", "饭店", "和平街道", "", "", "", "", "街道重名"),
        ("乙", "x", "", "饭店", "E1", "", "116.4", "", "wgs84", "缺纬度"),
        ("丙", "x", "", "饭店", "E1", "", "一百", "39", "wgs84", "不是数字"),
        ("丁", "x", "", "饭店", "E1", "", "116.4", "39.9", "", "缺坐标系"),
        ("戊", "x", "", "饭店", "E1", "", "216.4", "39.9", "WGS-84", "不在地球"),
    ]
    out = tmp_path / "refused.csv"
    result = take(write(tmp_path / "a.csv", [good, *bad], header), refused=out)
    assert result.counts == counts(new=1, refused=5)
    assert result.refused_files == [out]
    codes = [(p.row, p.column, p.code) for p in result.problems]
    assert codes == [
        (3, "街道", "area_ambiguous"), (4, "纬度", "position_half"), (5, "经度", "not_a_number"),
        (6, "经度", "datum_missing"), (7, "经度", "position_wrong"),
    ]  # fmt: skip
    with out.open(encoding="utf-8-sig", newline="") as lines:
        back = list(csv.reader(lines))
    assert back[0] == [*header, "问题/problem"]
    assert [row[0] for row in back[1:]] == ["甲", "乙", "丙", "丁", "戊"]
    assert "街道：" in back[1][-1]
    assert "degrees" not in back[1][-1]
    mended = [["甲", "=1+1", "", "饭店", "和平街道", "西区", "", "", "", "改好"]]
    mended += [[*row[:6], "116.4", "39.9", "WGS-84", row[9]] for row in back[2:]]
    write(out, [[*row, "旧的问题说明"] for row in mended], back[0])
    assert take(out).counts == counts(new=5)
    assert Place.objects.get(name="甲").address == "=1+1"
    assert Place.objects.get(name="甲").area_path == "1/W/1/"


def test_refused_rows_go_to_a_workbook_when_asked(town: Town, tmp_path: Path) -> None:
    result = take(write(tmp_path / "a.csv", [("甲", "", "", "", "没有", "")]), refused=tmp_path / "r.xlsx")
    assert take(result.refused_files[0]).problems[0].code == "area_unknown"


def test_ragged_row_costs_itself_only(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称,地址,街道\n甲,a,E1\n乙,b\n丙,c,E1,多余\n丁,d,E1\n", encoding="utf-8")
    result = take(path, refused=tmp_path / "r.csv")
    assert result.counts == counts(new=2, refused=2)
    assert [(p.row, p.code) for p in result.problems] == [(3, "short_row"), (4, "extra_cells")]
    assert (tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()[2].endswith(",多余")


def test_wrong_credit_code_takes_the_place_in_with_a_flag(town: Town, tmp_path: Path) -> None:
    good = valid_code(1)
    wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
    body = [("甲", "a", wrong, "饭店", "E1", ""), ("乙", "b", "9.11E+17", "饭店", "E1", "")]
    result = take(write(tmp_path / "a.csv", body))
    assert result.counts == counts(new=2)
    assert list(Place.objects.order_by("name").values_list("credit_code", flat=True)) == ["", ""]
    flags = set(Observation.objects.values_list("flags", flat=True))
    assert flags == {"credit_code.check", "credit_code.mangled"}
    assert json.loads(Observation.objects.get(flags="credit_code.check").payload)["credit_code"] == wrong


def test_unknown_kind_and_blank_name_are_flagged_not_refused(town: Town, tmp_path: Path) -> None:
    assert take(write(tmp_path / "a.csv", [("", "a", "", "飞船", "E1", "")])).counts == counts(new=1)
    assert Observation.objects.get().flags == "kind_unknown;name_blank"


def test_key_twice_with_other_content_is_refused_and_repeats_are_the_same(town: Town, tmp_path: Path) -> None:
    one = rows(1)[0]
    other = (*one[:3], "学校", *one[4:])
    result = take(write(tmp_path / "a.csv", [one, one, other]))
    assert result.counts == counts(new=1, same=1, refused=1)
    assert [(p.row, p.code) for p in result.problems] == [(4, "key_twice")]


def test_missing_column_refuses_the_table_with_its_name(town: Town, tmp_path: Path) -> None:
    mapping = read_mapping('name="m"\ntarget="places"\nsource="s"\nrequires=["门牌"]')
    result = take(write(tmp_path / "a.csv", rows(2)), mapping)
    assert result.counts == counts(refused=2)
    assert result.problems[0].code == "header"
    assert "门牌" in result.problems[0].zh


def test_file_that_is_no_table_is_a_problem_and_others_come_in(town: Town, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 nothing")
    result = apply([broken, write(tmp_path / "a.csv", rows(1))], mapping_named("places"), actor=steward(), at=AT)
    assert result.counts == counts(new=1)
    assert [(p.file, p.row) for p in result.problems] == [("broken.xlsx", 0)]


SOURCE = 'name="{0}"\ntarget="places"\nsource="{0}"\nregister={1}\nkey=["户号"]\nnumbers="register"'


def source(name: str, *, register: bool = True) -> Mapping:
    return read_mapping(SOURCE.format(name, str(register).lower()))


def test_several_sources_meet_in_one_place(town: Town, tmp_path: Path) -> None:
    head = ("户号", "名称", "地址", "统一社会信用代码", "地区代码")
    take(write(tmp_path / "a.csv", [("1", "福满楼饭店", "和平路1号", valid_code(1), "E1")], head), source("licences"))
    gas = [
        ("G1", "福满楼", "和平路一号", valid_code(1), "E1"),
        ("G2", "福满楼 饭店", "北京市和平路1号", "", "E1"),
        ("G3", "福满楼饭店", "和平路1号", "", "W1"),
        ("G4", "福满楼饭店", "和平路1号", valid_code(2), "E1"),
    ]
    result = take(write(tmp_path / "b.csv", gas, head), source("gas"))
    assert result.counts == counts(new=4)
    place = Place.objects.get(credit_code=valid_code(1))
    matched = dict(Observation.objects.filter(place=place).values_list("key", "matched_by"))
    assert matched == {"1": "registered", "G1": "credit_code", "G2": "name_address"}
    assert (place.name, place.version) == ("福满楼饭店", 1)
    assert Place.objects.count() == 3
    assert Observation.objects.get(key="G4").flags == "possible_duplicate"


def test_ambiguous_match_is_not_merged_and_flagged(town: Town, tmp_path: Path) -> None:
    for _ in range(2):
        make_place(town, "E1", "甲", address="一号")
    head = ("户号", "名称", "地址", "地区代码")
    take(write(tmp_path / "a.csv", [("1", "甲", "一号", "E1")], head), source("gas"))
    assert Place.objects.count() == 3
    assert Observation.objects.get().flags == "possible_duplicate"


def test_other_source_fills_what_is_unknown_and_overrides_nothing(town: Town, tmp_path: Path) -> None:
    place = make_place(town, "E1", "甲", address="一号", kind="catering")
    head = ("户号", "名称", "地址", "场所类型", "统一社会信用代码", "地区代码")
    take(write(tmp_path / "a.csv", [("1", "甲", "一号", "学校", valid_code(3), "E1")], head), source("gas"))
    place.refresh_from_db()
    assert (place.kind, place.credit_code, place.version) == ("catering", valid_code(3), 2)
    take(write(tmp_path / "a.csv", [("1", "乙", "一号", "学校", valid_code(3), "E1")], head), source("gas"))
    place.refresh_from_db()
    assert (place.name, place.kind) == ("甲", "catering")
    everything_is_sealed()


def test_changed_row_of_its_own_source_changes_the_place_and_keeps_the_former_digest(
    town: Town, tmp_path: Path
) -> None:
    head = ("户号", "名称", "地址", "地区代码")
    take(write(tmp_path / "a.csv", [("1", "甲", "一号", "E1")], head), source("gas"))
    result = take(write(tmp_path / "a.csv", [("1", "乙", "一号", "E2")], head), source("gas"))
    assert result.counts == counts(changed=1)
    place = Place.objects.get()
    assert (place.name, place.area_path, place.version) == ("乙", "1/E/2/", 2)
    seen = Observation.objects.get()
    assert json.loads(seen.payload)["name"] == "乙"
    assert list(entries("source.rows_taken")[-1]["data"]["former"]) == [str(seen.pk)]
    everything_is_sealed()


def test_match_only_rows_without_a_place_are_blind_spots_until_it_is_there(town: Town, tmp_path: Path) -> None:
    head = ("户号", "名称", "地址", "地区代码")
    path = write(tmp_path / "a.csv", [("1", "甲", "一号", "E1"), ("2", "乙", "二号", "不知道")], head)
    mapping = source("gas", register=False)
    assert take(path, mapping).counts == counts(new=2)
    assert Place.objects.count() == 0
    assert set(queries.blind_spots(steward()).values_list("key", flat=True)) == {"1", "2"}
    assert [o.key for o in queries.blind_spots(actor_with("safety_inspector", "1/E/1/"))] == ["1"]
    place = make_place(town, "E1", "甲", address="一号")
    assert take(path, mapping).counts == counts(changed=1, same=1)
    assert Observation.objects.get(key="1").place_id == place.pk
    assert take(path, mapping).counts == counts(same=2)


def test_dismissed_row_stays_dismissed(town: Town, tmp_path: Path) -> None:
    head = ("户号", "名称", "地址", "地区代码")
    take(write(tmp_path / "a.csv", [("1", "甲", "一号", "E1")], head), source("gas", register=False))
    row = Observation.objects.get()
    operations.dismiss_observation(actor=steward(), at=AT, observation_id=row.pk, reason="已拆")
    assert take(write(tmp_path / "a.csv", [("1", "甲", "三号", "E1")], head), source("gas")).counts == counts(changed=1)
    row.refresh_from_db()
    assert (row.place_id, row.dismissed_reason) == (None, "已拆")


def test_rows_outside_ones_area_are_refused(town: Town, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("甲", "a", "", "", "E1", ""), ("乙", "b", "", "", "W1", "")])
    result = take(path, actor=actor_with("street_safety_office", "1/E/1/"), refused=tmp_path / "r.csv")
    assert result.counts == counts(new=1, refused=1)
    assert result.problems[0].code == "not_allowed"
    assert "乙" in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")


def test_place_of_another_area_cannot_be_pulled_over_by_a_file(town: Town, tmp_path: Path) -> None:
    place = make_place(town, "W1", "甲")
    path = write(tmp_path / "a.csv", [(place.number, "甲", "E1")], ("编号", "名称", "地区代码"))
    assert take(path, actor=actor_with("street_safety_office", "1/E/1/")).counts == counts(refused=1)
    assert Place.objects.get().area_path == "1/W/1/"


@pytest.mark.parametrize("actor", [actor_with("safety_inspector", "1/E/1/"), actor_with("leader_viewer")])
def test_posts_without_the_right_do_not_import(town: Town, tmp_path: Path, actor: Actor) -> None:
    with pytest.raises(Refusal, match=r"import\.not_allowed|不能导入"):
        take(write(tmp_path / "a.csv", rows(1)), actor=actor)
    assert SourceList.objects.count() == 0


def test_mapping_of_another_root_is_refused(town: Town, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        take(write(tmp_path / "a.csv", rows(1)), "chicago_places")
    assert caught.value.code == "import.other_root"


@pytest.mark.parametrize(
    "text", ["name=", 'name="x"', 'name="x"\ntarget="places"\nsource="s"\nkolumns={}', "[columns]\nname=3"]
)
def test_broken_mapping_is_refused_with_a_name(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_mapping(text, "x")
    assert caught.value.code == "import.mapping_broken"


def full_register(town: Town) -> None:
    building = make_place(town, "E1", "大厦", form="building", lng=116.4, lat=39.9)
    firm = make_place(
        town, "E1", "=福满楼 饭店", address="和平路1号, 东", kind="catering", credit_code=valid_code(5),
        building_id=building.pk, affiliation="central", lng=116.4039871, lat=39.9142664, datum="gcj02",
    )  # fmt: skip
    make_place(town, "W1", "停业的店", status="stopped", status_on=AT.date(), kind="not in the catalog")
    make_place(town, "W2", "-5", address="'甲")
    operations.set_party(actor=steward(), at=AT, place_id=firm.pk, role="owner_unit", name="业主公司")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("english", [False, True])
def test_export_imports_back_unchanged(town: Town, tmp_path: Path, form: Any, english: bool) -> None:
    full_register(town)
    take(write(tmp_path / "a.csv", [("有人的店", "x", "", "饭店", "E2", "", "王五")], (*HEADER, "主要负责人")))
    path = tmp_path / f"out.{form}"
    assert export_places(actor=steward(), at=AT, filters=Filters(), out=path, form=form, english=english) == 5
    assert AccessRecord.objects.values_list("what", "rows").get() == ("places.exported", 5)
    before = list(Place.objects.order_by("id").values())
    assert take(path).counts == counts(same=5)
    assert list(Place.objects.order_by("id").values()) == before
    assert Person.objects.filter(name="王五").count() == 1


def test_exported_file_brings_edits_back_and_stale_ones_are_refused(town: Town, tmp_path: Path) -> None:
    full_register(town)
    path = tmp_path / "out.csv"
    export_places(actor=steward(), at=AT, filters=Filters(), out=path)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        table = list(csv.reader(lines))
    name, owner = table[0].index("名称"), table[0].index("产权单位")
    edited = next(row for row in table[1:] if row[name] == "停业的店")
    edited[name] = "又开的店"
    sold = next(row for row in table[1:] if row[owner])
    sold[owner] = "新业主"
    write(path, table[1:], table[0])
    assert take(path).counts == counts(changed=2, same=2)
    assert Place.objects.filter(name="又开的店", version=2, kind="not in the catalog").count() == 1
    assert list(Party.objects.filter(until_on__isnull=True).values_list("name", flat=True)) == ["新业主"]
    assert take(path).counts == counts(same=4)
    edited[name] = "再改一次"
    write(path, table[1:], table[0])
    result = take(path)
    assert (result.refused, result.problems[0].code) == (1, "changed_meanwhile")
    assert Place.objects.filter(name="又开的店").count() == 1
    everything_is_sealed()


def test_exported_list_is_the_filtered_one_of_the_actor(town: Town, tmp_path: Path) -> None:
    full_register(town)
    actor = actor_with("street_safety_office", "1/E/1/")
    assert export_places(actor=actor, at=AT, filters=Filters(), out=tmp_path / "a.csv") == 2
    assert export_places(actor=actor, at=AT, filters=Filters(kind="catering"), out=tmp_path / "b.csv") == 1


def test_persons_of_a_file_reach_neither_payload_nor_journal(town: Town, tmp_path: Path) -> None:
    header = ("名称", "地址", "街道", "主要负责人", "联系电话")
    result = take(write(tmp_path / "a.csv", [("甲", "a", "E1", "王五", "13800000000")], header))
    assert result.tables[0].left_out == ("联系电话",)
    assert Person.objects.filter(name="王五").count() == 1
    text = json.dumps(
        [*Entry.objects.values_list("body", flat=True), *Observation.objects.values_list("payload", flat=True)]
    )
    for personal in ("王五", "13800000000"):
        assert personal not in text
        assert json.dumps(personal)[1:-1] not in text.replace("\\\\", "\\")


def test_several_files_are_recognised_by_their_columns(tmp_path: Path) -> None:
    chicago = write(
        tmp_path / "e.csv", [["1", "A", "B", "C", "1"]], ("establishment_id", "name", "address", "category", "ward")
    )
    ours, other = write(tmp_path / "p.csv", rows(1)), write(tmp_path / "x.csv", [["1", "2"]], ("甲", "乙"))
    mappings = [mapping_named("places"), mapping_named("chicago_places")]
    found = recognise([SourceFile(p) for p in (chicago, ours, other)], mappings)
    assert [(a.file, a.mapping.name if a.mapping else None) for a in found] == [
        ("e.csv", "chicago_places"), ("p.csv", "places"), ("x.csv", None),
    ]  # fmt: skip


def test_progress_is_told_in_rows_and_ends(town: Town, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    take(write(tmp_path / "a.csv", rows(3)), progress=lambda *args: told.append(args), expected=3)
    assert told == [(3, 3, "writing"), (3, 3, "done")]


@pytest.mark.parametrize("count", [1, 3])
def test_batch_costs_the_same_queries_for_one_and_three_rows(
    town: Town, tmp_path: Path, count: int, django_assert_max_num_queries: Any
) -> None:
    take(write(tmp_path / "a.csv", rows(1, start=90)))
    path = write(tmp_path / "b.csv", rows(count))
    with django_assert_max_num_queries(45):
        assert take(path).counts == counts(new=count)


def test_documented_sample_comes_in_on_the_real_areas(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "formats" / "places.md").read_text(encoding="utf-8")
    (tmp_path / "a.csv").write_text(page.split("```csv\n")[1].split("```")[0], encoding="utf-8")
    actor = job_actor("import", "bj")
    add_root(actor=actor, at=AT, code="bj", name="北京市", name_en="Beijing", kind="demonstration")
    load_beijing(actor=actor, at=AT, root="bj")
    load_standard(actor=actor, at=AT, root="bj")
    result = take(tmp_path / "a.csv", actor=actor)
    assert (result.problems, result.counts, dict(result.flags)) == ([], counts(new=2), {})
    rows = Place.objects.order_by("name").values_list("kind", "overview_code")
    assert list(rows) == [("warehouse_logistics", "110105"), ("catering", "110105")]


def test_every_field_of_the_target_is_documented() -> None:
    page = (REPOSITORY / "docs" / "formats" / "places.md").read_text(encoding="utf-8")
    missing = [
        c.field for c in places.PLACES.columns if f"`{c.field}`" not in page or c.zh not in page or c.en not in page
    ]
    assert missing == []


def test_a_street_that_contradicts_the_code_of_its_area_is_refused_and_one_that_agrees_is_not(
    town: Town, tmp_path: Path
) -> None:
    body = [
        ("一号店", "幸福路1号", "餐饮", "E1", "和平街道"),
        ("二号店", "幸福路2号", "餐饮", "E1", "建设街道"),
        ("三号店", "幸福路3号", "餐饮", "E1", "火星街道"),
    ]
    done = take(write(tmp_path / "a.csv", body, ("名称", "地址", "场所类型", "地区代码", "街道")))
    assert (done.new, done.refused) == (1, 2)
    assert [(p.row, p.column, p.code) for p in done.problems] == [
        (3, "街道", "area_contradicted"), (4, "街道", "area_contradicted"),
    ]  # fmt: skip


@pytest.mark.parametrize(("fixed", "each"), [(0.002, 0.00005), (0.01, 0.0005), (0.02, 0.002), (0.04, 0.006)])
def test_batches_keep_others_waiting_a_quarter_of_a_second_at_most(fixed: float, each: float, monkeypatch: Any) -> None:
    """On a disk and a machine of any speed: ``fixed`` seconds a batch and ``each`` a row, which may slow down threefold."""
    monkeypatch.setattr(running, "connection", SimpleNamespace(vendor="sqlite"))
    size, held = [running.FIRST_BATCH], []
    for number in range(30):
        slower = 3 if number >= 15 else 1
        seconds = slower * (fixed + each * size[0])
        held.append(seconds)
        running._adapt(size, seconds, size[0])
        assert running.SMALLEST_BATCH <= size[0] <= running.LARGEST_BATCH
    # Batch 0 is a guess and batch 15 meets a machine that has just become three times slower.
    smallest = [s * (fixed + each * running.SMALLEST_BATCH) for s in (1, 3)]
    assert max(held[1:15]) <= max(0.25, smallest[0])
    assert max(held[16:]) <= max(0.25, smallest[1])
    assert held[14] >= min(0.06, fixed + each * running.LARGEST_BATCH / 2)
