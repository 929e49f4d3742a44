"""The tags pages are written with: terms, states, grades, photos, timelines, lists, forms, figures, the map."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from django import template
from django.forms import BaseForm, BoundField
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop

from anban.web.shell import components, outlines, wording

register = template.Library()

STATE_TONES: Final[dict[str, str]] = {
    "waiting": "waiting",
    "quiet": "quiet",
    "unverified": "waiting",
    "awaiting_receipt": "waiting",
    "awaiting_review": "waiting",
    "awaiting_acceptance": "waiting",
    "awaiting_judgement": "waiting",
    "draft": "quiet",
    "not_founded": "quiet",
    "merged": "quiet",
    "gone": "quiet",
    "cancelled": "quiet",
    "withdrawn": "quiet",
    "expired": "quiet",
    "closed": "done",
    "delisted": "done",
    "done": "done",
    "accepted": "done",
    "red": "red",
}
"""How a state looks: waiting for somebody, at rest, done, or (red, as the field says) what must not stay so; others are live."""

GRADES: Final[dict[str, tuple[str, str]]] = {
    "major": ("1", gettext_noop("重大隐患")),
    "suspected_major": ("2", gettext_noop("疑似重大")),
    "general": ("3", gettext_noop("一般隐患")),
    "undetermined": ("0", gettext_noop("等级待判定")),
    "red": ("1", gettext_noop("红色")),
    "orange": ("2", gettext_noop("橙色")),
    "yellow": ("3", gettext_noop("黄色")),
    "blue": ("4", gettext_noop("蓝色")),
}
"""Risk number (1 red to 4 blue, 0 none) and name of each grade of a hazard and of a place."""

DUTIES_SHOWN: Final = 3
FILL_STEPS: Final = 5


def _now(context: Context, now: datetime | None = None) -> datetime:
    """This function will take the page's own `now` where it has one, so that one page tells one time."""
    given = now or context.get("now")
    return given if isinstance(given, datetime) else timezone.now()


def _today(context: Context, now: datetime | None = None) -> date:
    return wording.local_day(_now(context, now))


# Words and marks


@register.simple_tag(takes_context=True)
def day(context: Context, value: date | datetime | None, now: datetime | None = None) -> SafeString:
    """This function will write a day: `11月21日 周六`, the whole date on hover; a dash where there is none."""
    if value is None:
        return format_html('<span class="none">{}</span>', "—")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        wording.local_day(value).isoformat(),
        wording.full_words(value),
        wording.day_words(value, _today(context, now)),
    )


@register.simple_tag(takes_context=True)
def moment(context: Context, value: datetime | None, now: datetime | None = None) -> SafeString:
    """This function will write an instant: `11月21日 09:12`."""
    if value is None:
        return format_html('<span class="none">{}</span>', "—")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        wording.full_words(value),
        wording.moment_words(value, _today(context, now)),
    )


@register.simple_tag(takes_context=True)
def ago(context: Context, value: datetime | None, now: datetime | None = None) -> SafeString:
    """This function will write `3 小时前`, the whole date on hover."""
    if value is None:
        return format_html('<span class="none">{}</span>', "—")
    words = wording.ago_text(value, _now(context, now))
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), wording.full_words(value), words)


@register.simple_tag
def state_pill(state: str, label: str = "") -> SafeString:
    """This function will draw a state as a pill: one word, never a risk colour."""
    return format_html(
        '<span class="pill pill-{}" data-state="{}">{}</span>', STATE_TONES.get(state, "live"), state, label or state
    )


@register.simple_tag(takes_context=True)
def deadline(
    context: Context,
    due_at: datetime | components.Deadline | None,
    now: datetime | None = None,
    done_at: datetime | None = None,
    provisional: bool = False,
) -> SafeString:
    """This function will draw a term as a chip: to come, soon, overdue, done in time, done late; or provisional."""
    term = due_at
    if not isinstance(term, components.Deadline):
        term = components.Deadline(term, _now(context, now), done_at, provisional)
    words = wording.term_words(term)
    if words.kind == "none":
        return format_html('<span class="none">{}</span>', words.text)
    mark = format_html(' <span class="term-note">{}</span>', gettext("暂定")) if term.provisional else ""
    title = words.title + (gettext("（该年工作日历尚未载入，期限为暂定）") if term.provisional else "")
    return format_html('<span class="term term-{}" title="{}">{}{}</span>', words.kind, title, words.text, mark)


