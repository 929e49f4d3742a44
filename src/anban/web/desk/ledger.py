"""The ledger (台账): filters in the address, keyset pages, columns, saved filters, bulk actions with counts, export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.people import operations as people
from anban.base.people import queries as people_queries
from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.hazards import exporters, operations, ordering, queries
from anban.contexts.hazards.ordering import ORDERS
from anban.contexts.hazards.queries import Counted, Filters
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action as Act
from anban.rules.hazard_lifecycle import Grade, ProofLevel, State, Track, label
from anban.web.desk.wording import ORIGINS, origin_name, proof_name, rebound_words, said, state_name, term
from anban.web.shell.access import EVERYBODY, OFFICIALS, actor_of, needs
from anban.web.shell.components import (
    Action,
    Column,
    Crumb,
    Deadline,
    Filter,
    FilterInput,
    FilterOption,
    Pager,
    Tone,
)
from anban.web.shell.wording import in_english, local_day

PAGE: Final = 50
BULK_MOST: Final = 500
COOKIE: Final = "anban_ledger_columns"
COOKIE_SECONDS: Final = 365 * 24 * 3600
RESULT: Final = "ledger_bulk"
NAMES: Final = {
    "area": "area", "overview": "overview", "grade": "grade", "kind": "kind", "class_code": "class", "code": "code",
    "due": "due", "origin": "origin", "proof": "proof", "track": "track", "q": "q", "sort": "sort",
}  # fmt: skip
"""The plain filters and their names in the address."""

FLAGS: Final = {
    "rebound": "rebound", "penalised": "penalised", "open_only": "open", "closed_only": "closed", "on_watch": "watch",
    "mine": "mine",
}  # fmt: skip
TERMS: Final = {"overdue": gettext_lazy("已逾期"), "running": gettext_lazy("未到期")}
SORTS: Final = {
    "": gettext_lazy("上账先后"), "due": gettext_lazy("期限"), "found": gettext_lazy("发现日期"), "place": gettext_lazy("单位"),
}  # fmt: skip
"""The orders of the list: the newest entry first; the most pressing term; the latest found; each place's together."""

LAST_DAY: Final = date.max


def parsed(query: Mapping[str, str]) -> Filters:
    """Return the filters that an address asks for; what means nothing is left out, so that an old link still opens."""
    plain: dict[str, Any] = {name: str(query.get(key, "")).strip()[:200] for name, key in NAMES.items()}
    if plain["due"] not in TERMS:
        plain["due"] = ""
    if plain["sort"] not in ORDERS:
        plain["sort"] = ""
    flags: dict[str, Any] = {name: query.get(key, "") == "1" for name, key in FLAGS.items()}
    states = tuple(dict.fromkeys(s for s in str(query.get("state", "")).split(",") if s in State._value2member_map_))
    until = _day(query.get("to", ""))
    return Filters(
        **plain,
        **flags,
        states=states,
        found_from=_day(query.get("from", "")),
        found_until=until + timedelta(days=1) if until and until < LAST_DAY else None,
        place=_uuid(query.get("place", "")),
    )


def pairs(filters: Filters) -> list[tuple[str, str]]:
    """Return the filters as the pairs of an address; ``parsed`` gives the same filters back."""
    found = [(key, getattr(filters, name)) for name, key in NAMES.items() if getattr(filters, name)]
    found += [(key, "1") for name, key in FLAGS.items() if getattr(filters, name)]
    if filters.states:
        found.append(("state", ",".join(filters.states)))
    if filters.found_from:
        found.append(("from", filters.found_from.isoformat()))
    if filters.found_until:
        found.append(("to", (filters.found_until - timedelta(days=1)).isoformat()))
    if filters.place:
        found.append(("place", str(filters.place)))
    return found


def formatted(filters: Filters, **more: str) -> str:
    """Return the address's query that asks for these filters, with further pairs behind; empty for everything."""
    return urlencode([*pairs(filters), *((k, v) for k, v in more.items() if v)])


def address(filters: Filters, **more: str) -> str:
    """Return the address of the ledger under these filters."""
    query = formatted(filters, **more)
    return f"/ledger/?{query}" if query else "/ledger/"


