"""Pages of oversight visits: the list, one visit as it is used on a tablet, findings and their following up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.files import operations as files
from anban.contexts.oversight import policies
from anban.contexts.oversight.operations import visits as operations
from anban.contexts.oversight.queries import visits as queries
from anban.contexts.territory import queries as territory
from anban.rules.errors import Refusal
from anban.web.desk.oversight.parts import (
    COMMITTEE,
    Cell,
    Section,
    area_filter,
    asked,
    at_of,
    body_choices,
    body_named,
    choose,
    day_input,
    detail,
    found_or_404,
    listing,
    name_of,
    page_of,
    today_of,
)
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Tone

KINDS = (
    ("inspection", gettext_lazy("督察")), ("special", gettext_lazy("专班督导")), ("look_back", gettext_lazy("回头看")),
)  # fmt: skip
TERM_DAYS = 30
FINDING_PILLS = {"open": "open", "rectified": "waiting", "verified": "done"}


class VisitForm(forms.Form):
    """Whom the committee visits: an area, or a body in it; never a firm."""

    kind = forms.ChoiceField(label=gettext_lazy("种类"), choices=KINDS)
    area = forms.ChoiceField(label=gettext_lazy("被督察地区"))
    body = forms.ChoiceField(
        label=gettext_lazy("被督察机构"), required=False, help_text=gettext_lazy("督察政府和部门，不检查企业。")
    )
    from_on = day_input(gettext_lazy("开始日期"))


class FindingForm(forms.Form):
    """What was found."""

    fact = forms.CharField(label=gettext_lazy("发现的问题"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    requirement = forms.CharField(
        label=gettext_lazy("整改要求"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
    body = forms.ChoiceField(label=gettext_lazy("责任单位"))
    promise = forms.CharField(label=gettext_lazy("当场承诺"), max_length=300, required=False)
    due_on = day_input(gettext_lazy("整改期限"))


class RectifyForm(forms.Form):
    """What was put right."""

    statement = forms.CharField(label=gettext_lazy("整改情况"), max_length=2000, widget=forms.Textarea)
    file = forms.FileField(label=gettext_lazy("证明材料"), required=False)


class NoteForm(forms.Form):
    """What the look back showed."""

    note = forms.CharField(label=gettext_lazy("回头看情况"), max_length=2000, widget=forms.Textarea, required=False)


def crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    """Return the way back to the list."""
    return (Crumb(_("督察"), "/oversight/"), Crumb(_("督察记录"), "/oversight/visits/"), *more)


@needs(*OFFICIALS)
@require_GET
def visits(request: HttpRequest) -> HttpResponse:
    """List the visits to my areas and bodies."""
    actor = actor_of(request)
    by_area, path = area_filter(request)
    page, pager = page_of(request, queries.listed(actor, area_path=path))
    rows = [
        (
            Cell(row.number, f"/oversight/visits/{row.pk}/"),
            Cell(row.get_kind_display()),
            Cell(name_of(row.body) if row.body else name_of(row.area)),
            Cell(day=row.from_on),
            Cell(row.leader.name),
            Cell(str(row.found), number=True),
            Cell(str(row.waiting), number=True),
            Cell(_("进行中"), pill="waiting") if row.is_open else Cell(_("已办结"), pill="done"),
        )
        for row in page
    ]
    n = page.paginator.count
    return listing(
        request, "visits", _("督察"), rows=rows, pager=pager, filters=(by_area,), count=ngettext("%(n)s 次", "%(n)s 次", n) % {"n": n},
        columns=(_("编号"), _("种类"), _("被督察"), _("开始"), _("带队"), _("问题"), _("未销"), _("情况")),
        intro=_("安委会对区、街乡镇和部门的督察与督导，不对企业。"),
        empty=(_("没有督察记录"), _("督察开始时建一次记录，问题当场录入，整改和回头看都在这里。")),
        actions=(Action(_("新建督察"), "/oversight/visits/new/", Tone.PRIMARY),) if actor.has(*COMMITTEE) else (),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Open a visit to an area or a body."""
    actor = actor_of(request)
    areas = {
        row.path: row
        for row in territory.areas(actor)
        if row.level in ("district", "street") and policies.can_oversee(actor, row.path)
    }
    form = VisitForm(request.POST or None, initial={"from_on": today_of(request), "area": request.GET.get("area", "")})
    choose(form, "area", [(path, name_of(row)) for path, row in areas.items()])
    prefix = request.POST.get("area") or request.GET.get("area", "")
    choose(form, "body", [("", _("整个地区")), *body_choices(actor, prefix).items()])

    def do(given: dict[str, Any]) -> str:
        body = body_named(actor, given["body"]) if given["body"] else None
        made = operations.open_visit(
            actor=actor,
            at=at_of(request),
            kind=given["kind"],
            area=areas[given["area"]],
            body=body,
            from_on=given["from_on"],
        )
        return f"/oversight/visits/{made.pk}/"

    return asked(
        request, form, do, title=_("新建督察"), verb=_("开始督察"), crumbs=crumbs(Crumb(_("新建督察"))), current="visits",
        back="/oversight/visits/",
    )  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def visit(request: HttpRequest, oversight_id: UUID) -> HttpResponse:
    """Show a visit with its findings and what may be done with each."""
    actor = actor_of(request)
    row = found_or_404(queries.visit(actor, oversight_id))
    oversees = policies.can_oversee(actor, row.area_path)
    rows = tuple(
        (
            Cell(f"{f.no}. {f.fact}"),
            Cell(f.requirement),
            Cell(f.promise or "—"),
            Cell(f"{name_of(f.body)} {f.person.name}"),
            Cell(day=f.due_on),
            Cell(f.get_state_display(), pill=FINDING_PILLS[f.state]),
            *_next(f, actor, oversees),
        )
        for f in queries.findings_of(actor, row)
    )
    acts: tuple[Action, ...] = ()
    if oversees and row.is_open:
        acts = (
            Action(_("录入问题"), f"/oversight/visits/{row.pk}/findings/", Tone.PRIMARY),
            Action(_("办结督察"), f"/oversight/visits/{row.pk}/close/", post=True),
        )
    where = name_of(row.body) if row.body else name_of(row.area)
    return detail(
        request, "visits", f"{row.number} {where}", crumbs=crumbs(Crumb(row.number)), actions=acts,
        pills=(("waiting", _("进行中")) if row.is_open else ("done", _("已办结")),),
        facts=(
            Fact(_("种类"), row.get_kind_display()), Fact(_("被督察"), where, f"/oversight/areas/{row.area.code}/" if oversees else ""),
            Fact(_("开始日期"), row.from_on.isoformat()), Fact(_("带队"), row.leader.name),
        ),
        sections=(
            Section(
                _("发现的问题"), (_("问题"), _("整改要求"), _("承诺"), _("责任"), _("期限"), _("情况"), _("办理"), ""), rows,
                empty=_("还没有录入问题。"),
            ),
        ),
    )  # fmt: skip


