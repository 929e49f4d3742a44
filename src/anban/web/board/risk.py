"""The risk pages (风险): where to look next and why, what nobody has seen, what comes back; lists, and signed assessments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.people.actor import Actor
from anban.base.people.operations import note_access
from anban.contexts.catalog import queries as catalog
from anban.contexts.establishments.queries import visible_to as visible_places
from anban.contexts.hazards.queries import MAJOR
from anban.contexts.risk import operations, policies, queries
from anban.contexts.risk.exporters import report_pdf
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.lake.reading import LISTS, SUMS, Found, Reading
from anban.rules.errors import Refusal
from anban.web.board import risk_words as words
from anban.web.board.board import written
from anban.web.desk.places import area_words, kind_names
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Figure, Pager, Tab, Tone
from anban.web.shell.wording import in_english

PAGE: Final = 50
TOP: Final = 20
NEW: Final = 5
LOTS: Final = 10
LATE_DAYS: Final = 2
STREET_PARTS: Final = 3
DISTRICT_PARTS: Final = 2
_PATH: Final = re.compile(r"([0-9A-Za-z]+/){1,8}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GROUPS: Final = {
    "proof": gettext_lazy("按销号依据"),
    "class": gettext_lazy("按隐患类别"),
    "kind": gettext_lazy("按场所类型"),
    "area": gettext_lazy("按区"),
}


def list_href(figure: str, area: str = "", *, street: str = "", sector: str = "", of: str = "") -> str:
    """Return the address of the list that a figure opens: below an area or in exactly one street, of a sector, on another day."""
    asked = {"figure": figure, "area": area, "street": street, "sector": sector, "assessment": of}
    return "/risk/places/?" + urlencode({name: value for name, value in asked.items() if value})


def area_of(request: HttpRequest) -> str:
    """Return the area that the address asks for; empty where it is no path."""
    path = request.GET.get("area", "")
    return path if _PATH.fullmatch(path) else ""


def page_of(request: HttpRequest) -> int:
    """Return which page of a list the address asks for, the first where it is no number."""
    text = request.GET.get("page", "1")
    return min(max(int(text), 1), 100_000) if text.isascii() and text.isdigit() else 1


def pager_of(query: Mapping[str, str], page: int, shown: int, total: int, text: str) -> Pager:
    """Return the way to the pages before and after; ``text`` names the first and last row shown."""
    return Pager(
        previous_href=f"?{urlencode({**query, 'page': page - 1})}" if page > 1 else "",
        next_href=f"?{urlencode({**query, 'page': page + 1})}" if page * PAGE < total else "",
        shown=text % {"first": (page - 1) * PAGE + 1, "last": (page - 1) * PAGE + shown},
    )


@needs(*OFFICIALS)
@require_GET
def risk(request: HttpRequest) -> HttpResponse:
    """Show what the newest assessment says of what I may see."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    newest = queries.current(actor)
    area = area_of(request)
    context: dict[str, Any] = {
        "title": _("风险"), "scope": territory.scope_label(actor, english=in_english()), "newest": newest,
        "reports_href": "/risk/reports/",
    }  # fmt: skip
    if newest is None:
        return render(request, "board/risk.html", context)
    sums, missing = _sums(actor, newest, area)
    place_kinds = kind_names(actor.root)
    known, new = queries.first_places(actor, newest, area=area, limit=TOP, never=NEW)
    where = area_words(actor.root, [one.area_path for one in (*known, *new)])
    if area:
        named = area_words(actor.root, [area]).get(area, area)
        context |= {"scope": named, "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(named))}
    context |= {
        "now": at,
        "late": (city_date(at, actor.zone) - newest.as_of).days >= LATE_DAYS,
        "figures_missing": missing,
        "figures": [
            Figure(written(sums[key]), str(name), list_href(key, area), quiet=not sums[key])
            for key, (name, _what) in words.FIGURES.items()
        ]
        if sums
        else [],
        "learned": any(one.told is not None for one in (*known, *new)),
        "top": [_listed(one, where, place_kinds) for one in known],
        "new": [_listed(one, where, place_kinds) for one in new],
        "new_href": list_href("never_seen", area),
        **_areas(actor, newest, area),
        **_lots(actor, newest, area),
        **_curves(request, actor, newest),
        "debts": _hazards(actor, newest, "debt", area),
        "watches": _hazards(actor, newest, "watch", area),
    }  # fmt: skip
    return render(request, "board/risk.html", context)


def _listed(one: queries.Listed, where: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return a place of the list as the page shows it."""
    reasons = [(why.fact, why.number) for why in one.reasons]
    return {
        "name": one.name, "href": f"/places/{one.place_id}/", "where": where.get(one.area_path, ""),
        "kind": kinds.get(one.kind, one.kind),
        "chance": words.likelihood(one.chance, never_seen=any(fact == words.NEVER for fact, _n in reasons)),
        "reasons": words.reason_list(reasons, one.told, high_risk=one.facts["high_risk"]),
        "open": one.facts["open_now"], "open_href": f"/ledger/?place={one.place_id}&open=1",
    }  # fmt: skip


def _sums(actor: Actor, newest: Any, area: str) -> tuple[dict[str, int], str]:
    """Return the figures, and why they are missing: posts below a street count in the result files."""
    if not queries.below_streets(actor) and area.count("/") <= STREET_PARTS:
        return queries.figures(actor, newest, area=area), ""
    try:
        return Reading.of(newest.root, newest.folder).figures(queries.reaches(actor), area=area), ""
    except Refusal as refusal:
        return {}, said(refusal)


def _areas(actor: Actor, newest: Any, area: str) -> dict[str, Any]:
    """Return the table of the next smaller areas: districts of a city, streets of a district."""
    if queries.below_streets(actor) or area.count("/") >= STREET_PARTS:
        return {"areas": []}
    prefixes = territory.scope_paths(actor)
    whole = not area and (prefixes is None or any(path.count("/") < DISTRICT_PARTS for path in prefixes))
    parts = DISTRICT_PARTS if whole else STREET_PARTS
    found = queries.by_area(actor, newest, parts=parts, area=area)
    if len(found) < 2:
        return {"areas": []}
    names = territory.area_names(actor.root, found)
    side = 1 if in_english() else 0
    named = {path: names[path][side] if path in names else _("地区不明") for path in found}

    def cell(key: str, path: str) -> tuple[str, str, str]:
        # What lies above the areas of the table counts in its own area alone.
        here = {"area": path} if path.count("/") == parts else {"street": path}
        return key, written(found[path][key]), list_href(key, **here) if path else ""

    return {
        "heads": [(key, str(words.SHORT.get(key, words.FIGURES[key][0]))) for key in queries.FIGURES],
        "areas": [
            {
                "name": named[path],
                "href": f"/risk/?{urlencode({'area': path})}" if path and path.count("/") == parts else "",
                "cells": [cell(key, path) for key in queries.FIGURES],
            }
            for path, sums in sorted(found.items(), key=lambda item: (-item[1]["overdue"], -item[1]["stale"], item[0]))
        ],
        "shares": [
            {
                "name": named[path], "places": cell("places", path),
                "shares": [(*cell(key, path), words.percent(sums[key] / sums["places"]) if sums["places"] else "—") for key in queries.SHARES],
            }
            for path, sums in sorted(found.items(), key=lambda item: (-item[1]["first_tenth"] / max(item[1]["places"], 1), item[0]))
        ],
        "areas_title": _("各区") if whole else _("各街道"),
    }  # fmt: skip


def _lots(actor: Actor, newest: Any, area: str) -> dict[str, Any]:
    """Return the places drawn by lot: the first of them, how many there are, and what they were drawn with."""
    try:
        reading = Reading.of(newest.root, newest.folder)
        total, rows = reading.places(queries.reaches(actor), "drawn", area=area, limit=LOTS)
    except Refusal as refusal:
        return {"lots_missing": said(refusal)}
    return {
        "lots": _place_rows(actor, rows, newest.as_of), "lots_total": written(total), "lots_href": list_href("drawn", area),
        "seed": reading.seed,
    }  # fmt: skip


def _place_rows(actor: Actor, rows: Sequence[Found], as_of: date, figure: str = "") -> list[dict[str, Any]]:
    """Return places of a result file as a table shows them, with their names of today and the lists of their own numbers."""
    known = {row.pk: row for row in visible_places(actor).filter(pk__in=[one.place_id for one in rows])}
    where = area_words(actor.root, [one.area_path for one in rows])
    kinds = kind_names(actor.root)
    made = []
    for one in rows:
        name = known[one.place_id].name if one.place_id in known else ""
        hrefs = _own_lists(one.place_id, as_of) if name else {}
        made.append(
            {
                "id": one.place_id.hex, "name": name or _("已并入其他单位"), "href": f"/places/{one.place_id}/" if name else "",
                "kind": kinds.get(one.kind, one.kind), "where": where.get(one.area_path, ""), "last_day": one.last_day,
                "open": one.open_now, "open_href": hrefs.get("hazards_open", ""),
                "overdue": one.overdue_now, "overdue_href": hrefs.get("hazards_overdue", ""),
                "visits": one.visits_365, "visits_href": hrefs.get("visits", ""),
                "amount": one.amount, "amount_href": hrefs.get(figure, ""), "lot": one.lot or "",
                "chance": words.likelihood(one.chance, never_seen=one.last_day is None),
            }
        )  # fmt: skip
    return made


def _own_lists(place_id: UUID, as_of: date) -> dict[str, str]:
    """Return the lists of one place's own numbers: on the ledger and among the visits, as they are today."""
    year = {"from": (as_of - timedelta(days=364)).isoformat(), "to": as_of.isoformat()}
    ledger, visits = f"/ledger/?place={place_id}", f"/visits/?{urlencode({'place': place_id, **year})}"
    return {
        "hazards_open": f"{ledger}&open=1", "hazards_overdue": f"{ledger}&open=1&due=overdue",
        "hazards_major": f"{ledger}&open=1&{urlencode({'grade': ','.join(MAJOR)})}", "hazards_found": ledger,
        "visits": visits, "checks": visits,
    }  # fmt: skip


def _curves(request: HttpRequest, actor: Actor, newest: Any) -> dict[str, Any]:
    """Return the curves of the groups that lie wholly within what the actor may see: a street's officer has none."""
    reaches = queries.reaches(actor)
    whole = any(not path and kinds is None for path, kinds in reaches)
    districts = {path for path, kinds in reaches if kinds is None and path.count("/") == DISTRICT_PARTS}
    by = request.GET.get("by", "proof")
    by = by if whole and by in GROUPS else ("proof" if whole else "area")
    if not whole and not districts:
        return {}
    found = [one for one in queries.curves(newest, curve="rebound", what=by) if whole or one.name in districts]
    names: Mapping[str, str] = {}
    column = "en" if in_english() else "zh"
    if by == "kind":
        names = kind_names(actor.root)
    elif by == "class":
        names = dict(catalog.hazard_classes(actor.root).values_list("code", column))
    elif by == "area":
        names = {
            path: pair[1 if in_english() else 0]
            for path, pair in territory.area_names(actor.root, [o.name for o in found]).items()
        }
    titles = [words.group_name(by, one.name, names) + (_("（推定）") if one.inferred else "") for one in found]
    hrefs = [
        "/risk/rounds/?" + urlencode({"by": by, "name": one.name, **({"inferred": "1"} if one.inferred else {})})
        for one in found
    ]
    return {
        "chart": words.chart(found, list(zip(titles, hrefs, strict=True))),
        "curve_tabs": [
            Tab(str(label), f"?{urlencode({**request.GET.dict(), 'by': key})}#curves", current=key == by)
            for key, label in GROUPS.items()
        ]
        if whole
        else [],
        "more_groups": max(0, len(found) - words.SHOWN),
        "read_at": words.READ_AT,
    }


def _hazards(actor: Actor, newest: Any, which: str, area: str) -> list[dict[str, Any]]:
    return [
        {
            "href": f"/ledger/{row.hazard_id}/", "number": row.hazard.number, "place": row.hazard.place_title,
            "fact": row.hazard.fact[:60] or row.hazard.code, "weight": row.weight, "on": row.on,
        }
        for row in queries.top_hazards(actor, newest, which, area=area)
    ]  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Show the places that a figure of an assessment counts: of the newest one, or of the one that a report stands on."""
    actor = actor_of(request)
    wanted = request.GET.get("assessment", "")
    of = queries.assessment(actor, UUID(wanted)) if _UUID.fullmatch(wanted) else queries.current(actor)
    figure = request.GET.get("figure", "places")
    if figure not in LISTS or (wanted and of is None):
        raise Http404
    title, what = words.LISTS[figure]
    context: dict[str, Any] = {
        "title": title, "what": what, "newest": of, "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(str(title))),
    }  # fmt: skip
    if of is None:
        return render(request, "board/risk_places.html", context)
    given = {name: request.GET.get(name, "")[:60] for name in ("kind", "sector", "street")}
    kinds = queries.kinds_of_sector(actor.root, given["sector"], of.as_of) if given["sector"] else None
    if given["kind"]:
        kinds = frozenset({given["kind"]}) if kinds is None else kinds & {given["kind"]}
    area, page = area_of(request), page_of(request)
    reaches = queries.reaches(actor)
    try:
        reading = Reading.of(of.root, of.folder)
        total, rows = reading.places(
            reaches, figure, area=area, street=given["street"], kinds=kinds, offset=(page - 1) * PAGE, limit=PAGE
        )
        amount = reading.amount(reaches, figure, area=area, street=given["street"], kinds=kinds)
    except Refusal as refusal:
        return render(request, "board/risk_places.html", {**context, "problem": said(refusal)})
    query = {
        key: value
        for key, value in (("figure", figure), ("area", area), ("assessment", wanted), *given.items())
        if value
    }
    context |= {
        "scope": area_words(actor.root, [area]).get(area, "") if area else "",
        "count": _("共 %(amount)s，在 %(count)s 家") % {"amount": written(amount), "count": written(total)}
        if figure in SUMS
        else _("共 %(count)s 家") % {"count": written(total)},
        "total": total,
        "rows": _place_rows(actor, rows, of.as_of, figure),
        "drawn": figure == "drawn",
        "amounts": figure in SUMS,
        "seed": reading.seed,
        "pager": pager_of(query, page, len(rows), total, _("第 %(first)s–%(last)s 家")),
    }
    return render(request, "board/risk_places.html", context)


# Assessments of areas and sectors


class Drawing(forms.Form):
    """What a report is about: an area, perhaps a sector, and the earlier day it is compared with."""

    area = forms.ChoiceField(label=gettext_lazy("地区"))
    sector = forms.ChoiceField(label=gettext_lazy("行业（可不选）"), required=False)
    earlier = forms.ChoiceField(label=gettext_lazy("与哪一天对比（可不选）"), required=False)

    def __init__(self, *args: Any, actor: Actor, **more: Any) -> None:
        super().__init__(*args, **more)
        side = "name_en" if in_english() else "name"
        fitting = [
            area
            for area in territory.areas(actor)
            if policies.can_draw_up(actor, area.path) and area.path.count("/") <= STREET_PARTS
        ]
        self.fields["area"].choices = [(area.code, getattr(area, side)) for area in fitting]  # type: ignore[attr-defined]
        zh = "en" if in_english() else "zh"
        own = queries.whole_sectors(actor)
        named = [pair for pair in catalog.sectors(actor.root).values_list("code", zh) if own is None or pair[0] in own]
        self.fields["sector"].choices = [("", _("全部行业")), *named] if own is None else named  # type: ignore[attr-defined]
        self.fields["sector"].required = own is not None
        days = list(queries.assessments(actor)[1:40])
        self.fields["earlier"].choices = [("", _("不对比")), *((str(one.pk), one.as_of.isoformat()) for one in days)]  # type: ignore[attr-defined]


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def reports(request: HttpRequest) -> HttpResponseBase:
    """List the assessments of my areas; draw one up where my post may."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    newest = queries.current(actor)
    form = Drawing(request.POST or None, actor=actor)
    may = bool(form.fields["area"].choices) and newest is not None  # type: ignore[attr-defined]
    problem = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            row = operations.draw_up(
                actor=actor, at=at, area_code=given["area"], sector=given["sector"],
                earlier_id=UUID(given["earlier"]) if given["earlier"] else None,
            )  # fmt: skip
        except Refusal as refusal:
            problem = said(refusal)
        else:
            return redirect(f"/risk/reports/{row.pk}/")
    sectors = dict(catalog.sectors(actor.root).values_list("code", "en" if in_english() else "zh"))
    context = {
        "title": _("地区和行业研判"), "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(_("地区和行业研判"))), "newest": newest,
        "form": form if may else None, "problem": problem,
        "rows": [
            {
                "href": f"/risk/reports/{row.pk}/", "number": row.number, "area": _area_name(row), "state": row.state,
                "state_word": row.get_state_display(), "sector": sectors.get(row.sector, row.sector),
                "as_of": row.assessment.as_of, "signed_by": row.signed_by.name if row.signed_by else "",
            }
            for row in queries.reports(actor)[:PAGE]
        ],
    }  # fmt: skip
    return render(request, "board/risk_reports.html", context, status=422 if problem else 200)


def _area_name(row: Any) -> str:
    return str(row.area.name_en if in_english() else row.area.name)


def _report(actor: Actor, report_id: UUID) -> Any:
    row = queries.report(actor, report_id)
    if row is None:
        raise Http404
    return row


@needs(*OFFICIALS)
@require_GET
def report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Show one assessment of an area."""
    return _shown(request, _report(actor_of(request), report_id), "")


def _shown(request: HttpRequest, row: Any, problem: str, code: str = "") -> HttpResponse:
    actor = actor_of(request)
    may_sign = policies.can_sign(actor, row.area_path)
    told = written_out(row)
    context = {
        "title": told["title"], "row": row, "told": told, "problem": problem, "code": code,
        **_linked(row, told),
        "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(_("地区和行业研判"), "/risk/reports/"), Crumb(row.number)),
        "may_sign": may_sign and row.state == "draft",
        "may_withdraw": may_sign and row.state != "withdrawn",
        "pdf": Action(_("导出 PDF"), f"/risk/reports/{row.pk}/pdf/", Tone.PLAIN),
    }  # fmt: skip
    return render(request, "board/risk_report.html", context, status=422 if problem else 200)


def _linked(row: Any, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a report with the lists that they open, in the results of the days that they were taken from."""
    facts = orjson.loads(row.figures)
    whole = row.area_path if row.area.parent_id else ""

    def of_area(figure: str, path: str) -> str:
        where = {"area": path} if path.count("/") > row.area_path.count("/") else {"street": path}
        return list_href(figure, **where, sector=row.sector, of=str(row.assessment_id))

    return {
        "figures": [
            (
                *one, list_href(key, whole, sector=row.sector, of=str(row.assessment_id)),
                list_href(key, whole, sector=row.sector, of=str(row.earlier_id)) if row.earlier_id else "",
            )
            for key, one in zip(_keys(facts["now"]), told["figures"], strict=True)
        ],
        "areas": [
            (name, [(cell, of_area(key, path)) for key, cell in zip(_heads(facts["now"]), cells, strict=True)])
            for path, (name, cells) in zip(sorted(facts["areas"]), told["areas"], strict=True)
        ],
    }  # fmt: skip


def _heads(figures: Mapping[str, int]) -> list[str]:
    """Return the figures that a report's table of areas has: those known when it was drawn up."""
    return [key for key in queries.FIGURES if key in figures]


def _keys(figures: Mapping[str, int]) -> list[str]:
    return [*_heads(figures), *(key for key in words.HAZARDS if key in figures)]


def written_out(row: Any) -> dict[str, Any]:
    """Return what a report says, in the reader's language: the page and the PDF are made of the same words."""
    facts = orjson.loads(row.figures)
    sector = dict(catalog.sectors(row.root).values_list("code", "en" if in_english() else "zh")).get(
        row.sector, row.sector
    )
    side = 1 if in_english() else 0
    names = territory.area_names(row.root, facts["areas"])
    before = facts["before"]
    root = territory.root(row.root)
    return {
        "title": f"{_area_name(row)} {sector} {_('安全研判')}".replace("  ", " "),
        "root": "" if root.is_real else (root.name_en if in_english() else root.name),
        "number": row.number, "as_of": row.assessment.as_of.isoformat(),
        "earlier": row.earlier.as_of.isoformat() if row.earlier else "",
        "figures": [
            (
                str(words.LISTS[key][0]), written(facts["now"][key]), written(before[key]) if key in before else "—" if before else "",
                _change(facts["now"][key], before.get(key)),
            )
            for key in _keys(facts["now"])
        ],
        "area_heads": [str(words.SHORT.get(key, words.FIGURES[key][0])) for key in _heads(facts["now"])],
        "areas": [
            (names[path][side] if path in names else path, [written(sums[key]) for key in _heads(facts["now"])])
            for path, sums in sorted(facts["areas"].items())
        ],
        "places": [
            (
                str(UUID(one["id"])), one["name"],
                words.likelihood(one["chance"], never_seen=any(fact == words.NEVER for fact, _n in one["reasons"])),
                words.reason_list(one["reasons"], one.get("told"), high_risk=one.get("high_risk", False)),
            )
            for one in facts["places"]
        ],
        "opinion": row.opinion, "state": row.state, "state_word": str(row.get_state_display()),
        "signed": f"{row.signed_by.name}　{row.signed_at:%Y-%m-%d}" if row.signed_by and row.signed_at else "",
        "made": f"{row.made_by.name}　{row.made_at:%Y-%m-%d}",
        "source": _("数据取自存证位置 %(position)s 之前的全部记录，结果清单 SHA-256 %(hash)s。")
        % {"position": row.assessment.position, "hash": row.assessment.manifest_hash},
    }  # fmt: skip


def _change(now: int, before: int | None) -> str:
    if before is None:
        return ""
    return f"{now - before:+d}" if now != before else "0"


@needs(*OFFICIALS)
@require_POST
def sign(request: HttpRequest, report_id: UUID) -> HttpResponseBase:
    """Sign with my opinion, or withdraw."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = _report(actor, report_id)
    try:
        if request.POST.get("withdraw"):
            operations.withdraw(actor=actor, at=at, report_id=report_id)
        else:
            operations.sign(actor=actor, at=at, report_id=report_id, opinion=request.POST.get("opinion", ""))
    except Refusal as refusal:
        return _shown(request, row, said(refusal), refusal.code)
    return redirect(f"/risk/reports/{report_id}/")


@needs(*OFFICIALS)
@require_GET
def pdf(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Give the assessment as a PDF."""
    actor = actor_of(request)
    row = _report(actor, report_id)
    try:
        body = report_pdf(written_out(row))
    except Refusal as refusal:
        return _shown(request, row, said(refusal))
    note_access(actor=actor, at=request.at, what="risk_report.exported", subject=row.number, rows=1)  # type: ignore[attr-defined]
    return HttpResponse(
        body,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{row.number}.pdf"'},
    )
