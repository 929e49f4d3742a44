"""The first page of oversight, what a district owes with every number a list, and the pause of a ladder's step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from anban.contexts.hazards import operations as hazard_operations
from anban.contexts.hazards import queries as hazards
from anban.contexts.obligations import queries as obligations
from anban.contexts.oversight.queries import clues, duties, instructions, instruments, likes, sanctions, visits
from anban.contexts.oversight.queries.scope import figure
from anban.contexts.responsibility import queries as net
from anban.contexts.territory import queries as territory
from anban.web.desk.desk import duty_line
from anban.web.desk.oversight.parts import (
    COMMITTEE,
    LEADERS,
    READERS,
    REGISTER,
    Cell,
    Section,
    asked,
    at_of,
    day_input,
    detail,
    found_or_404,
    listing,
    name_of,
    page_of,
    today_of,
)
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Figure, Tone

HEADS = (
    *COMMITTEE,
    "street_deputy",
    "street_director",
    "district_regulator_head",
    "leader_viewer",
    "street_safety_office",
)


class PauseForm(forms.Form):
    """Until when a step is held back, and why."""

    until_on = day_input(gettext_lazy("暂缓至"), help_text=gettext_lazy("最多 10 个工作日，每一级只能一次；逾期照记。"))
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=500, widget=forms.Textarea)


@dataclass(frozen=True, slots=True)
class Debt:
    """One kind of debt of an area: its name, its list, how it is counted, who may see it."""

    key: str
    label: str
    href: Callable[[str, str], str]
    count: Callable[[Any, str, HttpRequest], int]
    roles: tuple[str, ...]


def _own(key: str) -> Callable[[str, str], str]:
    return lambda code, path: f"/oversight/areas/{code}/{key}/"


def _page(address: str, **query: str) -> Callable[[str, str], str]:
    return lambda code, path: f"{address}?{urlencode({**query, 'area': path})}"


def _overdue(actor: Any, path: str, request: HttpRequest) -> Any:
    rows = obligations.visible_to(actor).filter(territory.within(path), state="open", due_at__lt=at_of(request))
    return rows.select_related("person").order_by("due_at", "id")


def _unsigned(actor: Any, path: str, request: HttpRequest) -> Any:
    del request
    rows = obligations.visible_to(actor).filter(territory.within(path), state="open", kind="receive")
    return rows.select_related("person").order_by("due_at", "id")


LISTS = {"overdue": _overdue, "unsigned": _unsigned}


def _vacant(actor: Any, path: str, request: HttpRequest) -> int:
    on = today_of(request)
    return len(duties.standings(actor, on, ahead_days=figure(actor, "vacancy_ahead_days", on).value, area_path=path))


def debts() -> tuple[Debt, ...]:
    """Return the kinds of debts of an area."""
    return (
        Debt("overdue", _("逾期待办"), _own("overdue"), lambda a, p, r: _overdue(a, p, r).count(), READERS),
        Debt(
            "rebounds", _("反弹未销"), _page("/ledger/", rebound="1", open="1"),
            lambda a, p, r: hazards.count(a, hazards.Filters(area=p, rebound=True, open_only=True), at=at_of(r), exact=True).number,
            READERS,
        ),
        Debt("unsigned", _("移交未签收"), _own("unsigned"), lambda a, p, r: _unsigned(a, p, r).count(), READERS),
        Debt(
            "gaps", _("责任空白"), _page("/net/boundaries/", fault="gap"),
            lambda a, p, r: net.boundary_list(a, fault="gap", area=p).count(), READERS,
        ),
        Debt(
            "overlaps", _("职责交叉"), _page("/net/boundaries/", fault="overlap"),
            lambda a, p, r: net.boundary_list(a, fault="overlap", area=p).count(), READERS,
        ),
        Debt("vacant", _("缺岗"), _page("/oversight/vacancies/"), _vacant, READERS),
        Debt(
            "documents", _("批示件未落到事项"), _page("/oversight/instructions/", only="red"),
            lambda a, p, r: instructions.register_of(a, only="red", area_path=p).count(), REGISTER,
        ),
        Debt(
            "likes", _("同案未办"), _page("/oversight/like-cases/"),
            lambda a, p, r: len(likes.left_alone(a, at_of(r), area_path=p)), COMMITTEE,
        ),
        Debt(
            "clues", _("研判线索"), _page("/oversight/clues/"),
            lambda a, p, r: clues.listed(a, only="open", area_path=p).count(), COMMITTEE,
        ),
        Debt(
            "sanctions", _("问责未到人"), _page("/oversight/sanctions/", only="red"),
            lambda a, p, r: sanctions.board(a, only="red", area_path=p).count(), LEADERS,
        ),
        Debt(
            "papers", _("文书逾期未答复"), _page("/oversight/instruments/", only="late"),
            lambda a, p, r: instruments.listed(a, only="late", area_path=p, on=today_of(r)).count(), LEADERS,
        ),
        Debt("promises", _("督察承诺未兑现"), _own("promises"), lambda a, p, r: visits.promises(a, p).count(), LEADERS),
    )  # fmt: skip


def _figures(request: HttpRequest, code: str, path: str) -> tuple[Figure, ...]:
    actor = actor_of(request)
    found = []
    for debt in debts():
        if actor.has(*debt.roles):
            n = debt.count(actor, path, request)
            found.append(Figure(str(n), debt.label, debt.href(code, path), quiet=n == 0))
    return tuple(found)


@needs(*OFFICIALS)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Begin here: my own duties and papers, and the areas that I oversee."""
    actor, at, on = actor_of(request), at_of(request), today_of(request)
    mine = instruments.listed(actor, only="mine").filter(answered_at__isnull=True).count()
    own = duties.due_of(actor.person_key, actor.root).filter(state="open").count()
    figures = [
        Figure(str(own), _("我的到期岗责"), f"/oversight/persons/{actor.person_key}/", quiet=own == 0),
        Figure(str(mine), _("待我单位答复的文书"), "/oversight/instruments/?only=mine", quiet=mine == 0),
    ]
    sections = []
    if actor.has(*READERS):
        areas = [row for row in territory.areas(actor) if row.level in ("district", "management")] or [
            row for row in territory.areas(actor) if row.level == "street"
        ]
        rows = tuple(
            (
                Cell(name_of(row), f"/oversight/areas/{row.code}/"),
                Cell(
                    str(_overdue(actor, row.path, request).count()),
                    f"/oversight/areas/{row.code}/overdue/",
                    number=True,
                ),
                Cell(
                    str(visits.promises(actor, row.path).count()), f"/oversight/areas/{row.code}/promises/", number=True
                ),
            )
            for row in areas
        )
        sections.append(
            Section(_("地区欠账"), (_("地区"), _("逾期待办"), _("督察承诺未兑现")), rows, empty=_("没有您负责的地区。"))
        )
    if actor.has(*REGISTER):
        red = instructions.register_of(actor, only="red").count()
        figures.append(Figure(str(red), _("批示件未落到事项"), "/oversight/instructions/?only=red", quiet=red == 0))
    if actor.has(*LEADERS):
        red = sanctions.board(actor, only="red").count()
        figures.append(Figure(str(red), _("问责未到人"), "/oversight/sanctions/?only=red", quiet=red == 0))
    if actor.has(*COMMITTEE):
        shown = clues.listed(actor, only="open").count()
        figures.append(Figure(str(shown), _("研判线索"), "/oversight/clues/", quiet=shown == 0))
        left = len(likes.left_alone(actor, at))
        figures.append(Figure(str(left), _("同案未办"), "/oversight/like-cases/", quiet=left == 0))
    if actor.has(*READERS):
        ahead = figure(actor, "vacancy_ahead_days", on).value
        empty = len(duties.standings(actor, on, ahead_days=ahead))
        figures.append(Figure(str(empty), _("缺岗"), "/oversight/vacancies/", quiet=empty == 0))
    return detail(
        request, "overview", _("督察"), sections=sections, extra={"figures": tuple(figures)},
        notes=(_("看机构和岗位是否履职：谁欠什么、什么靠批示才动、同类是否同办。不排名个人。"),),
    )  # fmt: skip