@register.simple_tag
def grade(value: str, label: str = "") -> SafeString:
    """This function will draw a grade: a mark in its risk colour and shape, and always its name."""
    number, name = GRADES.get(value, ("0", value))
    return format_html(
        '<span class="grade grade-{0}"><svg class="mark" viewBox="0 0 12 12" aria-hidden="true">'
        '<use href="#mark-{0}"/></svg>{1}</span>',
        number,
        label or gettext(name),
    )


@register.simple_tag
def seal(href: str = "", position: int | None = None, label: str = "") -> SafeString:
    """This function will draw the small seal `存证可核验`; it opens the proof where there is an address."""
    text = label or gettext("存证可核验")
    number = format_html(' <span class="seal-no">№ {}</span>', position) if position is not None else ""
    if href:
        return format_html('<a class="seal" href="{}">{}{}</a>', href, text, number)
    return format_html('<span class="seal">{}{}</span>', text, number)


@register.simple_tag
def progress(value: float, maximum: float, label: str) -> SafeString:
    """This function will draw a progress bar with its count in words: `已处理 420 / 1000 行`."""
    share = f"{math.floor(100 * value / maximum)}%" if maximum else "0%"
    return format_html(
        '<div class="progress"><progress value="{}" max="{}" aria-label="{}"></progress>'
        '<span class="progress-text">{}</span><span class="num">{}</span></div>',
        value,
        maximum or 1,
        label,
        label,
        share,
    )


@register.simple_tag
def skeleton(rows: int = 6, label: str = "") -> SafeString:
    """This function will draw resting lines that appear after 200 ms while something is loading."""
    line = SafeString('<span class="bone"></span>' * max(1, rows))
    text = label or gettext("正在载入")
    return format_html('<div class="skeleton" role="status"><span class="unseen">{}</span>{}</div>', text, line)


# Frame and ways


@register.inclusion_tag("shell/parts/breadcrumb.html")
def breadcrumb(crumbs: Iterable[components.Crumb]) -> dict[str, object]:
    """This function will draw the way back."""
    return {"crumbs": tuple(crumbs)}


@register.inclusion_tag("shell/parts/tabs.html")
def tabs(items: Iterable[components.Tab], label: str = "") -> dict[str, object]:
    """This function will draw tabs that are links."""
    return {"tabs": tuple(items), "label": label or gettext("分页")}


@register.inclusion_tag("shell/parts/actions.html", takes_context=True)
def actions(context: Context, items: Iterable[components.Action], shown: int = DUTIES_SHOWN) -> dict[str, object]:
    """This function will draw what may be done now: the first few as buttons, the rest under 更多."""
    listed = tuple(items)
    return {"shown": listed[:shown], "more": listed[shown:], "csrf_token": context.get("csrf_token", "")}


@register.inclusion_tag("shell/parts/stepper.html")
def stepper(steps: Iterable[components.Step]) -> dict[str, object]:
    """This function will draw the steps of a longer job."""
    return {"steps": tuple(steps)}


# Lists


@register.inclusion_tag("shell/parts/filter_bar.html")
def filter_bar(
    filters: Iterable[components.Filter], count: str = "", clear_href: str = "", saved_href: str = ""
) -> dict[str, object]:
    """This function will draw the filter chips in one row, with the count of what they leave."""
    listed = tuple(filters)
    return {
        "filters": listed,
        "count": count,
        "clear_href": clear_href if any(item.chosen for item in listed) else "",
        "saved_href": saved_href,
    }


@register.inclusion_tag("shell/parts/column_chooser.html")
def column_chooser(
    columns: Iterable[components.Column], keep: Iterable[tuple[str, str]] = (), name: str = "columns"
) -> dict[str, object]:
    """This function will draw the choice of columns: a GET form with one box per column."""
    return {"columns": tuple(columns), "keep": tuple(keep), "name": name}


@register.inclusion_tag("shell/parts/table_head.html")
def table_head(columns: Iterable[components.Column], select: bool = False) -> dict[str, object]:
    """This function will draw a table's head: names that sort where they can, a box for the whole page with `select`."""
    return {"columns": tuple(column for column in columns if column.shown), "select": select}


@register.inclusion_tag("shell/parts/row_select.html")
def row_select(value: object, label: str) -> dict[str, object]:
    """This function will draw the box that chooses a row; the form attribute ties it to the bulk bar."""
    return {"value": value, "label": label}


@register.inclusion_tag("shell/parts/bulk_bar.html", takes_context=True)
def bulk_bar(context: Context, items: Iterable[components.Action], href: str) -> dict[str, object]:
    """This function will draw the bar that appears when rows are chosen; each action posts the chosen rows to `href`."""
    return {"items": tuple(items), "href": href, "csrf_token": context.get("csrf_token", "")}


