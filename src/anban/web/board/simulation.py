"""The page of the simulated city (策略模拟): what the policies come to at equal effort, with intervals, and where ours is not best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anban.contexts.risk import queries
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Crumb

POLICIES: Final = {
    "none": gettext_lazy("不检查"),
    "random": gettext_lazy("随机抽查（双随机）"),
    "oldest": gettext_lazy("最久未查的先查"),
    "violators_first": gettext_lazy("有前科的一直先查"),
    "violators_then_oldest": gettext_lazy("有前科的每60日一查，余按最久未查"),
    "highest_rate": gettext_lazy("估计最易出隐患的先查"),
    "myopic": gettext_lazy("只看当天收益"),
    "index": gettext_lazy("指数法"),
    "ours": gettext_lazy("本系统的建议顺序（含5%随机）"),
    "oracle": gettext_lazy("知道真相的指数法（做不到，只作上界）"),
}
SCENARIOS: Final = {
    "base": gettext_lazy("基准"),
    "open_city": gettext_lazy("有热线和报警器"),
    "campaign": gettext_lazy("运动式检查"),
    "recheck": gettext_lazy("销号后复查"),
    "faking_5": gettext_lazy("5%的人走过场"),
    "faking_20": gettext_lazy("20%的人走过场"),
    "calls_collapse": gettext_lazy("群众不敢打电话"),
    "acceptor_shortage": gettext_lazy("验收忙不过来"),
    "false_closing": gettext_lazy("三成没改先销号"),
    "misjudged": gettext_lazy("实际比以为的差"),
    "instructed": gettext_lazy("批示到哪里，查到哪里"),
    "count_target": gettext_lazy("以查出数量考核"),
}
SHORT: Final = {**POLICIES, "ours": gettext_lazy("本系统"), "oldest": gettext_lazy("最久未查")}
"""Policies where there is little room."""
CLOSED_FORMS: Final = {
    "share clean": gettext_lazy("没有隐患的时间占比"),
    "share hidden": gettext_lazy("有隐患、没人知道的时间占比"),
    "share known": gettext_lazy("已发现、正在整改的时间占比"),
    "hidden after a year unseen": gettext_lazy("一年没人去，藏着隐患的机会"),
}
WIDTH: Final = 320
"""Width of the bars, in the drawing's units."""


@needs(*OFFICIALS)
@require_GET
def simulation(request: HttpRequest) -> HttpResponse:
    """Show the newest comparison, one scenario at a time."""
    row = queries.simulation(actor_of(request))
    context: dict[str, Any] = {
        "title": _("策略模拟"), "crumbs": (Crumb(_("风险"), "/risk/"), Crumb(_("策略模拟"))), "row": row,
    }  # fmt: skip
    if row is None:
        return render(request, "board/simulation.html", context)
    result = orjson.loads(row.result)
    comparisons = {each["scenario"]: each for each in result["comparisons"]}
    wanted = request.GET.get("scenario", "")
    shown = comparisons.get(wanted) or result["comparisons"][0]
    worst = max(each["outcome"]["hidden_per_site_year"] for each in shown["rows"])
    context |= {
        "scenarios": [_scenario(name, comparisons.get(name), name == shown["scenario"]) for name in SCENARIOS],
        "scenario": SCENARIOS.get(shown["scenario"], shown["scenario"]),
        "cities": shown["seeds"],
        "sites": round(shown["setting"]["sites"]),
        "visits": f"{shown['setting']['visits_a_day']:g}",
        "rows": [_row(each, worst) for each in shown["rows"]],
        "same": _told(shown["same_against_same"]),
        "checks": [
            {
                "name": CLOSED_FORMS.get(each["name"], each["name"]),
                "said": f"{each['expected']:.4f}",
                "found": f"{each['found']:.4f}",
            }
            for each in result["closed_forms"]
        ],
        "cells": [
            {
                "detection": f"{each['changes']['detection']:.0%}",
                "rebound": f"{each['changes']['rebound']:.0%}",
                "visits": f"{each['changes']['visits_a_day']:g}",
                "best": SHORT.get(each["best"], each["best"]),
                "ours_is_best": each["best"] == "ours",
                "difference": _told(each["ours_to_index"]),
            }
            for each in result["map"]
        ],
    }
    return render(request, "board/simulation.html", context)


def _scenario(name: str, comparison: Mapping[str, Any] | None, is_shown: bool) -> dict[str, Any]:
    """Return one scenario in a line: what the policies hide there, which is best, and by how much ours differs; all are listed, run or not."""
    told = {"name": SCENARIOS[name], "shown": is_shown, "run": comparison is not None}
    if comparison is None:
        return told
    rows = {each["policy"]: each for each in comparison["rows"]}
    hidden = {policy: each["outcome"]["hidden_per_site_year"] for policy, each in rows.items()}
    best = min((policy for policy in hidden if policy not in {"none", "oracle"}), key=lambda policy: hidden[policy])
    return {
        **told, "href": f"?scenario={name}#policies", "best": SHORT.get(best, best), "ours_is_best": best == "ours",
        "random": f"{hidden['random']:.0f}", "index": f"{hidden['index']:.0f}",
        "ours": f"{hidden['ours']:.0f}" if "ours" in hidden else "—",
        "against_random": _told(rows["ours"]["averted_vs_random_pct"], "%") if "ours" in rows else "—",
        "against_index": _told(rows["ours"]["hidden_vs_index"]) if "ours" in rows else "—",
    }  # fmt: skip


def _row(each: Mapping[str, Any], worst: float) -> dict[str, Any]:
    outcome, name = each["outcome"], each["policy"]
    return {
        "name": POLICIES.get(name, name),
        "ours": name == "ours",
        "bound": name == "oracle",
        "hidden": f"{outcome['hidden_per_site_year']:.0f}",
        "bar": round(WIDTH * outcome["hidden_per_site_year"] / worst, 1) if worst else 0,
        "against_random": "—" if name in {"random", "none"} else _told(each["averted_vs_random_pct"], "%"),
        "found": f"{outcome['found_share']:.0%}" if outcome["visits"] else "—",
        "unseen": f"{outcome['long_unseen_share']:.0%}",
        "clean": f"{outcome['clean_share']:.0%}" if outcome["visits"] else "—",
    }


def _told(interval: Mapping[str, float], unit: str = "") -> str:
    """Return a mean with its interval, as `+53.8% [+51.6, +56.0]`."""
    return f"{interval['mean']:+.1f}{unit} [{interval['low95']:+.1f}, {interval['high95']:+.1f}]"
