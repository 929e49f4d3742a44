"""The lifecycle drawn from its own table: a Mermaid state diagram and a Markdown table, for READMEs and the docs."""

from __future__ import annotations

from typing import Literal

from anban.rules import hazard_lifecycle as lifecycle
from anban.rules.hazard_terms import VERDICTS, Chain, State, Step, Table

Language = Literal["zh", "en"]
_NODE_OF_PRIOR = "prior"


def mermaid(table: Table = lifecycle.TABLE, *, language: Language = "zh") -> str:
    """This function will draw a table as a Mermaid state diagram; steps that stay where they are are left out."""
    states = [
        each for each in State if any(each is state or each in _reached(step) for (state, _), step in table.items())
    ]
    lines = ["stateDiagram-v2", *(f'    state "{_of(each, language)}" as {each}' for each in states)]
    returns = any(step.back for step in table.values())
    if returns:
        lines.append(f'    state "{_say("移交前的状态", "The state before", language)}" as {_NODE_OF_PRIOR}')
    for (state, _), step in table.items():
        origin = state or "[*]"
        title = step.zh if language == "zh" else step.en
        if step.back:
            lines.append(f"    {origin} --> {_NODE_OF_PRIOR}: {title}")
        elif step.to is not None and not step.parallel:
            lines.append(f"    {origin} --> {step.to}: {title}")
        for verdict, arrived in step.verdicts.items():
            lines.append(f"    {origin} --> {arrived}: {title} · {_say(*VERDICTS[verdict], language)}")
    lines += [f"    {each} --> [*]" for each in states if each in lifecycle.FINAL]
    return "\n".join(lines) + "\n"


def markdown(table: Table = lifecycle.TABLE, *, language: Language = "zh") -> str:
    """This function will list a table in Markdown: state, action, leads to, who, paper, clock."""
    head = {
        "zh": ("状态", "动作", "到", "谁", "文书", "时限"),
        "en": ("State", "Action", "Leads to", "Who", "Paper", "Clock"),
    }[language]
    lines = [_line(head), _line(("---",) * len(head))]
    for (state, action), step in table.items():
        origin = _of(state, language) if state else _say("未上账", "Not on the ledger", language)
        title = step.zh if language == "zh" else step.en
        who = "、".join(each.zh for each in sorted(step.roles)) or "系统"
        if language == "en":
            who = ", ".join(each.en for each in sorted(step.roles)) or "The system"
        clock = _of(step.clock, language) if step.clock else ""
        lines.append(_line((origin, f"{title} `{action}`", _leads(step, language), who, step.paper, clock)))
    return "\n".join(lines) + "\n"


def chain_states(chain: Chain, *, language: Language = "zh") -> tuple[str, ...]:
    """This function will give the names of a chain's states in their order."""
    return tuple(_say(*lifecycle.label(each, chain), language) for each in lifecycle.order_of_chain(chain))


def _reached(step: Step) -> frozenset[State]:
    return frozenset(step.verdicts.values()) | (frozenset({step.to}) if step.to else frozenset())


def _leads(step: Step, language: Language) -> str:
    if step.back:
        return _say("移交前的状态", "The state before", language)
    if step.parallel:
        return _say("不变", "Stays", language)
    if step.to is not None:
        return _of(step.to, language)
    joint = "；" if language == "zh" else "; "
    colon = "：" if language == "zh" else ": "
    return joint.join(
        f"{_say(*VERDICTS[verdict], language)}{colon}{_of(arrived, language)}"
        for verdict, arrived in step.verdicts.items()
    )


def _of(term: State | lifecycle.Clock, language: Language) -> str:
    return term.zh if language == "zh" else term.en


def _say(zh: str, en: str, language: Language) -> str:
    return zh if language == "zh" else en


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
