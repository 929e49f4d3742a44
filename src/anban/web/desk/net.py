"""The responsibility net (监管责任): the matrix, what is open, how each boundary is settled, and the table of mandates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from anban.base.people.actor import Actor
from anban.contexts.obligations.queries import of_matter
from anban.contexts.responsibility import net, operations, policies, queries, settling
from anban.contexts.responsibility.columns import PHASE_WORDS
from anban.contexts.responsibility.exporters import export_mandates
from anban.contexts.responsibility.wording import FAULT_NAMES, ROLE_NAMES, terms, title_of
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules.boundaries import Stage, allowed
from anban.rules.errors import Refusal
from anban.rules.mandates import ROLES
from anban.web.desk.wording import duty_name, said
from anban.web.shell.access import NET_READERS, OFFICES, actor_of, needs
from anban.web.shell.components import Action, Crumb, Deadline, Figure, Filter, FilterOption, MapArea, Pager, Step, Tab
from anban.web.shell.outlines import ETDZ_CODE, outline_map
from anban.web.shell.wording import in_english

PER_PAGE: Final = 50
OUTLINE_OF: Final = {"BDA": ETDZ_CODE}
STATES: Final = {
    "open": gettext_lazy("未界定"), "settled": gettext_lazy("已界定"), "gone": gettext_lazy("已不存在"),
}  # fmt: skip
LOOKS: Final = {"open": "waiting", "assigned": "open", "settled": "done", "gone": "cancelled"}
SHOWN_BODIES: Final = 400


def side() -> int:
    """Return which of a pair of names the reader gets: Chinese first, English second."""
    return 1 if in_english() else 0


def name_of(row: Any) -> str:
    """Return the name of a body or area in the reader's language."""
    return str(row.name_en if in_english() and row.name_en else row.name)


def role_name(role: str) -> str:
    """Return what one of the four questions is called."""
    return ROLE_NAMES[role][side()]


def fault_name(fault: str) -> str:
    """Return what a fault is called."""
    return FAULT_NAMES[fault][side()]


def tabs(actor: Actor, current: str) -> tuple[Tab, ...]:
    """Return the pages of the net, with how many boundaries are open."""
    counts = {
        fault: queries.boundary_list(actor, fault=fault).count() for fault in ("gap", "overlap")
    }  # fmt: skip
    return (
        Tab(_("责任矩阵"), "/net/", current == "matrix"),
        Tab(_("空白"), "/net/boundaries/?fault=gap", current == "gap", counts["gap"]),
        Tab(_("交叉"), "/net/boundaries/?fault=overlap", current == "overlap", counts["overlap"]),
        Tab(_("协同"), "/net/joint/", current == "joint"),
        Tab(_("职责表"), "/net/mandates/", current == "mandates"),
        Tab(_("责任环节"), "/net/links/", current == "links"),
    )


