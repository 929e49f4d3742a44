"""Pages of instructions: the register, what each became, and how much bodies depend on them."""

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
from django.views.decorators.http import require_GET, require_http_methods

from anban.contexts.hazards import queries as hazards
from anban.contexts.oversight import policies
from anban.contexts.oversight.operations import instructions as operations
from anban.contexts.oversight.queries import clues
from anban.contexts.oversight.queries import instructions as queries
from anban.contexts.territory import queries as territory
from anban.rules.errors import Refusal
from anban.web.desk.oversight.clues import clue_cell
from anban.web.desk.oversight.parts import (
    COMMITTEE,
    REGISTER,
    Cell,
    Section,
    area_filter,
    asked,
    at_of,
    body_choices,
    body_named,
    choice_filter,
    choose,
    day_input,
    days,
    detail,
    found_or_404,
    listing,
    name_of,
    page_of,
    percent,
    today_of,
)
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Tone

KINDS = (("instruction", gettext_lazy("批示")), ("document", gettext_lazy("上级文件")))
LOOK_BACK_DAYS = 365


class InstructionForm(forms.Form):
    """What is kept of an instruction."""

    kind = forms.ChoiceField(label=gettext_lazy("种类"), choices=KINDS)
    number = forms.CharField(label=gettext_lazy("文号"), max_length=60)
    requirement = forms.CharField(
        label=gettext_lazy("要求（一句话）"), max_length=120,
        help_text=gettext_lazy("只写要求，不抄原文，不上传原件：原文可能涉密。"),
    )  # fmt: skip
    area = forms.ChoiceField(label=gettext_lazy("涉及地区"))
    issued_on = day_input(gettext_lazy("签发日期"))
    due_on = day_input(gettext_lazy("办理期限"))
    report_on = day_input(gettext_lazy("报告期限"), required=False)


class MeasureForm(forms.Form):
    """A measure on one matter."""

    hazard = forms.CharField(label=gettext_lazy("隐患编号"), max_length=30)
    body = forms.ChoiceField(label=gettext_lazy("承办单位"), help_text=gettext_lazy("由该单位在岗的责任人承办。"))
    requirement = forms.CharField(label=gettext_lazy("落实措施"), max_length=200)
    due_on = day_input(gettext_lazy("完成期限"))


def crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    """Return the way back to the register."""
    return (Crumb(_("督察"), "/oversight/"), Crumb(_("批示件"), "/oversight/instructions/"), *more)


