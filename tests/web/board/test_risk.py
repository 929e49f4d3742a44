"""The risk pages: figures that equal their lists, reasons in words, reports that a person signs, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.test import Client

from anban.base import typesetting
from anban.base.people.actor import job_actor
from anban.contexts.hazards import queries as hazards
from anban.contexts.hazards.models import Cycle
from anban.contexts.inspections.operations import record_visit
from anban.contexts.risk import operations, queries
from anban.contexts.risk.models import Report
from anban.contexts.risk.queries import Survival
from anban.lake.assessing import assess, the_lake
from anban.rules.errors import Refusal
from anban.rules.visit_index import visit_index
from anban.web.board import risk_words
from anban.web.desk.ledger import parsed
from anban.web.shell import middleware
from tests.factories.inspections import seen
from tests.factories.kept import kept_world
from tests.factories.signed import client_of
from tests.factories.town import AT, Town, town

FIGURE = re.compile(
    r'href="(/risk/places/\?[^"]*)"[^>]*>\s*<span class="figure-label">([^<]*)</span>\s*<span class="figure-value">([^<]*)<',
    re.S,
)


@pytest.fixture(scope="module")
def risky(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town assessed: one restaurant failed three times and owes, others were never seen."""
    with pytest.MonkeyPatch.context() as patch, kept_world(django_db_blocker):
        patch.setattr(settings, "HOME", tmp_path_factory.mktemp("home"))
        patch.setattr(middleware, "now", lambda: AT)
        made = town()
        shop = made.place()
        made.place("和平饭店", area="呼家楼街道", manager=None)
        made.place("中关村仓库", area="中关村街道", kind="warehouse", manager=None)
        for days, code in ((90, "RG05"), (60, "RG07"), (30, "RG01")):
            at = AT - timedelta(days=days)
            record_visit(actor=made.actor("王敏"), at=at, visit=seen(shop, code=code, fact="不合格"))
        first = Cycle.objects.select_related("hazard").order_by("found_on").first()
        assert first is not None
        closed = first.found_on + timedelta(days=20)
        Cycle.objects.filter(pk=first.pk).update(ended_on=closed, outcome="rectified", proof="photo")
        Cycle.objects.create(hazard=first.hazard, no=2, found_on=closed + timedelta(days=10), opened_at=AT)
        assess(actor=job_actor("test", "town"), at=AT)
        yield made


def opened(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, **headers)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize("name", ["王敏", "高远", "何静", "周航", "林涛"])
def test_each_figure_opens_a_list_of_its_count(risky: Town, name: str) -> None:
    client = client_of(risky, name)
    page = opened(client, "/risk/")
    found = FIGURE.findall(page)
    assert len(found) == len(risk_words.FIGURES)
    for href, label, number in found:
        listed = opened(client, unescape(href))
        assert f"共 {number.strip()} 家" in listed, label
        assert listed.count("<tbody>") == (number.strip() != "0")
        assert len(re.findall(r'<tr><th scope="row">', listed)) == int(number)


def test_reasons_are_told_in_plain_words(risky: Town) -> None:
    page = opened(client_of(risky, "王敏"), "/risk/")
    assert "最近三次检查都不合格" in page
    assert "已有 30 天没有检查" in page
    assert "和平饭店" not in page
    assert "从来没有检查过" in opened(client_of(risky, "郑洁"), "/risk/")


def test_reasons_of_the_learned_order_end_in_what_always_counts() -> None:
    """The index grows with the time since a visit: said of places unseen for half a year or ever, and where nothing else is told."""
    lately, waited, never = [("days_unseen", 150)], [("days_unseen", 200)], [("never_seen", 730)]
    told = [["found", "甲", "a"], ["kind:report", "乙", "b"], ["code:C1", "丙", "c"]]
    assert risk_words.reason_list(lately, told) == ["甲", "乙", "丙"]
    assert risk_words.reason_list(lately, []) == ["已有 4 个月没有检查"]
    assert risk_words.reason_list(waited, told) == ["甲", "已有 6 个月没有检查", "乙"]
    assert risk_words.reason_list(waited, [["waited", "久", "w"], *told[:1]], high_risk=True) == [
        "甲", "已有 6 个月没有检查", "属于高风险类型，出了事后果重"
    ]  # fmt: skip
    assert risk_words.reason_list(waited, []) == ["已有 6 个月没有检查"]
    assert risk_words.reason_list(never, told) == ["从来没有检查过", "甲", "乙"]
    assert risk_words.reason_list([("calls_90", 2), *waited]) == ["近三个月被反映或报警 2 次", "已有 6 个月没有检查"]
    assert visit_index(1, 0.01, 200) > visit_index(1, 0.01, 1)


