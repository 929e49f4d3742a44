"""Pages of duty lists: the lists and their editor, empty posts, and a person's page that only that person and the head see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.files import operations as files
from anban.base.files import queries as file_queries
from anban.base.people import operations as accounts
from anban.base.people import queries as people
from anban.contexts.oversight import policies
from anban.contexts.oversight.exporters import duties_as_workbook
from anban.contexts.oversight.operations import duties as operations
from anban.contexts.oversight.queries import duties as queries
from anban.contexts.oversight.queries.scope import figure
from anban.contexts.territory import queries as territory
from anban.rules.duty_lists import Evidence, Ground, Period, Vacancy
from anban.rules.errors import Refusal
from anban.web.desk.desk import duty_line
from anban.web.desk.oversight.parts import (
    KEEPERS,
    READERS,
    Cell,
    Section,
    area_filter,
    asked,
    at_of,
    choice_filter,
    choose,
    day_input,
    detail,
    found_or_404,
    listing,
    name_of,
    page_of,
    percent,
    term_name,
    terms,
    today_of,
)
from anban.web.desk.people import role_names
from anban.web.desk.wording import duty_name, said
from anban.web.shell.access import OFFICES, OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Tone

PILLS = {
    Vacancy.HELD: "done", Vacancy.DEPUTIZED: "waiting", Vacancy.ABSENT: "open", Vacancy.ENDING: "waiting",
    Vacancy.VACANT: "open",
}  # fmt: skip
RECORD_DAYS = 365
ODD_POSTS = 2000
PAGE_ROWS = 100


class DutyForm(forms.Form):
    """One duty of a post."""

    post = forms.ChoiceField(label=gettext_lazy("岗位"))
    code = forms.SlugField(label=gettext_lazy("职责代码"), max_length=40)
    title = forms.CharField(label=gettext_lazy("职责内容"), max_length=200)
    ground = forms.ChoiceField(label=gettext_lazy("职责依据类别"))
    period = forms.ChoiceField(label=gettext_lazy("周期"))
    evidence = forms.ChoiceField(
        label=gettext_lazy("履职证据"),
        help_text=gettext_lazy("以台账记录为准；“证明材料”由本人上传。没有“已完成”按钮。"),
    )
    evidence_count = forms.IntegerField(label=gettext_lazy("每期至少几件"), min_value=1, max_value=9999, initial=1)
    means = forms.CharField(label=gettext_lazy("手段"), max_length=300, required=False)
    basis = forms.CharField(label=gettext_lazy("依据"), max_length=300, required=False)
    from_on = day_input(gettext_lazy("起始日期"))
    until_on = day_input(
        gettext_lazy("终止日期"), required=False, help_text=gettext_lazy("最后一天的次日；长期有效可不填。")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "ground", terms(Ground))
        choose(self, "period", terms(Period))
        choose(self, "evidence", terms(Evidence))


class ProofForm(forms.Form):
    """A file of proof."""

    file = forms.FileField(label=gettext_lazy("证明材料"))


class AbsenceForm(forms.Form):
    """Some days on which a person is away."""

    from_on = day_input(gettext_lazy("不在岗起"))
    until_on = day_input(gettext_lazy("回岗日期"))


def crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    """Return the way back to the lists."""
    return (Crumb(_("督察"), "/oversight/"), Crumb(_("岗责清单"), "/oversight/duties/"), *more)


@needs(*READERS)
@require_GET
def lists(request: HttpRequest) -> HttpResponse:
    """List the duties of the posts of my areas."""
    actor, on = actor_of(request), today_of(request)
    by_area, path = area_filter(request)
    names = role_names()
    role = request.GET.get("role", "")
    found = queries.duty_list(actor, on, area_path=path, role=role)
    page, pager = page_of(request, found)
    keeps = actor.has(*KEEPERS)
    rows = [
        (
            Cell(row.title, f"/oversight/duties/{row.pk}/" if keeps else ""),
            Cell(row.post.title or names.get(row.post.role, row.post.role)),
            Cell(name_of(row.post.body)),
            Cell(term_name(Ground(row.ground))),
            Cell(term_name(Period(row.period))),
            Cell(f"{term_name(Evidence(row.evidence))} ≥ {row.evidence_count}"),
        )
        for row in page
    ]
    n = page.paginator.count
    return listing(
        request, "duties", _("岗责清单"),
        columns=(_("职责内容"), _("岗位"), _("机构"), _("职责依据类别"), _("周期"), _("履职证据")), rows=rows, pager=pager,
        filters=(by_area, choice_filter(request, "role", _("角色"), names.items())),
        count=ngettext("%(n)s 项职责", "%(n)s 项职责", n) % {"n": n},
        intro=_("每个岗位做什么、多久一次、以什么为证。到期即成为任职人的待办，由台账记录证明完成。"),
        empty=(_("还没有岗责清单"), _("新增一项职责，或导入整张清单（CSV、XLSX）。")),
        actions=(
            *((Action(_("新增职责"), "/oversight/duties/new/", Tone.PRIMARY),) if keeps else ()),
            *((Action(_("导入岗责清单"), "/import/?kind=duties"),) if actor.has(*OFFICES) else ()),
            Action(_("导出 XLSX"), f"/oversight/duties/workbook/?area={path}"),
        ),
    )  # fmt: skip


@needs(*READERS)
@require_GET
def workbook(request: HttpRequest) -> HttpResponseBase:
    """Send the lists as a workbook that can be imported again."""
    _by_area, path = area_filter(request)
    made = duties_as_workbook(actor=actor_of(request), at=at_of(request), on=today_of(request), area_path=path)
    return FileResponse(made, as_attachment=True, filename="duties.xlsx")


def _posts(request: HttpRequest) -> dict[str, Any]:
    actor, on = actor_of(request), today_of(request)
    rows = territory.post_list(actor, on).filter(place_id__isnull=True)[:ODD_POSTS]
    return {str(row.pk): row for row in rows if policies.can_keep_duties(actor, row.area.path)}


def _wanted(given: dict[str, Any]) -> operations.Wanted:
    return operations.Wanted(**{key: value for key, value in given.items() if key != "post"})


@needs(*KEEPERS)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Put a duty on a post's list."""
    posts, names = _posts(request), role_names()
    form = DutyForm(request.POST or None, initial={"from_on": today_of(request), "evidence_count": 1})
    choose(
        form,
        "post",
        [(key, f"{name_of(row.body)} · {row.title or names.get(row.role, row.role)}") for key, row in posts.items()],
    )

    def do(given: dict[str, Any]) -> str:
        operations.add_duty(
            actor=actor_of(request), at=at_of(request), post=posts[given["post"]], wanted=_wanted(given)
        )
        messages.success(request, _("职责已列入清单。"))
        return "/oversight/duties/"

    return asked(
        request, form, do, title=_("新增职责"), verb=_("列入清单"), crumbs=crumbs(Crumb(_("新增职责"))), current="duties",
        back="/oversight/duties/",
    )  # fmt: skip


