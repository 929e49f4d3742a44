"""What the pages of oversight are put together from: cells, sections, tabs, paging, and forms that answer a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from anban.base.people.actor import Actor
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules.comparison import Interval
from anban.rules.errors import Refusal
from anban.rules.hazard_terms import Term
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of
from anban.web.shell.components import Action, Crumb, Deadline, Fact, Filter, FilterOption, Pager, Tab
from anban.web.shell.wording import in_english

COMMITTEE: Final = ("district_committee_officer", "city_committee_officer")
LEADERS: Final = (*COMMITTEE, "leader_viewer")
REGISTER: Final = (*LEADERS, "steward")
KEEPERS: Final = (*COMMITTEE, "steward", "street_safety_office", "street_director", "district_regulator_head")
READERS: Final = (*KEEPERS, "street_deputy", "leader_viewer")
PER_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, where it leads, and how it looks: a pill of a state, a term, a day, or a button that posts."""

    text: str = ""
    href: str = ""
    pill: str = ""
    term: Deadline | None = None
    day: date | None = None
    post: str = ""
    number: bool = False

    @property
    def blank(self) -> bool:
        """Tell whether nothing stands in it: a phone leaves it out, name and all."""
        return not (self.text or self.term or self.day)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page: a heading, a sentence, a table, what to say when it is empty, and what may be done."""

    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    empty: str = ""
    note: str = ""
    actions: tuple[Action, ...] = ()
    form: forms.Form | None = None
    form_action: str = ""
    form_verb: str = ""

    @property
    def lines(self) -> list[list[tuple[str, Cell]]]:
        """The rows, each cell beside its column's name: a phone shows the name in the cell."""
        return named(self.columns, self.rows)


