"""Pages of clues: what comparisons show and nobody has answered, what was dealt with and how, and the settling of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from anban.contexts.catalog import queries as catalog
from anban.contexts.establishments.vocabulary import word_of
from anban.contexts.oversight import policies
from anban.contexts.oversight.operations import clues as operations
from anban.contexts.oversight.queries import clues as queries
from anban.contexts.oversight.queries import instruments as papers
from anban.contexts.oversight.queries.likes import left_alone
from anban.kit.clock import city_date
from anban.rules.hazard_lifecycle import Grade, State
from anban.web.desk.oversight.parts import (
    COMMITTEE,
    Cell,
    Section,
    area_filter,
    asked,
    at_of,
    choice_filter,
    detail,
    found_or_404,
    listing,
    name_of,
    page_of,
    term_name,
)
from anban.web.shell.access import actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Tone
from anban.web.shell.wording import in_english

KINDS = (
    ("dependence", gettext_lazy("批示依赖")), ("instruction", gettext_lazy("有无批示不同办")),
    ("body", gettext_lazy("机构间不同办")), ("firm", gettext_lazy("企业间不同办")),
)  # fmt: skip
KIND_NAMES = dict(KINDS)
PILLS = {"open": "open", "on_desk": "waiting", "settled": "done", "gone": "quiet"}
LEAST_SHOWN = 0.001
SHORT = 60
CAUTION = gettext_lazy(
    "差别是问题线索，不是结论：哪些事项会被批示、由谁承办并非随机，须由人核查。数字只供安委办研判，不作排名。"
)


class SettleForm(forms.Form):
    """What explains the difference, and on what ground."""

    reason = forms.CharField(
        label=gettext_lazy("差别的原因"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("核查后写明：差别由什么造成，为何不必交办。"),
    )  # fmt: skip
    source = forms.CharField(
        label=gettext_lazy("依据"), max_length=200, help_text=gettext_lazy("文件、台账或核查记录的名称和日期。")
    )


def crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    """Return the way back to the list."""
    return (Crumb(_("督察"), "/oversight/"), Crumb(_("研判线索"), "/oversight/clues/"), *more)


def subject_of(row: Any) -> str:
    """Return what a clue is about, in the reader's language."""
    if row.kind == "instruction":
        return _("%(area)s：有批示与无批示") % {"area": name_of(row.area)}
    if row.kind == "firm":
        return _("%(name)s 与其他企业") % {"name": word_of("affiliation", row.key, english=in_english()) or row.key}
    name = name_of(row.body) if row.body else "—"
    if row.kind == "dependence":
        return _("%(name)s 靠批示才动") % {"name": name}
    return _("%(name)s 与同类机构") % {"name": name}