@needs(*KEEPERS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, duty_id: UUID) -> HttpResponse:
    """Change a duty, or end it by its last day."""
    row = found_or_404(queries.duty(actor_of(request), duty_id))
    initial = {f: getattr(row, f) for f in DutyForm.base_fields if f != "post"} | {"post": str(row.post_id)}
    form = DutyForm(request.POST or None, initial=initial)
    choose(
        form,
        "post",
        [(str(row.post_id), f"{name_of(row.post.body)} · {row.post.title or role_names().get(row.post.role, '')}")],
    )
    form.fields["code"].disabled = True

    def do(given: dict[str, Any]) -> str:
        operations.change_duty(actor=actor_of(request), at=at_of(request), duty=row, wanted=_wanted(given))
        messages.success(request, _("职责已更改；已到期的各期不变。"))
        return "/oversight/duties/"

    return asked(
        request, form, do, title=row.title, verb=_("保存"), crumbs=crumbs(Crumb(row.code)), current="duties",
        back="/oversight/duties/",
    )  # fmt: skip


@needs(*READERS)
@require_GET
def vacancies(request: HttpRequest) -> HttpResponse:
    """List the posts with duties that nobody holds, or soon nobody will."""
    actor, on = actor_of(request), today_of(request)
    by_area, path = area_filter(request)
    ahead = figure(actor, "vacancy_ahead_days", on).value
    names = role_names()
    found = queries.standings(actor, on, ahead_days=ahead, area_path=path)
    page, pager = page_of(request, found)
    arranges = actor.has("district_committee_officer", "city_committee_officer", "street_safety_office", "steward")
    rows = [
        (
            Cell(
                s.post.title or names.get(s.post.role, s.post.role), f"/people/posts/{s.post.pk}/" if arranges else ""
            ),
            Cell(name_of(s.post.body)),
            Cell(term_name(s.said), pill=PILLS[s.said]),
            Cell(s.holder.person.name if s.holder else "—"),
            Cell(s.head.person.name if s.head else "—"),
            Cell(str(s.duties), number=True),
        )
        for s in page
    ]
    return listing(
        request, "vacancies", _("缺岗"), columns=(_("岗位"), _("机构"), _("情况"), _("任职人"), _("直接上级"), _("岗责")),
        rows=rows, pager=pager, filters=(by_area,), count=ngettext("%(n)s 个岗位", "%(n)s 个岗位", len(found)) % {"n": len(found)},
        intro=_("有岗责而无人在岗、无人代理，或 %(n)s 天内将离任的岗位；已列入直接上级的待办。") % {"n": ahead},
        empty=(_("没有缺岗"), _("有岗责的岗位都有人在岗。")),
    )  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show what a person owes and did, with evidence: to that person and the direct head alone."""
    return _person_page(request, person_id)


def _person_page(
    request: HttpRequest, person_id: UUID, absence: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    actor, at, on = actor_of(request), at_of(request), today_of(request)
    if not queries.may_see_person(actor, person_id, on):
        raise Http404
    row = found_or_404(people.person(actor, person_id))
    own = person_id == actor.person_id
    if not own:
        accounts.note_access(actor=actor, at=at, what="person.duties_read", subject=str(person_id), rows=1)
    record = queries.record_of(person_id, actor.root, on - timedelta(days=RECORD_DAYS), on)
    owed = [duty_line(one, at) for one in queries.obligations_of(person_id, actor.root)[:PAGE_ROWS]]
    due = list(queries.due_of(person_id, actor.root)[:PAGE_ROWS])
    sections = [
        Section(
            _("我欠的") if own else _("所欠"), (_("期限"), _("事项"), _("内容")),
            tuple((Cell(term=one.deadline), Cell(one.verb), Cell(f"{one.place} {one.matter}", one.href)) for one in owed),
            empty=_("现在没有未办的事项。"),
        ),
        Section(
            _("到期岗责与证据"), (_("职责"), _("期间"), _("情况"), _("证据")), tuple(_due_row(one, own) for one in due),
            empty=_("还没有到期的岗责。"),
        ),
        Section(
            _("登记不在岗"), note=_("登记期间由代理人履行岗责；不记录事由。"), form=absence or AbsenceForm(),
            form_action=f"/oversight/persons/{person_id}/absence/", form_verb=_("登记"),
        ),
    ]  # fmt: skip
    mix = "、".join(f"{duty_name(kind)} {n}" for kind, n in record.mix) or "—"
    return detail(
        request, "overview", row.name or "—", status=status,
        facts=(
            Fact(_("近一年按期办结"), percent(record.in_time), note=_("95% 区间")),
            Fact(_("事项构成"), mix, note=_("难易不同，不作排名")),
        ),
        sections=sections, crumbs=(Crumb(_("督察"), "/oversight/"), Crumb(row.name or "—")),
        notes=(_("本页只有本人和直接上级能看到。"),),
    )  # fmt: skip


def _due_row(one: Any, own: bool) -> tuple[Cell, ...]:
    shown = queries.evidence_of(one)
    asked_for = Evidence(one.duty.evidence)
    said_ = _("%(found)s / %(asked)s 件 %(what)s") % {
        "found": len(shown), "asked": one.duty.evidence_count, "what": term_name(asked_for),
    }  # fmt: skip
    upload = f"/oversight/due/{one.pk}/" if own and one.state == "open" and asked_for is Evidence.FILE else ""
    last = shown[-1] if shown else None
    return (
        Cell(f"{one.duty.title}{_('（代理）') if one.deputy else ''}"),
        Cell(f"{one.from_on:%Y-%m-%d} – {one.until_on - timedelta(days=1):%m-%d}"),
        Cell(one.get_state_display(), pill=one.state),
        Cell(f"{said_}{' · ' + last.label if last else ''}", upload or (last.href if last else "")),
    )


@needs(*OFFICIALS)
@require_POST
def absence(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Note that a person is away for some days."""
    actor = actor_of(request)
    if not queries.may_see_person(actor, person_id, today_of(request)):
        raise Http404
    row = found_or_404(people.person(actor, person_id))
    form = AbsenceForm(request.POST)
    if form.is_valid():
        try:
            operations.note_absence(
                actor=actor, at=at_of(request), person=row, from_on=form.cleaned_data["from_on"],
                until_on=form.cleaned_data["until_on"],
            )  # fmt: skip
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
        else:
            messages.success(request, _("已登记，期间由代理人履行岗责。"))
            return redirect(f"/oversight/persons/{person_id}/")
    return _person_page(request, person_id, form, 422)