@pytest.mark.parametrize("name", ["王敏", "林涛"])
def test_places_drawn_by_lot_are_listed_with_the_seed(risky: Town, name: str) -> None:
    """Whoever reads the page can draw again: every number shown is the digest of what the page says it is of."""
    client = client_of(risky, name)
    page = opened(client, "/risk/")
    seed = re.search(r"<p><code>([^<]+)</code></p>", page)
    assert seed is not None
    total = re.search(r'href="(/risk/places/\?figure=drawn[^"]*)">抽中的全部 (\d+) 家', page)
    assert total is not None
    listed = opened(client, unescape(total[1]))
    assert f"共 {total[2]} 家" in listed
    shown = re.findall(r'<a href="/places/([0-9a-f-]{36})/">.*?title="([0-9a-f]{64})"', listed, re.S)
    assert len(shown) == int(total[2]) == {"王敏": 1, "林涛": 3}[name]
    for key, lot in shown:
        assert sha256(f"{unescape(seed[1])}|{AT.date()}|{key.replace('-', '')}".encode()).hexdigest() == lot
    assert [lot for _key, lot in shown] == sorted(lot for _key, lot in shown)


def test_the_numbers_of_a_place_open_its_own_lists(risky: Town) -> None:
    chief = risky.actor("林涛")
    listed = opened(client_of(risky, "林涛"), "/risk/places/?figure=places")
    owed = re.findall(r'href="/ledger/\?([^"]+)">(\d+)<', listed)
    came = re.findall(r'href="/visits/\?([^"]+)">(\d+)<', listed)
    assert owed
    assert came
    for query, number in owed:
        filters = parsed(dict(parse_qsl(unescape(query))))
        assert hazards.count(chief, filters, at=AT).number == int(number), query
    for query, number in came:
        assert f"共 {number} 次" in opened(client_of(risky, "林涛"), f"/visits/?{unescape(query)}"), query


def test_shares_of_areas_open_their_lists(risky: Town) -> None:
    client = client_of(risky, "林涛")
    table = opened(client, "/risk/").partition("排序和抽签，各地区分到多少")[2].partition("</table>")[0]
    links = re.findall(r'href="([^"]+)"[^>]*>(\d+)<', table)
    assert len(links) == 6
    for href, number in links:
        assert f"共 {number} 家" in opened(client, unescape(href))


def test_the_page_of_the_order_says_what_stands_and_why(risky: Town) -> None:
    page = opened(client_of(risky, "王敏"), "/risk/order/")
    assert "没有训练过模型" in page
    assert "不能用来给检查人员或干部打分" in page
    assert 'href="/risk/order/"' in opened(client_of(risky, "王敏"), "/risk/")