@register.inclusion_tag("shell/parts/pager.html")
def pager(page: components.Pager) -> dict[str, object]:
    """This function will draw keyset paging: back, what is shown, on."""
    return {"page": page}


@register.inclusion_tag("shell/parts/duties.html", takes_context=True)
def duties(context: Context, lines: Iterable[components.DutyLine], label: str = "") -> dict[str, object]:
    """This function will draw the desk: one line per obligation."""
    return {"lines": tuple(lines), "label": label or gettext("待办"), "now": context.get("now")}


# Facts


@register.inclusion_tag("shell/parts/figure.html")
def figure(
    value: object | components.Figure,
    label: str = "",
    href: str = "",
    trend: components.Trend | None = None,
    unit: str = "",
) -> dict[str, object]:
    """This function will draw one number with its name and trend, as a link to its list."""
    if isinstance(value, components.Figure):
        return {"figure": value}
    text = str(value)
    return {"figure": components.Figure(text, label, href, unit, trend, quiet=text == "0")}


@register.inclusion_tag("shell/parts/facts.html")
def facts(items: Iterable[components.Fact]) -> dict[str, object]:
    """This function will draw a list of names and values."""
    return {"facts": tuple(items)}


@register.inclusion_tag("shell/parts/chain.html")
def chain(links: Iterable[components.ChainLink]) -> dict[str, object]:
    """This function will draw the chain of persons (责任链条): one wrapped line, a list on a phone."""
    return {"links": tuple(links)}


@dataclass(frozen=True, slots=True)
class Round:
    """The entries of one round of a hazard."""

    cycle: int
    note: str
    entries: tuple[components.TimelineEntry, ...]
    opened: bool


@register.inclusion_tag("shell/parts/timeline.html", takes_context=True)
def timeline(context: Context, entries: Sequence[components.TimelineEntry]) -> dict[str, object]:
    """This function will draw what happened, newest first; the last round open, earlier ones folded but always there."""
    ordered = sorted(entries, key=lambda entry: (entry.cycle, entry.at), reverse=True)
    rounds: list[Round] = []
    for number, members in groupby(ordered, key=lambda entry: entry.cycle):
        listed = tuple(members)
        note = next((entry.cycle_note for entry in listed if entry.cycle_note), "")
        rounds.append(Round(number, note, listed, opened=not rounds))
    return {"rounds": rounds, "many": len(rounds) > 1, "now": context.get("now")}


@register.inclusion_tag("shell/parts/photos.html", takes_context=True)
def photos(
    context: Context, before: Iterable[components.Photo], after: Iterable[components.Photo] | None = None
) -> dict[str, object]:
    """This function will draw photos as thumbnails that open large; with `after`, as a pair 整改前 and 整改后."""
    paired = after is not None
    return {"before": tuple(before), "after": tuple(after or ()), "paired": paired, "now": context.get("now")}


MARK_PLACES: Final = 720
"""Width of the strip of visits in drawing units: one unit is about a day of two years."""


@register.inclusion_tag("shell/parts/visit_strip.html")
def visit_strip(marks: Iterable[components.VisitMark], until: date, label: str = "") -> dict[str, object]:
    """This function will draw the visits of the two years before `until` on one line, and the same as a list."""
    listed = sorted(marks, key=lambda mark: mark.on)
    placed = [
        (MARK_PLACES - (until - mark.on).days, mark) for mark in listed if 0 <= (until - mark.on).days <= MARK_PLACES
    ]
    years = [
        (MARK_PLACES - (until - date(year, 1, 1)).days, str(year))
        for year in (until.year - 1, until.year)
        if (until - date(year, 1, 1)).days <= MARK_PLACES
    ]
    return {"placed": placed, "years": years, "label": label or gettext("近两年检查"), "width": MARK_PLACES}


@dataclass(frozen=True, slots=True)
class DrawnArea:
    """One area of the map as it is drawn."""

    outline: outlines.Outline
    area: components.MapArea
    step: int
    short: str


def fill_thresholds(values: Sequence[float]) -> tuple[float, ...]:
    """This function will return the lower bounds of the five fills: equal steps of a round width from zero up."""
    top = max(values, default=0.0)
    if top <= 0:
        return (0.0,)
    raw = top / FILL_STEPS
    magnitude = 10.0 ** math.floor(math.log10(raw))
    width = next(nice * magnitude for nice in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if nice * magnitude >= raw * 0.999)
    if all(value == int(value) for value in values):
        width = max(1.0, math.ceil(width))
    return tuple(step * width for step in range(FILL_STEPS))


