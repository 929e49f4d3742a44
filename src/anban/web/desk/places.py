"""The register (底数): filters in the address, keyset pages, columns, export; blind spots and possible duplicates."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.establishments import operations, policies, queries
from anban.contexts.establishments.columns import PLACE_COLUMNS
from anban.contexts.establishments.exporters import export_places
from anban.contexts.establishments.queries import Count, Filters
from anban.contexts.establishments.vocabulary import AFFILIATIONS, CHOICES, FORMS, STATUSES, word_of
from anban.contexts.hazards.figures import open_by_place
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules.errors import Refusal
from anban.web.desk.wording import said
from anban.web.shell.access import EVERYBODY, OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Column, Crumb, Filter, FilterOption, Pager, Tone
from anban.web.shell.wording import in_english

PAGE: Final = 50
SHOWN_MATCHES: Final = 12
COOKIE: Final = "anban_places_columns"
COOKIE_SECONDS: Final = 365 * 24 * 3600
STATUS_LOOK: Final = {
    "operating": "open",
    "stopped": "quiet",
    "closed": "quiet",
    "awaiting_demolition": "awaiting_receipt",
}
"""Which look of a state a status has: in being, at rest, waiting."""

COLUMNS: Final = (
    ("name", gettext_lazy("名称"), True),
    ("status", gettext_lazy("状态"), True),
    ("kind", gettext_lazy("场所"), False),
    ("area", gettext_lazy("地区"), False),
    ("address", gettext_lazy("地址"), False),
    ("open", gettext_lazy("未销号"), False),
    ("affiliation", gettext_lazy("隶属关系"), False),
    ("form", gettext_lazy("形态"), False),
    ("building", gettext_lazy("所在建筑"), False),
    ("credit_code", gettext_lazy("统一社会信用代码"), False),
    ("number", gettext_lazy("编号"), False),
)
SHOWN: Final = ("name", "status", "kind", "area", "address", "open", "affiliation", "number")
FIXED: Final = frozenset(key for key, _label, fixed in COLUMNS if fixed)


def address(filters: Filters, **more: str) -> str:
    """Return the address of the register under these filters, with further pairs behind."""
    extra = urlencode({key: value for key, value in more.items() if value})
    query = "&".join(part for part in (filters.query, extra) if part)
    return f"/places/?{query}" if query else "/places/"


def count_words(counted: Count) -> str:
    """Return `共 188 家`, or `10 000+ 家` beyond the limit."""
    if not counted.more and counted.rows == 1:
        return _("共 1 家")
    number = str(counted) if counted.more else f"{counted.rows:,}".replace(",", " ")
    return _("共 %(count)s 家") % {"count": number}


def kind_names(root: str) -> dict[str, str]:
    """Return the names of a root's place kinds in the reader's language."""
    return dict(catalog.place_kinds(root).values_list("code", "en" if in_english() else "zh"))


def area_words(root: str, paths: Iterable[str]) -> dict[str, str]:
    """Return district and street of each path, in the reader's language; one query for all."""
    listed = list(dict.fromkeys(paths))
    named = territory.area_names(root, listed) if listed else {}
    side = 1 if in_english() else 0
    made = {}
    for path in listed:
        parts = [part for part in path.split("/") if part]
        above = ["/".join(parts[:n]) + "/" for n in range(min(2, len(parts)), min(len(parts), 4) + 1)]
        made[path] = " ".join(named[one][side] for one in above if one in named)
    return made