def _area(request: HttpRequest, code: str) -> Any:
    return found_or_404(territory.areas(actor_of(request)).filter(code=code).first())


@needs(*READERS)
@require_GET
def area(request: HttpRequest, code: str) -> HttpResponse:
    """Show what an area owes: each number opens its list."""
    actor = actor_of(request)
    row = _area(request, code)
    last = visits.listed(actor, area_path=row.path).first() if actor.has(*LEADERS) else None
    facts = (
        Fact(
            _("最近一次督察"),
            f"{last.number} · {last.from_on.isoformat()}" if last else _("没有"),
            f"/oversight/visits/{last.pk}/" if last else "",
        ),
    )
    below = [one for one in territory.areas(actor) if one.parent_id == row.pk and one.level == "street"]
    rows = tuple(
        (
            Cell(name_of(one), f"/oversight/areas/{one.code}/"),
            Cell(str(_overdue(actor, one.path, request).count()), f"/oversight/areas/{one.code}/overdue/", number=True),
        )
        for one in below
    )
    acts = (
        (Action(_("新建督察"), f"/oversight/visits/new/?{urlencode({'area': row.path})}", Tone.PRIMARY),)
        if actor.has(*COMMITTEE)
        else ()
    )
    return detail(
        request, "overview", name_of(row), facts=facts, actions=acts,
        crumbs=(Crumb(_("督察"), "/oversight/"), Crumb(name_of(row))),
        sections=(Section(_("街道（乡镇）"), (_("地区"), _("逾期待办")), rows),) if rows else (),
        extra={"figures": _figures(request, row.code, row.path)},
    )  # fmt: skip


