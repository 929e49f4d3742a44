"""Pages of accountability: the sanction board, one case, its items and their steps."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.people import queries as people
from anban.contexts.hazards import queries as hazards
from anban.contexts.oversight import policies
from anban.contexts.oversight.operations import sanctions as operations
from anban.contexts.oversight.queries import instruments as instrument_queries
from anban.contexts.oversight.queries import sanctions as queries
from anban.contexts.territory import queries as territory
from anban.rules import accountability
from anban.rules.accountability import ENDED, STEP_NAMES, STEPS, AccidentGrade, ItemState, Level, Subject
from anban.web.desk.links import accident_chain
from anban.web.desk.oversight.parts import (
    COMMITTEE,
    LEADERS,
    Cell,
    Section,
    area_filter,
    as_uuid,
    asked,
    at_of,
    choice_filter,
    choose,
    detail,
    found_or_404,
    listing,
    page_of,
    term_name,
    today_of,
)
from anban.web.shell.access import actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Tone
from anban.web.shell.wording import in_english

MOST_PERSONS = 500


class PersonForm(forms.Form):
    """A further person in a case."""

    person = forms.ChoiceField(label=gettext_lazy("责任人"))
    unit_name = forms.CharField(label=gettext_lazy("单位"), max_length=200)
    link = forms.CharField(label=gettext_lazy("原因环节"), max_length=60)
    direct = forms.BooleanField(label=gettext_lazy("直接责任"), required=False)


class FailureForm(forms.Form):
    """A failure of duty about a hazard."""

    title = forms.CharField(label=gettext_lazy("失职情形"), max_length=200)


class StepForm(forms.Form):
    """One step of an item."""

    document_number = forms.CharField(label=gettext_lazy("文号"), max_length=60, required=False)
    note = forms.CharField(label=gettext_lazy("说明"), widget=forms.Textarea, max_length=2000, required=False)


def crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    """Return the way back to the board."""
    return (Crumb(_("督察"), "/oversight/"), Crumb(_("问责"), "/oversight/sanctions/"), *more)


def _side(items: list[Any], subject: Subject) -> Cell:
    mine = [one for one in items if one.subject == subject.value]
    done = sum(ItemState(one.state) in ENDED for one in mine)
    if not mine:
        return Cell("—")
    return Cell(f"{done} / {len(mine)}", pill="done" if done == len(mine) else "waiting")


@needs(*LEADERS)
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show every case: where the unit stands and where each person, red ones first."""
    actor = actor_of(request)
    by_area, path = area_filter(request)
    page, pager = page_of(request, queries.board(actor, only=request.GET.get("only", ""), area_path=path))
    rows = []
    for row in page:
        items = list(row.items.all())
        reasons = accountability.red(*queries.facts_of(row)) if row.is_red else ()
        rows.append(
            (
                Cell(f"{row.number} {row.title}", f"/oversight/sanctions/{row.pk}/"),
                Cell(day=row.happened_on),
                Cell(term_name(Level(row.level))),
                _side(items, Subject.UNIT),
                _side(items, Subject.PERSON),
                Cell(reasons[0].en if in_english() else reasons[0].zh, pill="red") if reasons else Cell(),
            )
        )
    n = page.paginator.count
    states = (("red", _("未到人")), ("open", _("办理中")))
    return listing(
        request, "sanctions", _("问责"), rows=rows, pager=pager,
        columns=(_("案件"), _("发生"), _("层级"), _("单位"), _("责任人"), _("未到人原因")),
        filters=(by_area, choice_filter(request, "only", _("情况"), states)), count=ngettext("%(n)s 件", "%(n)s 件", n) % {"n": n},
        intro=_("单位和每名责任人各有期限、各自销账。单位已处理而责任人未处理，或决定没有写明某一原因环节的直接责任人，列为“未到人”。"),
        empty=(_("没有问责案件"), _("登记的事故会自动立案；失职情形可从隐患页提出。")),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """Open a case for a failure of duty about a hazard."""
    actor = actor_of(request)
    hazard = found_or_404(hazards.visible_to(actor).filter(pk=hazard_id).first())
    form = FailureForm(request.POST or None)

    def do(given: dict[str, Any]) -> str:
        made = operations.open_case(actor=actor, at=at_of(request), hazard=hazard, title=given["title"])
        messages.success(request, _("已立案，请增列责任人。"))
        return f"/oversight/sanctions/{made.pk}/"

    back = f"/ledger/{hazard.pk}/"
    return asked(
        request, form, do, title=_("失职问责"), verb=_("立案问责"), crumbs=crumbs(Crumb(_("失职问责"))), current="sanctions", back=back,
        facts=(Fact(_("隐患"), f"{hazard.number} {hazard.place_title}", back),),
    )  # fmt: skip


@needs(*LEADERS)
@require_GET
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show one case with its items, why it stands red, and its papers."""
    actor = actor_of(request)
    row = found_or_404(queries.case(actor, case_id))
    oversees = policies.can_oversee(actor, row.area_path)
    rows = []
    for one in queries.items_of(row):
        steps = [step for (state, step) in STEPS if state.value == one.state] if oversees else []
        next_ = steps[0] if steps else ""
        rows.append(
            (
                Cell(one.person.name if one.person else one.unit_name),
                Cell(term_name(Subject(one.subject)) + (f" · {_('直接责任')}" if one.direct else "")),
                Cell(one.link or "—"),
                Cell(term_name(ItemState(one.state)), pill="done" if ItemState(one.state) in ENDED else "waiting"),
                Cell(day=one.due_on),
                Cell(one.document_number or "—"),
                Cell(_step_name(next_), f"/oversight/sanctions/items/{one.pk}/{next_}/") if next_ else Cell(),
                Cell(_step_name("clear"), f"/oversight/sanctions/items/{one.pk}/clear/")
                if "clear" in steps
                else Cell(),
            )
        )
    papers = tuple(
        (Cell(p.number, f"/oversight/instruments/{p.pk}/"), Cell(p.to_body.name), Cell(day=p.due_on))
        for p in instrument_queries.about("sanction", row.pk)
    )
    reasons = accountability.red(*queries.facts_of(row))
    source = row.accident.get_kind_display() if row.accident else (row.hazard.number if row.hazard else "")
    grade = term_name(AccidentGrade(row.accident.grade)) if row.accident else _("失职")
    return detail(
        request, "sanctions", f"{row.number} {row.title}", crumbs=crumbs(Crumb(row.number)),
        pills=tuple(("red", reason.en if in_english() else reason.zh) for reason in reasons),
        facts=(
            Fact(_("起因"), f"{source} · {grade}", f"/ledger/{row.hazard_id}/" if row.hazard_id else ""),
            Fact(_("发生日期"), row.happened_on.isoformat()), Fact(_("问责层级"), term_name(Level(row.level)), note=row.level_reason),
            Fact(_("原因环节"), row.causes or "—"),
        ),
        sections=(
            Section(
                _("问责事项"), (_("对象"), _("类别"), _("环节"), _("办理状态"), _("期限"), _("文号"), _("下一步"), ""), tuple(rows)
            ),
            Section(_("督办文书"), (_("文号"), _("发往"), _("期限")), papers, empty=_("还没有发文。")),
        ),
        actions=(
            Action(_("增列责任人"), f"/oversight/sanctions/{row.pk}/persons/", Tone.PRIMARY),
            Action(_("发文"), f"/oversight/instruments/new/sanction/{row.pk}/"),
        ) if oversees else (),
        extra={"chain": accident_chain(row.accident, actor, at_of(request)) if row.accident else ()},
    )  # fmt: skip


def _step_name(step: str) -> str:
    zh, en = STEP_NAMES[step]
    return en if in_english() else zh


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def add_person(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Name a further person in a case."""
    actor = actor_of(request)
    row = found_or_404(queries.case(actor, case_id))
    form = PersonForm(request.POST or None, initial={"unit_name": row.title.split(" ")[0]})
    persons = territory.persons_within(actor).exclude(name="")[:MOST_PERSONS]
    choose(form, "person", [(str(one.pk), one.name) for one in persons])

    def do(given: dict[str, Any]) -> str:
        key = as_uuid(given["person"])
        person = people.person(actor, key) if key else None
        operations.add_person(
            actor=actor, at=at_of(request), case_id=row.pk, person=found_or_404(person), unit_name=given["unit_name"],
            link=given["link"], direct=given["direct"],
        )  # fmt: skip
        messages.success(request, _("已增列。"))
        return f"/oversight/sanctions/{row.pk}/"

    back = f"/oversight/sanctions/{row.pk}/"
    return asked(
        request, form, do, title=_("增列责任人"), verb=_("增列"), crumbs=crumbs(Crumb(row.number, back), Crumb(_("增列责任人"))),
        current="sanctions", back=back, facts=(Fact(_("原因环节"), row.causes or "—"),),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, item_id: UUID, step: str) -> HttpResponse:
    """Take one step of an item."""
    actor = actor_of(request)
    row = found_or_404(queries.item(actor, item_id))
    if step not in STEP_NAMES:
        raise Http404
    form = StepForm(request.POST or None)
    if step != "decide":
        del form.fields["document_number"]

    def do(given: dict[str, Any]) -> str:
        operations.take_step(actor=actor, at=at_of(request), item_id=row.pk, step=step, **given)
        messages.success(request, _("已登记。"))
        return f"/oversight/sanctions/{row.case_id}/"

    back = f"/oversight/sanctions/{row.case_id}/"
    who = row.person.name if row.person else row.unit_name
    return asked(
        request, form, do, title=_step_name(step), verb=_step_name(step), current="sanctions", back=back,
        crumbs=crumbs(Crumb(row.case.number, back), Crumb(_step_name(step))),
        facts=(Fact(_("对象"), who), Fact(_("期限"), row.due_on.isoformat(), note="" if row.due_on >= today_of(request) else _("逾期"))),
    )  # fmt: skip
