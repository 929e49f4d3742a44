"""Unseen hazards (未发现隐患): what several sources saw alone and together, the range that follows, and on what it rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anban.base.people.actor import Actor
from anban.contexts.hazards.queries import visible_to as visible_hazards
from anban.contexts.risk import queries
from anban.contexts.territory import queries as territory
from anban.lake.behind import GROUPS, Behind, rounds, sighted
from anban.lake.reading import SOURCES, Reading
from anban.lake.warning.hidden import Hidden, hidden
from anban.lake.warning.limits import COVERAGE, LIMITS
from anban.rules.errors import Refusal
from anban.web.board.board import written
from anban.web.board.risk import DISTRICT_PARTS, PAGE, STREET_PARTS, area_of, page_of, pager_of
from anban.web.desk.places import area_words
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Crumb
from anban.web.shell.wording import in_english

NAMES: Final = (gettext_lazy("检查"), gettext_lazy("来电和举报"), gettext_lazy("报警"), gettext_lazy("暗访督查"))
"""What ``SOURCES`` are called, in their order."""

LEAST_BOTH: Final = 7
"""With fewer hazards seen by two sources at least no range is given: the estimate would lean (Robson and Regier 1964)."""

Counted = Mapping[tuple[bool, ...], int]


@needs(*OFFICIALS)
@require_GET
def unseen(request: HttpRequest) -> HttpResponse:
    """Show what sources saw alone and together within my areas, and the range of what none of them saw."""
    actor = actor_of(request)
    newest = queries.current(actor)
    area = area_of(request)
    crumbs = (Crumb(_("风险"), "/risk/"), Crumb(_("没被发现的隐患"), "/risk/unseen/"))
    named = area_words(actor.root, [area]).get(area, area) if area else ""
    context: dict[str, Any] = {
        "title": _("没被发现的隐患"), "crumbs": (*crumbs, Crumb(named)) if area else crumbs, "newest": newest,
        "scope": named or territory.scope_label(actor, english=in_english()), "below": queries.below_streets(actor),
    }  # fmt: skip
    if newest is None or context["below"]:
        return render(request, "board/unseen.html", context)
    try:
        by_street = Reading.of(newest.root, newest.folder).sightings(queries.reaches(actor), area=area)
    except Refusal as refusal:
        return render(request, "board/unseen.html", {**context, "problem": said(refusal)})
    counted = together(by_street)
    side = "en" if in_english() else "zh"
    limits = LIMITS["hidden"]
    context |= {
        **_told(counted, area),
        "areas": _areas(actor, by_street, area),
        "coverage": [
            {"name": getattr(one, side), "two": f"{one.two_pct:.1f}%", "two_middle": one.two_middle, "three": f"{one.three_pct:.1f}%", "three_middle": one.three_middle}
            for one in COVERAGE
        ],
        "can": getattr(limits, f"can_{side}"), "cannot": getattr(limits, f"cannot_{side}"), "bound": getattr(limits, f"bound_{side}"),
    }  # fmt: skip
    return render(request, "board/unseen.html", context)


def together(by_street: Mapping[str, Counted]) -> dict[tuple[bool, ...], int]:
    """Return the counts of several streets together."""
    found: dict[tuple[bool, ...], int] = {}
    for counted in by_street.values():
        for seen, hazards in counted.items():
            found[seen] = found.get(seen, 0) + hazards
    return found


def list_href(seen: str, area: str) -> str:
    """Return the address of the hazards seen so: for each source 1, 0 or x (whether or not)."""
    return "/risk/unseen/list/?" + urlencode({"seen": seen, **({"area": area} if area else {})})


def _told(counted: Counted, area: str) -> dict[str, Any]:
    sources = [
        (
            str(name), written(sum(n for seen, n in counted.items() if seen[i])), list_href("x" * i + "1" + "x" * (len(SOURCES) - 1 - i), area),
            written(sum(n for seen, n in counted.items() if seen[i] and sum(seen) == 1)),
            list_href("".join("1" if j == i else "0" for j in range(len(SOURCES))), area),
        )
        for i, name in enumerate(NAMES)
    ]  # fmt: skip
    several = sorted((seen for seen in counted if sum(seen) > 1), key=lambda seen: (-counted[seen], seen))
    return {
        "sources": sources,
        "several": [
            (words_of(seen), written(counted[seen]), list_href("".join("1" if each else "0" for each in seen), area))
            for seen in several
        ],
        "seen": written(sum(counted.values())), "seen_href": list_href("x" * len(SOURCES), area),
        "range": range_of(counted),
    }  # fmt: skip


def words_of(seen: tuple[bool, ...]) -> str:
    """Return which sources these are."""
    return " + ".join(str(name) for name, was in zip(NAMES, seen, strict=True) if was)


@dataclass(frozen=True, slots=True)
class Told:
    """The range of all hazards as a page shows it, or why there is none."""

    low: str = ""
    high: str = ""
    unseen: str = ""
    two_only: bool = False
    models: tuple[tuple[str, str, str], ...] = ()
    """(which sources are taken to be tied, low, high)"""
    why: str = ""


def range_of(counted: Counted) -> Told:
    """Return the range of all hazards, or why it can't be told."""
    live = [i for i in range(len(SOURCES)) if any(n for seen, n in counted.items() if seen[i])]
    both = sum(n for seen, n in counted.items() if sum(seen) > 1)
    if len(live) < 2:
        return Told(why=_("能看到隐患的来源不足两个，没有可比对的，说不出还有多少没被发现。"))
    if both < LEAST_BOTH:
        return Told(
            why=_("两个以上来源都看到的只有 %(both)s 条，不足 %(least)s 条，说不出还有多少没被发现。")
            % {"both": both, "least": LEAST_BOTH}
        )
    found = _estimated(tuple(sorted(counted.items())))
    if found is None:
        return Told(why=_("各来源看到的对不上任何一种设想，说不出还有多少没被发现。"))
    return Told(
        written(round(found.low95)), written(round(found.high95)), written(max(0, round(found.unseen_low))),
        len(live) == 2,
        tuple(
            (
                "，".join(f"{a} — {b}" for a, b in ((str(NAMES[int(x)]), str(NAMES[int(y)])) for x, y in each.tied)) or _("都互不相干"),
                written(round(each.low95)), written(round(each.high95)),
            )
            for each in found.models
        ),
    )  # fmt: skip