@needs(*READERS)
@require_GET
def debt(request: HttpRequest, code: str, what: str) -> HttpResponse:
    """List one kind of debt of an area."""
    actor, at = actor_of(request), at_of(request)
    row = _area(request, code)
    labels = {one.key: one.label for one in debts()}
    crumbs = (
        Crumb(_("督察"), "/oversight/"),
        Crumb(name_of(row), f"/oversight/areas/{code}/"),
        Crumb(labels.get(what, "")),
    )
    title = f"{name_of(row)} · {labels.get(what, '')}"
    if what == "promises":
        page, pager = page_of(request, visits.promises(actor, row.path))
        rows = [
            (
                Cell(one.fact, f"/oversight/visits/{one.visit_id}/"), Cell(one.promise or one.requirement),
                Cell(f"{name_of(one.body)} {one.person.name}"), Cell(day=one.due_on), Cell(one.get_state_display(), pill="waiting"),
            )
            for one in page
        ]  # fmt: skip
        columns = (_("问题"), _("承诺"), _("责任"), _("期限"), _("情况"))
    elif what in LISTS:
        page, pager = page_of(request, LISTS[what](actor, row.path, request))
        rows = []
        for one in page:
            line = duty_line(one, at)
            pause = (
                Cell(_("暂缓"), f"/oversight/pauses/{one.pk}/")
                if what == "overdue" and one.subject_kind == "hazard" and actor.has(*HEADS)
                else Cell("—")
            )
            rows.append(
                (
                    Cell(f"{line.place} {line.matter}"[:80], line.href),
                    Cell(line.verb),
                    Cell(one.person.name),
                    Cell(term=line.deadline),
                    pause,
                )
            )
        columns = (_("事项"), _("待办"), _("责任人"), _("期限"), _("督办"))
    else:
        raise Http404
    n = page.paginator.count
    return listing(
        request, "overview", title, columns=columns, rows=rows, pager=pager, crumbs=crumbs,
        count=ngettext("%(n)s 件", "%(n)s 件", n) % {"n": n}, empty=(_("没有欠账"), _("这一项目前是清的。")),
    )  # fmt: skip


@needs(*HEADS)
@require_http_methods(["GET", "POST"])
def pause(request: HttpRequest, obligation_id: UUID) -> HttpResponse:
    """Hold the next step of a ladder back, as whoever stands one level up."""
    actor, at = actor_of(request), at_of(request)
    row = found_or_404(
        obligations.visible_to(actor).filter(pk=obligation_id, subject_kind="hazard", state="open").first()
    )
    form = PauseForm(request.POST or None)

    def do(given: dict[str, Any]) -> str:
        hazard_operations.pause_ladder(
            actor=actor, at=at, obligation_id=row.pk, until_on=given["until_on"], reason=given["reason"]
        )
        messages.success(request, _("已暂缓；逾期照记。"))
        return f"/ledger/{row.matter_id}/"

    line = duty_line(row, at)
    return asked(
        request, form, do, title=_("暂缓督办"), verb=_("同意暂缓"), crumbs=(Crumb(_("督察"), "/oversight/"), Crumb(_("暂缓督办"))),
        facts=(Fact(_("事项"), f"{line.verb} {line.place} {line.matter}", line.href),), back=f"/ledger/{row.matter_id}/",
    )  # fmt: skip
