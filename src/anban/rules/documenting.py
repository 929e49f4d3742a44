"""Writes docs/rules.md: every computable rule with inputs, units, outcome, and the values behind it with their certainty."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping

from anban.rules import law
from anban.rules.describing import Input, inputs_of
from anban.rules.every import all_rules
from anban.rules.figures import grouped
from anban.rules.registry import Rule, unit_of

CERTAINTY = {
    "verified": "verified 全文核对",
    "excerpt": "excerpt 见于摘录",
    "unconfirmed": "unconfirmed 待核",
    "estimate": "estimate 估计",
}
"""Each degree of certainty as the document shows it."""


def document(examples: Mapping[str, str]) -> str:
    """This function will write the whole document; `examples` holds a question as JSON for each rule by name."""
    rules = all_rules()
    lines = [
        "# The computable rules 可计算的规则",
        "",
        "Written from the code by `tools/made.py rules`. How to ask: `anban rule NAME --json '{…}'`, `anban rule --batch`,",
        "`POST /api/v1/rules/NAME`, or the page 规则. Every rule takes an optional `on` (date) that picks the version of the law; without",
        "it the day of the fact applies, and where the input has none, the newest version loaded. Worked cases, a note in each:",
        "`tests/rules/cases/rules/`. Certainty: `verified` full text read · `excerpt` seen as a public excerpt · `unconfirmed` known, not checked ·",
        "`estimate` custom or a reading of ours. A day before the first value answers `cannot_judge`. 以上 is inclusive.",
        "",
        "| no. | rule | 规则 | |",
        "|---|---|---|---|",
        *(f"| {each.number} | [`{each.name}`](#{each.name}) | {each.zh} | {each.en} |" for each in rules),
        "",
    ]
    for each in rules:
        lines += _section(each, examples.get(each.name, ""))
    return "\n".join(lines).rstrip() + "\n"


def _section(rule: Rule, example: str) -> Iterator[str]:
    yield f'## <a id="{rule.name}"></a>{f"{rule.number} " if rule.number else ""}`{rule.name}` {rule.zh}'
    yield ""
    yield _purpose(rule)
    yield ""
    yield "| input | 项目 | | type | unit | |"
    yield "|---|---|---|---|---|---|"
    yield from _inputs(inputs_of(rule.facts), "")
    yield ""
    yield "| outcome | 结果 | | unit |"
    yield "|---|---|---|---|"
    for name, (zh, en) in rule.gives.items():
        yield f"| `{name}` | {zh} | {en} | {' '.join(dict.fromkeys(filter(None, unit_of(name))))} |"
    yield ""
    yield "| value | 数值 | | law | since | certainty |"
    yield "|---|---|---|---|---|---|"
    for key in rule.rests_on:
        entry = law.entry(key)
        for each in entry.provisions:
            number = "" if entry.unit == law.CLAUSE else f"{grouped(each.value)} {entry.unit}"
            note = f"（{each.note}）" if each.note else ""
            yield (
                f"| {number} | {entry.zh}{note} | {entry.en} | {each.source.citation} | {each.in_force_from} "
                f"| {CERTAINTY[each.source.certainty]} |"
            )
    for version in rule.versions:
        yield (
            f"| | 表或方法 | table or method | {version.source.citation} | {version.in_force_from} "
            f"| {CERTAINTY[version.source.certainty]} |"
        )
    yield ""
    if example:
        yield f"    anban rule {rule.name} --json '{example}'"
        yield ""


def _purpose(rule: Rule) -> str:
    """Give what the function says of itself, without its list of refusals."""
    text = inspect.getdoc(rule.function) or ""
    told = [part for part in " ".join(text.split()).split("Raises:")[:1] if part]
    return "".join(told).strip().replace("This function will ", "It will ")


def _inputs(inputs: tuple[Input, ...], path: str) -> Iterator[str]:
    for each in inputs:
        if each.choices:
            kind = " · ".join(f"`{one.value}`{one.zh}" for one in each.choices)
        else:
            kind = each.kind
        if each.many:
            kind = f"list of {kind}"
        default = "required" if each.required else "optional" if each.default is None else f"default {each.default}"
        unit = " ".join(dict.fromkeys(filter(None, each.unit)))
        yield f"| `{path}{each.name}` | {each.zh} | {each.en} | {kind} | {unit} | {default} |"
        yield from _inputs(each.inputs, f"{path}{each.name}{'[]' if each.many else ''}.")