def test_results_of_an_earlier_release_are_told_and_not_guessed(
    risky: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files without the newer columns and without a card, as an earlier release left them."""
    newest = queries.current(risky.actor("林涛"))
    assert newest is not None
    folder = tmp_path / "lake" / "results" / "town" / newest.folder
    source = the_lake().home / "results" / "town" / newest.folder
    folder.mkdir(parents=True)
    old = pq.read_table(source / "place_results.parquet").drop_columns(["is_drawn", "is_first_tenth", "lot"])
    pq.write_table(old, folder / "place_results.parquet")
    manifest = json.loads((source / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if k not in ("seed", "order")}))
    monkeypatch.setattr(settings, "HOME", tmp_path)
    client = client_of(risky, "林涛")
    for path in ("/risk/", "/risk/order/", "/risk/places/?figure=drawn"):
        assert "这次评估做得早" in opened(client, path)


def test_an_altered_card_is_not_shown(risky: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(the_lake().home, tmp_path / "lake")
    (card,) = (tmp_path / "lake" / "results" / "town").glob("*/card.json")
    card.write_text(card.read_text().replace("transparent", "quite enough"))
    monkeypatch.setattr(settings, "HOME", tmp_path)
    page = opened(client_of(risky, "林涛"), "/risk/order/")
    assert "与清单不符" in page
    assert "quite enough" not in page


def test_what_was_read_and_when_is_said(risky: Town) -> None:
    page = opened(client_of(risky, "林涛"), "/risk/")
    assert "评估日 2026-03-02" in page
    assert re.search(r"读到存证位置 \d+", page)
    assert re.search(r'title="[0-9a-f]{64}"', page)


def test_areas_are_ordered_and_open_their_own_lists(risky: Town) -> None:
    client = client_of(risky, "林涛")
    page = opened(client, "/risk/")
    assert page.index('area=1%2F05%2F">朝阳区') < page.index('area=1%2F08%2F">海淀区')
    listed = opened(client, "/risk/places/?figure=never_seen&area=1/08/")
    assert "中关村仓库" in listed
    assert "和平饭店" not in listed
    assert "望京街道" in opened(client, "/risk/?area=1/05/")


def test_without_an_assessment_the_page_says_what_will_come(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "now", lambda: AT)
    made = town("empty")
    client = client_of(made, "林涛")
    assert "还没有评估" in opened(client, "/risk/")
    assert "还没有评估" in opened(client, "/risk/places/?figure=stale")
    assert "第一次评估以后才能起草" in opened(client, "/risk/reports/")


@pytest.mark.parametrize(
    "query",
    [
        "area=../../etc/",
        "area=1/05/' OR 1=1 --/",
        "page=0",
        "page=-3",
        "page=999999999999",
        "page=²",
        "kind=%00",
        "by=nothing",
    ],
)
def test_odd_addresses_open_an_honest_page(risky: Town, query: str) -> None:
    client = client_of(risky, "王敏")
    for path in ("/risk/", "/risk/places/"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 200
        assert "中关村仓库" not in answer.content.decode()
    assert client.get("/risk/places/?figure=everything").status_code == 404


def test_when_the_files_are_gone_the_page_says_so(risky: Town, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "HOME", tmp_path / "elsewhere")
    assert "结果文件已清理" in opened(client_of(risky, "王敏"), "/risk/places/?figure=never_seen")


def test_report_is_drawn_up_signed_and_exported(risky: Town) -> None:
    client = client_of(risky, "何静")
    answer = client.post("/risk/reports/", {"area": "A01"})
    assert answer.status_code == 302
    path = answer["Location"]
    page = opened(client, path)
    assert "待签发" in page
    assert client.post(f"{path}sign/", {"opinion": " "}).status_code == 422
    assert client.post(f"{path}sign/", {"opinion": "望京餐饮连续不合格，三月逐户复查。"}).status_code == 302
    page = opened(client, path)
    assert "已签发" in page
    assert "何静" in page
    assert "望京餐饮连续不合格" in page
    answer = client.get(f"{path}pdf/")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert len(answer.content) > 10_000
    assert client.get(path.replace(path.split("/")[3], "01a21437-0f16-7628-9d86-368fd6e2f43e")).status_code == 404
    assert client_of(risky, "高远").get(path).status_code == 404
    assert re.fullmatch(r"RA-2026-\d{6}", Report.objects.get(signed_by__isnull=False).number)


@pytest.mark.parametrize(("area", "sector"), [("A", ""), ("A01", ""), ("A01026", ""), ("A", "commerce")])
def test_each_number_of_a_report_opens_the_list_that_it_counts(risky: Town, area: str, sector: str) -> None:
    """Figures of the day and of the areas, as they were frozen, against the lists of the same assessment."""
    client = client_of(risky, "林涛")
    path = client.post("/risk/reports/", {"area": area, "sector": sector})["Location"]
    page = opened(client, path)
    links = re.findall(r'<td class="c-number"><a href="(/risk/places/[^"]+)"[^>]*>(\d+)<', page)
    assert len(links) == page.count('<td class="c-number">') >= 16
    for href, number in links:
        listed = opened(client, unescape(href))
        assert f"共 {number} 家" in listed or f"共 {number}，在" in listed, href
        shown = re.findall(r'<tr><th scope="row">', listed)
        assert len(shown) == int(re.search(r"(\d+) 家", listed)[1])  # type: ignore[index]
    assert any("assessment=" in unescape(href) for href, _ in links)


def test_a_post_of_one_sector_draws_up_and_reads_its_sector_alone(risky: Town) -> None:
    commerce = client_of(risky, "周航")
    assert commerce.post("/risk/reports/", {"area": "A01", "sector": ""}).status_code == 200
    with pytest.raises(Refusal) as refusal:
        operations.draw_up(actor=risky.actor("周航"), at=AT, area_code="A01")
    assert refusal.value.code == "risk.sector_needed"
    path = commerce.post("/risk/reports/", {"area": "A01", "sector": "commerce"})["Location"]
    assert opened(commerce, path).count("/risk/places/?") >= 16
    whole = client_of(risky, "何静").post("/risk/reports/", {"area": "A01"})["Location"]
    assert commerce.get(whole).status_code == 404
    assert whole not in opened(commerce, "/risk/reports/")


def test_report_of_an_area_out_of_reach_is_refused(risky: Town) -> None:
    answer = client_of(risky, "刘洋").post("/risk/reports/", {"area": "A02"})
    assert answer.status_code == 200
    assert not Report.objects.filter(area__code="A02").exists()


def test_without_a_chinese_font_the_export_is_refused_in_words(risky: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(risky, "何静")
    path = client.post("/risk/reports/", {"area": "A01"})["Location"]
    monkeypatch.setattr(typesetting, "FONTS", ("No Such Family",))
    typesetting.chinese_font.cache_clear()
    try:
        answer = client.get(f"{path}pdf/")
    finally:
        typesetting.chinese_font.cache_clear()
    assert answer.status_code == 422
    assert "fonts-noto-cjk" in answer.content.decode()


def test_signing_needs_the_post(risky: Town) -> None:
    path = client_of(risky, "刘洋").post("/risk/reports/", {"area": "A01026"})["Location"]
    answer = client_of(risky, "刘洋").post(f"{path}sign/", {"opinion": "好"})
    assert answer.status_code == 422
    assert "不能签发" in answer.content.decode()


# The curves as lines


def test_the_closes_of_a_curve_open_their_list(risky: Town) -> None:
    """A close on the spot and its rebound: counted by the curve, and listed from the same snapshot."""
    client = client_of(risky, "林涛")
    for by in ("proof", "class", "kind", "area"):
        page = opened(client, f"/risk/?by={by}")
        links = re.findall(r'href="(/risk/rounds/[^"]+)">(\d+)<', page)
        assert links, by
        for href, number in links:
            listed = opened(client, unescape(href))
            assert f"共 {number} 条" in listed, href
            assert len(re.findall(r'<tr><th scope="row"><a href="/ledger/', listed)) == int(number)
    assert "天后反弹" in opened(client, "/risk/rounds/?by=proof&name=photo")
    assert "共 0 条" in opened(client_of(risky, "高远"), "/risk/rounds/?by=proof&name=photo")


def test_chart_draws_steps_and_reads_them_off() -> None:
    curve = Survival("photo", False, 10, 4, ((10, 0.9, 0.1, 10), (100, 0.6, 0.2, 5)))
    drawn = risk_words.chart([curve], [("照片", "/x/")])
    assert drawn is not None
    (line,) = drawn.lines
    assert line.back == ("10%", "—", "—")
    assert len(line.points.split()) == 5
    assert risk_words.chart([], []) is None
    assert curve.share_at(5) == 1.0
    assert curve.share_at(100) == 0.6
