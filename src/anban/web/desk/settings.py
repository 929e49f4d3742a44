"""Settings: figures of practice, working-day calendars, judgement standards, sources, how long each table is kept, the state of the house."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from anban.base import health
from anban.base.jobs.queries import last_done
from anban.base.retention import kept_tables
from anban.contexts.catalog.data.tables import sources
from anban.contexts.territory import operations, policies, queries
from anban.kit.clock import city_date, now
from anban.kit.workdays import CalendarFileRefused, china
from anban.rules import law, major_criteria
from anban.rules.errors import Refusal, register
from anban.web.shell.access import actor_of, needs
from anban.web.shell.components import Tab
from anban.web.shell.wording import in_english

SEEING: Final = ("steward", "system_admin", "city_committee_officer")
CALENDAR_BYTES: Final = 256 * 1024
CRITERIA_BYTES: Final = 1024 * 1024
UNITS: Final[dict[str, object]] = {
    "hours": gettext_lazy("小时"),
    "days": gettext_lazy("日"),
    "workdays": gettext_lazy("工作日"),
    "times": gettext_lazy("次"),
    "percent": "%",
    "yuan": gettext_lazy("元"),
}
MARKS: Final = {
    "verified": gettext_lazy("法规原文"),
    "excerpt": gettext_lazy("法规摘录"),
    "unconfirmed": gettext_lazy("待核对"),
    "estimate": gettext_lazy("实务估计"),
}
KEPT_WORDS: Final = {
    "forever": gettext_lazy("永久"),
    "ledger": gettext_lazy("台账，长期"),
    "log": gettext_lazy("日志，定期清理"),
    "personal": gettext_lazy("个人信息，可删除"),
    "working": gettext_lazy("工作数据，用后清理"),
}

register(
    "calendar.file_refused",
    zh="工作日历文件第 {row} 行有误：须为 date,kind,name 三列，kind 为 off 或 work，日期不重复。",
    en="Row {row} of the calendar file is wrong: it needs date,kind,name; kind off or work; no day twice.",
)
register(
    "calendar.not_whole",
    zh="文件不含完整一年：{year} 年须有元旦、劳动节、国庆节的放假日。",
    en="The file is not a whole year: {year} needs its days off for 1 January, 1 May and 1 October.",
)
register("calendar.file_large", zh="文件太大。", en="The file is too large.")


class CalendarForm(forms.Form):
    """A file with one year's days off and shifted working days."""

    file = forms.FileField(label=gettext_lazy("日历文件（CSV：date,kind,name）"))
    source = forms.CharField(
        label=gettext_lazy("来源文件"), max_length=200, help_text=gettext_lazy("例如：国办发明电〔2026〕号")
    )


class CriteriaForm(forms.Form):
    """A file with one judgement standard of major hazards."""

    file = forms.FileField(label=gettext_lazy("判定标准文件（TOML）"))
    source = forms.CharField(
        label=gettext_lazy("来源文件"), max_length=200, help_text=gettext_lazy("条文从哪里录入，谁核对过")
    )


def _tabs(current: str, *, technical: bool) -> tuple[Tab, ...]:
    shown = [
        ("figures", _("参数")),
        ("calendar", _("工作日历")),
        ("criteria", _("判定标准")),
        ("sources", _("来源")),
        ("retention", _("保存期限")),
    ]
    if technical:
        shown.append(("state", _("系统状况")))
    return tuple(Tab(label, f"/settings/?part={part}", current=part == current) for part, label in shown)


@needs(*SEEING)
@require_GET
def settings(request: HttpRequest) -> HttpResponse:
    """Show one part of the settings."""
    return _page(request, request.GET.get("part", ""))


def _page(request: HttpRequest, part: str, form: forms.Form | None = None, status: int = 200) -> HttpResponse:
    actor = actor_of(request)
    technical = actor.has("system_admin")
    known = {"figures", "calendar", "criteria", "sources", "retention"} | ({"state"} if technical else set())
    part = part if part in known else ("state" if technical else "figures")
    english = in_english()
    at = now()
    shown: dict[str, object] = {
        "part": part,
        "tabs": _tabs(part, technical=technical),
        "english": english,
        "may_set": policies.can_set(actor),
        "now": at,
    }
    if part == "figures":
        shown["figures"] = _figures(actor.root, english=english, at_root=actor.zone)
    elif part == "calendar":
        calendar = queries.calendar(actor.root)
        shown["years"] = sorted(calendar.years, reverse=True)
        shown["loaded"] = list(queries.calendar_years(actor.root))
        shown["missing"] = [
            year
            for year in (city_date(at, actor.zone).year, city_date(at, actor.zone).year + 1)
            if year not in calendar.years
        ]
        shown["form"] = form or CalendarForm()
    elif part == "criteria":
        shown["standards"] = _standards(actor.root, city_date(at, actor.zone), english=english)
        shown["form"] = form or CriteriaForm()
    elif part == "sources":
        shown["sources"] = sources()
    elif part == "retention":
        shown["tables"] = [(row, KEPT_WORDS.get(row.retention, row.retention)) for row in kept_tables()]
    else:
        shown["checks"] = [(check, check.en if english else check.zh) for check in health.checks(at)]
        shown["jobs"] = sorted(last_done().items())
    return render(request, "desk/settings.html", shown, status=status)


