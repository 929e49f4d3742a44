"""The city overview (全市总览): the map, six figures, where it hurts; every number opens the list that it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anban.base.people.actor import Actor
from anban.contexts.hazards.figures import Board, Figures, board_of
from anban.contexts.hazards.queries import MAJOR, Filters
from anban.contexts.hazards.trends import SPAN_DAYS, Spans, found_lately
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules.statistics.poisson_change import PoissonFacts, poisson_change
from anban.web.desk.ledger import address
from anban.web.desk.wording import proof_name
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Figure, MapArea, Tab, Tone, Trend
from anban.web.shell.outlines import ETDZ_CODE, outline_map
from anban.web.shell.wording import in_english

FIGURES: Final[Mapping[str, tuple[Any, dict[str, Any]]]] = {
    "open": (gettext_lazy("未销号"), {"open_only": True}),
    "overdue": (gettext_lazy("逾期"), {"due": "overdue"}),
    "major": (gettext_lazy("重大（含疑似、待判）"), {"open_only": True, "grade": ",".join(MAJOR)}),
    "rebound": (gettext_lazy("反弹未销号"), {"open_only": True, "rebound": True}),
    "penalised_open": (gettext_lazy("罚而未改"), {"open_only": True, "penalised": True}),
    "closed": (gettext_lazy("已销号"), {"closed_only": True}),
}
"""The six figures in their order: what each is called, and the filters of the list it opens."""

PROOFS: Final = {
    "closed_on_site": "on_site",
    "closed_photo": "photo",
    "closed_declared": "declared",
    "closed_inferred": "inferred",
}
"""How closes were proved; the levels are shown apart and never added to one rate."""

SHORT: Final = {"major": gettext_lazy("重大"), "rebound": gettext_lazy("反弹")}
"""What figures are called at the head of a table, where there is little room."""

OUTLINE_OF: Final = {"BDA": ETDZ_CODE}
"""Areas that the map knows under another code."""

CHANCE: Final = 0.05
"""Above this p-value a difference is called not told apart from chance."""

STREETS_SHOWN: Final = 20
STREETS_ON_WALL: Final = 9
STREET_PARTS: Final = 3


def list_filters(figure: str, *, overview: str = "", area: str = "") -> Filters:
    """Return the filters of the list that a figure of an area opens."""
    if figure in PROOFS:
        return Filters(closed_only=True, proof=PROOFS[figure], overview=overview, area=area)
    return Filters(**FIGURES[figure][1], overview=overview, area=area)


def list_href(figure: str, *, overview: str = "", area: str = "") -> str:
    """Return the address of the list that a figure of an area opens."""
    return address(list_filters(figure, overview=overview, area=area))


def written(number: int) -> str:
    """Return a count as a page shows it: `12 345`."""
    return f"{number:,}".replace(",", " ")


@dataclass(frozen=True, slots=True)
class Row:
    """One area of a table: its name, the area above it, and its six numbers with the lists they open."""

    name: str
    above: str
    href: str
    cells: tuple[tuple[str, str, str], ...]
    """(figure, number, address); an empty address where no list has exactly this count."""


def row_of(name: str, figures: Figures, *, above: str = "", href: str = "", overview: str = "", area: str = "",
           linked: bool = True) -> Row:  # fmt: skip
    """Return one area as a row."""
    cells = tuple(
        (key, written(getattr(figures, key)), list_href(key, overview=overview, area=area) if linked else "")
        for key in FIGURES
    )
    return Row(name, above, href, cells)


@needs(*OFFICIALS)
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show the whole of what I may see."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    found = board_of(actor, at=at)
    wall = request.GET.get("wall") == "1"
    figure = request.GET.get("figure", "open")
    figure = figure if figure in FIGURES else "open"
    areas = {a.code: a for a in territory.overview_areas(actor.root)}
    whole = covers_root(actor, areas.values())
    by_overview = found.by_overview()
    mapped = whole and len({o.code for o in outline_map().areas} & {OUTLINE_OF.get(code, code) for code in areas}) > 1
    names = _names(actor, found)
    seen = areas if whole else {code: area for code, area in areas.items() if code in by_overview}
    with_data = [code for code in areas if by_overview.get(code, Figures()).total]
    label = str(FIGURES[figure][0])
    streets = _streets(found, names, {a.code: _name(a) for a in areas.values()})
    context = {
        **_frame(request, found, at, wall=wall),
        "total": _figures(found.total, trends=_trends(actor, city_date(at, actor.zone))),
        "proofs": _proofs(found.total),
        "tabs": [
            Tab(str(name), f"?figure={key}{'&wall=1' if wall else ''}", current=key == figure)
            for key, (name, _filters) in FIGURES.items()
        ],
        "map": [
            MapArea(
                OUTLINE_OF.get(code, code), _name(area), float(getattr(by_overview.get(code, Figures()), figure)) if code in with_data else None,
                written(getattr(by_overview[code], figure)) if code in with_data else _("无数据"),
                list_href(figure, overview=code) if code in with_data else "",
            )
            for code, area in areas.items()
        ]
        if mapped
        else (),
        "map_label": label,
        "partial": _("%(all)s 个区中 %(some)s 个有数据，其余还没有上账。") % {"all": len(areas), "some": len(with_data)}
        if whole and 0 < len(with_data) < len(areas)
        else "",
        "districts": _districts(seen, by_overview),
        "streets": streets[: STREETS_ON_WALL if wall else STREETS_SHOWN],
        "more_streets": max(0, len(streets) - STREETS_SHOWN),
        "heads": _heads(),
        "title": _("全市总览") if whole else _("我的辖区总览"),
        "scope": territory.scope_label(actor, english=in_english()),
    }  # fmt: skip
    return render(request, "board/board.html", context)


@needs(*OFFICIALS)
@require_GET
def district(request: HttpRequest, code: str) -> HttpResponse:
    """Show one district (or managing area) by its streets."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    areas = {a.code: a for a in territory.overview_areas(actor.root)}
    area = areas.get(code)
    whole = board_of(actor, at=at)
    found = whole.of(code)
    if area is None or (not found.cells and not covers_root(actor, areas.values())):
        raise Http404
    names = _names(actor, found)
    context = {
        **_frame(request, found, at, wall=False),
        "total": _figures(found.total, overview=code),
        "proofs": _proofs(found.total, overview=code),
        "streets": _streets(found, names, {code: _name(area)}),
        "heads": _heads(),
        "title": _name(area),
        "crumbs": (Crumb(_("全市总览"), "/board/"), Crumb(_name(area))),
    }
    return render(request, "board/district.html", context)


