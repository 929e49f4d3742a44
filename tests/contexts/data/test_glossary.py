"""The glossary: five filled columns, and every state, action and role of the life cycles in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anban.contexts.catalog.data.tables import hazard_classes
from anban.rules import hazard_terms

GLOSSARY = Path(__file__).parents[3] / "docs" / "glossary.md"


def rows() -> list[list[str]]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0] != "Chinese"]


def test_glossary_rows_are_filled_and_chinese_terms_stand_once() -> None:
    assert len(rows()) > 200
    assert [row for row in rows() if len(row) != 5 or not all(row)] == []
    terms = [row[0] for row in rows()]
    assert sorted(terms) == sorted(set(terms))


@pytest.mark.parametrize("name", ["State", "Action", "Role", "Track", "Grade", "ProofLevel", "Listing", "Flag"])
def test_glossary_has_every_term_of_the_life_cycles(name: str) -> None:
    known = {word for row in rows() for word in re.findall(r"\w+", row[2])}
    wanted = {str(member.value) for member in getattr(hazard_terms, name)}
    assert wanted - known == set()


def test_glossary_has_every_hazard_class() -> None:
    known = {word for row in rows() for word in re.findall(r"\w+", row[2])}
    assert {row.code for row in hazard_classes()} <= known
