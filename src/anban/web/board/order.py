"""How the order is made (排序说明): the card of the newest assessment, its calibration, how it treats areas, what it isn't for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from anban.base.people.actor import Actor
from anban.contexts.risk import queries
from anban.contexts.territory import queries as territory
from anban.lake.reading import Reading
from anban.rules.errors import Refusal
from anban.web.board.board import written
from anban.web.board.risk_words import percent
from anban.web.desk.places import area_words
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Crumb
from anban.web.shell.wording import in_english

SIDE: Final = 240
MARGIN: Final = 40
FEW_VISITS: Final = 20
"""Below this number of visits an area's own share of finds is not told: it would be luck."""


@needs(*OFFICIALS)
@require_GET
def order(request: HttpRequest) -> HttpResponse:
    """Show what the order of the newest assessment is made of and how well it did."""
    actor = actor_of(request)
    newest = queries.current(actor)
    context: dict[str, Any] = {
        "title": _("排序怎么来的"), "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(_("排序怎么来的"))), "newest": newest,
        "scope": territory.scope_label(actor, english=in_english()),
    }  # fmt: skip
    if newest is not None:
        try:
            context |= _told(actor, Reading.of(newest.root, newest.folder).card())
        except Refusal as refusal:
            context["problem"] = said(refusal)
    return render(request, "board/order.html", context)


def _told(actor: Actor, card: Mapping[str, Any]) -> dict[str, Any]:
    training = card.get("training", {})
    if card["way"] != "learned":
        return {
            "learned": False,
            "why": card["why"] if in_english() else card.get("why_zh", card["why"]),
            "rows": training.get("rows"),
            "finds": training.get("finds"),
        }
    data, sample = card["data"], card.get("sample", {})
    return {
        "learned": True, "model": card.get("model"), "position": card["data_position"], "as_of": card["as_of"],
        "drawn": written(sample.get("places", 0)), "drawn_from": written(sample["of"]) if sample else "",
        "places": written(data["places"]), "visits": written(data["visits"]), "known": written(data["with_outcome"]),
        "base": percent(data["base_rate"]), "groups": data["inspector_groups"],
        "sample": written(training["rows"]), "finds": written(training["finds"]), "seed": training["seed"],
        "window_days": training["window_days"], "features": len(card["features"]),
        "windows": [
            {
                "on": each["from"], "visits": written(each["visits"]), "finds": written(each["finds"]), "auc": f"{each['auc']:.2f}",
                "within": "—" if (within := each.get("within_group_auc")) is None else f"{within:.2f}",
            }
            for each in card["earlier_windows"]
        ],
        "plot": plot(card["calibration"]),
        **_equity(actor, card["equity"]),
    }  # fmt: skip


def _equity(actor: Actor, equity: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the order treats the areas that the actor reads whole; areas of the card go by their paths."""
    whole = [path for path, kinds in queries.reaches(actor) if kinds is None]
    rows = [each for each in equity["areas"] if any(each["area"].startswith(path) for path in whole)]
    names = area_words(actor.root, [each["area"] for each in rows])
    return {
        "areas": [
            {
                "name": names.get(each["area"]) or each["area"], "places": written(each["places"]),
                "chance": percent(each["mean_chance"]), "top": percent(each["share_in_top_tenth"]),
                "visits": written(each["visits_last_year"]),
                "found": percent(each["found_last_year"]) if each["visits_last_year"] >= FEW_VISITS else "—",
            }
            for each in sorted(rows, key=lambda one: (-one["share_in_top_tenth"], one["area"]))
        ],
        "few": FEW_VISITS,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plot:
    """Promised against found, by tenth: points on a square whose diagonal is a promise kept."""

    points: tuple[tuple[float, float, str, str, str], ...]
    """(x, y, promised, found, visits)"""
    ticks: tuple[tuple[float, float, str], ...]
    side: int = SIDE
    margin: int = MARGIN

    @property
    def far(self) -> int:
        """Return where the square ends."""
        return self.margin + self.side


def plot(tenths: Sequence[Mapping[str, float]]) -> Plot | None:
    """Return the calibration as points; None where no earlier window could be held against."""
    if not tenths:
        return None
    highest = max(max(each["predicted"], each["found"]) for each in tenths)
    top = min(1.0, (int(highest * 10) + 1) / 10)

    def at(share: float) -> float:
        return round(SIDE * share / top, 1)

    return Plot(
        tuple(
            (MARGIN + at(each["predicted"]), SIDE - at(each["found"]) + 8, percent(each["predicted"]), percent(each["found"]), written(int(each["rows"])))
            for each in tenths
        ),
        tuple((MARGIN + at(top * n / 2), SIDE - at(top * n / 2) + 8, percent(top * n / 2)) for n in range(3)),
    )  # fmt: skip