def covers_root(actor: Actor, areas: Iterable[Any]) -> bool:
    """Tell whether the actor's areas hold every area of the overview, whatever its sector."""
    prefixes = territory.scope_paths(actor)
    return prefixes is None or all(any(area.path.startswith(prefix) for prefix in prefixes) for area in areas)


def _name(area: Any) -> str:
    return str(area.name_en if in_english() else area.name)


def _names(actor: Actor, found: Board) -> dict[str, str]:
    paths = list({path for _code, path in found.cells if path})
    side = 1 if in_english() else 0
    return {path: pair[side] for path, pair in territory.area_names(actor.root, paths).items()} if paths else {}


def _frame(request: HttpRequest, found: Board, at: datetime, *, wall: bool) -> dict[str, Any]:
    """Return what every page of the board says about itself: when it was summed, and how to fill a wall with it."""
    return {
        "now": at,
        "wall": wall,
        "made_at": found.made_at,
        "source": found.source,
        "stale": found.stale and found.source == "roll_up",
        "missing": found.source == "none",
        "nothing": found.source != "none" and not found.total.total,
        "wall_href": "?wall=1",
        "plain_href": "/board/",
        "begin": Action(_("上报隐患"), "/report/", Tone.PRIMARY),
        "refresh": request.get_full_path(),
    }


@lru_cache(maxsize=4096)
def _told_apart(before: int, after: int, on: date) -> bool:
    """Tell whether two counts differ by more than chance, by the exact comparison."""
    return float(str(poisson_change(PoissonFacts(before=before, after=after), on).outcome["p_value"])) < CHANCE


def _trends(actor: Actor, on: date) -> dict[str, Trend]:
    """Return how much was found lately against the span before, with whether chance explains the difference as well."""
    spans = Spans.to(on)
    made = {}
    for key, found in found_lately(actor, on).items():
        if not found.before and not found.after:
            continue
        chosen = replace(Filters(**FIGURES[key][1]), open_only=False)
        late = replace(chosen, found_from=spans.after_from, found_until=spans.until)
        early = replace(chosen, found_from=spans.before_from, found_until=spans.after_from)
        names = {"days": SPAN_DAYS, "late": written(found.after), "early": written(found.before)}
        made[key] = Trend(
            "",
            "up" if found.after > found.before else "down" if found.after < found.before else "flat",
            certain=_told_apart(found.before, found.after, on),
            links=(
                (_("近%(days)s天发现 %(late)s") % names, address(late)),
                (_("前%(days)s天 %(early)s") % names, address(early)),
            ),
        )
    return made


def _figures(figures: Figures, overview: str = "", trends: Mapping[str, Trend] | None = None) -> list[Figure]:
    return [
        Figure(
            written(getattr(figures, key)),
            str(name),
            list_href(key, overview=overview),
            trend=(trends or {}).get(key),
            quiet=getattr(figures, key) == 0,
        )
        for key, (name, _filters) in FIGURES.items()
    ]


def _proofs(figures: Figures, overview: str = "") -> list[tuple[str, str, str]]:
    """Return how the closes were proved, level by level; inferred ones appear only where there is foreign history."""
    return [
        (proof_name(level), written(getattr(figures, key)), list_href(key, overview=overview))
        for key, level in PROOFS.items()
        if key != "closed_inferred" or figures.closed_inferred
    ]


def _heads() -> list[tuple[str, str]]:
    return [(key, str(SHORT.get(key, name))) for key, (name, _filters) in FIGURES.items()]


def _districts(areas: Mapping[str, Any], by_overview: Mapping[str, Figures]) -> list[Row]:
    return [
        row_of(_name(area), by_overview.get(code, Figures()), href=f"/board/{code}/", overview=code)
        for code, area in sorted(areas.items(), key=lambda pair: _debt(by_overview.get(pair[0], Figures()), pair[0]))
    ]


def _streets(found: Board, names: Mapping[str, str], districts: Mapping[str, str]) -> list[Row]:
    """Return the streets, those with the most overdue first; what lies above a street has no list of its own and no links."""
    paths = {path for _code, path in found.cells}
    made = []
    for (code, path), figures in sorted(found.cells.items(), key=lambda item: _debt(item[1], item[0][1])):
        if path.count("/") < STREET_PARTS and len(paths) > 1 and any(p.count("/") >= STREET_PARTS for p in paths):
            name, linked = _("未落到街道"), False
        else:
            name, linked = names.get(path, "") or path or _("地区不明"), bool(path)
        if any(other != path and other.startswith(path) for other in paths):
            linked = False
        above = districts.get(code, "")
        made.append(
            row_of(name, figures, above="" if above == name else above, overview=code, area=path, linked=linked)
        )
    return made


def _debt(figures: Figures, last: str) -> tuple[int, int, int, str]:
    return (-figures.overdue, -figures.penalised_open - figures.rebound, -figures.open, last)
