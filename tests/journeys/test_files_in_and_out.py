"""Lists leave as files, are edited, come back with broken rows, and those come back mended; the public data sets come in whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from anban.base.jobs.worker import run_once
from anban.base.journal.verification import verify
from anban.contexts.establishments.models import Observation, Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.models import Finding, Visit
from tests.contexts.inspections.test_real_history import read, sample
from tests.data_location import real_data
from tests.factories.inspections import table
from tests.journeys.conftest import City

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = ["import.preview", "import.apply"]
Files = Sequence[Path | dict[str, object]]


def bring_in(city: City, name: str, files: Files, *, kind: str = "") -> tuple[Page, dict[str, int]]:
    """Go through the four steps as a person; return the page of the import and its counts."""
    page = city.as_person(name, "/import/")
    page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    if kind:
        page.select_option("select[name=mapping]", kind)
    page.get_by_role("button", name="下一步：对应列").click()
    page.get_by_role("button", name="下一步：预览").click()
    expect(page.locator("#run")).to_be_visible()
    run_once(JOBS, at=city.at)
    page.reload()
    looked = counts_of(page)
    if page.get_by_role("button", name="导入好的行").count():
        page.get_by_role("button", name="导入好的行").click()
        expect(page.locator("#run")).to_be_visible()
        run_once(JOBS, at=city.at)
        page.reload()
        expect(page.locator("#run")).to_contain_text("导入完成")
        assert counts_of(page) == looked, "the preview promised something else"
    return page, looked


def counts_of(page: Page) -> dict[str, int]:
    """Return new, changed, same and refused as the page shows them."""
    shown = page.locator("#run .figures .figure-value").all_inner_texts()
    return dict(zip(("new", "changed", "same", "refused"), (int(n.replace(" ", "")) for n in shown), strict=True))


def rows_of(data: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """Read a file as a spreadsheet shows it."""
    lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    rows = list(lines)
    return list(lines.fieldnames or ()), rows


def file_of(header: list[str], rows: list[dict[str, str]], name: str) -> dict[str, object]:
    """Write the rows back as a file that a browser sends."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return {"name": name, "mimeType": "text/csv", "buffer": out.getvalue().encode("utf-8-sig")}


def downloaded(page: Page, link: str) -> bytes:
    """Follow a link that is a file."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name=link).first.click()
    return Path(waiting.value.path()).read_bytes()


def test_a_list_is_exported_edited_with_three_broken_rows_and_mended(city: City) -> None:
    for number in range(6):
        city.made.place(f"望京{number}号面馆", manager=None)
    header, rows = rows_of(downloaded(city.as_person("刘洋", "/places/"), "导出 CSV"))
    assert len(rows) == 6
    # As it came out it goes in: nothing new, nothing changed.
    assert bring_in(city, "刘洋", [file_of(header, rows, "底数.csv")])[1] == {
        "new": 0, "changed": 0, "same": 6, "refused": 0,
    }  # fmt: skip

    rows[0]["地址"] = "望京东路8号"
    rows.append(
        {**dict.fromkeys(header, ""), "名称": "新开面馆", "地址": "望京路9号", "街道": "望京街道", "场所类型": "餐饮"}
    )
    whole = [dict(row) for row in rows]
    rows[1]["状态"] = "飞走了"
    rows[2]["经度"] = "116.4"
    rows[3]["街道"] = "中关村街道"
    page, counts = bring_in(city, "刘洋", [file_of(header, rows, "底数.csv")])
    assert counts == {"new": 1, "changed": 1, "same": 2, "refused": 3}
    problems = (
        page.locator("#run h3", has_text="问题 3 个").locator("xpath=following-sibling::*[1]").locator("tbody tr")
    )
    expect(problems).to_have_count(3)
    assert [cells.split("\t")[0] for cells in problems.all_inner_texts()] == ["3", "4", "5"]
    assert Place.objects.get(name="新开面馆").address == "望京路9号"

    # The refused rows come back as a file; mended and sent again, everything is in.
    back_header, back = rows_of(downloaded(page, "下载退回的行"))
    assert len(back) == 3
    for row, wanted in zip(back, whole[1:4], strict=True):
        row.update({key: value for key, value in wanted.items() if key in row})
    assert bring_in(city, "刘洋", [file_of(back_header, back, "退回.csv")])[1] == {
        "new": 0, "changed": 0, "same": 3, "refused": 0,
    }  # fmt: skip
    assert Place.objects.count() == 7
    # Nobody had to stay: the person was told.
    expect(city.as_person("刘洋", "/notices/").locator(".notice", has_text="导入完成").first).to_be_visible()
    assert verify(processes=1).findings == []


@pytest.mark.real_data
def test_the_public_data_sets_come_in_through_the_browser(city: City, tmp_path: Path, soak: bool) -> None:
    """A sample of both in every run, both whole under soak."""
    city.made.hold("数据员", "市安委办", "steward", "试验市")
    if soak:
        files: list[Path] = [real_data(f"chicago/{n}.csv.gz") for n in ("establishments", "inspections", "hazards")]
        expected = (22_211, 66_378, 101_473)
        reports, told = real_data("hazard_reports_zh/reports.csv.gz"), 20_105
    else:
        files, places, visits, violations = sample(tmp_path, 700)
        expected = (len(places), len(visits), len(violations))
        rows = read("hazard_reports_zh/reports.csv.gz")[:100]
        reports = table(tmp_path / "reports.csv", list(rows[0]), [list(r.values()) for r in rows], encoding="gb18030")
        told = len(rows)
    nothing = {"new": 0, "changed": 0, "same": 0, "refused": 0}
    page, counts = bring_in(city, "数据员", files, kind="chicago")
    assert counts == {**nothing, "new": sum(expected)}
    assert (Place.objects.count(), Visit.objects.count(), Finding.objects.count()) == expected
    # What came in is there to look at: the sample's own root, labelled, with inferred cycles and rebounds.
    page.get_by_role("button", name="切换到这个地区看").click()
    expect(page.locator(".root-banner")).to_contain_text("样本数据")
    page.goto(f"{city.url}/ledger/?rebound=1")
    shown = page.locator("[data-row]")
    assert min(Hazard.objects.filter(rebound_no__gt=0).count(), 50) == shown.count()
    # Twice changes nothing.
    assert bring_in(city, "数据员", files, kind="chicago")[1] == {**nothing, "same": sum(expected)}

    before = Hazard.objects.count()
    assert bring_in(city, "数据员", [reports], kind="hazard_reports_zh")[1] == {**nothing, "new": told}
    assert Hazard.objects.count() == before + told
    assert Observation.objects.filter(source__root="hazard_reports_zh").count() == told
    assert verify(processes=1).findings == []