@lru_cache(maxsize=512)
def _estimated(counted: tuple[tuple[tuple[bool, ...], int], ...]) -> Hidden | None:
    return hidden(dict(counted), [str(number) for number in range(len(SOURCES))])


def _areas(actor: Actor, by_street: Mapping[str, Counted], area: str) -> list[dict[str, Any]]:
    """Return the range of each next smaller area: districts of a city, streets of a district."""
    prefixes = territory.scope_paths(actor)
    whole = not area and (prefixes is None or any(path.count("/") < DISTRICT_PARTS for path in prefixes))
    parts = DISTRICT_PARTS if whole else STREET_PARTS
    grouped: dict[str, dict[str, Counted]] = {}
    for street, counted in by_street.items():
        path = "".join(f"{step}/" for step in street.split("/")[:parts] if step)
        if path.count("/") == parts and path != area:
            grouped.setdefault(path, {})[street] = counted
    names = territory.area_names(actor.root, grouped)
    side = 1 if in_english() else 0
    made = []
    for path, streets in sorted(grouped.items()):
        counted = together(streets)
        made.append(
            {
                "name": names[path][side] if path in names else path, "href": "?" + urlencode({"area": path}),
                "seen": written(sum(counted.values())), "seen_href": list_href("x" * len(SOURCES), path),
                "range": range_of(counted),
            }
        )  # fmt: skip
    return made if len(made) > 1 else []


# Lists of hazards behind numbers


@needs(*OFFICIALS)
@require_GET
def seen_list(request: HttpRequest) -> HttpResponse:
    """List the hazards that certain sources saw."""
    text = request.GET.get("seen", "x" * len(SOURCES))
    if text not in {"".join(each) for each in product("01x", repeat=len(SOURCES))}:
        raise Http404
    area = area_of(request)
    names = [str(name) for name, mark in zip(NAMES, text, strict=True) if mark == "1"]
    alone = "x" not in text
    title = _("只有这些来源看到的：%(names)s") if alone else _("看到的来源有：%(names)s")
    seen = [{"1": True, "0": False, "x": None}[mark] for mark in text]
    return _listed(
        request, title % {"names": " + ".join(names)} if names else _("各来源看到的隐患"),
        (Crumb(_("风险"), "/risk/"), Crumb(_("没被发现的隐患"), "/risk/unseen/")), {"seen": text, "area": area},
        lambda reading, reaches, offset: sighted(reading, reaches, seen=seen, area=area, offset=offset, limit=PAGE),
    )  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def round_list(request: HttpRequest) -> HttpResponse:
    """List the closed rounds that a group of the rebound curve is made of."""
    by, name = request.GET.get("by", "proof"), request.GET.get("name", "")[:60]
    inferred = request.GET.get("inferred") == "1"
    if by not in (*GROUPS, "area"):
        raise Http404
    return _listed(
        request, _("反弹曲线里的销号"), (Crumb(_("风险"), "/risk/"),),
        {"by": by, "name": name, **({"inferred": "1"} if inferred else {})},
        lambda reading, reaches, offset: rounds(
            reading, reaches, what=by, name=name, inferred=inferred, offset=offset, limit=PAGE
        ),
        of_rounds=True,
    )  # fmt: skip


def _listed(
    request: HttpRequest,
    title: str,
    above: tuple[Crumb, ...],
    query: Mapping[str, str],
    read: Any,
    *,
    of_rounds: bool = False,
) -> HttpResponse:
    """Show a page of hazards behind a number of the newest assessment."""
    actor = actor_of(request)
    newest = queries.current(actor)
    context: dict[str, Any] = {
        "title": title,
        "crumbs": (above, Crumb(title)),
        "newest": newest,
        "of_rounds": of_rounds,
    }
    if newest is None:
        return render(request, "board/risk_hazards.html", context)
    page = page_of(request)
    try:
        reading = Reading.of(newest.root, newest.folder)
        total, rows = read(reading, queries.reaches(actor), (page - 1) * PAGE)
    except Refusal as refusal:
        return render(request, "board/risk_hazards.html", {**context, "problem": said(refusal)})
    context |= {
        "count": _("共 %(count)s 条") % {"count": written(total)},
        "rows": _rows(actor, rows),
        "pager": pager_of({k: v for k, v in query.items() if v}, page, len(rows), total, _("第 %(first)s–%(last)s 条")),
    }
    return render(request, "board/risk_hazards.html", context)


def _rows(actor: Actor, rows: list[Behind]) -> list[dict[str, Any]]:
    known = {row.pk: row for row in visible_hazards(actor).filter(pk__in=[one.hazard_id for one in rows])}
    return [
        {"hazard": known.get(one.hazard_id), "on": one.on, "days": one.days, "came_back": one.came_back} for one in rows
    ]