def is_empty(filters: Filters) -> bool:
    """Tell whether nothing is filtered; an order filters nothing."""
    return all(not getattr(filters, f.name) for f in fields(filters) if f.name != "sort")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


# ── the list ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Words:
    """What the codes of a page of hazards are called, loaded once."""

    kinds: Mapping[str, str]
    classes: Mapping[str, str]
    areas: Mapping[str, str]

    def area(self, path: str) -> str:
        """Return district and street of a path."""
        parts = [p for p in path.split("/") if p]
        above = ["/".join(parts[:n]) + "/" for n in range(2, min(len(parts), 3) + 1)]
        return " ".join(self.areas[p] for p in above if p in self.areas)


def words_for(actor: Actor, paths: list[str]) -> Words:
    """Return the names of place kinds, hazard classes and the given areas in the reader's language."""
    column = "en" if in_english() else "zh"
    english = in_english()
    return Words(
        dict(catalog.place_kinds(actor.root).values_list("code", column)),
        dict(catalog.hazard_classes(actor.root).values_list("code", column)),
        {p: (en if english else zh) for p, (zh, en) in territory.area_names(actor.root, paths).items()}
        if paths
        else {},
    )


COLUMNS: Final = (
    ("place", gettext_lazy("单位"), True),
    ("state", gettext_lazy("状态"), True),
    ("fact", gettext_lazy("隐患"), True),
    ("grade", gettext_lazy("等级"), False),
    ("due", gettext_lazy("期限"), False),
    ("holder", gettext_lazy("承办人"), False),
    ("area", gettext_lazy("地区"), False),
    ("kind", gettext_lazy("场所"), False),
    ("class", gettext_lazy("类别"), False),
    ("origin", gettext_lazy("来源"), False),
    ("found", gettext_lazy("发现"), False),
    ("rebound", gettext_lazy("反弹"), False),
    ("voices", gettext_lazy("反映"), False),
    ("proof", gettext_lazy("销号依据"), False),
    ("number", gettext_lazy("编号"), False),
)
SHOWN: Final = ("place", "state", "fact", "grade", "due", "holder", "area", "found", "number")
NUMBERS: Final = frozenset({"rebound", "voices"})
FIXED: Final = frozenset(key for key, _label, fixed in COLUMNS if fixed)


def columns_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the columns that this reader chose, or those everybody begins with."""
    known = {key for key, _label, _fixed in COLUMNS}
    kept = [key for key in request.COOKIES.get(COOKIE, "").split(".") if key in known]
    return tuple(kept) if kept else SHOWN


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a row: its column, its text, and what the template draws for it."""

    key: str
    text: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Line:
    """One hazard as a row of the ledger."""

    id: UUID
    number: str
    href: str
    place: str
    state: str
    state_name: str
    fact: str
    note: str
    cells: tuple[Cell, ...]


def line_of(row: Any, filters_query: str, words: Words, shown: tuple[str, ...], now: datetime) -> Line:
    """Return a hazard as a row: place, state and fact always, the chosen columns behind."""
    values: dict[str, Cell] = {
        "grade": Cell("grade", row.grade, row.grade),
        "due": Cell("due", "", Deadline(row.due_at, now, _done(row), row.provisional)),
        "holder": Cell("holder", row.holder.name or "—"),
        "area": Cell("area", words.area(row.area_path)),
        "kind": Cell("kind", words.kinds.get(row.place_kind, row.place_kind)),
        "class": Cell("class", words.classes.get(row.class_code, row.class_code)),
        "origin": Cell("origin", origin_name(row.origin)),
        "found": Cell("found", "", row.found_on),
        "rebound": Cell("rebound", str(row.rebound_no) if row.rebound_no else "—"),
        "voices": Cell("voices", str(row.voices_count)),
        "proof": Cell("proof", proof_name(row.proof) or "—"),
        "number": Cell("number", row.number),
    }
    notes = [rebound_words(row.rebound_no), _("罚而未改") if row.penalised and row.is_open else ""]
    return Line(
        id=row.pk,
        number=row.number,
        href=f"/ledger/{row.pk}/?{filters_query}" if filters_query else f"/ledger/{row.pk}/",
        place=row.place_title,
        state=row.state,
        state_name=state_name(row.state, row.chain),
        fact=row.fact or _("（未写明）"),
        note=" · ".join(filter(None, notes)),
        cells=tuple(values[key] for key, _label, fixed in COLUMNS if not fixed and key in shown),
    )


