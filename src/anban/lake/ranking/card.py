"""The model's card: what it was made from, what it looks at, how well it is calibrated, and how it treats the areas."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from anban.lake.ranking.city import City, Names, date_of
from anban.lake.ranking.features import Book
from anban.lake.ranking.history import Floats, Ints
from anban.lake.ranking.training import Model, auc, described

AREAS: Final = (
    "area",
    "area_path",
    "district",
    "street",
    "borough",
    "ward",
    "neighborhood",
    "neighbourhood",
    "police_district",
    "zip",
)


def card_of(city: City, book: Book, model: Model, rows: Ints, scores: Floats, data_position: str) -> dict[str, Any]:
    """Return the card as plain values, ready for JSON."""
    return {
        "as_of": date_of(city.as_of).isoformat(),
        "data_position": data_position,
        "label": {
            "kind": city.label.kind,
            "column": city.label.column,
            **({"at_least": city.label.at_least} if city.label.at_least is not None else {"equals": list(city.label.equals)}),
        },
        "data": {
            "places": city.size, "ranked": len(rows), "visits": len(city.visit_day), "with_outcome": int(city.labeled.sum()),
            "base_rate": round(model.base, 4), "codes_cited": len(city.cited_visit), "signals": len(city.signal_day),
            "inspector_groups": len(city.visit_group),
        },
        "way": model.way,
        "training": model.told,
        "features": list(model.names),
        "earlier_windows": described(model)["windows"],
        "calibration": calibration(model),
        "equity": equity(city, rows, scores),
        "cannot_tell": [
            "places that nobody visits are scored by what they resemble, not by what they hide",
            "the outcome is what a visit found, so it depends on who looked; strictness of groups is set aside, not abolished",
            "a rank is a reason to look, never a finding",
        ],
    }  # fmt: skip


def calibration(model: Model) -> list[dict[str, float]]:
    """Return, by tenth of the earlier windows' predictions, what was promised and what was found."""
    if not model.folds:
        return []
    scores = np.concatenate([each.scores for each in model.folds])
    found = np.concatenate([each.found for each in model.folds])
    chance = 1 / (1 + np.exp(-(model.intercept + model.slope * scores)))
    return tenths(chance, found)


def tenths(chance: Floats, found: Floats) -> list[dict[str, float]]:
    """Return predicted and found share by tenth of the prediction."""
    order = np.argsort(chance, kind="stable")
    return [
        {
            "rows": len(part),
            "predicted": round(float(chance[part].mean()), 4),
            "found": round(float(found[part].mean()), 4),
        }
        for part in np.array_split(order, 10)
        if len(part)
    ]


def equity(city: City, rows: Ints, scores: Floats, most: int = 60) -> dict[str, Any]:
    """Return by area: places ranked, their mean chance, their share of the top tenth, and what visits of the last year found."""
    name = next((each for each in AREAS if each in city.names and 2 <= len(city.names[each]) <= 2000), None)
    if name is None or not len(rows):
        return {"by": None, "areas": []}
    column: Names = city.names[name]
    area = column.code[rows]
    chance = 1 / (1 + np.exp(-scores))
    top = np.zeros(len(rows), dtype=bool)
    top[np.argsort(-scores, kind="stable")[: max(len(rows) // 10, 1)]] = True
    recent = city.labeled & (city.visit_day >= city.as_of - 365)
    where = column.code[city.visit_place[recent]]
    found = city.visit_found[recent]
    out = []
    for number in np.argsort(-np.bincount(area[area >= 0], minlength=len(column)), kind="stable")[:most]:
        mine = area == number
        if not mine.any():
            continue
        seen = found[where == number]
        out.append(
            {
                "area": column.levels[number],
                "places": int(mine.sum()),
                "mean_chance": round(float(chance[mine].mean()), 4),
                "share_in_top_tenth": round(float(top[mine].mean()), 4),
                "visits_last_year": len(seen),
                "found_last_year": round(float(seen.mean()), 4) if len(seen) else None,
            }
        )
    return {"by": name, "areas": out}


__all__ = ["auc", "calibration", "card_of", "equity", "tenths"]
