"""Pages of like cases: the likes that were left alone, with a button that puts them on desks, and the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from anban.contexts.establishments.vocabulary import word_of
from anban.contexts.oversight.operations import likes as operations
from anban.contexts.oversight.queries import clues
from anban.contexts.oversight.queries import likes as queries
from anban.contexts.oversight.queries.scope import figure
from anban.contexts.territory.queries import scope_paths
from anban.rules.comparison import Comparison
from anban.web.desk.oversight.clues import chance, clue_cell, group_name, group_names, tally_cells
from anban.web.desk.oversight.parts import (
    COMMITTEE,
    Cell,
    area_filter,
    as_uuid,
    at_of,
    choice_filter,
    listing,
    page_of,
    today_of,
)
from anban.web.shell.access import actor_of, needs
from anban.web.shell.components import Action, Crumb
from anban.web.shell.wording import in_english

KEPT_S = 600
LOOK_BACK_DAYS = 548


@dataclass(frozen=True, slots=True)
class BoxCell(Cell):
    """A cell with a box that chooses its row."""

    box: str = ""
    value: str = ""


@needs(*COMMITTEE)
@require_http_methods(["GET", "POST"])
def left_alone(request: HttpRequest) -> HttpResponse:
    """List the likes of instructed cases that nobody touched; put the chosen ones on desks."""
    actor, at = actor_of(request), at_of(request)
    by_area, path = area_filter(request)
    found = queries.left_alone(actor, at, area_path=path)
    if request.method == "POST":
        chosen = {as_uuid(text) for text in request.POST.getlist("case")}
        pairs = [(one.hazard.pk, one.like.pk) for one in found if one.hazard.pk in chosen]
        made = operations.put_on_desks(actor=actor, at=at, pairs=pairs)
        messages.success(
            request, ngettext("%(n)s 件已列入承办人待办。", "%(n)s 件已列入承办人待办。", len(made)) % {"n": len(made)}
        )
        return redirect(request.get_full_path())
    page, pager = page_of(request, found)
    rows = [
        (
            BoxCell(
                f"{one.hazard.number} {one.hazard.place_title}",
                f"/ledger/{one.hazard.pk}/",
                box="case",
                value=str(one.hazard.pk),
            ),
            Cell(one.hazard.fact[:60]),
            Cell(ngettext("%(n)s 天", "%(n)s 天", one.days) % {"n": one.days}),
            Cell(one.hazard.holder.name),
            Cell(f"{one.like.number} {one.like.place_title}", f"/ledger/{one.like.pk}/"),
        )
        for one in page
    ]
    n = len(found)
    return listing(
        request, "likes", _("同案未办"), columns=(_("隐患"), _("内容"), _("无人动过"), _("承办人"), _("同类已批示")), rows=rows,
        pager=pager, filters=(by_area,), count=ngettext("%(n)s 件", "%(n)s 件", n) % {"n": n},
        intro=_("与有批示的隐患同类（类别、场所、等级、半年期、检查项相同），却没有责令、处置、整改申请的隐患。"),
        empty=(_("没有被搁置的同类隐患"), _("有批示的隐患，其同类都已有人办理或已列入待办。")),
        post=request.get_full_path() if n else "", post_verb=_("所选列入承办人待办"),
    )  # fmt: skip


def _kept(request: HttpRequest) -> tuple[list[queries.Result], int, dict[queries.Group, queries.Tally]]:
    """Compute the comparison and the measures of each group, kept some minutes for the same scope and day."""
    actor, on = actor_of(request), today_of(request)
    horizon = figure(actor, "comparison_horizon_days", on).value
    key = f"treatment:{actor.root}:{scope_paths(actor)}:{on}:{horizon}".replace(" ", "")
    found: tuple[list[queries.Result], int, dict[queries.Group, queries.Tally]] | None = cache.get(key)
    if found is None:
        until = on - timedelta(days=horizon + queries.LANDMARK_DAYS)
        rows = queries.dealt(actor, since=on - timedelta(days=LOOK_BACK_DAYS), until=until)
        found = (queries.compared(rows, horizon), len(rows), queries.measures_by_group(rows))
        cache.set(key, found, KEPT_S)
    return found


@needs(*COMMITTEE)
@require_GET
def treatment(request: HttpRequest) -> HttpResponse:
    """Compare how like cases were treated: with and without instruction, between bodies, between kinds of firms."""
    found, cases, _groups = _kept(request)
    found = [one for one in found if one.what != "dependence"]
    names = queries.names_of_bodies([one.key for one in found if one.what == "body"])
    english = in_english()
    known = {subject: row for (_path, subject), row in clues.newest_by_subject(actor_of(request)).items()}

    def label(one: queries.Result) -> str:
        if one.what == "instruction":
            return _("有批示与无批示")
        if one.what == "body":
            zh, en = names.get(one.key, ("—", "—"))
            return _("%(name)s 与同类机构") % {"name": en if english and en else zh}
        return _("%(name)s 与其他企业") % {"name": word_of("affiliation", one.key, english=english) or one.key}

    # Measure and time of one subject stand side by side; a city makes a thousand comparisons, most of too few cases to tell.
    subjects: dict[tuple[str, str], list[queries.Result]] = {}
    for one in found:
        subjects.setdefault((one.what, one.key), []).append(one)
    few = [key for key, made in subjects.items() if all(one.comparison.p is None for one in made)]
    only = "few" if request.GET.get("only") == "few" else ""
    chosen = [key for key in subjects if (key in set(few)) == (only == "few")]
    page, pager = page_of(request, sorted(chosen, key=lambda key: not any(one.found for one in subjects[key])))
    rows = [
        (
            Cell(label(subjects[key][0])), Cell(f"{subjects[key][0].comparison.marked} / {subjects[key][0].comparison.others}", number=True),
            *(Cell(_difference(one.comparison), number=True) for one in subjects[key]), _verdict(subjects[key]),
            clue_cell(known.get(key), tonight=any(one.found for one in subjects[key])),
        )
        for key in page
    ]  # fmt: skip
    n = len(chosen)
    return listing(
        request, "treatment", _("同案比较"), rows=rows, pager=pager, actions=(Action(_("看同类组与措施"), "/oversight/treatment/groups/"),),
        columns=(_("比较"), _("件数"), _("有无措施"), _("用时"), _("结论"), _("线索")),
        filters=(choice_filter(request, "only", _("情况"), [("few", _("不足以判断 %(n)s 项") % {"n": len(few)})]),),
        count=ngettext("%(n)s 项比较", "%(n)s 项比较", n) % {"n": n},
        intro=_("同类隐患（类别、场所、等级、半年期）在组内比较，精确检验或置换检验，全部比较一起控制误报不超过 5%%。共 %(n)s 件。记录之外的差别看不到，差别须由人核查。") % {"n": cases},
        empty=(_("没有能判断的比较"), _("每一方至少 10 件、满观察期，才能比较。")),
    )  # fmt: skip


@needs(*COMMITTEE)
@require_GET
def groups(request: HttpRequest) -> HttpResponse:
    """List the groups of likes with the measures taken in each: orders, stops, fines, and how many had none."""
    _found, cases, by_group = _kept(request)
    names = group_names(actor_of(request).root)
    page, pager = page_of(request, list(by_group.items()))
    rows = [(Cell(group_name(group, names)), *tally_cells(tally)) for group, tally in page]
    n = len(by_group)
    return listing(
        request, "treatment", _("同类组与措施"), rows=rows, pager=pager,
        columns=(_("同类组"), _("件数"), _("责令"), _("停用停业"), _("罚款"), _("没有措施")),
        crumbs=(Crumb(_("督察"), "/oversight/"), Crumb(_("同案比较"), "/oversight/treatment/"), Crumb(_("同类组与措施"))),
        count=ngettext("%(n)s 组", "%(n)s 组", n) % {"n": n},
        intro=_("同类：类别、场所、等级、半年期相同，共 %(n)s 件。措施取自每件隐患第一轮的记录：责令整改、停用停业等应急处置、罚款；一件可有几种。") % {"n": cases},
        empty=(_("还没有可比的隐患"), _("满观察期的隐患会列入比较。")),
    )  # fmt: skip


def _difference(one: Comparison) -> str:
    if one.difference is None:
        return "—"
    apart = f"{one.difference:+.0%}" if one.kind == "measure" else _("%(d)+.1f 天") % {"d": one.difference}
    return f"{apart} · p {chance(one.p)}"


def _verdict(made: Sequence[queries.Result]) -> Cell:
    told = next((one for one in made if one.found), None) or next(
        (one for one in made if one.comparison.p is not None), made[0]
    )
    decision = told.comparison.decide(told.found)
    reason: Any = decision.reasons[0]
    return Cell(
        reason.en if in_english() else reason.zh,
        pill="open" if told.found else "quiet" if told.comparison.p is None else "done",
    )
