"""What a hazard's timeline says: each verb of the journal that can stand there has words in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

import anban
from anban.rules.hazard_lifecycle import Action
from anban.web.desk import wording

WRITERS = {"record", "Draft", "_draft", "_move"}
ABOUT_HAZARDS = {
    "hazard",
    "obligation",
    "link",
    "joint",
    "instrument",
    "instruction",
    "like_case",
    "step",
    "visit",
    "words",
}
"""The first halves of verbs whose entries may have a hazard as their matter."""


def verbs() -> Iterator[str]:
    """Yield every verb that the code writes into the journal as a whole word."""
    for path in Path(anban.__file__).parent.joinpath("contexts").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) in WRITERS:
                for each in (inner for given in call.args for inner in ast.walk(given)):
                    if isinstance(each, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(each.value)):
                        yield str(each.value)


FOUND = sorted({verb for verb in verbs() if verb.partition(".")[0] in ABOUT_HAZARDS})


def test_the_code_is_read() -> None:
    assert {"hazard.entered", "hazard.history_taken", "joint.asked", "link.named", "obligation.owed"} <= set(FOUND)


@pytest.mark.parametrize("verb", FOUND)
def test_a_verb_has_words_in_both_languages(verb: str) -> None:
    if verb in wording.ACTION_OF:
        assert isinstance(wording.ACTION_OF[verb], Action)
        return
    with override("zh-hans"):
        zh = str(wording.ENTRIES[verb])
    with override("en"):
        en = str(wording.ENTRIES[verb])
    assert re.search("[\u4e00-\u9fff]", zh)
    assert en
    assert not re.search("[\u4e00-\u9fff]", en)
