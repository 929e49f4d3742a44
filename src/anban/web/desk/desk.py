"""My desk (我的待办): what I owe now, what others want to hand to me, and handing one thing to a colleague."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.notices import queries as notices
from anban.base.people import queries as people
from anban.base.people.actor import Actor
from anban.contexts.obligations import operations, policies, queries
from anban.contexts.oversight.titles import address
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date, day_end
from anban.rules.errors import Refusal
from anban.web.desk.wording import duty_name, rebound_words, said
from anban.web.shell.access import EVERYBODY, actor_of, needs
from anban.web.shell.components import Action, Crumb, Deadline, DutyLine, Figure, Pager, Tone
from anban.web.shell.wording import in_english

PER_PAGE: Final = 50
GRADES_SHOWN: Final = frozenset({"major", "suspected_major", "undetermined"})


def week_end(at: datetime, zone: str) -> datetime:
    """Return the exclusive end of the week (周日) in which an instant lies, in the city's own days."""
    today = city_date(at, zone)
    return day_end(today + timedelta(days=6 - today.weekday()), zone)


def duty_href(row: Any) -> str:
    """Return the page on which a duty is done."""
    if row.subject_kind == "hazard":
        return f"/ledger/{row.matter_id}/"
    if row.subject_kind == "boundary":
        return f"/net/boundaries/{row.matter_id}/"
    if row.subject_kind == "joint":
        return f"/net/joint/of/{row.subject_id}/"
    return address(row.subject_kind, row.subject_id, row.matter_id, row.person_id)


def duty_line(row: Any, now: datetime) -> DutyLine:
    """Return one obligation as a line: clock, verb, place, matter with its rebound."""
    rebound = rebound_words(row.cycle_no - 1)
    place = row.place_title or row.unit_name
    # What is about no place and no unit, as an instruction, is opened by its title: a link without words can't be pressed.
    matter = row.title if place else ""
    return DutyLine(
        deadline=Deadline(row.due_at, now, provisional=row.provisional),
        verb=duty_name(row.kind),
        place=place or row.title,
        matter=f"{matter} · {rebound}" if rebound else matter,
        href=duty_href(row),
        grade=row.grade if row.grade in GRADES_SHOWN else "",
    )


@needs(*EVERYBODY)
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """Show what I owe now, the most pressing first."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    only = request.GET.get("only", "all")
    only = only if only in (*queries.FILTERS, "sign") else "all"
    until = week_end(at, actor.zone)
    counted = queries.desk_figures(actor, at=at, week_end=until)
    number = request.GET.get("page", "1")
    page = max(1, int(number)) if number.isascii() and number.isdecimal() and len(number) < 6 else 1
    start = (page - 1) * PER_PAGE
    rows = [] if only == "sign" else list(
        queries.desk(actor, at=at, week_end=until, only=only)[start : start + PER_PAGE + 1]
    )  # fmt: skip
    out = queries.handovers_offered(row.pk for row in rows[:PER_PAGE])
    lines = [(row, duty_line(row, at), out.get(row.pk)) for row in rows[:PER_PAGE]]
    offered = [
        (handover, duty_line(handover.obligation, at))
        for handover in (queries.handovers_to_sign(actor)[:PER_PAGE] if counted.to_sign else ())
    ]
    head = f"/?only={only}&page=" if only != "all" else "/?page="
    context = {
        "now": at,
        "only": only,
        "figures": _figures(counted, only),
        "lines": lines,
        "offered": offered,
        "pager": Pager(
            f"{head}{page - 1}" if page > 1 else "",
            f"{head}{page + 1}" if len(rows) > PER_PAGE else "",
            _("第 %(first)s–%(last)s 条") % {"first": start + 1, "last": start + len(lines)} if lines else "",
        ),
        "paged": page > 1 or len(rows) > PER_PAGE,
        "scope": territory.scope_label(actor, english=in_english()),
        "may_report": Action(_("上报隐患"), "/report/", Tone.PRIMARY),
        "whole": Action(_("看全部待办"), "/"),
        "total": counted.all_open,
        "unread": notices.unread(actor),
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return render(request, "desk/parts/desk_list.html", context)
    return render(request, "desk/desk.html", context)


def _figures(counted: queries.DeskFigures, only: str) -> tuple[tuple[Figure, bool], ...]:
    shown = (
        ("overdue", counted.overdue, _("逾期")),
        ("week", counted.this_week, _("本周到期")),
        ("review", counted.to_review, _("待我复查")),
        ("returned", counted.returned, _("退回我的")),
        ("sign", counted.to_sign, _("待签收")),
    )
    return tuple(
        (Figure(str(value), label, "/" if key == only else f"/?only={key}", quiet=value == 0), key == only)
        for key, value, label in shown
    )


@needs(*EVERYBODY)
@require_POST
def sign(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Sign for an obligation that somebody hands to me."""
    actor = actor_of(request)
    _offered(actor, handover_id)
    operations.sign_for(actor=actor, at=request.at, handover_id=handover_id)  # type: ignore[attr-defined]
    messages.success(request, _("已签收，现在由您负责。"))
    return redirect("/")