def _standards(root: str, today: date, *, english: bool) -> list[dict[str, object]]:
    """Say of every judgement standard whether its text is here, whole or in part, and since when it holds."""
    loaded = {row.code: row for row in queries.loaded_criteria(root)}
    rows: list[dict[str, object]] = []
    for tables in major_criteria.kinds(queries.criteria(root)).values():
        current = [each for each in tables if each.in_force(today)][-1:]
        for each in tables:
            state = _("待录入") if not each.loaded else _("部分录入") if each.partial else _("已录入")
            rows.append(
                {
                    "title": each.en if english else each.zh,
                    "law": each.law,
                    "from": each.in_force_from,
                    "current": each in current and each.in_force_from is not None,
                    "state": state,
                    "count": len(each.items),
                    "mark": MARKS.get(each.certainty, each.certainty),
                    "loaded": loaded.get(each.code),
                }
            )
    return rows


def _figures(root: str, *, english: bool, at_root: str) -> list[dict[str, object]]:
    own = queries.settings_of(root)
    on = city_date(now(), at_root)
    rows: list[dict[str, object]] = []
    for key in law.overridable():
        entry = law.entry(key)
        base = law.value(key, on=on)
        rows.append(
            {
                "key": key,
                "title": entry.en if english else entry.zh,
                "unit": UNITS[entry.unit],
                "base": base.value,
                "own": own.get(key, ""),
                "least": entry.least,
                "mark": MARKS.get(base.certainty, base.certainty),
                "source": f"{_(base.source.law)} {base.source.article}".strip(),
                "note": entry.provisions[-1].note,
            }
        )
    return rows


@needs("steward")
@require_POST
def set_figure(request: HttpRequest) -> HttpResponse:
    """Set one figure of practice for this root; law itself can't be set."""
    key, text = request.POST.get("key", ""), request.POST.get("value", "").strip()
    replacement = int(text) if text.isdigit() and len(text) < 9 else -1
    law.check_override(key, replacement)
    operations.set_setting(
        actor=actor_of(request), at=now(), key=key, value=str(replacement), allowed=law.overridable()
    )
    messages.success(request, _("参数已保存，从现在起使用；已有期限不变。"))
    return redirect(f"/settings/?part=figures#{key}")


@needs("steward")
@require_POST
def load_calendar(request: HttpRequest) -> HttpResponse:
    """Load a year of the working-day calendar from a file."""
    form = CalendarForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, "calendar", form, 422)
    actor = actor_of(request)
    try:
        year, text = _read_calendar(form.cleaned_data["file"].read(CALENDAR_BYTES + 1))
        operations.load_calendar_year(
            actor=actor, at=now(), year=year, days=text,
            source=form.cleaned_data["source"],
        )  # fmt: skip
    except Refusal as refusal:
        form.add_error("file", refusal.en if in_english() else refusal.zh)
        return _page(request, "calendar", form, 422)
    messages.success(request, _("%(year)s 年工作日历已载入，暂定的期限将重新计算。") % {"year": year})
    return redirect("/settings/?part=calendar")


@needs("steward")
@require_POST
def load_criteria(request: HttpRequest) -> HttpResponse:
    """Load a judgement standard of major hazards from a file."""
    form = CriteriaForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, "criteria", form, 422)
    try:
        text = _read_text(form.cleaned_data["file"].read(CRITERIA_BYTES + 1))
        operations.load_criteria(actor=actor_of(request), at=now(), text=text, source=form.cleaned_data["source"])
    except Refusal as refusal:
        form.add_error("file", refusal.en if in_english() else refusal.zh)
        return _page(request, "criteria", form, 422)
    messages.success(request, _("判定标准已载入，从现在起按它判定。"))
    return redirect("/settings/?part=criteria")


def _read_text(content: bytes) -> str:
    """Return the text of a file. Raises: calendar.file_large, criteria.file_refused."""
    if len(content) > CRITERIA_BYTES:
        raise Refusal("calendar.file_large")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Refusal("criteria.file_refused", where_zh="不是 UTF-8 文字", where_en="not UTF-8 text") from problem


def _read_calendar(content: bytes) -> tuple[int, str]:
    """Return the year that a file holds wholly, and its text. Raises: calendar.file_large, .file_refused, .not_whole."""
    if len(content) > CALENDAR_BYTES:
        raise Refusal("calendar.file_large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Refusal("calendar.file_refused", row=content.count(b"\n", 0, problem.start) + 1) from problem
    empty = type(china())(frozenset(), frozenset(), frozenset())
    try:
        made = empty.with_text(text)
    except CalendarFileRefused as problem:
        raise Refusal("calendar.file_refused", row=problem.row) from problem
    years = Counter(day.year for day in made.off | made.work)
    year = years.most_common(1)[0][0] if years else 0
    if year not in made.years:
        raise Refusal("calendar.not_whole", year=year or "—")
    return year, text