def columns_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the columns that this reader chose, or those everybody begins with."""
    known = {key for key, _label, _fixed in COLUMNS}
    kept = [key for key in request.COOKIES.get(COOKIE, "").split(".") if key in known]
    return tuple(kept) if kept else SHOWN


@dataclass(frozen=True, slots=True)
class Line:
    """One place as a row of the register; ``cells`` are (column, text) of the chosen columns."""

    id: UUID
    href: str
    name: str
    look: str
    status: str
    cells: tuple[tuple[str, str], ...]


def line_of(
    row: Any,
    kinds: Mapping[str, str],
    areas: Mapping[str, str],
    open_counts: Mapping[UUID, int],
    shown: tuple[str, ...],
) -> Line:
    """Return a place as a row: name and status always, the chosen columns behind."""
    english = in_english()
    values = {
        "kind": kinds.get(row.kind, row.kind) or "—",
        "area": areas.get(row.area_path, ""),
        "address": row.address or "—",
        "open": str(open_counts.get(row.pk, 0)),
        "affiliation": word_of("affiliation", row.affiliation, english=english),
        "form": word_of("form", row.form, english=english),
        "building": row.building.name if row.building else "—",
        "credit_code": row.credit_code or "—",
        "number": row.number,
    }
    return Line(
        id=row.pk,
        href=f"/places/{row.pk}/",
        name=row.name or row.number,
        look=STATUS_LOOK.get(row.status, ""),
        status=word_of("status", row.status, english=english),
        cells=tuple((key, values[key]) for key, _label, fixed in COLUMNS if not fixed and key in shown),
    )


@needs(*EVERYBODY)
@require_GET
def places(request: HttpRequest) -> HttpResponseBase:
    """Show the places of the register in my scope that fit the filters of the address."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    filters = Filters.of(request.GET)
    if "columns" in request.GET:
        return _keep_columns(request, filters)
    if request.GET.get("format") == "csv":
        return _export(actor, at, filters, "csv")
    if request.GET.get("format") == "xlsx":
        return _export(actor, at, filters, "xlsx")
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if before:
        rows, newer = queries.page_before(actor, filters, before, PAGE)
        older = str(rows[-1].pk) if rows else ""
    else:
        one = queries.page(actor, filters, after, PAGE)
        rows, older, newer = one.rows, one.next, bool(after)
    counted = queries.count(actor, filters, exact=request.GET.get("exact") == "1")
    shown = columns_of(request)
    open_counts = open_by_place(actor, [row.pk for row in rows]) if "open" in shown else {}
    kinds = kind_names(actor.root)
    areas = area_words(actor.root, [row.area_path for row in rows])
    context = {
        "now": at,
        "filters": chips(actor, filters, kinds),
        "count": count_words(counted),
        "exact_href": address(filters, exact="1") if counted.more else "",
        "clear_href": "/places/",
        "q": filters.q,
        "filtered": bool(filters.query),
        "columns": [
            Column(key, str(name), number=key == "open", shown=fixed or key in shown, fixed=fixed)
            for key, name, fixed in COLUMNS
        ],
        "keep": [(key, getattr(filters, key)) for key in Filters.__slots__ if getattr(filters, key)],
        "rows": [line_of(row, kinds, areas, open_counts, shown) for row in rows],
        "pager": Pager(
            address(filters, before=str(rows[0].pk)) if rows and newer else "",
            address(filters, after=older) if older else "",
            _("本页 %(n)s 家") % {"n": len(rows)} if rows else "",
        ),
        "exports": [Action(name, address(filters, format=kind)) for kind, name in (("csv", "CSV"), ("xlsx", "XLSX"))],
        "begin": Action(_("登记新单位"), "/places/new/", Tone.PRIMARY) if may_register(actor) else None,
        "settles": may_settle(actor),
        "wider": Action(_("清除筛选"), "/places/"),
    }
    return render(request, "desk/places.html", context)


def may_register(actor: Actor) -> bool:
    """Tell whether the actor may put places on the register anywhere."""
    return any(policies.can_register(actor, path) for path in territory.scope_paths(actor) or ("",))


def may_settle(actor: Actor) -> bool:
    """Tell whether the actor may merge places and settle blind spots anywhere."""
    return any(policies.can_settle(actor, path) for path in territory.scope_paths(actor) or ("",))


def _keep_columns(request: HttpRequest, filters: Filters) -> HttpResponse:
    known = [key for key, _label, _fixed in COLUMNS]
    wanted = set(request.GET.getlist("columns")) | FIXED
    response = redirect(address(filters))
    response.set_cookie(
        COOKIE, ".".join(key for key in known if key in wanted), max_age=COOKIE_SECONDS, samesite="Lax",
        secure=request.is_secure(), httponly=True,
    )  # fmt: skip
    return response


