"""How a gap or an overlap is settled (界定): the stages in their order, who does each, and what a decision does to the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from anban.rules.errors import Refusal, register
from anban.rules.mandates import Row

register(
    "boundary.wrong_stage",
    zh="现在是“{stage_zh}”，不能{action_zh}。",
    en="It is at “{stage_en}” now; it cannot {action_en}.",
)
register(
    "boundary.too_early",
    zh="生效日期须晚于现有职责的起始日期 {since}。",
    en="It must take effect after the first day of the rows it ends, {since}.",
)


class Stage(StrEnum):
    """Where a decision stands; only the last one makes it net."""

    DRAFT = "draft", "起草", "Draft"
    OPINIONS = "opinions", "征求意见", "Opinions asked"
    STAFFING = "staffing", "编办审核", "At the staffing office"
    MEETING = "meeting", "提请政府常务会", "Before the government's meeting"
    IN_FORCE = "in_force", "已生效", "In force"
    WITHDRAWN = "withdrawn", "已撤回", "Withdrawn"

    zh: str
    en: str

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Stage:
        """Keep both names beside the code."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.zh, made.en = zh, en
        return made


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: where an action leads, what it is called, and on what it rests."""

    to: Stage
    zh: str
    en: str
    basis: str = ""


_WITHDRAW: Final = Step(Stage.WITHDRAWN, "撤回", "withdraw")

TABLE: Final[Mapping[tuple[Stage, str], Step]] = MappingProxyType(
    {
        (Stage.DRAFT, "ask_opinions"): Step(Stage.OPINIONS, "征求意见", "ask for opinions", "工作惯例：安委会拟订，征求意见"),
        (Stage.OPINIONS, "to_staffing"): Step(Stage.STAFFING, "送编办", "send to the staffing office", "工作惯例：三定由编办审核"),
        (Stage.STAFFING, "to_meeting"): Step(Stage.MEETING, "提请常务会", "put before the meeting", "安全生产法 第十条第二款"),
        (Stage.MEETING, "decide"): Step(Stage.IN_FORCE, "登记会议决定", "enter what the meeting decided", "安全生产法 第十条第二款"),
        (Stage.DRAFT, "withdraw"): _WITHDRAW,
        (Stage.OPINIONS, "withdraw"): _WITHDRAW,
        (Stage.STAFFING, "withdraw"): _WITHDRAW,
        (Stage.MEETING, "withdraw"): _WITHDRAW,
    }
)  # fmt: skip
"""The lifecycle of a decision. Source: 安全生产法 第十条第二款: the people's government at county level or above settles."""

VERBS: Final = MappingProxyType({action: (step.zh, step.en) for (_, action), step in TABLE.items()})


def step(stage: Stage, action: str) -> Step:
    """This function will give the row of a stage and an action. Raises: boundary.wrong_stage."""
    found = TABLE.get((stage, action))
    if found is None:
        zh, en = VERBS.get(action, (action, action))
        raise Refusal("boundary.wrong_stage", stage_zh=stage.zh, stage_en=stage.en, action_zh=zh, action_en=en)
    return found


def allowed(stage: Stage) -> tuple[str, ...]:
    """This function will name the actions that a stage allows, in the table's order."""
    return tuple(action for (at, action) in TABLE if at is stage)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a decision for one body does: rows that end on its day, and whether the body needs a row over the scope."""

    ends: tuple[Row, ...]
    adds: bool


def settlement(tied: Iterable[Row], body: object, effective_on: date) -> Settlement:
    """This function will say which of the equal rows end, and whether the body that is chosen needs one of its own.

    A gap has no rows. Rows that are more specific than the scope stay: a decision settles its boundary and nothing else.
    Raises: boundary.too_early.
    """
    rows: Sequence[Row] = tuple(tied)
    ends = tuple(row for row in rows if row.body != body)
    for row in ends:
        if row.from_on is not None and row.from_on >= effective_on:
            raise Refusal("boundary.too_early", field="effective_on", since=row.from_on.isoformat())
    return Settlement(ends, adds=not any(row.body == body for row in rows))
