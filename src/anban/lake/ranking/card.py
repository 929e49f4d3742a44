"""The model's card: what it was made from, what it looks at, how well it is calibrated, and how it treats the areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        "equity": Areas.of(city, rows, 1 / (1 + np.exp(-scores))).told(),
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


@dataclass(frozen=True, slots=True)
class Areas:
    """Places by area: the area and chance of each, and, by area, visits of the last year with an outcome and what they found."""

    by: str | None
    levels: tuple[str, ...]
    area: Ints
    chance: Floats
    visits: Ints
    finds: Ints

    @classmethod
    def of(cls, city: City, rows: Ints, chance: Floats) -> Areas:
        """Return some places of a city by the first of its columns that names areas."""
        name = next((each for each in AREAS if each in city.names and 2 <= len(city.names[each]) <= 2000), None)
        none = np.zeros(0, dtype=np.int64)
        if name is None or not len(rows):
            return cls(None, (), none, np.zeros(0), none, none)
        column: Names = city.names[name]
        recent = city.labeled & (city.visit_day >= city.as_of - 365)
        where = column.code[city.visit_place[recent]]
        found = (city.visit_found[recent] == 1) & (where >= 0)
        visits, finds = (np.bincount(where[each], minlength=len(column)) for each in (where >= 0, found))
        return cls(name, column.levels, column.code[rows], chance, visits, finds)

    @classmethod
    def together(cls, parts: Sequence[Areas]) -> Areas:
        """Return the parts of a city as one."""
        parts = [each for each in parts if each.by is not None]
        levels = tuple(sorted({level for each in parts for level in each.levels}))
        rank = {level: number for number, level in enumerate(levels)}
        turns = [np.array([*(rank[level] for level in each.levels), -1], dtype=np.int64) for each in parts]
        visits, finds = np.zeros(len(levels), dtype=np.int64), np.zeros(len(levels), dtype=np.int64)
        for each, turn in zip(parts, turns, strict=True):
            np.add.at(visits, turn[:-1], each.visits)
            np.add.at(finds, turn[:-1], each.finds)
        none = np.zeros(0, dtype=np.int64)
        return cls(
            parts[0].by if parts else None, levels,
            np.concatenate([none, *(turn[each.area] for each, turn in zip(parts, turns, strict=True))]),
            np.concatenate([np.zeros(0), *(each.chance for each in parts)]), visits, finds,
        )  # fmt: skip

    def told(self, most: int = 60) -> dict[str, Any]:
        """Return by area, the largest first: places, mean chance, share in the top tenth, and what visits of the last year found."""
        top = np.zeros(len(self.chance), dtype=bool)
        top[np.argsort(-self.chance, kind="stable")[: max(len(self.chance) // 10, 1)]] = True
        there = self.area >= 0
        count, chance, first = (
            np.bincount(self.area[there], weight, minlength=len(self.levels))
            for weight in (None, self.chance[there], top[there])
        )
        areas = [
            {
                "area": self.levels[number], "places": int(count[number]),
                "mean_chance": round(float(chance[number] / count[number]), 4),
                "share_in_top_tenth": round(float(first[number] / count[number]), 4),
                "visits_last_year": int(self.visits[number]),
                "found_last_year": round(float(self.finds[number] / self.visits[number]), 4) if self.visits[number] else None,
            }
            for number in np.argsort(-count, kind="stable")[:most].tolist()
            if count[number]
        ]  # fmt: skip
        return {"by": self.by, "areas": areas}


__all__ = ["Areas", "auc", "calibration", "card_of", "tenths"]