def _next(finding: Any, actor: Any, oversees: bool) -> tuple[Cell, Cell]:
    """Return what may be done with a finding now: report, look back, press with a paper."""
    base = f"/oversight/findings/{finding.pk}"
    if finding.state == "open":
        report = Cell(_("报整改"), f"{base}/rectify/") if policies.can_rectify(actor, finding) else Cell()
        return report, Cell(_("发文"), f"/oversight/instruments/new/finding/{finding.pk}/") if oversees else Cell()
    if finding.state == "rectified" and oversees:
        return Cell(_("回头看通过"), f"{base}/verify/"), Cell(_("退回整改"), f"{base}/back/")
    return Cell(), Cell()


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def add_finding(request: HttpRequest, oversight_id: UUID) -> HttpResponse:
    """Put what was found to a body."""
    actor = actor_of(request)
    row = found_or_404(queries.visit(actor, oversight_id))
    form = FindingForm(
        request.POST or None,
        initial={"due_on": today_of(request) + timedelta(days=TERM_DAYS), "body": str(row.body_id or "")},
    )
    bodies = {
        k: v
        for k, v in body_choices(actor, row.area_path).items()
        if body_named(actor, k).area.path.startswith(row.area_path)
    }
    # Nothing is chosen beforehand: a finding never goes to a body because it stood first in the list.
    choose(form, "body", [("", _("请选择")), *bodies.items()])

    def do(given: dict[str, Any]) -> str:
        operations.add_finding(
            actor=actor, at=at_of(request), visit_id=row.pk, fact=given["fact"], requirement=given["requirement"],
            body=body_named(actor, given["body"]), due_on=given["due_on"], promise=given["promise"],
        )  # fmt: skip
        messages.success(request, _("问题已录入，列入责任单位待办。"))
        return f"/oversight/visits/{row.pk}/"

    back = f"/oversight/visits/{row.pk}/"
    return asked(
        request, form, do, title=_("录入问题"), verb=_("录入"), crumbs=crumbs(Crumb(row.number, back), Crumb(_("录入问题"))),
        current="visits", back=back,
    )  # fmt: skip


@needs(*COMMITTEE)
@require_POST
def close(request: HttpRequest, oversight_id: UUID) -> HttpResponse:
    """Close a visit whose findings all hold."""
    actor = actor_of(request)
    row = found_or_404(queries.visit(actor, oversight_id))
    try:
        operations.close_visit(actor=actor, at=at_of(request), visit_id=row.pk)
    except Refusal as refusal:
        messages.error(request, said(refusal))
    else:
        messages.success(request, _("督察已办结。"))
    return redirect(f"/oversight/visits/{row.pk}/")


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def finding(request: HttpRequest, finding_id: UUID, step: str) -> HttpResponse:
    """Report a finding as put right, or look back at it."""
    actor, at = actor_of(request), at_of(request)
    row = found_or_404(queries.finding(actor, finding_id))
    titles = {"rectify": _("报整改"), "verify": _("回头看通过"), "back": _("退回整改")}
    if step not in titles:
        raise Http404
    form: forms.Form = (
        RectifyForm(request.POST or None, request.FILES or None)
        if step == "rectify"
        else NoteForm(request.POST or None)
    )

    def do(given: dict[str, Any]) -> str:
        if step == "rectify":
            upload = given["file"]
            stored = (
                files.store(actor=actor, at=at, root=actor.root, stream=upload, name=upload.name or "")
                if upload
                else None
            )
            operations.rectify(actor=actor, at=at, finding_id=row.pk, statement=given["statement"], file=stored)
        else:
            operations.follow_up(actor=actor, at=at, finding_id=row.pk, passed=step == "verify", note=given["note"])
        messages.success(request, _("已登记。"))
        return f"/oversight/visits/{row.visit_id}/"

    back = f"/oversight/visits/{row.visit_id}/"
    return asked(
        request, form, do, title=titles[step], verb=titles[step], back=back, current="visits",
        crumbs=crumbs(Crumb(row.visit.number, back), Crumb(titles[step])),
        facts=(Fact(_("问题"), row.fact), Fact(_("整改要求"), row.requirement), Fact(_("承诺"), row.promise)),
    )  # fmt: skip
