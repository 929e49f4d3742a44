"""Every row of both lifecycles as an auditor reads it: who does what where, with which paper, on what ground, and where it leads.

The file beside the cases was written once from the tables and read against the law; from then on a row that changes in the
code has to be changed there as well, by somebody who means it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from anban.rules.hazard_lifecycle import TABLE
from anban.rules.hazard_terms import ANY_GRADE, ANY_TRACK, BOTH_CHAINS, VERDICTS, Role, State, Step

FILE = Path(__file__).parent / "cases" / "lifecycle_rows.csv"
COLUMNS = (
    "状态", "动作", "名称", "去向", "并行", "记住原状态", "新一轮", "自动", "由谁", "挂牌时由谁", "按轨道由谁", "文书", "时限",
    "依据", "须填", "挂牌时加填", "适用链", "适用轨道", "适用等级",
)  # fmt: skip


def cells(state: State | None, step: Step) -> list[str]:
    """Write a row in the words of the field; what holds everywhere is left empty."""
    return [
        state.zh if state else "（上账前）", str(step.action), f"{step.zh} / {step.en}", leads(step),
        yes(step.parallel), yes(step.remembers), yes(step.new_cycle), yes(step.automatic),
        who(step.roles), who(step.roles_if_listed or ()),
        "；".join(f"{track.zh}：{who(roles)}" for track, roles in step.roles_by_track.items()),
        step.paper, step.clock.zh if step.clock else "", step.basis,
        " ".join(step.needs), " ".join(step.needs_if_listed),
        some(step.chains, BOTH_CHAINS), some(step.tracks, ANY_TRACK), some(step.grades, ANY_GRADE),
    ]  # fmt: skip


def leads(step: Step) -> str:
    if step.back:
        return "移交前的状态"
    if step.to is not None:
        return step.to.zh
    return "；".join(f"{VERDICTS[verdict][0]}：{arrived.zh}" for verdict, arrived in step.verdicts.items())


def yes(flag: bool) -> str:
    return "是" if flag else ""


def who(roles: Iterable[Role]) -> str:
    named = frozenset(roles)
    return "任何人" if named == frozenset(Role) else "、".join(sorted(each.zh for each in named))


def some(chosen: frozenset[str], whole: frozenset[str]) -> str:
    return "" if chosen == whole else "、".join(sorted(chosen))


def test_every_row_is_as_it_was_read_against_the_law() -> None:
    written: list[Mapping[str, str]] = list(csv.DictReader(FILE.read_text(encoding="utf-8").splitlines()))
    stands = [dict(zip(COLUMNS, cells(state, step), strict=True)) for (state, _), step in TABLE.items()]
    for known, row in zip(written, stands, strict=True):
        assert row == known
