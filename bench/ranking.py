"""The risk order on past windows of a folder beside the published model's terms: ``python -m bench.ranking DIR [--variants] [--json FILE]``.

Each window is ranked by the engine as of its first day, from what lies before it, and scored on the visits that were made in it.
The comparison is a logistic model on the ten published place terms (last visit critical, last visit serious, time since, age, two
licenses, three heats), with the inspector groups in training and left out when ranking, as in the published figure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from anban.lake.ranking import Label, Setting, rank
from anban.lake.ranking.card import tenths
from anban.lake.ranking.city import city_of, date_of, day_number, texts
from anban.lake.ranking.features import Book
from anban.lake.ranking.folder import Folder, read
from anban.lake.ranking.training import auc, rows_of, set_aside, strict_of, within_auc

Tables = dict[str, pa.Table]
PUBLISHED = ("pastCritical", "pastSerious", "timeSinceLast", "ageOver4", "consumption", "tobacco", "near")


@dataclass
class Window:
    """One window: what was found in it, on which day, by whom, and the order of each way."""

    start: date
    found: np.ndarray
    day: np.ndarray
    group: np.ndarray
    area: np.ndarray
    scores: dict[str, np.ndarray]
    chance: np.ndarray


def days_earlier(scores: np.ndarray, found: np.ndarray, day: np.ndarray) -> float:
    """Return by how many days finds come earlier when every day keeps its number of visits; ties share their slots."""
    slots = np.sort(day)
    value, tied = np.unique(-scores, return_inverse=True)
    slot = np.add.reduceat(slots, np.searchsorted(np.sort(tied), np.arange(len(value)))) / np.bincount(tied)
    return float((day - slot[tied])[found == 1].mean())


def half(scores: np.ndarray, found: np.ndarray) -> float:
    """Return the share of the finds in the first half."""
    first = np.argsort(-scores, kind="stable")[: len(scores) // 2]
    return float(found[first].sum() / found.sum())


def published(tables: Tables, start: date, label: Label, wanted: list[str], window_days: int) -> np.ndarray:
    """Return the order of a logistic model on the published place terms, trained on what lies before the window."""
    city = city_of(tables, start, label, pa.chunked_array([pa.array(wanted, pa.string())]))
    expected, _, _ = strict_of(city)
    book = Book(city, expected, 0.15)
    where = {str(each): number for number, each in enumerate(city.place_ids)}
    rows = rows_of(city, Setting(window_days=window_days))
    place = np.concatenate((city.visit_place[rows.visit], np.array([where[each] for each in wanted])))
    day = np.concatenate((rows.origin, np.full(len(wanted), city.as_of)))
    features = book.features(place, day)
    begin, end = book.known.positions(place, day)
    terms = []
    for severity in ("critical", "serious"):
        column = city.visit_numbers.get(f"n_{severity}")
        if column is not None:
            terms.append(np.nan_to_num(book.known.last((column[book.labeled] >= 1).astype(float), begin, end)))
    if not terms:
        terms.append(np.nan_to_num(book.known.last(city.visit_found[book.labeled], begin, end)))
    terms.append(np.minimum(np.nan_to_num(book.known.waited(day, begin, end), nan=730.0) / 365.0, 2.0))
    for name in features.names:
        if name.startswith("age.licence_first"):
            terms.append((features.column(name) > np.log1p(4 * 365)).astype(float))
        elif name.startswith("near.") and name.endswith(".90"):
            terms.append(np.nan_to_num(features.column(name)))
        elif name.startswith("has.other_licences=") and name.rsplit("=")[1].startswith(
            ("consumption_on_premises", "tobacco")
        ):
            terms.append(features.column(name))
    matrix = np.column_stack(terms)
    matrix = (matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9)
    aside, count = set_aside(city, rows.visit)
    training = np.hstack((matrix[: len(rows.visit)], aside[:, :count]))
    with threadpool_limits(1):
        model = LogisticRegression(C=100.0, max_iter=500).fit(training, rows.found)
    return np.asarray(matrix[len(rows.visit) :] @ model.coef_[0][: matrix.shape[1]])


def windows_before(as_of: date, count: int = 7) -> list[tuple[date, date]]:
    """Return the last two-month blocks that end before the first of the month of ``as_of``."""
    out = []
    end = as_of.replace(day=1)
    for _ in range(count):
        start = end
        for _ in range(2):
            start = (start - timedelta(days=1)).replace(day=1)
        out.append((start, end))
        end = start
    return out[::-1]


def measured(tables: Tables, label: Label, blocks: list[tuple[date, date]]) -> Iterator[Window]:
    """Rank each window from its past and read what was found in it."""
    whole = city_of(tables, blocks[-1][1], label)
    ids = whole.place_ids
    for start, end in blocks:
        inside = np.flatnonzero(
            whole.labeled & (whole.visit_day >= day_number(start)) & (whole.visit_day < day_number(end))
        )
        wanted = [str(each) for each in ids[whole.visit_place[inside]]]
        length = (end - start).days
        ours = rank(tables, start, label, wanted=wanted, setting=Setting(window_days=60))
        area = whole.names.get("police_district")
        yield Window(
            start, whole.visit_found[inside], whole.visit_day[inside].astype(float), whole.visit_group.code[inside],
            area.code[whole.visit_place[inside]] if area else np.zeros(len(inside)),
            {"ours": ours.scores, "published": published(tables, start, label, wanted, length)}, ours.probabilities,
        )  # fmt: skip


def report(windows: list[Window]) -> dict[str, object]:
    """Print the table of the windows and return it."""
    print("| window | visits | finds | days earlier ours / published | first half | AUC | within group AUC |")
    print("|---|---|---|---|---|---|---|")
    table: dict[str, list[list[float]]] = {"ours": [], "published": []}
    for each in windows:
        for way, rows in table.items():
            scores = each.scores[way]
            rows.append(
                [
                    days_earlier(scores, each.found, each.day),
                    half(scores, each.found),
                    auc(scores, each.found),
                    within_auc(scores, each.found, each.group),
                ]
            )
        a, b = table["ours"][-1], table["published"][-1]
        print(
            f"| from {each.start} | {len(each.found)} | {int(each.found.sum())} | {a[0]:.2f} / {b[0]:.2f} | {a[1]:.1%} / {b[1]:.1%} "
            f"| {a[2]:.3f} / {b[2]:.3f} | {a[3]:.3f} / {b[3]:.3f} |"
        )
    ours, other = np.array(table["ours"]), np.array(table["published"])
    mean = np.nanmean(ours, axis=0), np.nanmean(other, axis=0)
    print(
        f"| mean | | | {mean[0][0]:.2f} / {mean[1][0]:.2f} | {mean[0][1]:.1%} / {mean[1][1]:.1%} | {mean[0][2]:.3f} / {mean[1][2]:.3f} "
        f"| {mean[0][3]:.3f} / {mean[1][3]:.3f} |"
    )
    out: dict[str, object] = {"ours": mean[0].tolist(), "published": mean[1].tolist()}
    for number, name in ((0, "days"), (2, "auc")):
        gap = ours[:, number] - other[:, number]
        error = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else float("nan")
        out[f"difference_{name}"] = [float(gap.mean()), float(error), int((gap > 0).sum())]
        print(
            f"{name}: ours − published {gap.mean():+.3f}, standard error {error:.3f}, better in {(gap > 0).sum()} of {len(gap)}"
        )
    return out


def _result_fails(tables: Tables) -> tuple[Tables, Label]:
    return tables, Label("routine", "result", equals=("fail",))


def _without(name: str, *columns: str) -> Callable[[Tables], Tables]:
    def change(tables: Tables) -> Tables:
        return {**tables, name: tables[name].drop_columns(list(columns))}

    return change


def variants(tables: Tables, label: Label) -> Iterator[tuple[str, Tables, Label]]:
    """Return the folder as other cities would have it: another label, fewer columns, fewer tables, fewer places."""
    places = _without("establishments", "latitude", "longitude", "ward", "police_district", "zip")(tables)
    counts = _without("inspections", "n_critical", "n_serious", "n_minor", "inspector_group")(tables)
    fails = Label("routine", "result", equals=("fail",))
    empty = tables["hazards"].slice(0, 0)
    ids = texts(tables["establishments"], "establishment_id").to_pylist()
    some = {each for each in ids if hash_of(each) % 5 == 0}
    yield "label: result is fail", tables, fails
    yield "no coordinates, no areas, no signals", {**{k: v for k, v in places.items() if k != "signals"}}, label
    yield (
        "result only: no counts, no inspectors, no severity",
        {**counts, "hazards": counts["hazards"].drop_columns(["severity"])},
        fails,
    )
    yield (
        "bare: id, date, kind, result; no hazards",
        {
            "establishments": tables["establishments"].select(["establishment_id"]),
            "inspections": tables["inspections"].select(
                ["inspection_id", "establishment_id", "date", "kind", "result"]
            ),
            "hazards": empty,
        },
        fails,
    )
    yield (
        "a fifth of the places",
        {
            **tables,
            "establishments": tables["establishments"].filter(pa.array([each in some for each in ids])),
        },
        label,
    )


def hash_of(text: str) -> int:
    """Return a number that depends on the text alone."""
    return int.from_bytes(text.encode()[-6:].rjust(6, b"0"), "big") * 2654435761 % 4294967296 >> 7


def figure(out: dict[str, object]) -> str:
    """Return calibration and equity as one drawing."""
    calibration: list[dict[str, float]] = out["calibration"]  # type: ignore[assignment]
    areas: list[dict[str, float]] = out["equity"]  # type: ignore[assignment]
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 330" font-family="system-ui, sans-serif" font-size="12" fill="#222">',
        '<rect width="760" height="330" fill="#fff"/>',
        '<text x="50" y="24" font-size="14">Calibration: promised and found, by tenth</text>',
        '<text x="420" y="24" font-size="14">Equity: promised and found, by police district</text>',
    ]
    for left, rows, first in ((50, calibration, "predicted"), (420, areas, "promised")):
        top = max(max(each[first], each["found"]) for each in rows) * 1.1

        def x(value: float, left: int = left, top: float = top) -> float:
            return left + 290 * value / top

        def y(value: float, top: float = top) -> float:
            return 280 - 230 * value / top

        parts.append(f'<line x1="{left}" y1="280" x2="{left + 290}" y2="50" stroke="#bbb" stroke-dasharray="4 4"/>')
        parts.append(f'<path d="M{left} 50V280H{left + 290}" fill="none" stroke="#666"/>')
        for number in range(int(top * 20) + 1):
            value = number / 20
            parts.append(f'<text x="{x(value):.0f}" y="297" text-anchor="middle">{value:.0%}</text>')
            parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.0f}" text-anchor="end">{value:.0%}</text>')
        for each in rows:
            error = 1.96 * (each["found"] * (1 - each["found"]) / each.get("rows", each.get("visits", 1))) ** 0.5
            px = x(each[first])
            low, high = y(max(each["found"] - error, 0)), y(min(each["found"] + error, top))
            parts.append(f'<line x1="{px:.1f}" y1="{low:.1f}" x2="{px:.1f}" y2="{high:.1f}" stroke="#9bb7d4"/>')
            parts.append(f'<circle cx="{px:.1f}" cy="{y(each["found"]):.1f}" r="4" fill="#1f5f99"/>')
        parts.append(
            f'<text x="{left + 145}" y="318" text-anchor="middle">promised (bars: 95 % of chance; dashed: equal)</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.ranking")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    folder: Folder = read(options.folder)
    tables = {name: table for name, table in folder.tables.items() if name != "test"}
    blocks = windows_before(folder.as_of)
    if options.variants:
        for name, changed, label in variants(tables, folder.label):
            print(f"\n{name}")
            report(list(measured(changed, label, blocks)))
        return
    windows = list(measured(tables, folder.label, blocks))
    out = report(windows)
    chance, found = (np.concatenate([getattr(each, name) for each in windows]) for name in ("chance", "found"))
    out["calibration"] = tenths(chance, found)
    city = city_of(tables, folder.as_of, folder.label)
    levels = city.names["police_district"].levels if "police_district" in city.names else ()
    first = np.concatenate([np.argsort(np.argsort(-each.scores["ours"])) < len(each.found) // 2 for each in windows])
    area = np.concatenate([each.area for each in windows]).astype(int)
    out["equity"] = [
        {
            "area": level, "visits": int((area == number).sum()), "found": float(found[area == number].mean()),
            "promised": float(chance[area == number].mean()), "in_first_half": float(first[area == number].mean()),
            "finds_in_first_half": float(first[(area == number) & (found == 1)].mean()) if found[area == number].any() else None,
        }
        for number, level in enumerate(levels)
        if (area == number).sum() >= 100
    ]  # fmt: skip
    out["until"] = date_of(day_number(blocks[-1][1])).isoformat()
    if options.figure:
        options.figure.write_text(figure(out), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(out, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
