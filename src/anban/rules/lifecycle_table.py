"""How a lifecycle table is put together: one row at a time, checked while it is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypedDict, Unpack

from anban.rules.hazard_terms import VERDICTS, Action, Chain, Clock, Grade, Role, State, Step, Table, Track

PENALTIES = frozenset({Action.FILE_CASE, Action.SIMPLE_PENALTY, Action.WAIVE, Action.ESCALATE_MEASURE})
"""Penalty and rectification are two tracks (罚与改分离): none of these ever changes a state."""


class _Cells(TypedDict, total=False):
    to: State | None
    back: bool
    parallel: bool
    remembers: bool
    new_cycle: bool
    automatic: bool
    paper: str
    clock: Clock | None
    basis: str
    needs: tuple[str, ...]
    needs_if_listed: tuple[str, ...]
    roles_if_listed: frozenset[Role] | None
    roles_by_track: Mapping[Track, frozenset[Role]]
    chains: frozenset[Chain]
    tracks: frozenset[Track]
    grades: frozenset[Grade]


def row(
    state: State | None,
    action: Action,
    roles: frozenset[Role],
    *,
    zh: str = "",
    en: str = "",
    verdicts: Mapping[str, State] | None = None,
    **cells: Unpack[_Cells],
) -> tuple[State | None, Step]:
    """This function will give one row: its state and its step, named after the action where it has no name of its own.

    Raises: ValueError for a row that leads nowhere or to two places, or that nobody may do.
    """
    if cells.get("parallel"):
        cells["to"] = state
    step = Step(
        action=action,
        zh=zh or action.zh,
        en=en or action.en,
        roles=roles,
        verdicts=MappingProxyType(dict(verdicts or {})),
        **cells,
    )
    place = f"{state}/{action}"
    if (step.to is not None) + bool(step.verdicts) + step.back != 1:
        raise ValueError(f"{place}: a step leads to one state, by verdict, or back")
    if bool(step.roles) == step.automatic:
        raise ValueError(f"{place}: a step is done by a role or by itself")
    if unknown := step.verdicts.keys() - VERDICTS.keys():
        raise ValueError(f"{place}: verdicts without a label: {sorted(unknown)}")
    if action in PENALTIES and not step.parallel:
        raise ValueError(f"{place}: a penalty changes no state")
    return state, step


def build(rows: Iterable[tuple[State | None, Step]]) -> Table:
    """This function will make a table of rows.

    Raises: ValueError when a state and action stand twice.
    """
    table: dict[tuple[State | None, Action], Step] = {}
    for state, step in rows:
        if (state, step.action) in table:
            raise ValueError(f"{state}/{step.action} stands twice")
        table[state, step.action] = step
    return MappingProxyType(table)