def said_of(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what comparisons found, each in one sentence with its numbers of cases and its chance."""
    told = []
    for one in results:
        if not one["found"] or one["difference"] is None:
            continue
        points = abs(round(100 * one["difference"]))
        if one["kind"] == "measure":
            words = (
                _("采取措施的比例低 %(n)s 个百分点") if one["difference"] < 0 else _("采取措施的比例高 %(n)s 个百分点")
            )
            text = words % {"n": points}
        elif one["kind"] == "time":
            words = _("慢 %(n)s 天") if one["difference"] > 0 else _("快 %(n)s 天")
            text = words % {"n": f"{abs(one['difference']):.1f}"}
        else:
            text = _("批示之后动起来的，比未批示的同类多 %(n)s 个百分点") % {"n": points}
        told.append(
            _("%(text)s（%(ours)s 件对 %(others)s 件，p %(p)s）")
            % {"text": text, "ours": one["marked"], "others": one["others"], "p": chance(one["p"])}
        )
    return told


def clue_cell(row: Any, *, tonight: bool = False) -> Cell:
    """Return where a difference stands as a clue, or that the night will open one."""
    if row is None:
        return Cell(_("今晚列出") if tonight else "—")
    return Cell(row.get_state_display(), f"/oversight/clues/{row.pk}/", pill=PILLS[row.state])


def joined(parts: Sequence[str]) -> str:
    """Return some sentences as one line."""
    return ("; " if in_english() else "；").join(parts)


def chance(p: float | None) -> str:
    """Return a probability as a page shows it."""
    if p is None:
        return "—"
    return f"{p:.3f}" if p >= LEAST_SHOWN else f"<{LEAST_SHOWN}"


def share_of(share: Mapping[str, Any] | None) -> str:
    """Return the share that moved only after an instruction with its interval, or that it cannot be told."""
    if not share or share["value"] is None:
        return _("不足以判断（%(n)s 件）") % {"n": share["n"] if share else 0}
    return f"{share['value']:.0%}（{share['low']:.0%}–{share['high']:.0%}，n={share['n']}）"


@needs(*COMMITTEE)
@require_GET
def clues(request: HttpRequest) -> HttpResponse:
    """List the clues of my areas: those that nobody has answered, or those dealt with: by whom, when, why, and what was answered."""
    actor = actor_of(request)
    by_area, path = area_filter(request)
    only = "dealt" if request.GET.get("only") == "dealt" else "open"
    kind = request.GET.get("kind", "")
    page, pager = page_of(request, queries.listed(actor, only=only, kind=kind, area_path=path))
    rows: list[tuple[Cell, ...]]
    columns: tuple[str, ...]
    if only == "open":
        columns = (_("线索"), _("种类"), _("所见"), _("发现于"))
        rows = [
            (
                Cell(f"{row.number} {subject_of(row)}", f"/oversight/clues/{row.pk}/"), Cell(row.get_kind_display()),
                Cell(joined(said_of(queries.figures_of(row)["results"]))), Cell(day=city_date(row.found_at, actor.zone)),
            )
            for row in page
        ]  # fmt: skip
        empty = (_("没有待研判的线索"), _("每晚比较同类事项；有差别时列在这里，由安委办核查后交办或说明。"))
    else:
        columns = (_("线索"), _("种类"), _("处理"), _("经手人"), _("日期"), _("原因与答复"))
        sent = papers.about_each("clue", [row.pk for row in page])
        answers = papers.answers_of([one.pk for each in sent.values() for one in each])
        rows = [
            (
                Cell(f"{row.number} {subject_of(row)}", f"/oversight/clues/{row.pk}/"), Cell(row.get_kind_display()),
                Cell(row.get_state_display(), pill=PILLS[row.state]), Cell(row.decided_by.name if row.decided_by else "—"),
                Cell(day=city_date(row.decided_at, actor.zone)) if row.decided_at else Cell("—"),
                Cell(_dealt_with(row, sent.get(row.pk, ()), answers)),
            )
            for row in page
        ]  # fmt: skip
        empty = (_("还没有办过的线索"), _("交办或说明了的线索列在这里，连同经手人、原因和答复。"))
    n = page.paginator.count
    other = (
        Action(_("看已办线索"), "/oversight/clues/?only=dealt")
        if only == "open"
        else Action(_("看待研判线索"), "/oversight/clues/")
    )
    return listing(
        request, "clues", _("研判线索") if only == "open" else _("已办线索"), actions=(other,), columns=columns, rows=rows, pager=pager, empty=empty,
        filters=(
            choice_filter(request, "kind", _("种类"), [(code, str(name)) for code, name in KINDS]), by_area,
        ),
        count=ngettext("%(n)s 条线索", "%(n)s 条线索", n) % {"n": n}, intro=str(CAUTION),
    )  # fmt: skip


def _dealt_with(row: Any, sent: Sequence[Any], answers: Mapping[UUID, tuple[str, str]]) -> str:
    """Return why a clue is closed: the explanation with its source, or each paper with its answer."""
    parts = [_("%(reason)s（依据：%(source)s）") % {"reason": row.reason, "source": row.source}] if row.reason else []
    for one in sent:
        words, why = answers.get(one.pk, ("", ""))
        answer = (
            _("措施：%(words)s；原因：%(why)s") % {"words": words[:SHORT], "why": why[:SHORT]} if words else _("待答复")
        )
        parts.append(f"{one.number} {name_of(one.to_body)} · {answer}")
    return joined(parts) or (_("再比较时已没有差别") if row.state == "gone" else "—")


@needs(*COMMITTEE)
@require_GET
def clue(request: HttpRequest, clue_id: UUID) -> HttpResponse:
    """Show a clue: its figures, the measures of each group of likes on both sides, its papers, and what may be done."""
    actor = actor_of(request)
    row = found_or_404(queries.clue(actor, clue_id))
    told = queries.figures_of(row)
    later = queries.later_than(row)
    at = f"/oversight/clues/{row.pk}/"
    live = row.state in ("open", "on_desk") and policies.can_oversee(actor, row.area_path)
    span = _("%(since)s 至 %(until)s 前发现的事项") % {
        "since": row.since_on.isoformat(),
        "until": row.until_on.isoformat(),
    }
    facts = [
        Fact(_("比较范围"), f"{name_of(row.area)} · {span}"),
        *(Fact(_("所见"), text) for text in said_of(told["results"])),
        *([Fact(_("批示后才动的比例"), share_of(told["share"]), note=_("95% 区间"))] if "share" in told else []),
        Fact(
            _("涉及事项"), ngettext("%(n)s 件", "%(n)s 件", told["all"]) % {"n": told["all"]}, f"{at}cases/",
            note=_("同时比较 %(n)s 项，一起控制误报") % {"n": told["comparisons"]},
        ),
        *([Fact(_("上一次"), row.earlier.number, f"/oversight/clues/{row.earlier_id}/", note=row.earlier.get_state_display())] if row.earlier else []),
        *([Fact(_("再次出现"), later.number, f"/oversight/clues/{later.pk}/")] if later else []),
    ]  # fmt: skip
    if row.decided_by:
        when = city_date(row.decided_at, actor.zone).isoformat()
        facts.append(Fact(_("经手人"), f"{row.decided_by.name} · {when}", note=row.get_state_display()))
    if row.reason:
        facts += [Fact(_("差别的原因"), row.reason), Fact(_("依据"), row.source)]
    left = [
        one for one in left_alone(actor, at_of(request)) if row.body_id and one.hazard.holder_body_id == row.body_id
    ]
    like_cases = f"/oversight/like-cases/?{urlencode({'area': row.area_path})}"
    actions = (
        Action(_("发文交办"), f"/oversight/instruments/new/clue/{row.pk}/", Tone.PRIMARY),
        Action(_("说明原因并办结"), f"{at}settle/"),
        *([Action(_("同案未办 %(n)s 件") % {"n": len(left)}, like_cases)] if left else []),
    )  # fmt: skip
    return detail(
        request, "clues", f"{row.number} {subject_of(row)}", crumbs=crumbs(Crumb(row.number)),
        pills=((PILLS[row.state], row.get_state_display()),), facts=facts, actions=actions if live else (),
        notes=(str(CAUTION),), sections=(_measures(row, queries.groups_of(row)), _papers(row)),
    )  # fmt: skip


def _measures(row: Any, groups: Sequence[queries.GroupFigures]) -> Section:
    ours, others = {
        "dependence": (_("有批示"), _("未批示")), "instruction": (_("有批示"), _("未批示")),
        "body": (_("该机构"), _("同类机构")), "firm": (_("该类企业"), _("其他企业")),
    }[row.kind]  # fmt: skip
    names = group_names(row.root)
    rows = [
        (Cell(group_name(one.group, names)), Cell(label), *tally_cells(tally))
        for one in groups
        for tally, label in ((one.ours, ours), (one.others, others))
    ]
    return Section(
        _("同类组与措施"), (_("同类组"), _("哪一方"), _("件数"), _("责令"), _("停用停业"), _("罚款"), _("没有措施")), tuple(rows),
        note=_("同类：类别、场所、等级、半年期相同。一件事项可有几种措施。"), empty=_("没有两方都有的同类组。"),
    )  # fmt: skip


def tally_cells(tally: Any) -> tuple[Cell, ...]:
    """Return how some cases were dealt with as cells: cases, orders, stops, fines, none."""
    fines = str(tally.fines)
    if tally.fines:
        fines = _("%(n)s（%(yuan)s 元）") % {"n": tally.fines, "yuan": f"{tally.yuan:,.0f}"}
    return tuple(
        Cell(text, number=True)
        for text in (str(tally.cases), str(tally.orders), str(tally.stops), fines, str(tally.none))
    )


def group_names(root: str) -> dict[str, str]:
    """Return the words for classes and kinds of places by code, in the reader's language."""
    side = "en" if in_english() else "zh"
    found = {f"class:{code}": name for code, name in catalog.hazard_classes(root).values_list("code", side)}
    return found | {f"kind:{code}": name for code, name in catalog.place_kinds(root).values_list("code", side)}


def group_name(group: Sequence[str], names: Mapping[str, str]) -> str:
    """Return a group of likes in words: class, place, grade, half-year."""
    klass, kind, grade, half = group
    known = {each.value for each in Grade}
    words = term_name(Grade(grade)) if grade in known else ""
    year, number = half.split("H")
    span = (_("%(year)s 上半年") if number == "1" else _("%(year)s 下半年")) % {"year": year}
    parts = (names.get(f"class:{klass}", klass), names.get(f"kind:{kind}", kind), words, span)
    return " · ".join(part for part in parts if part)


def _papers(row: Any) -> Section:
    sent = list(papers.about("clue", row.pk))
    answers = papers.answers_of([one.pk for one in sent])
    rows = tuple(
        (
            Cell(one.number, f"/oversight/instruments/{one.pk}/"), Cell(f"{name_of(one.to_body)} {one.to_person.name}"),
            Cell(day=one.due_on), Cell(_("已答复"), pill="done") if one.answered_at else Cell(_("待答复"), pill="waiting"),
            Cell(answers.get(one.pk, ("", ""))[0] or "—"), Cell(answers.get(one.pk, ("", ""))[1] or "—"),
        )
        for one in sent
    )  # fmt: skip
    columns = (_("文号"), _("发往"), _("期限"), _("答复"), _("措施"), _("原因"))
    return Section(_("督办文书"), columns, rows, empty=_("还没有发文。"))


@needs(*COMMITTEE)
@require_GET
def cases(request: HttpRequest, clue_id: UUID) -> HttpResponse:
    """List the matters that a clue is about."""
    actor = actor_of(request)
    row = found_or_404(queries.clue(actor, clue_id))
    told = queries.figures_of(row)
    page, pager = page_of(request, queries.cases_of(actor, row))
    states = {each.value for each in State}
    rows = [
        (
            Cell(f"{one.number} {one.place_title}", f"/ledger/{one.pk}/"), Cell(one.fact[:SHORT]), Cell(day=one.found_on),
            Cell(term_name(State(one.state)) if one.state in states else one.state, pill=one.state),
        )
        for one in page
    ]  # fmt: skip
    n = told["all"]
    intro = _("比较时共 %(n)s 件，列出其中 %(shown)s 件。") % {"n": n, "shown": page.paginator.count}
    return listing(
        request, "clues", _("涉及事项"), columns=(_("隐患"), _("内容"), _("发现日期"), _("状态")), rows=rows, pager=pager,
        crumbs=crumbs(Crumb(row.number, f"/oversight/clues/{row.pk}/"), Crumb(_("涉及事项"))),
        count=ngettext("%(n)s 件", "%(n)s 件", n) % {"n": n}, intro=intro if page.paginator.count < n else "",
        empty=(_("没有事项"), _("这些事项已不在您的范围内。")),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, clue_id: UUID) -> HttpResponse:
    """Settle a clue with what explains it."""
    actor = actor_of(request)
    row = found_or_404(queries.clue(actor, clue_id))
    form = SettleForm(request.POST or None)
    back = f"/oversight/clues/{row.pk}/"

    def do(given: dict[str, Any]) -> str:
        operations.settle(actor=actor, at=at_of(request), clue_id=row.pk, **given)
        messages.success(request, _("已说明并办结；以后发现的事项再有差别时会重新列出。"))
        return back

    said = joined(said_of(queries.figures_of(row)["results"]))
    return asked(
        request, form, do, title=_("说明原因并办结"), verb=_("说明并办结"), current="clues", back=back,
        crumbs=crumbs(Crumb(row.number, back), Crumb(_("说明原因并办结"))),
        facts=(Fact(_("线索"), subject_of(row), back), Fact(_("所见"), said)), note=str(CAUTION),
    )  # fmt: skip