def _done(row: Any) -> datetime | None:
    """Return when a closed hazard was closed, to the day: a close on the due day is in time."""
    if row.is_open or row.closed_on is None or row.due_at is None:
        return None
    due: datetime = row.due_at
    return due + timedelta(days=max(0, (row.closed_on - local_day(due)).days))


def count_words(counted: Counted) -> str:
    """Return `共 188 条`, or `10 000+ 条` beyond the limit."""
    if counted.exact and counted.number == 1:
        return _("共 1 条")
    return _("共 %(count)s 条") % {"count": counted}


@needs(*EVERYBODY)
@require_GET
def ledger(request: HttpRequest) -> HttpResponseBase:
    """Show the hazards in my scope that fit the filters of the address."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    filters = parsed(request.GET)
    if "columns" in request.GET:
        return _keep_columns(request, filters)
    if request.GET.get("format") in exporters.FORMATS:
        return _export(actor, at, filters, request.GET["format"])
    rows, after, before = _drawn(actor, filters, at, request.GET.get("after", ""), request.GET.get("before", ""))
    counted = queries.count(actor, filters, at=at, exact=request.GET.get("exact") == "1")
    shown = columns_of(request)
    words = words_for(actor, [row.area_path for row in rows])
    query = formatted(filters)
    views = list(people_queries.saved_views(actor, "ledger"))
    context = {
        "now": at,
        "filters": chips(actor, filters, words),
        "count": count_words(counted),
        "exact_href": "" if counted.exact else address(filters, exact="1"),
        "clear_href": "/ledger/",
        "saved_href": f"/ledger/views/?{query}" if query else "",
        "views": [
            (view, f"/ledger/?{view.query}" if view.query else "/ledger/", view.query == query) for view in views
        ],
        "query": query,
        "orders": [(str(name), address(ordered(filters, key)), key == filters.sort) for key, name in SORTS.items()],
        "q": filters.q,
        "without_q": address(replace(filters, q="")),
        "columns": columns_for(shown),
        "keep": pairs(filters),
        "rows": [line_of(row, query, words, shown, at) for row in rows],
        "pager": Pager(
            address(filters, before=before) if before else "",
            address(filters, after=after) if after else "",
            _("本页 %(n)s 条") % {"n": len(rows)} if rows else "",
        ),
        "bulk": _bulk_actions(actor),
        "exports": [Action(name, address(filters, format=kind)) for kind, name in (("csv", "CSV"), ("xlsx", "XLSX"))],
        "filtered": not is_empty(filters),
        "begin": Action(_("上报隐患"), "/report/", Tone.PRIMARY),
        "wider": Action(_("清除筛选"), "/ledger/"),
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return render(request, "desk/parts/ledger_list.html", context)
    return render(request, "desk/ledger.html", context)


def _drawn(actor: Actor, filters: Filters, at: datetime, after: str, before: str) -> tuple[Sequence[Any], str, str]:
    """Return a page's rows, and the cursors of the pages after and before it."""
    if filters.sort:
        found = ordering.page(
            actor, filters, at=at, after=ordering.parse(after, filters.sort),
            before=ordering.parse(before, filters.sort), size=PAGE,
        )  # fmt: skip
        return found.rows, found.after, found.before
    start = _uuid(before)
    if start is not None:
        rows, newer = queries.page_before(actor, filters, at=at, before=start, size=PAGE)
        older = rows[-1].pk if rows else None
    else:
        newer = _uuid(after) is not None
        rows, older = queries.page(actor, filters, at=at, after=_uuid(after), size=PAGE)
    return rows, str(older or ""), str(rows[0].pk) if rows and newer else ""


def ordered(filters: Filters, sort: str) -> Filters:
    """Return the filters in another order; by term those come that are still open, unless a state is chosen."""
    unchosen = not (filters.states or filters.closed_only or filters.on_watch)
    return replace(filters, sort=sort, open_only=filters.open_only or (sort == "due" and unchosen))


