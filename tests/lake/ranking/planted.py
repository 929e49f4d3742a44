"""A city whose truth is known: every place has a propensity of its own, every inspector group a strictness of its own."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

AS_OF = date(2024, 7, 1)
LABEL = {"kind": "routine", "column": "result", "equals": "fail"}


@dataclass(frozen=True)
class Planted:
    """Tables of texts, and the truth: each place's log-odds and whether its next visit would find something."""

    tables: dict[str, pa.Table]
    truth: np.ndarray
    coming: np.ndarray
    group_of: np.ndarray

    @property
    def ids(self) -> list[str]:
        """Return the ids of the places."""
        return self.tables["establishments"]["establishment_id"].to_pylist()


def plant(
    *, places: int = 500, spread: float = 1.2, seed: int = 5, strict: float = 0.0, per_year: float = 4.0
) -> Planted:
    """Return a city of three years; ``strict`` makes the groups differ, each group visiting one side of the city only."""
    random = np.random.default_rng(seed)
    truth = -1.5 + spread * random.standard_normal(places)
    group = random.integers(0, 3, places)
    strictness = strict * (group - 1.0)
    ids = [f"P{each}" for each in random.permutation(10_000)[:places]]
    visits, cited = [], []
    for place in range(places):
        day = AS_OF - timedelta(days=int(random.integers(900, 1095)))
        while day < AS_OF:
            fails = random.random() < 1 / (1 + np.exp(-(truth[place] + strictness[place])))
            number = f"V{random.integers(1 << 40):x}"
            kind = "routine" if random.random() < 0.85 else "complaint"
            visits.append((number, ids[place], day.isoformat(), kind, "fail" if fails else "pass", f"g{group[place]}"))
            if fails:
                cited.append((number, str(random.integers(1, 6))))
            day += timedelta(days=int(random.exponential(365 / per_year)) + 7)
    order = random.permutation(len(visits))
    visits = [visits[each] for each in order]
    names = ("inspection_id", "establishment_id", "date", "kind", "result", "inspector_group")
    tables = {
        "establishments": pa.table(
            {
                "establishment_id": ids,
                "category": [f"c{each}" for each in random.integers(0, 4, places)],
                "district": [f"d{each}" for each in group],
            }
        ),
        "inspections": pa.table(dict(zip(names, map(list, zip(*visits, strict=True)), strict=True))),
        "hazards": pa.table({"inspection_id": [a for a, _ in cited], "code": [b for _, b in cited]}),
    }
    coming = random.random(places) < 1 / (1 + np.exp(-truth))
    return Planted(tables, truth, coming.astype(float), group)


def write(folder: Path, tables: dict[str, pa.Table], ids: list[str], label: dict[str, object] | None = None) -> Path:
    """Write a folder in the generic shape, with one row to rank for each id."""
    folder.mkdir(parents=True, exist_ok=True)
    meta = {"as_of": AS_OF.isoformat(), "window": [AS_OF.isoformat(), "2024-08-29"], "label": label or LABEL}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    tests = pa.table({"inspection_id": [f"T{number}" for number in range(len(ids))], "establishment_id": ids})
    for name, table in {**tables, "test": tests}.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table.column_names)
            writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return folder
