"""The shell's tags: what they write, that they escape, how days and terms read in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation

from anban.web.shell import components as c
from anban.web.shell import wording
from anban.web.shell.appearance import THEME_COOKIE, switch_theme, theme_of
from anban.web.shell.templatetags import shell as tags
from tests.web.shell import shell_gallery

NOW = shell_gallery.NOW
TODAY = date(2026, 11, 21)
EVIL = '<script>alert("1")</script>'


@pytest.fixture(autouse=True)
def _beijing_in_chinese() -> object:
    with translation.override("zh-hans"), timezone.override("Asia/Shanghai"):
        yield


def write(source: str, **values: object) -> str:
    """This function will render a template that has the shell's tags loaded."""
    template = shell_gallery.engine().from_string("{% load shell %}" + source)
    return str(template.render({"now": NOW, **values}))


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (date(2026, 11, 21), "11月21日 周六", "21 Nov, Sat"),
        (date(2025, 12, 31), "2025年12月31日 周三", "31 Dec 2025, Wed"),
        (datetime(2026, 11, 20, 16, 30, tzinfo=UTC), "11月21日 周六", "21 Nov, Sat"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "2027年1月1日 周五", "1 Jan 2027, Fri"),
    ],
)
def test_day_is_the_local_day_with_the_year_only_where_it_is_another(value: date | datetime, zh: str, en: str) -> None:
    assert wording.day_words(value, TODAY) == zh
    with translation.override("en"):
        assert wording.day_words(value, TODAY) == en


def test_moment_reads_in_local_time_and_keeps_the_instant() -> None:
    html = write("{% moment at %}", at=datetime(2026, 11, 21, 1, 12, tzinfo=UTC))
    assert ">11月21日 09:12</time>" in html
    assert 'datetime="2026-11-21T01:12:00+00:00"' in html
    assert 'title="2026年11月21日 周六 09:12"' in html


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "刚刚"), (60, "1 分钟前"), (3 * 3600 + 5, "3 小时前"), (2 * 86400, "2 天前"), (-7200, "2 小时后")],
)
def test_ago_uses_the_largest_unit(seconds: int, text: str) -> None:
    assert wording.ago_text(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("due", "done", "kind", "text"),
    [
        (timedelta(0), None, "soon", "今天到期"),
        (timedelta(seconds=-1), None, "overdue", "逾期 1 分钟"),
        (timedelta(hours=-3), None, "overdue", "逾期 3 小时"),
        (timedelta(hours=-10), None, "overdue", "逾期 1 天"),
        (timedelta(days=-3), None, "overdue", "逾期 3 天"),
        (timedelta(days=1), None, "soon", "明天到期"),
        (timedelta(days=3), None, "soon", "还有 3 天"),
        (timedelta(days=7), None, "due", "还有 7 天"),
        (timedelta(days=-3), timedelta(days=-3), "in-time", "按期完成"),
        (timedelta(days=-5), timedelta(days=-1), "late", "逾期 4 天完成"),
    ],
)
def test_term_is_overdue_only_when_due_lies_before_now(
    due: timedelta, done: timedelta | None, kind: str, text: str
) -> None:
    term = c.Deadline(NOW + due, NOW, None if done is None else NOW + done)
    words = wording.term_words(term)
    assert (words.kind, words.text) == (kind, text)


def test_deadline_says_when_it_is_provisional_or_absent() -> None:
    html = write("{% deadline due now provisional=True %}", due=NOW + timedelta(days=9))
    assert "还有 9 天" in html
    assert "暂定" in html
    assert "期限 2026年11月30日 周一 09:12" in html
    assert write("{% deadline due %}", due=None) == '<span class="none">无期限</span>'