def columns_for(shown: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns of the table, chosen and not."""
    return tuple(
        Column(key, str(name), number=key in NUMBERS, shown=fixed or key in shown, fixed=fixed)
        for key, name, fixed in COLUMNS
    )


def _keep_columns(request: HttpRequest, filters: Filters) -> HttpResponse:
    known = [key for key, _label, _fixed in COLUMNS]
    wanted = set(request.GET.getlist("columns")) | FIXED
    response = redirect(address(filters))
    response.set_cookie(
        COOKIE, ".".join(key for key in known if key in wanted), max_age=COOKIE_SECONDS, samesite="Lax",
        secure=request.is_secure(), httponly=True,
    )  # fmt: skip
    return response


def chips(actor: Actor, filters: Filters, words: Words) -> tuple[Filter, ...]:
    """Return the filter chips in one row, each option the address with it switched."""

    def without(name: str, value: Any) -> Filters:
        changed: dict[str, Any] = {name: value}
        return replace(filters, **changed)

    def switch(name: str, value: Any, text: str) -> FilterOption:
        on = getattr(filters, name) == value
        empty: Any = False if isinstance(value, bool) else ""
        return FilterOption(text, address(without(name, empty if on else value)), selected=on)

    def one(title: str, name: str, choices: list[tuple[str, str]]) -> Filter:
        value = getattr(filters, name)
        known = dict(choices)
        listed = (
            [*choices]
            if not value or value in known
            else [*choices, (value, "、".join(known.get(each, each) for each in value.split(",")))]
        )
        return Filter(
            title,
            tuple(switch(name, code, text) for code, text in listed),
            clear_href=address(without(name, "")),
        )

    def mark(title: str, name: str, text: str) -> Filter:
        return Filter(title, (switch(name, True, text),), clear_href=address(without(name, False)))

    dates = replace(filters, found_from=None, found_until=None)
    until = filters.found_until - timedelta(days=1) if filters.found_until else None
    span = "–".join((filters.found_from.isoformat() if filters.found_from else "", until.isoformat() if until else ""))
    return (
        _area_chip(actor, filters),
        _state_chip(filters),
        one(_("等级"), "grade", [(g.value, term(g)) for g in Grade]),
        one(_("种类"), "kind", sorted(words.kinds.items(), key=lambda item: item[1])),
        one(_("类别"), "class_code", list(words.classes.items())),
        one(_("期限"), "due", [(key, str(text)) for key, text in TERMS.items()]),
        mark(_("反弹"), "rebound", _("只看反弹")),
        one(_("来源"), "origin", [(key, str(text)) for key, text in ORIGINS.items()]),
        Filter(
            _("时间"),
            inputs=(
                FilterInput("from", _("发现于（起）"), filters.found_from.isoformat() if filters.found_from else "", "date"),
                FilterInput("to", _("发现于（止，含当日）"), until.isoformat() if until else "", "date"),
            ),
            keep=tuple(pairs(dates)),
            clear_href=address(dates),
            value=span if span != "–" else "",
        ),
        Filter(_("罚而未改"), (_fined(filters),), clear_href=address(replace(filters, penalised=False, open_only=False))),
        mark(_("观察期"), "on_watch", _("销号后仍在观察")),
        mark(_("我承办的"), "mine", _("只看我承办的")),
        one(_("销号依据"), "proof", [(p.value, term(p)) for p in ProofLevel]),
        one(_("轨道"), "track", [(t.value, term(t)) for t in Track]),
        *((one(_("检查项"), "code", [(filters.code, filters.code)]),) if filters.code else ()),
        *((Filter(_("单位"), (FilterOption(_("只看一家单位"), address(replace(filters, place=None)), selected=True),)),)
          if filters.place else ()),
    )  # fmt: skip


def _fined(filters: Filters) -> FilterOption:
    """Return the switch of 罚而未改: penalised, and still open."""
    on = filters.penalised and filters.open_only
    return FilterOption(_("罚过、仍未销号"), address(replace(filters, penalised=not on, open_only=not on)), selected=on)


def _state_chip(filters: Filters) -> Filter:
    """Return the states, several at once, with 未销号 and 已销号 before them."""
    english = in_english()

    def switched(state: str) -> str:
        rest = tuple(s for s in filters.states if s != state)
        return address(replace(filters, states=rest if state in filters.states else (*filters.states, state)))

    groups = [
        FilterOption(_("未销号"), address(replace(filters, open_only=not filters.open_only, closed_only=False)), filters.open_only),
        FilterOption(_("已销号"), address(replace(filters, closed_only=not filters.closed_only, open_only=False)), filters.closed_only),
    ]  # fmt: skip
    states = [
        FilterOption(state.en if english else state.zh, switched(state.value), state.value in filters.states) for state in State
        if state is not State.CLOSED
    ]  # fmt: skip
    clear = address(replace(filters, states=(), open_only=False, closed_only=False))
    return Filter(_("状态"), (*groups, *states), clear_href=clear)


def _area_chip(actor: Actor, filters: Filters) -> Filter:
    """Return the areas one step below the chosen one, and the way up; a managing area stands beside the districts."""
    english = in_english()
    plain = replace(filters, area="", overview="")
    listed = [
        FilterOption(
            row.name_en if english else row.name,
            address(plain if row.path == filters.area else replace(plain, area=row.path)),
            row.path == filters.area,
        )
        for row in territory.area_choices(actor, filters.area)
        if row.level != "city"
    ]
    chosen = ""
    if filters.overview:
        named = {row.code: row.name_en if english else row.name for row in territory.overview_areas(actor.root)}
        chosen = named.get(filters.overview, filters.overview)
    return Filter(_("地区"), tuple(listed), clear_href=address(plain), value=chosen)


# ── export ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _export(actor: Actor, at: datetime, filters: Filters, kind: str) -> HttpResponseBase:
    """Send the filtered list as a file; the read is logged with the number of rows before the first one leaves."""
    total = queries.count(actor, filters, at=at, exact=True)
    people.note_access(actor=actor, at=at, what="export.hazards", subject=formatted(filters)[:120], rows=total.number)
    name = f"hazards-{city_date(at, actor.zone):%Y%m%d}.{kind}"
    if kind == "csv":
        response: HttpResponseBase = StreamingHttpResponse(
            exporters.csv_chunks(actor, filters, at=at), content_type="text/csv; charset=utf-8"
        )
    else:
        response = FileResponse(exporters.workbook(actor, filters, at=at), content_type=exporters.XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# ── saved filters ──────────────────────────────────────────────────────────────────────────────────────────────


class ViewForm(forms.Form):
    """The name under which filters are kept."""

    title = forms.CharField(label=gettext_lazy("名称"), max_length=80)
    shared = forms.BooleanField(label=gettext_lazy("让同一地区的同事也看到"), required=False)


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def views(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the address under a name, and list what is kept."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    filters = parsed(request.GET)
    form = ViewForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            people.save_view(
                actor=actor, at=at, page="ledger", title=form.cleaned_data["title"], query=formatted(filters),
                columns=".".join(columns_of(request)), shared=form.cleaned_data["shared"],
            )  # fmt: skip
            messages.success(request, _("筛选已保存。"))
            return redirect(address(filters))
    kept = [
        (view, f"/ledger/?{view.query}", view.account_id == actor.account_id)
        for view in people_queries.saved_views(actor, "ledger")
    ]
    chosen = [f"{chip.label} {chip.chosen}" for chip in chips(actor, filters, words_for(actor, [])) if chip.chosen]
    if filters.q:
        chosen.append(f"“{filters.q}”")
    context = {
        "form": form, "kept": kept, "chosen": chosen, "back": address(filters), "now": at,
        "crumbs": (Crumb(_("台账"), "/ledger/"), Crumb(_("已存筛选"))),
    }  # fmt: skip
    return render(request, "desk/ledger_views.html", context, status=status)


@needs(*EVERYBODY)
@require_POST
def drop_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Remove one of my saved filters."""
    people.drop_view(actor=actor_of(request), at=request.at, view_id=view_id)  # type: ignore[attr-defined]
    messages.success(request, _("已删除这组筛选。"))
    return redirect("/ledger/views/")


# ── many at once ───────────────────────────────────────────────────────────────────────────────────────────────

BULK: Final = {"transfer": Act.TRANSFER, "assign": Act.ASSIGN}


class BulkForm(forms.Form):
    """To which body the chosen hazards go, and why."""

    body = forms.ChoiceField(label=gettext_lazy("机构"))
    reason = forms.CharField(label=gettext_lazy("理由"), widget=forms.Textarea, max_length=2000)


def _bulk_actions(actor: Actor) -> tuple[Action, ...]:
    if not actor.has(*OFFICIALS):
        return ()
    listed = [Action(_("移交"), "/ledger/bulk/transfer/", Tone.PRIMARY)]
    if actor.has("district_committee_officer", "city_committee_officer", "leader_viewer"):
        listed.append(Action(_("交办"), "/ledger/bulk/assign/"))
    return tuple(listed)


@needs(*OFFICIALS)
@require_POST
def bulk(request: HttpRequest, action: str) -> HttpResponse:
    """Hand over or assign the chosen rows: first say how many can go, then do each in its own unit of work."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    act = BULK.get(action)
    if act is None:
        raise Http404
    ids = list(dict.fromkeys(found for text in request.POST.getlist("chosen") if (found := _uuid(text))))[:BULK_MOST]
    rows = queries.chosen(actor, ids)
    if not rows:
        messages.warning(request, _("没有选中任何隐患。"))
        return redirect("/ledger/")
    able = queries.permitted(actor, rows, act)
    going = [row for row in rows if row.pk in able]
    staying = [row for row in rows if row.pk not in able]
    decided = "go" in request.POST
    form = BulkForm(request.POST if decided else None)
    shortest = min((row.area_path for row in rows), key=len)
    common = next(
        (p for p in _prefixes(shortest) if all(row.area_path.startswith(p) for row in rows)), ""
    )  # the narrowest area that holds them all decides which bodies are offered
    bodies = territory.bodies_over(actor.root, common)
    form.fields["body"].choices = [  # type: ignore[attr-defined]
        ("", _("请选择")),
        *((str(b.pk), b.name_en if in_english() else b.name) for b in bodies),
    ]
    if decided and form.is_valid():
        request.session[RESULT] = _run(actor, at, act, going, staying, form.cleaned_data)
        return redirect("/ledger/bulk/result/")
    context = {
        "form": form, "act": act, "action": action, "verb": term(act), "going": going, "staying": staying,
        "chosen": [row.pk for row in rows], "now": at, "unseen": len(ids) - len(rows),
        "crumbs": (Crumb(_("台账"), "/ledger/"), Crumb(_("批量%(verb)s") % {"verb": term(act)})),
    }  # fmt: skip
    return render(request, "desk/ledger_bulk.html", context, status=422 if form.errors else 200)


def _prefixes(path: str) -> list[str]:
    parts = [p for p in path.split("/") if p]
    return ["/".join(parts[:n]) + "/" for n in range(len(parts), 0, -1)]


def _run(
    actor: Actor, at: datetime, act: Act, going: list[Any], staying: list[Any], given: dict[str, Any]
) -> dict[str, Any]:
    done, refused = [], []
    for row in going:
        try:
            operations.act(
                actor=actor, at=at, hazard_id=row.pk, action=act, version=row.version,
                given={"body": UUID(given["body"]), "reason": given["reason"]},
            )  # fmt: skip
        except Refusal as refusal:
            refused.append((str(row.pk), row.number, row.place_title, said(refusal)))
        else:
            done.append((str(row.pk), row.number, row.place_title))
    refused += [(str(row.pk), row.number, row.place_title, not_yours(row, act)) for row in staying]
    return {"verb": term(act), "done": done, "refused": refused}


def not_yours(row: Any, act: Act) -> str:
    """Return why a row cannot go along."""
    zh, en = label(State(row.state), row.chain)
    return _("您无权%(verb)s，或现在的状态（%(state)s）不能%(verb)s。") % {
        "verb": term(act), "state": en if in_english() else zh,
    }  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def bulk_result(request: HttpRequest) -> HttpResponse:
    """Say what was done and what was not, with the reason of each."""
    result = request.session.get(RESULT)
    if not result:
        return redirect("/ledger/")
    context = {**result, "crumbs": (Crumb(_("台账"), "/ledger/"), Crumb(_("办理结果")))}
    return render(request, "desk/ledger_result.html", context)
