"""docs/rules.md says of every rule what the code says, with each value, clause and certainty."""

from __future__ import annotations

from pathlib import Path

from anban.rules import law
from anban.rules.describing import inputs_of
from anban.rules.documenting import CERTAINTY, document
from anban.rules.every import all_rules

COMMITTED = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_committed_document_names_every_rule_input_outcome_and_clause() -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    for rule in all_rules():
        section = text.split(f'<a id="{rule.name}"></a>')[1].split("\n## ")[0]
        for each in inputs_of(rule.facts):
            row = next(line for line in section.splitlines() if line.startswith(f"| `{each.name}` |"))
            needed = "required" if each.required else "optional" if each.default is None else f"default {each.default}"
            assert row.endswith(f"| {needed} |")
        for name in rule.gives:
            assert f"| `{name}` |" in section
        for key in rule.rests_on:
            for provision in law.entry(key).provisions:
                assert provision.source.citation in section
                assert CERTAINTY[provision.source.certainty] in section
        assert f"anban rule {rule.name} --json '" in section


def test_a_document_is_written_from_the_rules_as_they_are() -> None:
    examples = {rule.name: "{}" for rule in all_rules()}
    assert document(examples).count("\n## ") == len(all_rules())
    assert document(examples).count("--json '{}'") == len(all_rules())
    bare = document({})
    assert "### " not in bare
    assert bare.count("--json '") == 1, "the line that says how to ask, and no example"
    assert "Refusal `" not in bare

    def rows(text: str) -> list[str]:
        return [line for line in text.splitlines() if line and not line.startswith("    anban rule")]

    assert rows(bare) == rows(COMMITTED.read_text(encoding="utf-8"))
    assert "This function" not in bare
