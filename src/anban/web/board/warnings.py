"""The pages of early warning (预警): what stands out, how many false ones to expect, what persons answered, and the events behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from anban.base.people.actor import Actor
from anban.contexts.accidents import queries as accidents
from anban.contexts.catalog import queries as catalog
from anban.contexts.risk import operations, policies, queries
from anban.contexts.territory import queries as territory
from anban.lake.warning.limits import LIMITS
from anban.lake.watching import ACCIDENT, HAZARD, TWO_YEARS
from anban.rules.errors import Refusal
from anban.web.desk.places import area_words
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Crumb
from anban.web.shell.wording import in_english

SHOWN: Final = 100
LEVELS: Final = {"alarm": gettext_lazy("预警"), "watch": gettext_lazy("关注")}
ANSWERS: Final = {
    "act": gettext_lazy("采取措施"),
    "watch": gettext_lazy("继续观察"),
    "chance": gettext_lazy("视为偶然"),
}
BOOKS: Final = {"event": gettext_lazy("事件表"), "accident": gettext_lazy("事故"), "hazard": gettext_lazy("隐患")}
_PATH: Final = re.compile(r"([0-9A-Za-z]+/){1,8}")


@needs(*OFFICIALS)
@require_GET
def warnings(request: HttpRequest) -> HttpResponse:
    """Show the warnings of my areas, the open ones first."""
    return _shown(request, "", 200)


def _shown(request: HttpRequest, problem: str, status: int) -> HttpResponse:
    actor = actor_of(request)
    rows = list(queries.warnings_visible_to(actor)[:SHOWN])
    look = queries.newest_look(actor)
    where = area_words(actor.root, [row.area_path for row in rows if row.area_path])
    side = "en" if in_english() else "zh"
    context = {
        "title": _("预警"), "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(_("预警"))), "problem": problem,
        "scope": territory.scope_label(actor, english=in_english()), "look": look,
        "false_watches": f"{look.expected_false_watches:.1f}" if look else "",
        "false_alarms": f"{look.expected_false_chart_alarms:.1f}" if look else "",
        "left_out": "、".join(str(BOOKS[name]) for name in look.left_out.split(",") if name in BOOKS) if look else "",
        "answers": ANSWERS.items(),
        "rows": [
            {
                "id": row.pk, "kind": _kind_name(actor, row.kind), "level": LEVELS.get(row.level, row.level),
                "is_alarm": row.level == "alarm", "where": where.get(row.area_path, _("全市")), "text": getattr(row, side),
                "first_on": row.first_on, "last_on": row.last_on, "state": row.state,
                "href": "/risk/events/?" + urlencode({"kind": row.kind, **({"area": row.area_path} if row.area_path else {})}),
                "answer": ANSWERS.get(row.answer, ""), "reason": row.reason, "answered_at": row.answered_at,
                "by": row.answered_by.name if row.answered_by else "",
                "may": row.state == "open" and policies.can_answer(actor, row.area_path),
            }
            for row in rows
        ],
        "limits": [
            {"name": getattr(each, side), "can": getattr(each, f"can_{side}"), "cannot": getattr(each, f"cannot_{side}"), "bound": getattr(each, f"bound_{side}")}
            for each in (LIMITS["change"], LIMITS["scan"], LIMITS["cusum"])
        ],
    }  # fmt: skip
    return render(request, "board/warnings.html", context, status=status)


def _kind_name(actor: Actor, kind: str) -> str:
    """Return what a kind of event is called: an accident's, a hazard's class, or the table's own word."""
    prefix, _colon, code = kind.partition(":")
    if prefix == ACCIDENT:
        return _("事故·%(kind)s") % {"kind": dict(accidents.KINDS).get(code, code)}
    if prefix == HAZARD:
        names = dict(catalog.hazard_classes(actor.root).values_list("code", "en" if in_english() else "zh"))
        return _("隐患·%(kind)s") % {"kind": names.get(code, code)}
    return kind


@needs(*OFFICIALS)
@require_POST
def answer(request: HttpRequest, warning_id: UUID) -> HttpResponseBase:
    """Answer a warning with my name and reason."""
    at: datetime = request.at  # type: ignore[attr-defined]
    actor = actor_of(request)
    if queries.warning(actor, warning_id) is None:
        raise Http404
    try:
        operations.answer_warning(
            actor=actor, at=at, warning_id=warning_id, answer=request.POST.get("answer", ""),
            reason=request.POST.get("reason", ""),
        )  # fmt: skip
    except Refusal as refusal:
        return _shown(request, said(refusal), 422)
    return redirect("/risk/warnings/")


@needs(*OFFICIALS)
@require_GET
def events(request: HttpRequest) -> HttpResponseBase:
    """List the events behind a warning: those of its kind and area of the two years that were looked at."""
    actor = actor_of(request)
    kind = request.GET.get("kind", "")[:60]
    area = request.GET.get("area", "")
    if area and not _PATH.fullmatch(area):
        raise Http404
    look = queries.newest_look(actor)
    prefix, _colon, code = kind.partition(":")
    if prefix == HAZARD:
        since = (look.as_of - TWO_YEARS).isoformat() if look else ""
        return redirect("/ledger/?" + urlencode({"class": code, **({"area": area} if area else {}), "from": since}))
    rows, total = _rows(actor, kind, prefix, code, area, look)
    where = area_words(actor.root, [row["path"] for row in rows])
    context = {
        "title": _kind_name(actor, kind) or _("事件"),
        "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(_("预警"), "/risk/warnings/"), Crumb(_("事件"))),
        "scope": area_words(actor.root, [area]).get(area, "") if area else "",
        "rows": [{**row, "where": where.get(row["path"], "")} for row in rows],
        "total": total, "more": total > SHOWN,
    }  # fmt: skip
    return render(request, "board/warning_events.html", context)


def _rows(actor: Actor, kind: str, prefix: str, code: str, area: str, look: Any) -> tuple[list[Mapping[str, Any]], int]:
    """Return the newest events of a kind and how many there are, within what was looked at."""
    is_accident = prefix == ACCIDENT
    found = accidents.visible_to(actor).filter(kind=code) if is_accident else queries.events_visible_to(actor)
    if not is_accident and kind:
        found = found.filter(kind=kind)
    if area:
        found = found.filter(territory.within(area))
    if look is not None:
        found = found.filter(on__gte=look.as_of - TWO_YEARS, on__lte=look.as_of)
    names = ("on", "area_path", "unit_name") if is_accident else ("on", "area_path", "kind")
    newest = found.order_by("-on", "-id").values_list(*names)[:SHOWN]
    return [{"on": on, "path": path, "what": what} for on, path, what in newest], found.count()
