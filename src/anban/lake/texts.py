"""Which SQL text makes which table, in which order, and the subset of the dialect that every engine understands alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Final

from anban.lake.engine import Value

MOST: Final = 50
"""So many places, debts and watches of each street are published; everything else is in the result files."""


@dataclass(frozen=True, slots=True)
class Step:
    """One text: ``view`` (read through), ``table`` (computed once, read by later ones) or ``result`` (kept in a file)."""

    name: str
    kind: str
    zh: str


STEPS: Final = (
    Step("absorbed", "view", "合并"),
    Step("visits_at", "view", "检查"),
    Step("cycles_at", "view", "隐患轮次"),
    Step("visit_facts", "table", "检查情况"),
    Step("hazard_facts", "table", "隐患情况"),
    Step("leads", "table", "行业主管"),
    Step("unsettled", "table", "未定的职责"),
    Step("places_at", "table", "单位情况"),
    Step("rates", "table", "各类场所的发生率"),
    Step("scores", "table", "风险排序"),
    Step("lots", "table", "抽签"),
    Step("place_results", "result", "单位结果"),
    Step("cells", "result", "地区数字"),
    Step("top_places", "result", "优先检查"),
    Step("debts", "result", "欠账"),
    Step("watches", "result", "观察期"),
    Step("duties", "result", "责任事项"),
    Step("sighted", "view", "各来源看到的"),
    Step("sightings", "result", "来源对照"),
    Step("episodes", "view", "时长"),
    Step("curves", "result", "反弹曲线"),
)

# Functions of the subset: each was tried on both engines with equal results.
FUNCTIONS: Final = frozenset(
    {
        "Avg", "Case", "Cast", "Coalesce", "Count", "DateDiff", "Exp", "Greatest", "Grouping", "If", "Lag", "Lead", "Least", "Ln",
        "LogicalOr", "Max", "Median", "Min", "Nullif", "RowNumber", "SHA2", "Sqrt", "StartsWith", "Sum",
    }
)  # fmt: skip


def text(name: str) -> str:
    """Return a text by its name."""
    return files("anban.lake").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def values(as_of: date, seed: str) -> dict[str, Value]:
    """Return what the texts are given for a day; ``seed`` is what the lots are drawn with."""
    days = {f"since_{n}": as_of - timedelta(days=n) for n in (90, 365, 730)}
    return {"as_of": as_of, **days, "most": MOST, "seed": seed}


def faults(sql: str, *, ordered: bool) -> list[str]:
    """Return in what a text leaves the subset.

    The subset: known functions only; windows and the final result (``ordered``) with an order of their own; division only by
    what can't be zero is the writer's duty, and no clock, no random number, no conversion from an instant.
    """
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect="duckdb")
    found = [
        f"{type(node).__name__} ({node.sql()[:60]}) is not in the subset"
        for node in tree.find_all(exp.Func)
        if type(node).__name__ not in FUNCTIONS and not isinstance(node, exp.Connector)
    ]
    found += [
        f"a window without an order: {node.sql()[:60]}"
        for node in tree.find_all(exp.Window)
        if not node.args.get("order")
    ]
    if ordered and not tree.args.get("order"):
        found.append("a result without an order")
    return found