def chips(actor: Actor, filters: Filters, kinds: Mapping[str, str]) -> tuple[Filter, ...]:
    """Return the filter chips in one row, each option the address with it switched."""
    english = in_english()

    def one(title: str, name: str, choices: Iterable[tuple[str, str]]) -> Filter:
        value = getattr(filters, name)
        listed = list(choices)
        known = dict(listed)
        if value and value not in known:
            listed.append((value, "、".join(known.get(part, part) for part in value.split(","))))
        return Filter(
            title,
            tuple(
                FilterOption(text, address(replace(filters, **{name: "" if code == value else code})), code == value)
                for code, text in listed
            ),
            clear_href=address(filters.without(name)),
        )

    def words(name: str, table: Mapping[str, object]) -> list[tuple[str, str]]:
        return [(code, word_of(name, code, english=english)) for code in table]

    sources = [(s.code, (s.name_en if english else s.name) or s.name) for s in queries.source_lists(actor)]
    building = queries.place(actor, UUID(filters.building)) if _is_uuid(filters.building) else None
    made = [
        _area_chip(actor, filters),
        one(_("场所类型"), "kind", sorted(kinds.items(), key=lambda item: item[1])),
        one(_("状态"), "status", words("status", STATUSES)),
        one(_("隶属关系"), "affiliation", words("affiliation", AFFILIATIONS)),
        one(_("形态"), "form", words("form", FORMS)),
        one(_("来源"), "source", sources),
    ]
    if filters.building:
        made.append(one(_("建筑"), "building", [(filters.building, building.name if building else filters.building)]))
    return tuple(made)


def _area_chip(actor: Actor, filters: Filters) -> Filter:
    """Return the areas one step below the chosen one, and the way up."""
    english = in_english()
    plain = replace(filters, area="", overview="")
    chosen = territory.area_by_code(actor.root, filters.area) if filters.area else None
    listed = [
        FilterOption(
            row.name_en if english else row.name,
            address(plain if row.code == filters.area else replace(plain, area=row.code)),
            row.code == filters.area,
        )
        for row in territory.area_choices(actor, chosen.path if chosen else "")
        if row.level != "city"
    ]
    value = ""
    if chosen and chosen.level == "management":
        value = chosen.name_en if english else chosen.name
    elif filters.overview:
        named = {row.code: row.name_en if english else row.name for row in territory.overview_areas(actor.root)}
        value = named.get(filters.overview, filters.overview)
    elif filters.area and chosen is None:
        value = filters.area
    return Filter(_("地区"), tuple(listed), clear_href=address(plain), value=value)


def _is_uuid(text: str) -> bool:
    return as_uuid(text) is not None


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text of an address names; None where it names none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _export(actor: Actor, at: datetime, filters: Filters, kind: Literal["csv", "xlsx"]) -> HttpResponseBase:
    """Send the filtered register as a file that imports back unchanged; the exporter logs the read."""
    out: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    export_places(actor=actor, at=at, filters=filters, out=out, form=kind, english=in_english())
    out.seek(0)
    name = f"places-{city_date(at, actor.zone):%Y%m%d}.{kind}"
    return FileResponse(out, as_attachment=True, filename=name)


# ── blind spots ────────────────────────────────────────────────────────────────────────────────────────────────


def register_crumbs(*steps: Crumb) -> tuple[Crumb, ...]:
    """Return the way back to the register."""
    return (Crumb(_("单位"), "/places/"), *steps)


@needs(*OFFICIALS)
@require_GET
def blind_spots(request: HttpRequest) -> HttpResponse:
    """List what a source names and the register does not have (底数盲区)."""
    actor = actor_of(request)
    rows = queries.blind_spots(actor)
    source, after = request.GET.get("source", ""), as_uuid(request.GET.get("after", ""))
    if source:
        rows = rows.filter(source__code=source)
    total = rows.order_by()[: queries.COUNTED_EXACTLY + 1].count()
    found = list((rows.filter(pk__lt=after) if after else rows)[: PAGE + 1])
    shown = found[:PAGE]
    areas = area_words(actor.root, [row.area_path for row in shown if row.area_path])
    english = in_english()
    sources = [(s.code, (s.name_en if english else s.name) or s.name) for s in queries.source_lists(actor)]
    keep = {"source": source} if source else {}
    lines = []
    for row in shown:
        payload = queries.payload_of(row.payload)
        lines.append(
            {
                "href": f"/places/blind-spots/{row.pk}/",
                "name": payload.get("name") or row.key,
                "address": payload.get("address", ""),
                "area": areas.get(row.area_path, ""),
                "source": (row.source.name_en if english else row.source.name) or row.source.name,
                "taken_at": row.taken_at,
            }
        )
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "rows": lines,
        "filters": (
            Filter(
                _("来源"),
                tuple(
                    FilterOption(name, "?" if code == source else f"?{urlencode({'source': code})}", code == source)
                    for code, name in sources
                ),
                clear_href="?",
            ),
        ),
        "count": count_words(Count(min(total, queries.COUNTED_EXACTLY), more=total > queries.COUNTED_EXACTLY)),
        "pager": Pager(
            f"?{urlencode(keep)}" if after else "",
            f"?{urlencode({**keep, 'after': str(shown[-1].pk)})}" if len(found) > PAGE else "",
            _("本页 %(n)s 家") % {"n": len(shown)} if shown else "",
        ),
        "settles": may_settle(actor),
        "crumbs": register_crumbs(Crumb(_("底数盲区"))),
    }
    return render(request, "desk/blind_spots.html", context)


