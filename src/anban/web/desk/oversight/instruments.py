"""Pages of the office's papers: the list, issuing one from the ledger without typing, the printed sheet, the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.files import operations as files
from anban.base.people.operations import note_access
from anban.contexts.establishments.vocabulary import word_of
from anban.contexts.hazards import queries as hazards
from anban.contexts.oversight import policies
from anban.contexts.oversight.exporters import paper_pdf
from anban.contexts.oversight.operations import instruments as operations
from anban.contexts.oversight.queries import clues, sanctions, visits
from anban.contexts.oversight.queries import instruments as queries
from anban.contexts.territory.queries import root as root_of
from anban.kit.clock import city_date
from anban.rules.accountability import ItemState, Level, Subject
from anban.rules.errors import Refusal
from anban.rules.escalation import LADDERS, WRITTEN
from anban.rules.escalation import Instrument as Kind
from anban.rules.hazard_lifecycle import Grade, State
from anban.web.desk.oversight.clues import KIND_NAMES, joined, said_of, share_of, subject_of
from anban.web.desk.oversight.parts import (
    COMMITTEE,
    Cell,
    area_filter,
    asked,
    at_of,
    body_choices,
    body_named,
    choice_filter,
    choose,
    day_input,
    found_or_404,
    listing,
    name_of,
    page_of,
    tabs,
    term_name,
    today_of,
)
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Tone
from anban.web.shell.wording import in_english

ANSWER_DAYS = 7


class IssueForm(forms.Form):
    """Which paper, to whom, by when; its words come from the ledger."""

    kind = forms.ChoiceField(label=gettext_lazy("文书"))
    to_body = forms.ChoiceField(label=gettext_lazy("发往"), help_text=gettext_lazy("送达该单位在岗的责任人。"))
    due_on = day_input(gettext_lazy("办理期限"))


class AnswerForm(forms.Form):
    """The answer to a paper; about a clue with the reason of the difference."""

    reason = forms.CharField(label=gettext_lazy("原因"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)
    words = forms.CharField(label=gettext_lazy("办理结果"), widget=forms.Textarea, max_length=4000)
    file = forms.FileField(label=gettext_lazy("附件"), required=False)


def crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    """Return the way back to the list."""
    return (Crumb(_("督察"), "/oversight/"), Crumb(_("督办文书"), "/oversight/instruments/"), *more)


def _kinds() -> list[tuple[str, str]]:
    return [(kind.value, term_name(kind)) for kind in WRITTEN]


@needs(*OFFICIALS)
@require_GET
def papers(request: HttpRequest) -> HttpResponse:
    """List the papers issued in my areas and those addressed to my body."""
    actor, on = actor_of(request), today_of(request)
    by_area, path = area_filter(request)
    only, kind = request.GET.get("only", ""), request.GET.get("kind", "")
    page, pager = page_of(request, queries.listed(actor, only=only, kind=kind, area_path=path, on=on))
    rows = [
        (
            Cell(row.number, f"/oversight/instruments/{row.pk}/"),
            Cell(
                str(
                    queries.facts_of(row).get("place")
                    or queries.facts_of(row).get("title")
                    or queries.facts_of(row).get("fact")
                    or KIND_NAMES.get(queries.facts_of(row).get("clue", ""), "")
                )[:40]
            ),
            Cell(name_of(row.to_body)),
            Cell(row.to_person.name),
            Cell(day=row.due_on),
            Cell(_("已答复"), pill="done")
            if row.answered_at
            else Cell(_("逾期未答复") if row.due_on < on else _("待答复"), pill="waiting"),
        )
        for row in page
    ]
    n = page.paginator.count
    states = (("unanswered", _("待答复")), ("late", _("逾期未答复")), ("mine", _("发给我单位")))
    return listing(
        request, "instruments", _("督办文书"), rows=rows, pager=pager,
        columns=(_("文号"), _("事由"), _("发往"), _("送达"), _("期限"), _("答复")),
        filters=(by_area, choice_filter(request, "kind", _("文书"), _kinds()), choice_filter(request, "only", _("情况"), states)),
        count=ngettext("%(n)s 件", "%(n)s 件", n) % {"n": n},
        intro=_("编号连续、内容取自台账；从隐患、问责案件、督察问题或研判线索的页面发文。"),
        empty=(_("没有文书"), _("从隐患、问责案件、督察问题或研判线索的页面发文，编号自动连续。")),
    )  # fmt: skip


def _about(request: HttpRequest, kind: str, about_id: UUID) -> tuple[operations.About, str, str]:
    """Return what the paper is about, in words, and the address it came from; nothing that the actor may not see."""
    actor = actor_of(request)
    if kind == "hazard":
        hazard = found_or_404(hazards.visible_to(actor).filter(pk=about_id).first())
        return operations.About(hazard=hazard), f"{hazard.number} {hazard.place_title}", f"/ledger/{about_id}/"
    if kind == "sanction":
        case = found_or_404(sanctions.case(actor, about_id))
        return operations.About(case=case), f"{case.number} {case.title}", f"/oversight/sanctions/{about_id}/"
    if kind == "finding":
        finding = found_or_404(visits.finding(actor, about_id))
        return operations.About(finding=finding), finding.fact, f"/oversight/visits/{finding.visit_id}/"
    if kind == "clue":
        clue = found_or_404(clues.clue(actor, about_id))
        return operations.About(clue=clue), f"{clue.number} {subject_of(clue)}", f"/oversight/clues/{about_id}/"
    raise Http404


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, about: str, about_id: UUID) -> HttpResponse:
    """Issue a paper from the ledger: choose which, to whom, by when."""
    actor, on = actor_of(request), today_of(request)
    matter, words, back = _about(request, about, about_id)
    form = IssueForm(request.POST or None, initial={"due_on": on + timedelta(days=ANSWER_DAYS)})
    choose(form, "kind", _kinds())
    bodies = body_choices(actor, matter.area_path)
    if matter.clue is not None and matter.clue.body_id:
        # Figures of a body go to that body and to no other.
        bodies = {key: name for key, name in bodies.items() if key == str(matter.clue.body_id)}
    else:
        # Nothing that cannot be taken back goes to a body that nobody chose.
        bodies = {"": _("请选择"), **bodies}
    choose(form, "to_body", bodies.items())

    def do(given: dict[str, Any]) -> str:
        made = operations.issue(
            actor=actor, at=at_of(request), kind=given["kind"], about=matter, to_body=body_named(actor, given["to_body"]),
            due_on=given["due_on"],
        )  # fmt: skip
        messages.success(request, _("已发文 %(number)s。") % {"number": made.number})
        return f"/oversight/instruments/{made.pk}/"

    return asked(
        request, form, do, title=_("发文"), verb=_("编号并发文"), crumbs=crumbs(Crumb(_("发文"))), current="instruments", back=back,
        facts=(Fact(_("事由"), words, back),), note=_("文号连续，发出后不能撤回或改号；正文取自台账。"),
    )  # fmt: skip


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def paper(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show a paper as it is printed; its addressee answers here."""
    actor = actor_of(request)
    row = found_or_404(queries.instrument(actor, instrument_id))
    may_answer = row.answered_at is None and policies.can_answer(actor, row)
    form = AnswerForm(request.POST or None, request.FILES or None)
    if row.about_kind == "clue":
        form.fields["words"].label = _("采取的措施")
    else:
        del form.fields["reason"]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                upload = form.cleaned_data["file"]
                stored = (
                    files.store(actor=actor, at=at_of(request), root=actor.root, stream=upload, name=upload.name or "")
                    if upload
                    else None
                )
                operations.answer(
                    actor=actor, at=at_of(request), instrument_id=row.pk, words=form.cleaned_data["words"],
                    reason=form.cleaned_data.get("reason", ""), file=stored,
                )  # fmt: skip
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
            else:
                messages.success(request, _("已答复。"))
                row = found_or_404(queries.instrument(actor, instrument_id))
                may_answer, status = False, 200
    answer, reason = queries.answers_of([row.pk]).get(row.pk, ("", ""))
    return render(
        request, "desk/oversight/paper.html",
        {
            "row": row, "issuer": name_of(row.issuer), "to_body": name_of(row.to_body), "facts": _sheet(queries.facts_of(row)),
            "kind": term_name(Kind(row.kind)), "body": [_opening(queries.facts_of(row)), _asks(row)],
            "note": _step_words(queries.facts_of(row)), "actions": (Action(_("导出 PDF"), f"/oversight/instruments/{row.pk}/pdf/", Tone.PLAIN),),
            "answer": answer, "reason": reason, "form": form, "may_answer": may_answer,
            "tabs": tabs(actor, "instruments"), "crumbs": crumbs(Crumb(row.number)), "now": at_of(request),
        },
        status=status,
    )  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def paper_file(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Give a paper as a PDF: the words of its page, on a sheet that can be signed and sent."""
    actor = actor_of(request)
    row = found_or_404(queries.instrument(actor, instrument_id))
    body = paper_pdf(_told(row))
    note_access(actor=actor, at=at_of(request), what="instrument.exported", subject=row.number, rows=1)
    name = quote(f"{row.number}.pdf")
    return HttpResponse(
        body,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f"attachment; filename=\"{row.kind}-{row.year}-{row.serial}.pdf\"; filename*=UTF-8''{name}"
        },
    )


ASKED = {
    "note": gettext_lazy("现予提示。请贵单位及时核实、督促落实，并于 %(due)s 前书面反馈办理情况。"),
    "assignment": gettext_lazy("现交由贵单位办理。请明确责任人，按要求整改到位，并于 %(due)s 前书面报告办理结果。"),
    "supervision": gettext_lazy("现予督办。请贵单位立即采取措施，主要负责人跟进，于 %(due)s 前整改到位并书面报告；不能按期完成的，说明原因和管控措施。"),
    "warning": gettext_lazy("现予警示。请贵单位对照问题剖析原因，举一反三，于 %(due)s 前将整改情况书面报告。"),
    "interview": gettext_lazy("定于近日约谈贵单位负责人。请于 %(due)s 前准备书面材料：事项经过、未按期办结的原因、整改措施和时限。"),
    "circular": gettext_lazy("现予通报。请有关单位引以为戒，被通报单位于 %(due)s 前将整改情况书面报告。"),
    "accountability": gettext_lazy("建议依规依纪依法追究有关单位和人员责任。请于 %(due)s 前书面告知处理意见。"),
}  # fmt: skip
"""What each paper asks of its addressee."""


CLUES = {
    "dependence": gettext_lazy("据同类事项比较（%(number)s，%(since)s 至 %(until)s 前发现的事项）：贵单位承办的事项中，批示后才动的占 %(share)s；%(found)s。"),
    "instruction": gettext_lazy("据同类事项比较（%(number)s，%(since)s 至 %(until)s 前发现的事项）：有批示的与无批示的同类事项办理不同，有批示的%(found)s。"),
    "body": gettext_lazy("据同类事项比较（%(number)s，%(since)s 至 %(until)s 前发现的事项）：贵单位承办的事项与同类机构的相比，%(found)s。"),
    "firm": gettext_lazy("据同类事项比较（%(number)s，%(since)s 至 %(until)s 前发现的事项）：%(who)s的事项与其他企业的同类事项相比，%(found)s。"),
}  # fmt: skip
"""The first sentence of a paper about a clue, by its kind."""


def _opening(facts: dict[str, Any]) -> str:
    """Return the first sentence of a paper, put together from what the ledger said."""
    if "place" in facts:
        said = _("据隐患台账（%(number)s）：%(place)s存在“%(fact)s”，%(found)s 发现。") % {
            "number": facts["number"], "place": facts["place"], "fact": facts["fact"], "found": facts["found_on"],
        }  # fmt: skip
        late = [
            _("整改期限为 %(day)s。") % {"day": facts["due_on"]} if facts.get("due_on") else "",
            _("有关责任事项已逾期 %(n)s 项。") % {"n": facts["breaches"]} if facts.get("breaches") else "",
            _("同一问题已反弹 %(n)s 次。") % {"n": facts["rebounds"]} if facts.get("rebounds") else "",
        ]
        return (" " if in_english() else "").join(part for part in (said, *late) if part)
    if "clue" in facts:
        found = joined(said_of(facts["results"]))
        who = word_of("affiliation", facts["key"], english=in_english()) if facts["clue"] == "firm" else ""
        said = CLUES[facts["clue"]] % {
            "number": facts["number"], "since": facts["since"], "until": facts["until"], "found": found, "who": who,
            "share": share_of(facts["share"]),
        }  # fmt: skip
        return said + (" " if in_english() else "") + _("请说明原因，并写明采取的措施。差别是问题线索，不是结论。")
    if "level" in facts:
        said = _("据问责台账（%(number)s）：%(title)s，发生于 %(day)s。")
        return said % {"number": facts["number"], "title": facts["title"], "day": facts["happened_on"]}
    said = _("据督察记录（%(number)s）：%(fact)s。要求：%(requirement)s。")
    return said % {"number": facts["number"], "fact": facts["fact"], "requirement": facts["requirement"]}


def _asks(row: Any) -> str:
    return str(ASKED[row.kind]) % {"due": row.due_on.isoformat()}


def _step_words(facts: dict[str, Any]) -> str:
    rung = next((each for rungs in LADDERS.values() for each in rungs if each.name == facts.get("step")), None)
    return _("本件按督办升级规则发出（%(rung)s）。") % {"rung": rung.en if in_english() else rung.zh} if rung else ""


def _told(row: Any) -> dict[str, Any]:
    """Return what a paper says, in the reader's language."""
    facts = queries.facts_of(row)
    seat = root_of(row.root)
    english = in_english()
    return {
        "lang": "en" if english else "zh",
        "root": "" if seat.kind == "real" else _("%(city)s：非真实城市，本件仅供演示。") % {"city": seat.name_en if english else seat.name},
        "issuer": name_of(row.issuer), "kind": term_name(Kind(row.kind)), "number": row.number,
        "to": f"{name_of(row.to_body)}（{row.to_person.name}）", "colon": ":" if english else "：",
        "body": [_opening(facts), _asks(row)],
        "facts": [[fact.label, fact.value] for fact in _sheet(facts)],
        "signed": row.issued_by.name, "issued": city_date(row.issued_at, seat.zone).isoformat(),
        "copy": _step_words(facts), "foot": f"{row.number}　{_('内容取自台账，文号连续。')}",
    }  # fmt: skip


def _sheet(facts: dict[str, Any]) -> list[Fact]:
    """Return the facts of a paper in words, in the order in which a reader wants them."""
    names = {
        "number": _("编号"), "place": _("单位"), "title": _("事由"), "fact": _("情况"), "requirement": _("要求"),
        "promise": _("承诺"), "basis": _("依据"), "grade": _("等级"), "state": _("状态"), "found_on": _("发现日期"),
        "happened_on": _("发生日期"), "due_on": _("期限"), "cycle": _("轮次"), "rebounds": _("反弹次数"),
        "breaches": _("逾期次数"), "level": _("问责层级"),
    }  # fmt: skip
    sheet = []
    for key, label in names.items():
        value = facts.get(key)
        if value in (None, "", 0):
            continue
        words = str(value)
        for kind in (Grade, State, Level):
            if key in ("grade", "state", "level") and words in {each.value for each in kind}:
                words = term_name(kind(words))
                break
        sheet.append(Fact(label, words))
    for item in facts.get("items", ()):
        subject, state = term_name(Subject(item["subject"])), term_name(ItemState(item["state"]))
        sheet.append(Fact(f"{subject} {item['unit']}", f"{state} · {_('期限')} {item['due_on']}"))
    return sheet
