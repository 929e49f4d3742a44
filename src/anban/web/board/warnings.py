"""The pages of early warning (预警): what stands out, how many false ones to expect, what persons answered, and the events behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from anban.base.people.actor import Actor
from anban.contexts.accidents import queries as accidents
from anban.contexts.catalog import queries as catalog
from anban.contexts.hazards.queries import visible_to as hazards_visible_to
from anban.contexts.risk import operations, policies, queries
from anban.contexts.territory import queries as territory
from anban.lake.warning.limits import LIMITS
from anban.lake.watching import ACCIDENT, HAZARD, TWO_YEARS
from anban.rules.errors import Refusal
from anban.web.board.board import written
from anban.web.board.risk import page_of
from anban.web.desk.places import area_words
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Crumb, Pager
from anban.web.shell.wording import enumerated, in_english

SHOWN: Final = 100
PAGE: Final = 50
METHODS: Final = ("change", "scan", "cusum", "knox", "kulldorff")
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
        "kinds": _kinds(actor, look),
        "scope": territory.scope_label(actor, english=in_english()), "look": look,
        "false_watches": f"{look.expected_false_watches:.1f}" if look else "",
        "false_alarms": f"{look.expected_false_chart_alarms:.1f}" if look else "",
        "left_out": enumerated(str(BOOKS[name]) for name in look.left_out.split(",") if name in BOOKS) if look else "",
        "answers": ANSWERS.items(),
        "rows": [
            {
                "id": row.pk, "kind": _kind_name(actor, row.kind), "level": LEVELS.get(row.level, row.level),
                "is_alarm": row.level == "alarm", "where": where.get(row.area_path, _("全市")), "text": getattr(row, side),
                "first_on": row.first_on, "last_on": row.last_on, "state": row.state,
                "method": row.method, "method_name": getattr(LIMITS[row.method], side), "counted": _counted(row),
                "answer": ANSWERS.get(row.answer, ""), "reason": row.reason, "answered_at": row.answered_at,
                "by": row.answered_by.name if row.answered_by else "",
                "may": row.state == "open" and policies.can_answer(actor, row.area_path),
            }
            for row in rows
        ],
        "limits": [
            {"method": method, "name": getattr(each, side), "can": getattr(each, f"can_{side}"), "cannot": getattr(each, f"cannot_{side}"), "bound": getattr(each, f"bound_{side}")}
            for method, each in ((method, LIMITS[method]) for method in METHODS)
        ],
    }  # fmt: skip
    return render(request, "board/warnings.html", context, status=status)


def _kinds(actor: Actor, look: Any) -> list[tuple[str, str, str]]:
    """Return how many events of each kind the whole city had, for who reads all of it: their sum is what was looked at."""
    if look is None or not queries.reads_everything(actor):
        return []
    counted = sorted(orjson.loads(look.kinds or "{}").items(), key=lambda item: (-item[1], item[0]))
    until = look.as_of.isoformat()
    since = (look.as_of - TWO_YEARS).isoformat()
    return [(_kind_name(actor, kind), written(n), list_href(kind, since=since, until=until)) for kind, n in counted]


def list_href(kind: str, *, areas: Sequence[str] = (), since: str = "", until: str = "", located: bool = False) -> str:
    """Return the address of the events of a kind, in areas, from a day to a day, perhaps only those whose place is known."""
    asked = [
        ("kind", kind),
        *(("area", area) for area in areas),
        ("from", since),
        ("to", until),
        ("located", "1" if located else ""),
    ]
    return "/risk/events/?" + urlencode([(name, value) for name, value in asked if value])


def _counted(row: Any) -> list[dict[str, Any]]:
    """Return the numbers of a warning's text with the lists that they open."""
    return [
        {
            "from": one["from"], "until": one["until"], "n": one["n"],
            "href": list_href(
                row.kind, areas=one["areas"] or ([row.area_path] if row.area_path else []), since=one["from"],
                until=one["until"], located=one["located"],
            ),
        }
        for one in orjson.loads(row.counted or "[]")
    ]  # fmt: skip


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
def events(request: HttpRequest) -> HttpResponse:
    """List the events behind a number: of a kind, in areas, from a day to a day; without dates, the two years looked at."""
    actor = actor_of(request)
    kind = request.GET.get("kind", "")[:60]
    areas = request.GET.getlist("area")[:100]
    if not all(_PATH.fullmatch(area) for area in areas):
        raise Http404
    look = queries.newest_look(actor)
    since, until = (_day(request.GET.get(name, "")) for name in ("from", "to"))
    if look is not None:
        since, until = since or look.as_of - TWO_YEARS, until or look.as_of
    asked = Asked(kind, tuple(areas), since, until, request.GET.get("located") == "1")
    page = page_of(request)
    total, rows = _rows(actor, asked, (page - 1) * PAGE)
    where = area_words(actor.root, [row["path"] for row in rows])
    names = area_words(actor.root, areas)
    query = [(name, value) for name, values in request.GET.lists() if name != "page" for value in values]
    context = {
        "title": _kind_name(actor, kind) or _("事件"),
        "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(_("预警"), "/risk/warnings/"), Crumb(_("事件"))),
        "scope": enumerated(names.get(area, "") for area in areas),
        "since": since, "until": until, "located": asked.located,
        "rows": [{**row, "where": where.get(row["path"], "")} for row in rows],
        "count": _("共 %(count)s 起") % {"count": written(total)},
        "pager": Pager(
            previous_href=f"?{urlencode([*query, ('page', page - 1)])}" if page > 1 else "",
            next_href=f"?{urlencode([*query, ('page', page + 1)])}" if page * PAGE < total else "",
            shown=_("第 %(first)s–%(last)s 起") % {"first": (page - 1) * PAGE + 1, "last": (page - 1) * PAGE + len(rows)},
        ),
    }  # fmt: skip
    return render(request, "board/warning_events.html", context)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events an address asks for."""

    kind: str
    areas: tuple[str, ...]
    since: date | None
    until: date | None
    located: bool


def _rows(actor: Actor, asked: Asked, offset: int) -> tuple[int, list[Mapping[str, Any]]]:
    """Return how many events there are, and a page of them, the newest first, each where its book is."""
    prefix, _colon, code = asked.kind.partition(":")
    day, what = ("found_on", "fact") if prefix == HAZARD else ("on", "unit_name" if prefix == ACCIDENT else "kind")
    found: Any
    if prefix == HAZARD:
        # As they were counted: what stands on the ledger, foreign history apart.
        found = hazards_visible_to(actor).filter(class_code=code, historical=False)
    elif prefix == ACCIDENT:
        found = accidents.visible_to(actor).filter(kind=code)
    else:
        found = queries.events_visible_to(actor)
        found = found.filter(kind=asked.kind) if asked.kind else found
        found = found.filter(lng_wgs84__isnull=False, lat_wgs84__isnull=False) if asked.located else found
    if asked.areas:
        found = found.filter(reduce(or_, map(territory.within, asked.areas)))
    if asked.since is not None:
        found = found.filter(**{f"{day}__gte": asked.since})
    if asked.until is not None:
        found = found.filter(**{f"{day}__lte": asked.until})
    newest = found.order_by(f"-{day}", "-id").values_list("pk", day, "area_path", what)[offset : offset + PAGE]
    return found.count(), [
        {"href": f"/ledger/{key}/" if prefix == HAZARD else "", "on": on, "path": path, "what": text}
        for key, on, path, text in newest
    ]