def _own_due(request: HttpRequest, due_id: UUID) -> Any:
    row = found_or_404(queries.due(due_id))
    if row.person_id != actor_of(request).person_id or row.duty.root != actor_of(request).root:
        raise Http404
    return row


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def due(request: HttpRequest, due_id: UUID) -> HttpResponse:
    """Put a file of proof to a duty of mine whose evidence is a file."""
    row = _own_due(request, due_id)
    form = ProofForm(request.POST or None, request.FILES or None)

    def do(given: dict[str, Any]) -> str:
        actor, at = actor_of(request), at_of(request)
        upload = given["file"]
        stored = files.store(actor=actor, at=at, root=actor.root, stream=upload, name=upload.name or "")
        operations.add_proof(actor=actor, at=at, due_id=row.pk, file=stored)
        messages.success(request, _("证明材料已存入。"))
        return f"/oversight/persons/{row.person_id}/"

    listed = [Fact(term_name(one.kind), one.label, one.href) for one in queries.evidence_of(row)]
    return asked(
        request, form, do, title=row.duty.title, verb=_("上传"), facts=listed, back=f"/oversight/persons/{row.person_id}/",
        crumbs=(Crumb(_("督察"), "/oversight/"), Crumb(_("证明材料"))),
    )  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def due_file(request: HttpRequest, due_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """Send a file of proof to its person and the direct head."""
    actor = actor_of(request)
    row = found_or_404(queries.due(due_id))
    if row.duty.root != actor.root or not queries.may_see_person(actor, row.person_id, today_of(request)):
        raise Http404
    found = found_or_404(queries.due_file(row, attachment_id))
    stored = file_queries.file(actor, found.file_id)
    return FileResponse(
        file_queries.open_original(stored), as_attachment=True, filename=file_queries.download_name(stored)
    )
