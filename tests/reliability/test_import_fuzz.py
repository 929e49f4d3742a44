"""Thousands of spoiled import files: every planted good row is kept, every bad one is named, nothing breaks, twice is once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from anban.contexts.establishments.importers import apply, mapping_named, preview, running
from anban.contexts.establishments.models import Place
from anban.kit.tabular import read_tables
from tests.factories.establishments import AT, make_town, steward
from tests.reliability.mutated_files import MUTATORS, Case, case

pytestmark = pytest.mark.django_db
SAMPLE, SOAK, BLOCKS = 69, 5000, 10
"""The sample holds each way of spoiling three times; the full count is run in blocks, each named where it fails."""


def what_is_wrong(made: Case) -> list[str]:
    """Preview, import and import again; return everything that is not as planted."""
    mapping, actor = mapping_named("places"), steward()
    seen = preview(made.files, mapping, actor=actor, at=AT)
    handed_back = made.files[0].with_name("refused.xlsx" if len(made.name) % 2 else "refused.csv")
    first = apply(made.files, mapping, actor=actor, at=AT, refused=handed_back)
    again = apply(made.files, mapping, actor=actor, at=AT)
    kept = set(Place.objects.values_list("name", flat=True))
    found = [f"good row lost: {name}" for name in made.good if name not in kept]
    listed = [(p.file, p.row, p.column, p.code) for p in first.problems]
    found += [f"not named: {bad} among {listed}" for bad in made.bad if not any(_fits(bad, one) for one in listed)]
    whole = {(p.file, p.code) for p in first.problems if p.row == 0}
    found += [f"not refused: {file} {code}" for file, code in made.broken if code != "*" and (file, code) not in whole]
    readable = any(code == "*" for _, code in made.broken)
    if not readable and (first.new, first.refused) != (len(made.good), len(made.bad)):
        found.append(f"counted {first.counts}, planted {len(made.good)} good and {len(made.bad)} bad: {listed}")
    if seen.counts != first.counts:
        found.append(f"preview said {seen.counts}, import did {first.counts}")
    if made.bad and not first.refused_files:
        found.append("the refused rows are not handed back")
    mended = [row for file in first.refused_files for table in read_tables(file) for row in table.rows]
    if not readable and len(mended) != len(made.bad):
        found.append(f"{len(mended)} rows handed back, not {len(made.bad)}")
    if again.new or again.changed or again.refused != first.refused or again.same != first.new + first.same:
        found.append(f"again: {again.counts} after {first.counts}")
    return [f"{made.name}: {text}" for text in found]


def _fits(bad: tuple[str, int, str, str], one: tuple[str, int, str, str]) -> bool:
    return all(wanted in ("*", given) for wanted, given in zip(bad, one, strict=True))


def run(numbers: range, folder: Path) -> list[str]:
    """Run cases one after the other, each on an empty register."""
    found: list[str] = []
    for number in numbers:
        place = folder / str(number)
        place.mkdir()
        made = case(number, place)
        with transaction.atomic():
            try:
                found += what_is_wrong(made)
            except Exception as error:  # noqa: BLE001 - the very thing that must not happen, told with its case
                found.append(f"{made.name}: {type(error).__name__}: {error}")
            transaction.set_rollback(True)
        for file in place.iterdir():
            file.unlink()
    return found


@pytest.mark.parametrize("block", range(BLOCKS if os.environ.get("ANBAN_SOAK") else 1))
def test_spoiled_files_cost_their_bad_rows_only(tmp_path: Path, soak: bool, block: int) -> None:
    make_town()
    size = SOAK // BLOCKS
    found = run(range(block * size, (block + 1) * size) if soak else range(SAMPLE), tmp_path)
    assert found == [], f"{len(found)} problems\n" + "\n".join(found[:20])


def test_the_files_that_once_broke_the_reader_are_refused(tmp_path: Path) -> None:
    """Found by the full count: a damaged directory of a workbook sent the reader to before the file's beginning."""
    make_town()
    found = [text for number in (2229, 2873, 3494, 3632) for text in run(range(number, number + 1), tmp_path)]
    assert found == []


def test_a_handler_that_drops_a_good_row_next_to_a_bad_one_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: after a refused row the next one is passed over."""
    make_town()
    real = running.typed
    before: list[Any] = [None]

    def careless(*facts: Any) -> Any:
        made = real(*facts)
        if isinstance(before[0], list) and not isinstance(made, list):
            made = before[0] = []
            return made
        before[0] = made
        return made

    monkeypatch.setattr(running, "typed", careless)
    found = run(range(len(MUTATORS)), tmp_path)
    assert any("good row lost" in text for text in found), found