def named(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[list[tuple[str, Cell]]]:
    """Return each cell beside its column's name."""
    return [list(zip(columns, row, strict=True)) for row in rows]


def name_of(row: Any) -> str:
    """Return a body's or area's name in the reader's language."""
    return str(row.name_en or row.name) if in_english() else str(row.name)


def term_name(value: Term) -> str:
    """Return a term's label in the reader's language."""
    return value.en if in_english() else value.zh


def terms(kind: type[Term]) -> list[tuple[str, str]]:
    """Return the terms of a kind as choices."""
    return [(each.value, term_name(each)) for each in kind]


def at_of(request: HttpRequest) -> datetime:
    """Return the instant of the request."""
    at: datetime = request.at  # type: ignore[attr-defined]
    return at


def today_of(request: HttpRequest) -> date:
    """Return the city's day of the request."""
    return city_date(at_of(request), actor_of(request).zone)


def found_or_404(row: Any) -> Any:
    """Return the row, or answer that nothing is there."""
    if row is None:
        raise Http404
    return row


def percent(value: Interval) -> str:
    """Return a share with its interval, or that it cannot be told."""
    if not value.enough or value.value is None or value.low is None or value.high is None:
        return _("不足以判断（%(n)s 件）") % {"n": value.n}
    return f"{value.value:.0%}（{value.low:.0%}–{value.high:.0%}，n={value.n}）"


def days(value: Interval) -> str:
    """Return a number of days with its interval, or that it cannot be told."""
    if not value.enough or value.value is None:
        return _("不足以判断（%(n)s 件）") % {"n": value.n}
    return _("%(v).1f 天（%(low).1f–%(high).1f）") % {"v": value.value, "low": value.low, "high": value.high}


TABS: Final = (
    ("overview", "/oversight/", OFFICIALS),
    ("duties", "/oversight/duties/", READERS),
    ("vacancies", "/oversight/vacancies/", READERS),
    ("instructions", "/oversight/instructions/", REGISTER),
    ("clues", "/oversight/clues/", COMMITTEE),
    ("likes", "/oversight/like-cases/", COMMITTEE),
    ("treatment", "/oversight/treatment/", COMMITTEE),
    ("dependence", "/oversight/dependence/", COMMITTEE),
    ("sanctions", "/oversight/sanctions/", LEADERS),
    ("instruments", "/oversight/instruments/", OFFICIALS),
    ("visits", "/oversight/visits/", OFFICIALS),
)


def tabs(actor: Actor, current: str) -> tuple[Tab, ...]:
    """Return the pages of oversight that the actor may open."""
    names = {
        "overview": _("概况"), "duties": _("岗责清单"), "vacancies": _("缺岗"), "instructions": _("批示件"),
        "clues": _("研判线索"), "likes": _("同案未办"), "treatment": _("同案比较"), "dependence": _("批示依赖"), "sanctions": _("问责"),
        "instruments": _("督办文书"), "visits": _("督察记录"),
    }  # fmt: skip
    return tuple(Tab(names[key], href, current=key == current) for key, href, roles in TABS if actor.has(*roles))


def page_of(request: HttpRequest, rows: Any) -> tuple[Any, Pager | None]:
    """Return one page of a list and the way to its neighbours, all filters kept; a list of one page has none."""
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    if page.paginator.num_pages == 1:
        return page, None
    kept = {key: value for key, value in request.GET.items() if key != "page" and value}

    def href(number: int) -> str:
        return f"{request.path}?{urlencode({**kept, 'page': str(number)})}"

    shown = _("第 %(first)s–%(last)s 条，共 %(n)s 条") % {
        "first": page.start_index(), "last": page.end_index(), "n": page.paginator.count,
    }  # fmt: skip
    return page, Pager(
        href(page.previous_page_number()) if page.has_previous() else "",
        href(page.next_page_number()) if page.has_next() else "",
        shown,
    )


def choice_filter(request: HttpRequest, key: str, label: str, options: Iterable[tuple[str, str]]) -> Filter:
    """Return a filter chip whose options are links that keep the other filters."""
    chosen = request.GET.get(key, "")
    kept = {k: v for k, v in request.GET.items() if k not in (key, "page") and v}

    def href(value: str) -> str:
        query = {**kept, **({key: value} if value else {})}
        return f"{request.path}?{urlencode(query)}" if query else request.path

    listed = tuple(
        FilterOption(name, href("" if value == chosen else value), selected=value == chosen) for value, name in options
    )
    return Filter(label, listed, clear_href=href(""))


def area_filter(request: HttpRequest) -> tuple[Filter, str]:
    """Return the chip of areas, and the path that is chosen where the actor covers it."""
    actor = actor_of(request)
    chosen = request.GET.get("area", "")
    areas = [row for row in territory.areas(actor) if row.level in ("district", "management")] or [
        row for row in territory.areas(actor) if row.level == "street"
    ]
    known = {row.path for row in territory.areas(actor)}
    return (
        choice_filter(request, "area", _("地区"), [(row.path, name_of(row)) for row in areas]),
        chosen if chosen in known else "",
    )


def listing(
    request: HttpRequest,
    current: str,
    title: str,
    *,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    pager: Pager | None = None,
    filters: Sequence[Filter] = (),
    count: str = "",
    intro: str = "",
    empty: tuple[str, str] = ("", ""),
    actions: Sequence[Action] = (),
    crumbs: Sequence[Crumb] = (),
    post: str = "",
    post_verb: str = "",
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Return a page that is one list; with ``post`` its rows can be chosen and sent."""
    context = {
        "title": title, "tabs": tabs(actor_of(request), current), "columns": columns, "rows": named(columns, rows), "pager": pager,
        "filters": filters, "count": count, "intro": intro, "empty_title": empty[0], "empty_text": empty[1],
        "actions": actions, "crumbs": crumbs, "post": post, "post_verb": post_verb, "now": at_of(request), **(extra or {}),
    }  # fmt: skip
    return render(request, "desk/oversight/list.html", context)


def detail(
    request: HttpRequest,
    current: str,
    title: str,
    *,
    facts: Sequence[Fact] = (),
    sections: Sequence[Section] = (),
    crumbs: Sequence[Crumb] = (),
    pills: Sequence[tuple[str, str]] = (),
    actions: Sequence[Action] = (),
    notes: Sequence[str] = (),
    status: int = 200,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Return a page about one thing: facts, then sections."""
    context = {
        "title": title, "tabs": tabs(actor_of(request), current), "facts": facts, "sections": sections, "crumbs": crumbs,
        "pills": pills, "actions": actions, "notes": notes, "now": at_of(request), **(extra or {}),
    }  # fmt: skip
    return render(request, "desk/oversight/page.html", context, status=status)


def asked(
    request: HttpRequest,
    form: forms.Form,
    do: Callable[[dict[str, Any]], str],
    *,
    title: str,
    verb: str,
    crumbs: Sequence[Crumb],
    facts: Sequence[Fact] = (),
    current: str = "overview",
    back: str = "/oversight/",
    note: str = "",
) -> HttpResponse:
    """Show a form; when it is sent and good, do it and go to the address that ``do`` returns; a refusal stays beside it."""
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return redirect(do(form.cleaned_data))
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
    context = {
        "title": title, "verb": verb, "crumbs": crumbs, "facts": facts, "form": form, "back": back, "note": note,
        "tabs": tabs(actor_of(request), current), "now": at_of(request),
    }  # fmt: skip
    return render(request, "desk/oversight/form.html", context, status=status)


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text holds, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def body_choices(actor: Actor, path: str) -> dict[str, str]:
    """Return the bodies at or below an area, or above it up to the district, as choices."""
    covered = territory.scope_paths(actor)
    rows = territory.bodies(actor.root).filter(until_on__isnull=True)
    return {
        str(row.pk): name_of(row)
        for row in rows
        if (row.area.path.startswith(path) or path.startswith(row.area.path))
        and (covered is None or any(row.area.path.startswith(prefix) for prefix in covered))
    }


def body_named(actor: Actor, text: str) -> Any:
    """Return the body of a choice."""
    key = as_uuid(text)
    return territory.bodies(actor.root).filter(pk=key).first() if key else None


def choose(form: forms.Form, name: str, options: Iterable[tuple[str, str]]) -> None:
    """Give a choice field its options."""
    field = form.fields[name]
    if isinstance(field, forms.ChoiceField):
        field.choices = list(options)


def day_input(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    """Return a field for a day."""
    return forms.DateField(
        label=label,
        required=required,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=help_text,
    )