@needs(*EVERYBODY)
@require_POST
def take_back(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Take back what I offered and nobody has signed for."""
    actor = actor_of(request)
    row = queries.visible_to(actor).filter(handovers=handover_id).first()
    if row is None or not policies.can_hand_over(actor, row):
        raise Http404
    try:
        operations.take_back(actor=actor, at=request.at, handover_id=handover_id)  # type: ignore[attr-defined]
    except Refusal as refusal:
        messages.warning(request, said(refusal))
    else:
        messages.success(request, _("已撤回，仍由您负责。"))
    return redirect("/")


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def decline(request: HttpRequest, handover_id: UUID) -> HttpResponse:
    """Send back an obligation that somebody hands to me, with the reason."""
    actor = actor_of(request)
    row = _offered(actor, handover_id)
    form = DeclineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operations.decline(
            actor=actor, at=request.at, handover_id=handover_id, reason=form.cleaned_data["reason"]  # type: ignore[attr-defined]
        )  # fmt: skip
        messages.success(request, _("已退回。"))
        return redirect("/")
    context = {
        "form": form, "duty": duty_line(row.obligation, request.at), "now": request.at,  # type: ignore[attr-defined]
        "title": _("退回移交"), "verb": _("退回"), "crumbs": _crumbs(_("退回移交")), "from_person": row.from_person.name,
    }  # fmt: skip
    return render(request, "desk/duty_form.html", context, status=422 if form.errors else 200)


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, obligation_id: UUID) -> HttpResponse:
    """Offer one obligation to a colleague; I stay responsible until it is signed for."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = queries.visible_to(actor).filter(pk=obligation_id).first()
    if row is None or not policies.can_hand_over(actor, row):
        raise Http404
    choices = {
        str(h.person_id): f"{h.person.name}　{h.post.body.name}"
        for h in territory.colleagues(actor, city_date(at, actor.zone))
        if h.person_id != row.person_id
    }
    form = HandOverForm(request.POST or None)
    form.fields["to_person"].choices = [("", _("请选择")), *choices.items()]  # type: ignore[attr-defined]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            person = people.person(actor, UUID(form.cleaned_data["to_person"]))
            try:
                if person is None:
                    raise Http404
                operations.hand_over(actor=actor, at=at, obligation_id=obligation_id, to_person=person)
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
            else:
                messages.success(request, _("已移交给%(name)s，签收前仍由原责任人负责。") % {"name": person.name})
                return redirect("/")
    context = {
        "form": form, "duty": duty_line(row, at), "now": at, "title": _("移交给同事"), "verb": _("移交"),
        "crumbs": _crumbs(_("移交给同事")), "nobody": not choices,
    }  # fmt: skip
    return render(request, "desk/duty_form.html", context, status=status)


def _crumbs(title: str) -> tuple[Crumb, ...]:
    return (Crumb(_("我的待办"), "/"), Crumb(title))


def _offered(actor: Actor, handover_id: UUID) -> Any:
    row = queries.handovers_to_sign(actor).filter(pk=handover_id).first()
    if row is None:
        raise Http404
    return row


class DeclineForm(forms.Form):
    """Why an obligation is sent back."""

    reason = forms.CharField(label=gettext_lazy("退回理由"), widget=forms.Textarea, max_length=2000)


class HandOverForm(forms.Form):
    """To whom an obligation is handed."""

    to_person = forms.ChoiceField(label=gettext_lazy("移交给"), help_text=gettext_lazy("只列出本单位的同事。"))
