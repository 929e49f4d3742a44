"""What the cells of an office's table mean: bodies, areas, kinds and classes by code or name, and the checks of a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from anban.contexts.catalog import queries as catalog
from anban.contexts.catalog.data.tables import BodyKindRow, body_kinds, check_lists
from anban.contexts.establishments.importers import Problem, Run, TypedRow
from anban.contexts.territory.models import Area, Body
from anban.contexts.territory.queries import bodies as all_bodies
from anban.kit.canonical import digest
from anban.rules.hazard_terms import Grade

Check = tuple[str, bool, str, str, str]
"""A field, whether it is wrong, and the code, Chinese and English of what is wrong with it."""


@dataclass(slots=True)
class Words:
    """What each word means in a root on a day; a name that several share means nothing."""

    bodies: dict[str, Body]
    areas: dict[str, Area]
    kinds: dict[str, str]
    classes: dict[str, str]
    works: dict[str, str]
    grades: dict[str, str]
    body_kinds: dict[str, BodyKindRow] = field(default_factory=dict)

    @classmethod
    def load(cls, root: str, on: date) -> Words:
        """Return the words of a root on a day."""
        kinds = list(catalog.place_kinds(root, on).values_list("code", "zh", "en"))
        classes = list(catalog.hazard_classes(root, on).values_list("code", "zh", "en"))
        return cls(
            bodies_by_word(root),
            named((area, (area.code, area.name)) for area in Area.objects.filter(root_id=root)),
            named((code, (code, zh, en)) for code, zh, en in kinds),
            named((code, (code, zh, en)) for code, zh, en in classes),
            named((row.code, (row.code, row.zh, row.en)) for row in check_lists()),
            named((one.value, (one.value, one.zh, one.en)) for one in Grade),
            {word: one for one in body_kinds() for word in (one.zh, one.code)},
        )


def bodies_by_word(root: str) -> dict[str, Body]:
    """This function will return the bodies of a root by code, and by name where nobody shares it."""
    return named((body, (body.code, body.name, body.name_en)) for body in all_bodies(root))


def named(rows: Iterable[tuple[Any, tuple[str, ...]]]) -> dict[str, Any]:
    """This function will return what each word means: a code always its own, a name only where nobody shares it."""
    kept = list(rows)
    counts = Counter(word for _, words in kept for word in dict.fromkeys(words) if word)
    found = {word: row for row, words in kept for word in words[1:] if word and counts[word] == 1}
    found.update({words[0]: row for row, words in kept})
    return found


def term(words: Mapping[str, tuple[str, ...]], text: str) -> str:
    """This function will return the code of a term given by its code or one of its names, empty when it is none."""
    folded = text.strip().casefold()
    return next((code for code, names in words.items() if folded in (code, *names)), "")


def load(run: Run) -> None:
    """This function will load the words of the run's root."""
    run.known["words"] = Words.load(run.root, run.on)


def words_of(run: Run) -> Words:
    """This function will return the words that the run loaded."""
    found: Words = run.known["words"]
    return found


def problems_of(row: TypedRow, checks: Iterable[Check]) -> list[Problem]:
    """This function will return what is wrong with a row, the order of its days included."""
    found = [row.problem(name, code, zh, en) for name, wrong, code, zh, en in checks if wrong]
    since, until = day(row, "from"), day(row, "until")
    if since and until and until <= since:
        found.append(
            row.problem(
                "until",
                "reversed",
                "终止日期（不含）须晚于起始日期",
                "the end (exclusive) must lie after the beginning",
            )
        )
    return found


def day(row: TypedRow, name: str) -> date | None:
    """This function will return a cell as a day, None when it is empty."""
    value = row.values.get(name)
    return value if isinstance(value, date) else None


def understood(row: TypedRow, meant: Mapping[str, str]) -> None:
    """This function will write codes for words into a row, so that a row means the same however it is written."""
    row.values.update({name: code for name, code in meant.items() if name in row.values})
    row.digest = digest([[name, str(row.values[name])] for name in sorted(row.values) if row.values[name] != ""])
