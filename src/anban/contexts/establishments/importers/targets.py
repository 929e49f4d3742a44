"""What an importer's target is: its columns, how a row is checked, planned and written; contexts above register theirs."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils.module_loading import autodiscover_modules

from anban.base.people.actor import Actor
from anban.contexts.establishments.columns import Column
from anban.contexts.establishments.importers.mapping import Mapping
from anban.contexts.establishments.models import SourceList

Value = str | int | float | date


class Fate(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row, a table or a file is refused; ``column`` is the source's header text or empty."""

    file: str
    sheet: str
    row: int
    column: str
    code: str
    zh: str
    en: str


@dataclass(slots=True)
class TypedRow:
    """A row of a source after reading: typed values by field, the texts to keep, the key and the digest of its content."""

    file: str
    sheet: str
    number: int
    cells: AnyMapping[str, str]
    values: dict[str, Value]
    attributes: dict[str, str]
    payload: dict[str, str]
    headers: AnyMapping[str, str]
    """Field to the header text it was read from."""
    key: str = ""
    digest: str = ""
    flags: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """This function will give a field as text, empty when the row hasn't got it."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else str(value)

    def problem(self, name: str, code: str, zh: str, en: str) -> Problem:
        """This function will say what is wrong with a field of this row."""
        return Problem(self.file, self.sheet, self.number, self.headers.get(name, ""), code, zh, en)


@dataclass(frozen=True, slots=True)
class Known:
    """The observation that an earlier import made of a row with the same key."""

    id: UUID
    digest: str
    payload: str
    place_id: UUID | None
    subject_id: UUID | None
    matched_by: str = ""
    dismissed: bool = False


@dataclass(slots=True)
class Item:
    """A row on its way into the register, with what is known of it and what will become of it."""

    row: TypedRow
    known: Known | None
    fate: Fate
    problems: list[Problem] = field(default_factory=list)
    place_id: UUID | None = None
    subject_id: UUID | None = None
    matched_by: str = ""
    area_path: str = ""
    plan: Any = None
    """What the target keeps between planning and writing."""

    def refuse(self, name: str, code: str, zh: str, en: str) -> None:
        """This function will refuse the row with a reason."""
        self.fate = Fate.REFUSED
        self.problems.append(self.row.problem(name, code, zh, en))


@dataclass(slots=True)
class Run:
    """One run of an import: who, when, into which root, by which mapping; ``known`` is the target's own memory."""

    actor: Actor
    at: datetime
    on: date
    root: str
    zone: str
    mapping: Mapping
    source: SourceList | None
    dry: bool
    known: dict[str, Any] = field(default_factory=dict)


class MovedMeanwhile(Exception):
    """A row that was planned on was changed by somebody else before it was written: plan the batch again."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Finish:
    """What the rows mean taken together: rows that go in although somebody should look, and what the whole file would do."""

    notes: tuple[Problem, ...] = ()
    effects: tuple[Said, ...] = ()


def _anybody(actor: Actor) -> bool:
    del actor
    return True


def _nothing(run: Run) -> Finish:
    del run
    return Finish()


@dataclass(frozen=True)
class Target:
    """A kind of rows that files can bring (places, visits, hazards).

    ``open`` loads what every row needs into ``run.known``; ``check`` reads what a row means and returns its problems;
    ``key`` names a row when the mapping doesn't; ``plan`` runs outside the transaction, decides the fates and prepares
    rows without writing; ``write`` runs inside the unit of work and must record what it wrote; ``finish`` looks over all
    rows once the last batch is planned (a preview) or written.
    """

    code: str
    kind: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    open: Callable[[Run], None]
    check: Callable[[Run, TypedRow], list[Problem]]
    key: Callable[[Run, TypedRow], str]
    plan: Callable[[Run, list[Item]], None]
    write: Callable[[Run, list[Item]], None]
    finish: Callable[[Run], Finish] = _nothing
    may: Callable[[Actor], bool] = _anybody
    """Who may take such a file in at all, among those who may import."""
    own_table: bool = False
    """Whether the target's own table says what is new, changed and the same, whatever earlier files said: an office's table
    is also changed on pages, and its file is to stand for it whole. Every row is planned."""
    retries_unmatched: bool = False
    """Whether rows that are the same but have no place yet are planned again: the place may be there by now."""


TARGETS: dict[str, Target] = {}


def register_target(target: Target) -> Target:
    """This function will enter a target under its code; contexts above call it when their importers are imported.

    Raises: ValueError when another target has the code.
    """
    known = TARGETS.setdefault(target.code, target)
    if known is not target:
        message = f"another target is called {target.code}"
        raise ValueError(message)
    return target


def load_targets() -> None:
    """Import the ``importers`` of every context, so that each has entered its targets; a worker imports nothing else of them."""
    autodiscover_modules("importers")