def today(request: HttpRequest) -> date:
    """Return the day that a page of the net is about: ``on``, or the city's own day."""
    text = request.GET.get("on", "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        return city_date(request.at, actor_of(request).zone)  # type: ignore[attr-defined]


def href(base: str, **kept: str) -> str:
    """Return an address with the parameters that say something."""
    said_ = {key: value for key, value in kept.items() if value}
    return f"{base}?{urlencode(said_)}" if said_ else base


# The matrix


@needs(*NET_READERS)
@require_GET
def matrix(request: HttpRequest) -> HttpResponse:
    """Show for every kind of place and district how many places have an answer open; every number opens its list."""
    actor, on = actor_of(request), today(request)
    role = request.GET.get("role", "") if request.GET.get("role", "") in ROLES else ""
    fault = request.GET.get("fault", "") if request.GET.get("fault", "") in FAULT_NAMES else ""
    by = "industry" if request.GET.get("by") == "industry" else ""
    kept = {"role": role, "fault": fault, "by": by, "on": request.GET.get("on", "")}
    loaded = net.Net.load(actor.root, on)
    cells = net.matrix(actor, on, by_industry=bool(by), net=loaded)
    areas = {row.code: row for row in territory.overview_areas(actor.root)}
    shown = [code for code in areas if any(where == code for _row, where in cells)]
    if any(where not in areas for _row, where in cells):
        shown.append("")
    streets = len(shown) == 1
    if streets:
        # One district is read by its streets.
        cells = net.matrix(actor, on, by_industry=bool(by), by_street=True, net=loaded)
        areas = {row.path: row for row in territory.areas_by_path(actor.root, {where for _row, where in cells})}
        shown = list(areas)
    words = terms(actor.root)

    def value(cell: net.Cell | None) -> int:
        return _open(cell, role, fault) if cell is not None else 0

    rows = []
    for key in {row for row, _where in cells}:
        line = [(code, cells.get((key, code))) for code in shown]
        total = sum(value(cell) for _code, cell in line)
        label = words.get(f"kind:{key}", (key or _("未定类"),) * 2)[side()] if not by else key or _("未登记行业")
        rows.append(
            {
                "label": label, "total": total, "places": sum(cell.places for _code, cell in line if cell),
                "href": _list_href(by, key, "", kept), "cells": [
                    (code, value(cell), _list_href(by, key, code, kept), cell is None) for code, cell in line
                ],
            }
        )  # fmt: skip
    rows.sort(key=lambda row: (-int(str(row["total"])), str(row["label"])))
    by_area = {code: sum(value(cell) for (_row, where), cell in cells.items() if where == code) for code in shown}
    places = sum(cell.places for cell in cells.values())
    context = {
        "tabs": tabs(actor, "matrix"),
        "rows": rows,
        "heads": [(code, _short(areas.get(code)), by_area[code], _list_href(by, None, code, kept)) for code in shown],
        "figures": [
            Figure(_written(places), _("在管场所"), "/places/"),
            Figure(_written(sum(by_area.values())), _("有空白或交叉的场所"), _list_href(by, None, "", kept), quiet=not sum(by_area.values())),
        ],
        "filters": _matrix_filters(kept),
        "map": _map(areas, by_area, by, kept) if len(shown) > 2 and not streets else (),
        "map_label": _("有空白或交叉的场所"),
        "scope": territory.scope_label(actor, english=in_english()),
        "on": on,
        "total": sum(by_area.values()),
        "now": request.at,  # type: ignore[attr-defined]
    }  # fmt: skip
    return render(request, "desk/net_matrix.html", context)


def _open(cell: net.Cell, role: str, fault: str) -> int:
    """Return how many places of a cell have an answer open as asked."""
    if role and fault:
        return (cell.gaps if fault == "gap" else cell.overlaps).get(role, 0)
    if role:
        return cell.either.get(role, 0)
    return {"gap": cell.gap_any, "overlap": cell.overlap_any}.get(fault, cell.open_any)


def _list_href(by: str, key: str | None, code: str, kept: Mapping[str, str]) -> str:
    row = {} if key is None else {"industry" if by else "kind": key or "-"}
    where = {"street" if "/" in code else "district": code} if code else {}
    return href("/net/places/", **row, **where, role=kept["role"], fault=kept["fault"], on=kept["on"])


def _short(area: Any) -> str:
    if area is None:
        return _("市级")
    if in_english():
        return str(area.name_en).removesuffix(" District")
    if area.level == "street":
        return str(area.name).removesuffix("街道").removesuffix("地区")
    outline = {one.code: one.short for one in outline_map().areas}
    return outline.get(OUTLINE_OF.get(area.code, area.code), str(area.name).removesuffix("区") or str(area.name))


def _written(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _map(areas: Mapping[str, Any], by_area: Mapping[str, int], by: str, kept: Mapping[str, str]) -> tuple[MapArea, ...]:
    known = {one.code for one in outline_map().areas}
    if len(known & {OUTLINE_OF.get(code, code) for code in areas}) < 2:
        return ()
    return tuple(
        MapArea(
            OUTLINE_OF.get(code, code), name_of(area), float(by_area[code]) if code in by_area else None,
            _written(by_area[code]) if code in by_area else _("无数据"),
            _list_href(by, None, code, kept) if code in by_area else "",
        )
        for code, area in areas.items()
    )  # fmt: skip


def _matrix_filters(kept: Mapping[str, str]) -> tuple[Filter, ...]:
    def option(key: str, value: str, label: str) -> FilterOption:
        chosen = kept[key] == value
        return FilterOption(label, href("/net/", **{**kept, key: "" if chosen else value}), selected=chosen)

    return (
        Filter(_("职责"), tuple(option("role", role, role_name(role)) for role in ROLES), clear_href=href("/net/", **{**kept, "role": ""})),
        Filter(_("问题"), tuple(option("fault", one, fault_name(one)) for one in FAULT_NAMES), clear_href=href("/net/", **{**kept, "fault": ""})),
        Filter(_("分组"), (option("by", "industry", _("国民经济行业大类")),), clear_href=href("/net/", **{**kept, "by": ""})),
    )  # fmt: skip


@needs(*NET_READERS)
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """List the places behind a number of the matrix, or of one boundary, with the answers that are open."""
    actor, on = actor_of(request), today(request)
    given = {
        key: request.GET.get(key, "")
        for key in ("kind", "industry", "district", "street", "role", "fault", "boundary", "on")
    }
    row = None
    if given["boundary"]:
        row = queries.boundary(actor, _uuid(given["boundary"]))
        if row is None:
            raise Http404
    asked = net.Asked(
        kind="" if given["kind"] == "-" else given["kind"], industry="" if given["industry"] == "-" else given["industry"],
        overview=given["district"], street=given["street"], role=given["role"], fault=given["fault"], scope=net.Scope.of(row) if row else None,
        no_kind=given["kind"] == "-", no_industry=given["industry"] == "-",
    )  # fmt: skip
    found = net.open_places(actor, on, asked)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    words = terms(actor.root)
    lines = [
        {
            "place": place,
            "kind": words.get(f"kind:{place.kind}", (place.kind,) * 2)[side()],
            "area": name_of(place.area),
            "open": _faults(faults, words, whole=len(net.classes_of(actor.root, on))),
        }
        for place, faults in net.places_of(page.object_list)
    ]
    district = next((a for a in territory.overview_areas(actor.root) if a.code == given["district"]), None)
    head = [name_of(district)] if district else []
    head += [name_of(one) for one in territory.areas_by_path(actor.root, [given["street"]])] if given["street"] else []
    if given["kind"]:
        head.append(words.get(f"kind:{given['kind']}", (_("未定类"),) * 2)[side()])
    if given["industry"]:
        head.append(_("行业 %(code)s") % {"code": given["industry"]} if given["industry"] != "-" else _("未登记行业"))
    head += [role_name(given["role"])] if given["role"] in ROLES else []
    head += [fault_name(given["fault"])] if given["fault"] in FAULT_NAMES else []
    title = title_of(row, english=in_english()) if row else " · ".join(head) or _("有空白或交叉的场所")
    total = page.paginator.count
    context = {
        "tabs": tabs(actor, ""),
        "title": title,
        "lines": lines,
        "count": ngettext("%(n)s 个场所", "%(n)s 个场所", total) % {"n": _written(total)},
        "pager": _pager(page, lambda number: href("/net/places/", **{**given, "page": str(number)})),
        "crumbs": (Crumb(_("监管责任"), "/net/"), *((Crumb(row.number, f"/net/boundaries/{row.pk}/"),) if row else ()), Crumb(_("场所"))),
    }  # fmt: skip
    return render(request, "desk/net_places.html", context)


def _faults(
    faults: Iterable[net.Fault], words: Mapping[str, tuple[str, str]], *, whole: int
) -> list[tuple[str, str, str]]:
    """Return a place's open answers, one line per role and fault with its classes."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for one in faults:
        grouped.setdefault((one.role, one.found.state.value), []).append(one.hazard_class)
    return [
        (
            role_name(role), fault_name(state),
            _("全部类别") if len(classes) == whole
            else "、".join(words.get(f"class:{one}", (one, one))[side()] for one in classes),
        )
        for (role, state), classes in grouped.items()
    ]  # fmt: skip


def _pager(page: Any, address: Any) -> Pager | None:
    if page.paginator.num_pages < 2:
        return None
    return Pager(
        address(page.previous_page_number()) if page.has_previous() else "",
        address(page.next_page_number()) if page.has_next() else "",
        f"{page.number} / {page.paginator.num_pages}",
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


# Boundaries


@needs(*NET_READERS)
@require_GET
def boundaries(request: HttpRequest) -> HttpResponse:
    """List the gaps or overlaps of my areas, those to be assigned first."""
    actor = actor_of(request)
    fault = request.GET.get("fault", "gap")
    fault = fault if fault in FAULT_NAMES else "gap"
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    role = request.GET.get("role", "") if request.GET.get("role", "") in ROLES else ""
    area = list(territory.areas_by_path(actor.root, [request.GET["area"]])) if request.GET.get("area") else []
    path = area[0].path if area else ""
    rows = queries.boundary_list(actor, fault=fault, state=state, role=role, area=path)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    kept = {"fault": fault, "state": state, "role": role, "area": path}

    def option(key: str, value: str, label: str) -> FilterOption:
        chosen = kept[key] == value
        back = "open" if key == "state" else ""
        return FilterOption(
            label, href("/net/boundaries/", **{**kept, key: back if chosen else value}), selected=chosen
        )

    filters = (
        Filter(_("状态"), tuple(option("state", key, str(label)) for key, label in STATES.items()), clear_href=href("/net/boundaries/", **{**kept, "state": ""})),
        Filter(_("职责"), tuple(option("role", one, role_name(one)) for one in ROLES), clear_href=href("/net/boundaries/", **{**kept, "role": ""})),
        *(Filter(_("地区"), (FilterOption(name_of(one), href("/net/boundaries/", **{**kept, "area": ""}), selected=True),), clear_href=href("/net/boundaries/", **{**kept, "area": ""})) for one in area),
    )  # fmt: skip
    total = page.paginator.count
    context = {
        "tabs": tabs(actor, fault),
        "fault": fault,
        "rows": [
            (row, title_of(row, english=in_english()).split(" · ", 1)[1], LOOKS[row.state], name_of(row.assigned_body) if row.assigned_body else "")
            for row in page
        ],
        "filters": filters,
        "count": ngettext("%(n)s 处", "%(n)s 处", total) % {"n": total},
        "pager": _pager(page, lambda number: href("/net/boundaries/", **{**kept, "page": str(number)})),
        "title": _("责任空白") if fault == "gap" else _("职责交叉"),
        "scope": territory.scope_label(actor, english=in_english()),
        "open": state == "open",
    }  # fmt: skip
    return render(request, "desk/net_boundaries.html", context)


class AssignForm(forms.Form):
    """Which body holds a boundary until it is settled, and why."""

    body = forms.ChoiceField(label=gettext_lazy("指定单位"))
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class DraftForm(AssignForm):
    """Which body shall have a boundary, and why."""

    body = forms.ChoiceField(label=gettext_lazy("拟由谁负责"))


class OpinionsForm(forms.Form):
    """Whose opinion is asked."""

    bodies = forms.MultipleChoiceField(label=gettext_lazy("征求意见的单位"), widget=forms.CheckboxSelectMultiple)


class StaffingForm(forms.Form):
    """What the staffing office said, and when."""

    view = forms.CharField(label=gettext_lazy("编办意见"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    view_on = forms.DateField(label=gettext_lazy("意见日期"), widget=forms.DateInput(attrs={"type": "date"}))


class DecideForm(forms.Form):
    """What the government's meeting decided: its document, and from when it is net."""

    meeting = forms.CharField(label=gettext_lazy("会议"), max_length=120)
    document_no = forms.CharField(label=gettext_lazy("文号"), max_length=80)
    document_on = forms.DateField(label=gettext_lazy("文件日期"), widget=forms.DateInput(attrs={"type": "date"}))
    effective_on = forms.DateField(label=gettext_lazy("生效日期"), widget=forms.DateInput(attrs={"type": "date"}))


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class ReportForm(forms.Form):
    """What a street has seen and done meanwhile."""

    report = forms.CharField(
        label=gettext_lazy("看护情况"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("去看了哪些场所、发现了什么、采取了什么措施。"),
    )  # fmt: skip


@needs(*NET_READERS)
@require_GET
def boundary(request: HttpRequest, boundary_id: UUID) -> HttpResponse:
    """Show one boundary: what it covers, who holds it, how it is being settled, and what may be done now."""
    return _boundary_page(request, boundary_id)


def _boundary_page(
    request: HttpRequest, boundary_id: UUID, bad: tuple[str, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = queries.boundary(actor, boundary_id)
    if row is None:
        raise Http404
    on = city_date(at, actor.zone)
    may = policies.can_settle(actor, row) and row.ended_at is None
    decisions = list(queries.decisions_of(row.pk))
    current = next((one for one in decisions if one.ended_at is None), None)
    stage = Stage(current.state) if current else None
    offered = settling.proposals(row, on) if may else []
    duties = list(of_matter(row.pk))
    form_of = _forms(actor, row, offered, stage, on) if may else {}
    guards = any(d.kind == "guard_boundary" and d.state == "open" and d.person_id == actor.person_id for d in duties)
    if guards:
        form_of["guard"] = ReportForm(prefix="guard")
    if bad is not None:
        form_of[bad[0]] = bad[1]
    context = {
        "now": at,
        "row": row,
        "title": title_of(row, english=in_english()),
        "look": LOOKS[row.state],
        "bodies": [name_of(body) for body in queries.bodies_named(row)],
        "assigned": name_of(row.assigned_body) if row.assigned_body else "",
        "proposals": [(one, name_of(one.body), one.reason_en if in_english() else one.reason_zh) for one in offered],
        "decisions": [
            {"row": one, "stage": Stage(one.state).en if in_english() else Stage(one.state).zh, "body": name_of(one.body),
             "asked": list(queries.joints_of(one.pk))}
            for one in decisions
        ],
        "steps": _steps(stage, row.state),
        "forms": form_of,
        "allowed": allowed(stage) if stage and may else (),
        "duties": [
            (duty_name(d.kind), d.unit_name, d.person.name, Deadline(d.due_at, at, done_at=d.ended_at, provisional=d.provisional), d.state)
            for d in duties
        ],
        "effect": _effect(request, actor, row, current, offered, on) if may else None,
        "places_href": href("/net/places/", boundary=str(row.pk)),
        "crumbs": (
            Crumb(_("监管责任"), "/net/"),
            Crumb(_("责任空白") if row.fault == "gap" else _("职责交叉"), href("/net/boundaries/", fault=row.fault)),
            Crumb(row.number),
        ),
        "current": current,
    }  # fmt: skip
    return render(request, "desk/net_boundary.html", context, status=status)


def _steps(stage: Stage | None, state: str) -> tuple[Step, ...]:
    """Return the way to a settlement with the stage at hand marked."""
    way = (Stage.DRAFT, Stage.OPINIONS, Stage.STAFFING, Stage.MEETING, Stage.IN_FORCE)
    at = len(way) if state == "settled" else way.index(stage) if stage in way else -1
    return tuple(
        Step(one.en if in_english() else one.zh, "done" if n < at else "now" if n == at else "todo")
        for n, one in enumerate(way)
    )


def _forms(
    actor: Actor, row: Any, offered: Iterable[settling.Proposal], stage: Stage | None, on: date
) -> dict[str, forms.Form]:
    """Return the forms that the office may send now, with the nearest bodies first."""
    near = {str(one.body.pk): name_of(one.body) for one in offered}
    over = {str(one.pk): name_of(one) for one in territory.bodies_over(actor.root, row.area_path)[:SHOWN_BODIES]}
    under = {
        str(one.pk): name_of(one)
        for one in territory.bodies(actor.root).filter(area__path__startswith=row.area_path)[:SHOWN_BODIES]
    }
    every = [("", _("请选择")), *({**near, **over, **under}.items())]
    made: dict[str, forms.Form] = {"assign": AssignForm(prefix="assign")}
    if stage is None:
        made["draft"] = DraftForm(prefix="draft")
    elif stage is Stage.DRAFT:
        made["ask_opinions"] = OpinionsForm(prefix="ask_opinions", initial={"bodies": list(near)})
    elif stage is Stage.STAFFING:
        made["to_meeting"] = StaffingForm(prefix="to_meeting", initial={"view_on": on.isoformat()})
    elif stage is Stage.MEETING:
        made["decide"] = DecideForm(
            prefix="decide",
            initial={"document_on": on.isoformat(), "effective_on": (on + timedelta(days=1)).isoformat()},
        )
    if stage is not None and stage not in (Stage.IN_FORCE, Stage.WITHDRAWN):
        made["withdraw"] = ReasonForm(prefix="withdraw")
    for form in made.values():
        _offer(form, every)
    return made


def _offer(form: forms.Form, every: list[tuple[str, str]]) -> None:
    for key in ("body", "bodies"):
        if key in form.fields:
            form.fields[key].choices = every if key == "body" else every[1:]  # type: ignore[attr-defined]


def _effect(
    request: HttpRequest, actor: Actor, row: Any, current: Any, offered: list[settling.Proposal], on: date
) -> dict[str, Any] | None:
    """Return what deciding for a body would do: the draft's, the one asked for, or the first that is proposed."""
    by_id = {str(one.body.pk): one.body for one in offered}
    body = by_id.get(request.GET.get("body", "")) or (current.body if current else offered[0].body if offered else None)
    if body is None:
        return None
    from_on = max(on + timedelta(days=1), (row.since_on or on) + timedelta(days=1))
    try:
        found = settling.effect_of(actor, row, body, from_on)
    except Refusal as refusal:
        return {"body": name_of(body), "refused": said(refusal)}
    return {
        "body": name_of(body), "on": from_on, "found": found, "ends": [(name_of(one.body), one.basis) for one in found.ends],
        "others": [(name_of(one), href("", body=key)) for key, one in by_id.items() if one.pk != body.pk],
    }  # fmt: skip


FORMS: Final = {
    "assign": AssignForm, "draft": DraftForm, "ask_opinions": OpinionsForm, "to_meeting": StaffingForm, "decide": DecideForm,
    "withdraw": ReasonForm, "guard": ReportForm, "to_staffing": forms.Form,
}  # fmt: skip


@needs(*NET_READERS)
@require_POST
def settle(request: HttpRequest, boundary_id: UUID, step: str) -> HttpResponse:
    """Take one step on a boundary: assign, report, draft, ask, send on, or enter the meeting's decision."""
    actor = actor_of(request)
    row = queries.boundary(actor, boundary_id)
    if row is None or step not in FORMS:
        raise Http404
    if step != "guard" and not policies.can_settle(actor, row):
        raise Refusal("boundary.not_allowed")
    form = FORMS[step](request.POST, prefix=step)
    current = next((one for one in queries.decisions_of(row.pk) if one.ended_at is None), None)
    every = [(str(one.pk), name_of(one)) for one in territory.bodies(actor.root)]
    _offer(form, [("", ""), *every])
    if not form.is_valid():
        return _boundary_page(request, boundary_id, (step, _again(form, row, actor)), 422)
    try:
        _take(actor, request.at, row, current, step, form.cleaned_data)  # type: ignore[attr-defined]
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
        return _boundary_page(request, boundary_id, (step, _again(form, row, actor)), 422)
    messages.success(request, str(DONE[step]))
    return redirect(f"/net/boundaries/{boundary_id}/")


def _again(form: forms.Form, row: Any, actor: Actor) -> forms.Form:
    """Return a form with its faults, offering the bodies of the boundary's areas only."""
    over = [(str(one.pk), name_of(one)) for one in territory.bodies_over(actor.root, row.area_path)[:SHOWN_BODIES]]
    _offer(form, [("", _("请选择")), *over])
    return form


DONE: Final = {
    "assign": gettext_lazy("已指定，接手单位已收到待办。"), "draft": gettext_lazy("已起草，尚未生效。"),
    "ask_opinions": gettext_lazy("已发出征求意见。"), "to_staffing": gettext_lazy("已送编办。"),
    "to_meeting": gettext_lazy("已提请政府常务会。"), "decide": gettext_lazy("会议决定已登记，职责自生效日起入网。"),
    "withdraw": gettext_lazy("方案已撤回。"), "guard": gettext_lazy("看护情况已报告。"),
}  # fmt: skip


def _take(actor: Actor, at: datetime, row: Any, current: Any, step: str, given: Mapping[str, Any]) -> None:
    """Do what a step says. Raises: Refusal."""
    if step == "assign":
        operations.assign(actor=actor, at=at, boundary_id=row.pk, body_id=UUID(given["body"]), reason=given["reason"])
        return
    if step == "guard":
        operations.report_guard(actor=actor, at=at, boundary_id=row.pk, report=given["report"])
        return
    if step == "draft":
        like = [one.precedent for one in settling.proposals(row, city_date(at, actor.zone)) if one.precedent]
        operations.draft(
            actor=actor, at=at, boundary_id=row.pk, body_id=UUID(given["body"]), reason=given["reason"],
            proposed_from="、".join(like),
        )  # fmt: skip
        return
    if current is None:
        raise Http404
    if step == "ask_opinions":
        bodies = [UUID(one) for one in given["bodies"]]
        operations.ask_opinions(actor=actor, at=at, decision_id=current.pk, body_ids=bodies)
    elif step == "to_staffing":
        operations.to_staffing(actor=actor, at=at, decision_id=current.pk)
    elif step == "to_meeting":
        operations.to_meeting(actor=actor, at=at, decision_id=current.pk, view=given["view"], view_on=given["view_on"])
    elif step == "decide":
        operations.decide(
            actor=actor, at=at, decision_id=current.pk, meeting=given["meeting"], document_no=given["document_no"],
            document_on=given["document_on"], effective_on=given["effective_on"],
        )  # fmt: skip
    else:
        operations.withdraw(actor=actor, at=at, decision_id=current.pk, reason=given["reason"])


# The table of mandates


@needs(*NET_READERS)
@require_GET
def mandates(request: HttpRequest) -> HttpResponse:
    """List the mandates of a day; they are no secret among officials."""
    actor, on = actor_of(request), today(request)
    role = request.GET.get("role", "") if request.GET.get("role", "") in ROLES else ""
    area = request.GET.get("area", "")
    found = queries.mandates(actor.root, on)
    if role:
        found = found.filter(role=role)
    if area:
        found = found.filter(territory.within(area, "area__path"))
    page = Paginator(found.order_by("role", "area__path", "place_kind", "industry", "hazard_class", "id"), PER_PAGE)
    shown = page.get_page(request.GET.get("page"))
    words = terms(actor.root)
    kept = {"role": role, "area": area, "on": request.GET.get("on", "")}

    def option(key: str, value: str, label: str) -> FilterOption:
        chosen = kept[key] == value
        return FilterOption(label, href("/net/mandates/", **{**kept, key: "" if chosen else value}), selected=chosen)

    filters = (
        Filter(_("职责"), tuple(option("role", one, role_name(one)) for one in ROLES), clear_href=href("/net/mandates/", **{**kept, "role": ""})),
        Filter(_("地区"), tuple(option("area", one.path, name_of(one)) for one in territory.overview_areas(actor.root)), clear_href=href("/net/mandates/", **{**kept, "area": ""})),
    )  # fmt: skip
    context = {
        "tabs": tabs(actor, "mandates"),
        "rows": [
            {
                "row": row, "role": role_name(row.role), "body": name_of(row.body), "area": name_of(row.area),
                "what": " · ".join(part for part in (
                    words.get(f"kind:{row.place_kind}", (row.place_kind,) * 2)[side()] if row.place_kind else "",
                    _("行业 %(code)s") % {"code": row.industry} if row.industry else "",
                    words.get(f"class:{row.hazard_class}", (row.hazard_class,) * 2)[side()] if row.hazard_class else "",
                    PHASE_WORDS[row.phase][side()] if row.phase else "",
                ) if part) or _("全部"),
            }
            for row in shown
        ],
        "filters": filters,
        "count": ngettext("%(n)s 条", "%(n)s 条", page.count) % {"n": _written(page.count)},
        "pager": _pager(shown, lambda number: href("/net/mandates/", **{**kept, "page": str(number)})),
        "exports": [(form, href("/net/mandates/export/", form=form, area=area)) for form in ("xlsx", "csv")],
        "may_import": actor.has(*OFFICES),
        "begin": Action(_("导入职责表"), "/import/?kind=mandates") if actor.has(*OFFICES) else None,
        "on": on,
        "filtered": bool(role or area),
    }  # fmt: skip
    return render(request, "desk/net_mandates.html", context)


@needs(*NET_READERS)
@require_GET
def mandates_export(request: HttpRequest) -> HttpResponseBase:
    """Give out the table of mandates as a workbook or text that imports back unchanged."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    csv = request.GET.get("form") == "csv"
    out = BytesIO()
    export_mandates(
        actor=actor, at=at, out=out, form="csv" if csv else "xlsx", area_path=request.GET.get("area", ""), words=True
    )
    out.seek(0)
    kind = "csv" if csv else "xlsx"
    return FileResponse(out, as_attachment=True, filename=f"mandates-{city_date(at, actor.zone)}.{kind}")