class DismissForm(forms.Form):
    """Why a row of a source needs no place on the register."""

    reason = forms.CharField(
        label=gettext_lazy("理由"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("例如：已注销、重复登记、不在本辖区。原记录保留，理由记入存证。"),
    )  # fmt: skip


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def blind_spot(request: HttpRequest, observation_id: UUID) -> HttpResponse:
    """Settle one blind spot: register it, match it to a place, or say why it needs none."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = queries.observation(actor, observation_id)
    if row is None:
        raise Http404
    payload = queries.payload_of(row.payload)
    verb = request.POST.get("verb", "")
    form = DismissForm(request.POST if verb == "dismiss" else None)
    problem, status = "", 200
    if request.method == "POST":
        try:
            if verb == "match" and (place_id := as_uuid(request.POST.get("place", ""))):
                operations.match_observation(actor=actor, at=at, observation_id=observation_id, place_id=place_id)
                messages.success(request, _("已对应到这家单位。"))
                return redirect(f"/places/{place_id}/")
            if verb == "dismiss" and form.is_valid():
                operations.dismiss_observation(
                    actor=actor, at=at, observation_id=observation_id, reason=form.cleaned_data["reason"]
                )
                messages.success(request, _("已记为不属监管对象。"))
                return redirect("/places/blind-spots/")
            problem = "" if form.errors else _("请先选一家单位。")
        except Refusal as refusal:
            problem = said(refusal)
        status = 422
    q = request.GET.get("q", payload.get("name", ""))
    found = queries.page(actor, Filters(q=q), size=SHOWN_MATCHES).rows if q.strip() else ()
    areas = area_words(actor.root, [p.area_path for p in found] + ([row.area_path] if row.area_path else []))
    open_case = row.place_id is None and not row.dismissed_reason
    context = {
        "now": at, "row": row, "payload": labelled(payload), "name": payload.get("name") or row.key, "q": q,
        "area": areas.get(row.area_path, ""), "open_case": open_case, "form": form, "problem": problem,
        "found": [(p, areas.get(p.area_path, "")) for p in found],
        "may_settle": policies.can_settle(actor, row.area_path),
        "may_register": policies.can_register(actor, row.area_path),
        "source": (row.source.name_en if in_english() else row.source.name) or row.source.name,
        "crumbs": register_crumbs(Crumb(_("底数盲区"), "/places/blind-spots/"), Crumb(payload.get("name") or row.key)),
    }  # fmt: skip
    return render(request, "desk/blind_spot.html", context, status=status)


def labelled(payload: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a source said, under the names of the register's columns where it has them."""
    english = in_english()
    names = {column.field: column.en if english else column.zh for column in PLACE_COLUMNS}
    return [(names.get(key, key.lstrip("·")), value) for key, value in payload.items()]


# ── possible duplicates ────────────────────────────────────────────────────────────────────────────────────────

REASONS: Final = {
    "credit_code": gettext_lazy("信用代码相同"),
    "name_address": gettext_lazy("名称和地址相近"),
    "position": gettext_lazy("相距不到 50 米、名称相近"),
}


@needs(*OFFICIALS)
@require_GET
def duplicates(request: HttpRequest) -> HttpResponse:
    """List places in my scope that look like one (疑似重复)."""
    actor = actor_of(request)
    groups = queries.alike_groups(actor)
    areas = area_words(actor.root, [p.area_path for group in groups for p in group.places])
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "groups": [
            {
                "reason": str(REASONS[group.reason]),
                "places": [(p, areas.get(p.area_path, "")) for p in group.places],
                "merge_href": f"/places/{group.places[0].pk}/merge/{group.places[1].pk}/",
            }
            for group in groups
        ],
        "settles": may_settle(actor),
        "crumbs": register_crumbs(Crumb(_("疑似重复"))),
    }
    return render(request, "desk/duplicates.html", context)


def choices_of(name: str) -> list[tuple[str, str]]:
    """Return the choices of a closed list of the register (status, affiliation, form, datum) in the reader's language."""
    english = in_english()
    return [(code, word_of(name, code, english=english)) for code in CHOICES[name]]
