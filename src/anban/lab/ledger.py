"""Writes a simulated city as files: the product's own import formats, a folder to rank, and the truth beside them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from importlib import resources
from io import TextIOWrapper
from pathlib import Path

import numpy as np

from anban.lab.world import Log, World

FIRST_DAY = date(2022, 1, 1)
RANKED_DAYS = 60
"""A folder to rank ends this many days before the simulation does; what follows is the truth it is scored on."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of the receiving catalog: kinds of place for heavy and light consequence, and a class of hazard."""

    heavy_kind: str = "仓储物流"
    light_kind: str = "餐饮"
    hazard_class: str = "FIRE"


def write_city(world: World, folder: Path, *, terms: Terms | None = None) -> dict[str, int]:
    """This function will write ``places.csv``, ``visits.csv``, ``hazards.csv``, ``rank/`` and ``truth/`` of a world that has run with a log.

    Where visits follow instructions, ``events.csv`` holds what was in the news, and ``truth/instructions.csv`` whom it moved.

    Returns the number of rows of each. The truth is never read by the product; it stays outside its database.
    """
    words = terms or Terms()
    folder.mkdir(parents=True, exist_ok=True)
    counts = {
        "places": _table(folder / "places.csv", ("名称", "地址", "场所类型", "街道", "所属区"), _places(world, words)),
        "visits": _table(
            folder / "visits.csv", ("来源编号", "单位名称", "单位地址", "检查日期", "检查类型", "检查结果", "检查组"), _visits(world)
        ),
        "hazards": _table(
            folder / "hazards.csv",
            ("来源编号", "检查编号", "单位名称", "单位地址", "隐患类别", "部位", "情况描述", "发现日期", "来源"),
            _hazards(world, words),
        ),
    }  # fmt: skip
    counts |= _truth(world, folder / "truth")
    if world.setting.led_share:
        counts |= _news(world, folder)
    counts |= _to_rank(world, words, folder / "rank", folder / "truth")
    return counts


def _news(world: World, folder: Path) -> dict[str, int]:
    """Write what was in the news as dated events, and the instructions that followed with how many visits they moved."""
    codes = _streets(int(world.setting.streets))
    told = sorted(_log(world).instructed)
    moved: dict[tuple[int, int], int] = {}
    for day, site, *_ in _log(world).visits:
        at = (day, int(world.city.street[site]))
        moved[at] = moved.get(at, 0) + 1
    days = int(world.setting.instruction_days)
    return {
        "events": _table(
            folder / "events.csv",
            ("事件编号", "事件类别", "事件日期", "地区代码"),
            ((f"N-{day}-{site}", "媒体报道", _day(day), codes[street][0]) for day, site, street in told),
        ),
        "truth/instructions": _table(
            folder / "truth" / "instructions.csv",
            ("event", "street", "from", "until", "visits_there"),
            (
                (
                    f"N-{day}-{site}", codes[street][2], _day(day), _day(day + days),
                    sum(moved.get((each, street), 0) for each in range(day, day + days)),
                )
                for day, site, street in told
            ),
        ),
    }  # fmt: skip


def streets(count: int) -> list[tuple[str, str]]:
    """This function will return as many (district, street) of Beijing, spread over all districts, as a city has streets."""
    return [(district, street) for _code, district, street in _streets(count)]