def _plain(value: float) -> str:
    return f"{value:,.10g}".replace(",", " ")


@register.inclusion_tag("shell/parts/district_map.html")
def district_map(areas: Iterable[components.MapArea], label: str, unit: str = "") -> dict[str, object]:
    """This function will draw the 17 areas of Beijing filled by one figure, with legend and the same as a list."""
    given: Mapping[str, components.MapArea] = {area.code: area for area in areas}
    values = [area.value for area in given.values() if area.value is not None]
    bounds = fill_thresholds(values)
    english = wording.in_english()
    drawing = outlines.outline_map()
    drawn = []
    for outline in drawing.areas:
        short = outline.english if english else outline.short
        name = short if english or not outline.own_outline else f"{short}区"
        area = given.get(outline.code) or components.MapArea(outline.code, name, None, gettext("无数据"))
        step = 0 if area.value is None else sum(1 for bound in bounds if area.value >= bound)
        drawn.append(DrawnArea(outline, area, max(step, 0), short))
    whole = all(value == int(value) for value in values)
    legend = []
    for at, low in enumerate(bounds):
        high = bounds[at + 1] - (1 if whole else 0) if at + 1 < len(bounds) else None
        words = f"≥ {_plain(low)}" if high is None else _plain(low) if high <= low else f"{_plain(low)}–{_plain(high)}"
        legend.append((at + 1, words))
    by_code = {item.outline.code: item for item in drawn}
    core = [(outline, by_code[outline.code]) for outline in drawing.core]
    ranked = sorted(drawn, key=lambda item: (item.area.value is None, -(item.area.value or 0), item.outline.code))
    return {
        "drawing": drawing,
        "drawn": drawn,
        "core": core,
        "ranked": ranked,
        "legend": legend,
        "label": label,
        "unit": unit,
        "missing": any(item.step == 0 for item in drawn),
    }


# States of a page


@register.inclusion_tag("shell/parts/state.html")
def empty(title: str, text: str = "", action: components.Action | None = None) -> dict[str, object]:
    """This function will draw an empty page: what will appear here and how to begin."""
    return {"kind": "empty", "title": title, "text": text, "action": action}


@register.inclusion_tag("shell/parts/state.html")
def partial(text: str, action: components.Action | None = None) -> dict[str, object]:
    """This function will say that something is still missing: `16 个区中 3 个已报送`."""
    return {"kind": "partial", "title": gettext("数据不全"), "text": text, "action": action}


@register.inclusion_tag("shell/parts/state.html")
def failed(text: str, reference: str = "", action: components.Action | None = None) -> dict[str, object]:
    """This function will say what went wrong, under which reference number, and what still works."""
    return {"kind": "error", "title": gettext("出错了"), "text": text, "reference": reference, "action": action}


@register.inclusion_tag("shell/parts/state.html")
def refused(text: str, who: str = "", action: components.Action | None = None) -> dict[str, object]:
    """This function will say that this person may not, and who may."""
    return {"kind": "refused", "title": gettext("您不能做这件事"), "text": text, "who": who, "action": action}


# Forms


@register.inclusion_tag("shell/parts/field.html")
def field(bound: BoundField, help_text: str = "", drop: bool = False) -> dict[str, object]:
    """This function will draw one field of a form with label, help and error beside it; `drop` makes files droppable."""
    attrs: dict[str, Any] = {}
    described = []
    if help_text or bound.help_text:
        described.append(f"{bound.auto_id}_help")
    if bound.errors:
        described.append(f"{bound.auto_id}_error")
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    kind = getattr(bound.field.widget, "input_type", "")
    return {
        "bound": bound,
        "widget": bound.as_widget(attrs=attrs),
        "help": help_text or bound.help_text,
        "grouped": bound.use_fieldset,
        "single_box": kind == "checkbox" and not bound.use_fieldset,
        "described": " ".join(described),
        "drop": drop or kind == "file",
        "multiple": bool(getattr(bound.field.widget, "allow_multiple_selected", False)),
    }


@register.inclusion_tag("shell/parts/error_summary.html")
def error_summary(form: BaseForm) -> dict[str, object]:
    """This function will list a form's errors at its head, each a link to its field."""
    listed = [(bound, error) for bound in form for error in bound.errors]
    return {"form": form, "listed": listed, "general": form.non_field_errors(), "bad": bool(form.errors)}
