"""Matters in which several bodies are asked for their part (协同): the kinds, their clocks, and what an answer does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from anban.rules.errors import Refusal, register

register("joint.not_open", zh="这一部分已经办结。", en="This part has been settled already.")
register(
    "joint.cannot_refuse", zh="“{kind_zh}”不能拒绝，只能答复。", en="A part of “{kind_en}” is answered, not refused."
)
register(
    "joint.words_missing", zh="请书面答复：写明意见、做法或理由。", en="Answer in writing: opinion, way or reason."
)


class PartState(StrEnum):
    """Where one body's part stands."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    EXCUSED = "excused"


PART_NAMES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        PartState.WAITING: ("待办", "Waiting"),
        PartState.DONE: ("已办", "Done"),
        PartState.REFUSED: ("已拒绝，待区政府裁定", "Refused, before the district government"),
        PartState.EXCUSED: ("区政府裁定免办", "Excused by the district government"),
    }
)
OPEN: Final = frozenset({PartState.WAITING, PartState.REFUSED})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of joint matter: names, the duty it puts on each body, its clock, and whether a body may refuse."""

    zh: str
    en: str
    duty: str
    duty_zh: str
    duty_en: str
    clock: str
    urgent_clock: str = ""
    may_refuse: bool = False
    rule: str = ""


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "joint": Kind("联动处置", "Joint case", "joint_part", "联动办理", "Do your part", "hazards.whistle_workdays", rule="工作惯例：联动机制"),
        "whistle": Kind(
            "吹哨报到", "Whistle", "arrive", "报到", "Arrive", "hazards.whistle_workdays", "hazards.whistle_urgent_hours",
            may_refuse=True, rule="北京市街道办事处条例",
        ),
        "guidance": Kind("业务指导", "Guidance", "give_guidance", "书面答复", "Answer in writing", "responsibility.guidance_workdays", rule="安全生产法 第十条第三款"),
        "opinion": Kind("征求意见", "Opinions", "give_opinion", "提出意见", "Give an opinion", "responsibility.opinion_workdays", rule="工作惯例：征求意见"),
    }
)  # fmt: skip

RULINGS: Final[Mapping[str, PartState]] = MappingProxyType({"arrive": PartState.WAITING, "excuse": PartState.EXCUSED})
"""What the district government can say to a refusal: the body arrives after all, or it is excused."""


def answered(kind: str, state: str, *, refuse: bool, words: str) -> PartState:
    """This function will say where a part stands after its body's answer.

    Raises: joint.not_open, joint.cannot_refuse, joint.words_missing.
    """
    known = KINDS[kind]
    if PartState(state) is not PartState.WAITING:
        raise Refusal("joint.not_open")
    if refuse and not known.may_refuse:
        raise Refusal("joint.cannot_refuse", kind_zh=known.zh, kind_en=known.en)
    if not words.strip() and (refuse or kind != "whistle"):
        raise Refusal("joint.words_missing", field="words")
    return PartState.REFUSED if refuse else PartState.DONE


def called_for(
    *,
    hazard_class: str,
    hazard_codes: Collection[str],
    by_rule: bool,
    of_class: str,
    of_code: str,
    grave: bool,
    several: bool,
) -> bool:
    """This function will say whether a mechanism opens by itself for a hazard of a class and item.

    At once by its item; by its class only for a grave one (suspected or major) for which several bodies answer.
    """
    by_item = bool(of_code) and of_code in hazard_codes
    by_class = bool(of_class) and hazard_class == of_class and grave and several
    return by_rule and (by_item or by_class)