def _streets(count: int) -> list[tuple[str, str, str]]:
    """Return (code, district, street) of as many streets."""
    table = resources.files("anban.contexts.territory.data") / "beijing_areas.csv.gz"
    with table.open("rb") as packed, gzip.open(packed) as plain:
        rows = list(csv.DictReader(TextIOWrapper(plain, encoding="utf-8")))
    names = {row["code"]: row["name"] for row in rows}
    found = [(row["code"], names[row["parent_code"]], row["name"]) for row in rows if row["level"] == "street"]
    step = max(1, len(found) // count)
    return [found[at * step % len(found)] for at in range(count)]


def _day(number: int) -> str:
    return (FIRST_DAY + timedelta(days=number)).isoformat()


def _name(site: int) -> tuple[str, str]:
    return f"模拟场所{site:06d}", f"模拟路{site // 50 + 1}号院{site % 50 + 1}号"


def _places(world: World, words: Terms) -> Iterable[Sequence[object]]:
    where = streets(int(world.setting.streets))
    for site, weight in enumerate(world.city.weight):
        district, street = where[int(world.city.street[site])]
        yield (*_name(site), words.heavy_kind if weight > 1 else words.light_kind, street, district)


def _visits(world: World) -> Iterable[Sequence[object]]:
    for day, site, inspector, found, _, _ in _log(world).visits:
        result = "不合格" if found else "合格"
        yield (f"V-{day}-{site}", *_name(site), _day(day), "巡查", result, f"组{inspector:03d}")


def _hazards(world: World, words: Terms) -> Iterable[Sequence[object]]:
    said = {"visit": "检查发现", "call": "12345", "alarm": "监测报警"}
    for day, site, source, spell in _log(world).found:
        visit = f"V-{day}-{site}" if source == "visit" else ""
        yield (
            f"H-{spell}", visit, *_name(site), words.hazard_class, f"部位{spell}", "模拟隐患", _day(day), said[source],
        )  # fmt: skip


def _truth(world: World, folder: Path) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    log, city = _log(world), world.city
    closed = {spell: (day, real) for day, _, spell, real in log.closed}
    known = {spell: (day, source) for day, _, source, spell in log.found}
    met: dict[int, list[str]] = {}
    for spell, source in sorted(log.captured):
        met.setdefault(spell, []).append(source)
    spells = (
        (
            f"H-{spell}", *_name(site), _day(day), visible, *_known(known.get(spell)),
            *((_day(closed[spell][0]), closed[spell][1]) if spell in closed else ("", "")),
            ";".join(met.get(spell, ())),
        )
        for day, site, spell, visible in log.born
    )  # fmt: skip
    counts = {
        "truth/sites": _table(
            folder / "sites.csv",
            ("name", "address", "rate_a_day", "weight", "street"),
            (
                (*_name(site), f"{city.rate_a_day[site]:.9f}", city.weight[site], city.street[site])
                for site in range(city.rate_a_day.size)
            ),
        ),
        "truth/hazards": _table(
            folder / "hazards.csv",
            ("hazard", "name", "address", "born_on", "public", "known_on", "known_by", "closed_on", "really_put_right", "met_by"),
            spells,
        ),
        "truth/inspectors": _table(
            folder / "inspectors.csv",
            ("group", "detection", "fakes"),
            ((f"组{at:03d}", f"{able:.6f}", int(city.fakes[at])) for at, able in enumerate(city.detection)),
        ),
    }  # fmt: skip
    setting = {
        "setting": asdict(world.setting),
        "scenario": world.scenario.en,
        "policy": world.policy.en,
        "seed": world.seed,
    }
    (folder / "setting.json").write_text(json.dumps(setting, ensure_ascii=False, indent=1), encoding="utf-8")
    return counts


def _known(found: tuple[int, str] | None) -> tuple[str, str]:
    return (_day(found[0]), found[1]) if found else ("", "")


def _to_rank(world: World, words: Terms, folder: Path, truth: Path) -> dict[str, int]:
    """Write the folder that ``anban rank`` reads, cut before the last days, and what the visits of those days found."""
    folder.mkdir(parents=True, exist_ok=True)
    log = _log(world)
    cut = int(world.setting.days) - RANKED_DAYS
    meta = {
        "as_of": _day(cut),
        "window": [_day(cut), _day(int(world.setting.days))],
        "label": {"kind": "routine", "column": "n_critical", "at_least": 1},
    }
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    where = streets(int(world.setting.streets))
    kinds = np.where(world.city.weight > 1, words.heavy_kind, words.light_kind)
    before = [row for row in log.visits if row[0] < cut]
    first_after = {row[1]: row for row in reversed(log.visits) if row[0] >= cut}
    calls = [(day, site) for day, site, source, _ in log.reports if source == "call" and day < cut]
    last = sorted(first_after.values())
    draw = np.random.default_rng([world.seed, 4])
    order = draw.permutation(len(last))
    return {
        "rank/establishments": _table(
            folder / "establishments.csv",
            ("establishment_id", "name", "address", "category", "ward"),
            ((site, *_name(site), kinds[site], where[int(world.city.street[site])][1]) for site in range(kinds.size)),
        ),
        "rank/inspections": _table(
            folder / "inspections.csv",
            ("inspection_id", "establishment_id", "date", "kind", "result", "n_critical", "inspector_group"),
            (
                (f"{day}-{site}", site, _day(day), "routine", "fail" if found else "pass", found, f"G{by:03d}")
                for day, site, by, found, _, _ in before
            ),
        ),
        "rank/hazards": _table(
            folder / "hazards.csv",
            ("inspection_id", "code", "severity", "n"),
            ((f"{day}-{site}", 1, "critical", 1) for day, site, _, found, _, _ in before if found),
        ),
        "rank/signals": _table(
            folder / "signals.csv",
            ("date", "kind", "subkind", "establishment_id"),
            ((_day(day), "call", "", site) for day, site in calls),
        ),
        "rank/test": _table(
            folder / "test.csv",
            ("inspection_id", "establishment_id"),
            ((f"T{number:06d}", last[at][1]) for number, at in enumerate(order)),
        ),
        "truth/rank": _table(
            truth / "rank.csv",
            ("inspection_id", "found"),
            ((f"T{number:06d}", last[at][3]) for number, at in enumerate(order)),
        ),
    }


def _log(world: World) -> Log:
    if world.log is None:
        raise ValueError("the world kept no log: give it one before it runs")
    return world.log


def _table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count