def test_state_pill_and_grade_always_carry_words() -> None:
    assert 'class="pill pill-done" data-state="closed">已销号<' in write('{% state_pill "closed" "已销号" %}')
    assert 'class="pill pill-live"' in write('{% state_pill "rectifying" "整改中" %}')
    major = write('{% grade "major" %}')
    assert "grade-1" in major
    assert "重大隐患" in major
    assert 'aria-hidden="true"' in major


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("{% state_pill text text %}", {}),
        ("{% grade text %}", {}),
        ("{% seal text %}", {}),
        ("{% progress 1 2 text %}", {}),
        ("{% skeleton 2 text %}", {}),
        ("{% empty text text %}", {}),
        ("{% failed text text %}", {}),
        ("{% refused text text %}", {}),
        ("{% figure text text text %}", {}),
        ("{% facts v %}", {"v": [c.Fact(EVIL, EVIL, EVIL, EVIL)]}),
        ("{% chain v %}", {"v": [c.ChainLink(EVIL, EVIL, (EVIL, EVIL), EVIL, EVIL)]}),
        ("{% timeline v %}", {"v": [c.TimelineEntry(NOW, EVIL, EVIL, EVIL, EVIL, (c.FieldChange(EVIL, EVIL, EVIL),))]}),
        ("{% photos v %}", {"v": [c.Photo(EVIL, EVIL, EVIL, NOW, EVIL)]}),
        ("{% filter_bar v text text %}", {"v": [c.Filter(EVIL, (c.FilterOption(EVIL, EVIL, True, EVIL),))]}),
        ("{% table_head v %}", {"v": [c.Column(EVIL, EVIL, EVIL)]}),
        ("{% row_select text text %}", {}),
        ("{% tabs v %}", {"v": [c.Tab(EVIL, EVIL)]}),
        ("{% breadcrumb v %}", {"v": [c.Crumb(EVIL, EVIL), c.Crumb(EVIL)]}),
        ("{% actions v %}", {"v": [c.Action(EVIL, EVIL)], "csrf_token": EVIL}),
        ("{% duties v %}", {"v": [c.DutyLine(c.Deadline(NOW, NOW), EVIL, EVIL, EVIL, EVIL, EVIL)]}),
        ("{% visit_strip v day %}", {"v": [c.VisitMark(TODAY, "clean", EVIL, EVIL)], "day": TODAY}),
        ("{% district_map v text text %}", {"v": [c.MapArea("110101", EVIL, 1.0, EVIL, EVIL)]}),
    ],
)
def test_tag_escapes_what_it_is_given(source: str, values: dict[str, object]) -> None:
    html = write(source, text=EVIL, **values)
    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_timeline_folds_earlier_rounds_and_shows_differences() -> None:
    html = write("{% timeline entries %}", entries=shell_gallery.sample()["entries"])
    assert html.index("第 2 轮") < html.index("第 1 轮")
    assert html.count("<details") == 2
    assert html.count(" open>") == 1
    assert "11月21日</del>" in html
    assert "11月28日</ins>" in html
    assert "补记于" in html


def test_filter_bar_offers_clearing_only_where_something_is_chosen() -> None:
    quiet = c.Filter("状态", (c.FilterOption("整改中", "?state=rectifying"),))
    loud = c.Filter("状态", (c.FilterOption("整改中", "?", selected=True),), clear_href="?")
    assert "清除筛选" not in write('{% filter_bar f "共 3 条" "/clear" %}', f=[quiet])
    assert "清除筛选" in write('{% filter_bar f "共 3 条" "/clear" %}', f=[loud])


def test_field_ties_error_and_help_to_its_input() -> None:
    form = shell_gallery.PlaceForm({"name": ""})
    html = write("{% field form.name %}{% field form.gas %}{% error_summary form %}", form=form)
    assert 'aria-describedby="id_name_help id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_error"' in html
    assert "<fieldset" in html
    assert 'href="#id_name"' in html


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        ([], (0.0,)),
        ([0.0], (0.0,)),
        ([1184.0, 3.0], (0.0, 250.0, 500.0, 750.0, 1000.0)),
        ([3.0], (0.0, 1.0, 2.0, 3.0, 4.0)),
        ([0.4], (0.0, 0.08, 0.16, 0.24, 0.32)),
    ],
)
def test_fill_steps_are_equal_and_round(values: list[float], bounds: tuple[float, ...]) -> None:
    assert tags.fill_thresholds(values) == pytest.approx(bounds)


def test_map_lists_every_area_in_words() -> None:
    html = write('{% district_map areas "未销号隐患" "条" %}', areas=shell_gallery.sample()["areas"])
    listed = html.partition('class="map-list"')[2]
    assert listed.count("<li>") == 17
    assert listed.index("朝阳区") < listed.index("密云区") < listed.index("延庆区")
    assert "经开区无独立边界数据" in html


def test_theme_is_read_from_the_cookie_and_written_by_post() -> None:
    request = RequestFactory().get("/")
    request.COOKIES[THEME_COOKIE] = "dark"
    assert theme_of(request) == "dark"
    request.COOKIES[THEME_COOKIE] = '"><script>'
    assert theme_of(request) == ""
    answer: HttpResponse = switch_theme(
        RequestFactory().post("/theme/", {"theme": "dark", "next": "https://elsewhere.example/"})
    )
    assert answer.cookies[THEME_COOKIE].value == "dark"
    assert answer["Location"] == "/"
    assert switch_theme(RequestFactory().get("/theme/")).status_code == 405


@pytest.mark.parametrize("page", shell_gallery.PAGES)
def test_page_holds_no_inline_style_or_script(page: str) -> None:
    html = shell_gallery.render(page)
    assert " style=" not in html
    assert "<style" not in html
    assert "javascript:" not in html
    assert all("src=" in part.partition(">")[0] for part in html.split("<script")[1:])


def test_dark_theme_is_one_set_whether_chosen_or_followed() -> None:
    css = (Path(shell_gallery.SHELL) / "static" / "anban" / "app.css").read_text(encoding="utf-8")
    blocks = [part.partition("/* end */")[0].split() for part in css.split("/* dark */")[1:]]
    assert len(blocks) == 2
    assert blocks[0] == blocks[1]
    assert len(blocks[0]) > 40


def test_css_uses_no_size_beyond_the_six() -> None:
    css = (Path(shell_gallery.SHELL) / "static" / "anban" / "app.css").read_text(encoding="utf-8")
    names = {part.partition(")")[0] for part in css.split("var(--t")[1:] if part[:2].isdigit()}
    assert names == {"12", "13", "15", "18", "24", "32"}