@needs(*REGISTER)
@require_GET
def register(request: HttpRequest) -> HttpResponse:
    """List the instructions of my areas; those without a measure stand red."""
    actor, on = actor_of(request), today_of(request)
    by_area, path = area_filter(request)
    only = request.GET.get("only", "")
    page, pager = page_of(request, queries.register_of(actor, only=only, area_path=path, on=on))
    rows = [
        (
            Cell(row.number, f"/oversight/instructions/{row.pk}/"),
            Cell(row.get_kind_display()),
            Cell(row.requirement),
            Cell(day=row.issued_on),
            Cell(day=row.due_on),
            Cell(_("未落到事项"), pill="red") if not row.measures_count else Cell(str(row.measures_count), number=True),
        )
        for row in page
    ]
    n = page.paginator.count
    states = (("red", _("未落到事项")), ("open", _("落实中")), ("late", _("逾期")))
    return listing(
        request, "instructions", _("批示件"),
        columns=(_("文号"), _("种类"), _("要求"), _("签发日期"), _("期限"), _("落实措施")), rows=rows, pager=pager,
        filters=(by_area, choice_filter(request, "only", _("情况"), states)), count=ngettext("%(n)s 件", "%(n)s 件", n) % {"n": n},
        intro=_("只登记文号、要求、责任人和期限，不存原文。没有落到具体隐患上的，标为“未落到事项”。"),
        empty=(_("没有批示件或上级文件"), _("登记一件，再落到具体隐患和责任人。")),
        actions=(Action(_("登记"), "/oversight/instructions/new/", Tone.PRIMARY),) if actor.has(*COMMITTEE) else (),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Register an instruction or an upper document."""
    actor, on = actor_of(request), today_of(request)
    form = InstructionForm(request.POST or None, initial={"issued_on": on, "due_on": on + timedelta(days=15)})
    areas = [
        row
        for row in territory.areas(actor)
        if row.level in ("city", "district") and policies.can_oversee(actor, row.path)
    ]
    choose(form, "area", [(row.path, name_of(row)) for row in areas])

    def do(given: dict[str, Any]) -> str:
        received = operations.Received(**{k: v for k, v in given.items() if k != "area"}, area_path=given["area"])
        made = operations.register_instruction(actor=actor, at=at_of(request), received=received)
        messages.success(request, _("已登记。请在两个工作日内落到具体事项。"))
        return f"/oversight/instructions/{made.pk}/"

    return asked(
        request, form, do, title=_("登记批示件"), verb=_("登记"), crumbs=crumbs(Crumb(_("登记"))), current="instructions",
        back="/oversight/instructions/",
    )  # fmt: skip


@needs(*REGISTER)
@require_GET
def instruction(request: HttpRequest, instruction_id: UUID) -> HttpResponse:
    """Show an instruction and what it became."""
    actor = actor_of(request)
    row = found_or_404(queries.instruction(actor, instruction_id))
    measures = list(queries.measures_of(row))
    oversees = policies.can_oversee(actor, row.area_path)
    rows = tuple(
        (
            Cell(f"{m.hazard.number} {m.hazard.place_title}", f"/ledger/{m.hazard_id}/"),
            Cell(m.requirement),
            Cell(f"{m.body.name if m.body else ''} {m.person.name}"),
            Cell(day=m.due_on),
            Cell(m.get_state_display(), f"/oversight/measures/{m.pk}/", pill=m.state),
        )
        for m in measures
    )
    return detail(
        request, "instructions", row.number, crumbs=crumbs(Crumb(row.number)),
        pills=(("open", _("未落到事项")),) if not measures else (),
        facts=(
            Fact(_("种类"), row.get_kind_display()), Fact(_("要求"), row.requirement),
            Fact(_("签发日期"), row.issued_on.isoformat()), Fact(_("办理期限"), row.due_on.isoformat()),
            Fact(_("报告期限"), row.report_on.isoformat() if row.report_on else ""), Fact(_("登记人"), row.registrar.name),
        ),
        sections=(
            Section(
                _("落实措施"), (_("隐患"), _("措施"), _("责任人"), _("期限"), _("情况")), rows,
                empty=_("还没有落到任何隐患上。"),
            ),
        ),
        actions=(Action(_("落到隐患"), f"/oversight/instructions/{row.pk}/measures/", Tone.PRIMARY),) if oversees else (),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def add_measure(request: HttpRequest, instruction_id: UUID) -> HttpResponse:
    """Turn an instruction into a measure on one hazard, on the desk of whoever answers at a body."""
    actor, at = actor_of(request), at_of(request)
    row = found_or_404(queries.instruction(actor, instruction_id))
    form = MeasureForm(request.POST or None, initial={"due_on": row.due_on, "hazard": request.GET.get("hazard", "")})
    bodies = body_choices(actor, row.area_path)
    choose(form, "body", bodies.items())

    def do(given: dict[str, Any]) -> str:
        hazard = hazards.visible_to(actor).filter(number=given["hazard"].strip().upper()).first()
        if hazard is None:
            raise Refusal("instruction.hazard_unknown", field="hazard")
        body = body_named(actor, given["body"])
        holding = territory.posts_holder(body, hazard.area_path, at)
        if holding is None:
            raise Refusal("instrument.nobody_there", field="body", name=body.name)
        operations.add_measure(
            actor=actor, at=at, instruction_id=row.pk, hazard_id=hazard.pk, person=holding.person, body=body,
            requirement=given["requirement"], due_on=given["due_on"],
        )  # fmt: skip
        messages.success(
            request,
            _("已落到 %(number)s，列入%(name)s的待办。") % {"number": hazard.number, "name": holding.person.name},
        )
        return f"/oversight/instructions/{row.pk}/"

    return asked(
        request, form, do, title=_("落到隐患"), verb=_("落到隐患"), crumbs=crumbs(Crumb(row.number, f"/oversight/instructions/{row.pk}/"), Crumb(_("落到隐患"))),
        current="instructions", back=f"/oversight/instructions/{row.pk}/", facts=(Fact(_("要求"), row.requirement),),
    )  # fmt: skip


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def measure(request: HttpRequest, measure_id: UUID) -> HttpResponse:
    """Show a measure of mine or of my areas; report it done when the ledger shows it."""
    actor, at = actor_of(request), at_of(request)
    row = found_or_404(queries.measure(actor, measure_id))
    if request.method == "POST":
        try:
            operations.settle_measure(actor=actor, at=at, measure_id=row.pk)
        except Refusal as refusal:
            messages.error(request, said(refusal))
        else:
            messages.success(request, _("已登记为落实。"))
        return redirect(f"/oversight/measures/{row.pk}/")
    acts = (
        (Action(_("报告已落实"), f"/oversight/measures/{row.pk}/", Tone.PRIMARY, post=True),)
        if row.state == "open"
        else ()
    )
    return detail(
        request, "instructions", row.requirement, pills=((row.state, row.get_state_display()),), actions=acts,
        crumbs=(Crumb(_("督察"), "/oversight/"), Crumb(row.instruction.number)),
        facts=(
            Fact(_("文号"), row.instruction.number), Fact(_("要求"), row.instruction.requirement),
            Fact(_("隐患"), f"{row.hazard.number} {row.hazard.place_title}", f"/ledger/{row.hazard_id}/"),
            Fact(_("责任人"), row.person.name), Fact(_("完成期限"), row.due_on.isoformat()),
        ),
        notes=(_("以台账上的责令、处置、销号为证；没有记录不能报已落实。"),),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_GET
def dependence(request: HttpRequest) -> HttpResponse:
    """Show how much each body's matters depend on instructions: to the committee's office alone."""
    actor = actor_of(request)
    if not actor.has(*COMMITTEE):
        raise Http404
    found = queries.dependence(actor, today_of(request) - timedelta(days=LOOK_BACK_DAYS))
    page, pager = page_of(request, found)
    known = {subject: row for (_path, subject), row in clues.newest_by_subject(actor).items()}
    rows = [
        (
            Cell(name_of(one.body)),
            Cell(str(one.matters), number=True),
            Cell(str(one.instructed), number=True),
            Cell(percent(one.only_after)),
            Cell(f"{one.before_first:.1f}" if one.before_first is not None else "—", number=True),
            Cell(days(one.days_before)),
            Cell(days(one.days_after)),
            clue_cell(known.get(("dependence", str(one.body.pk)))),
        )
        for one in page
    ]
    return listing(
        request, "dependence", _("批示依赖"), rows=rows, pager=pager,
        columns=(_("机构"), _("动过的事项"), _("有批示"), _("批示后才动"), _("动前批示次数"), _("批示前等待"), _("批示后用时"), _("线索")),
        intro=_("近一年。只供安委办内部研判，按机构名称排列，不作排名。哪些事项会被批示并非随机，差别是问题线索，不是结论。"),
        empty=(_("没有可比的事项"), _("有承办单位的隐患会列在这里。")),
    )  # fmt: skip
