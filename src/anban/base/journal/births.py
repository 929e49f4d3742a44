"""Rows born in a unit that tells many whole lives: changed and read in memory, inserted as sets when the unit ends.

A history of thousands of hazards goes through the same operations as a single one. What they make in such a unit nobody else
can see before the commit, so each row need be written once only, as it stands at the end. Operations write by ``add`` and
``change`` and read by ``born`` and ``born_of`` what may be new; without such a unit these are plain writes and no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from anban.base.inserting import insert, insert_new, prepared

M = TypeVar("M", bound=models.Model)
R = TypeVar("R")
Row = Any
Mark = tuple[int, int, int]


@dataclass(slots=True)
class Births:
    """The rows born in one unit, by model and by the matter they belong to, with what it takes to undo a part."""

    rows: dict[type[models.Model], dict[UUID, Row]] = field(default_factory=dict)
    families: dict[tuple[type[models.Model], UUID], dict[UUID, Row]] = field(default_factory=dict)
    matters: set[UUID] = field(default_factory=set)
    undo: list[tuple[type[models.Model], UUID, UUID, Row | None]] = field(default_factory=list)
    known: dict[Any, Any] = field(default_factory=dict)
    moved: dict[tuple[type[models.Model], Any], tuple[Row, tuple[str, ...]]] = field(default_factory=dict)

    def put(self, row: Row, matter: UUID) -> None:
        """Keep a new row, or the newest version of one."""
        model = type(row)
        kept = self.rows.setdefault(model, {})
        self.undo.append((model, row.pk, matter, kept.get(row.pk)))
        row._state.adding, row._state.db = False, "default"
        kept[row.pk] = row
        self.families.setdefault((model, matter), {})[row.pk] = row

    def mark(self) -> Mark:
        """Return where the unit stands, for ``back_to``."""
        return len(self.undo), len(self.known), len(self.moved)

    def back_to(self, mark: Mark) -> None:
        """Forget what was born, changed, locked or fetched since a mark: the savepoint that is rolled back had it too."""
        changes, known, moved = mark
        lasting: tuple[tuple[dict[Any, Any], int], ...] = ((self.known, known), (self.moved, moved))
        for kept, size in lasting:
            for key in list(kept)[size:]:
                del kept[key]
        while len(self.undo) > changes:
            model, key, matter, former = self.undo.pop()
            for rows in (self.rows[model], self.families[model, matter]):
                if former is None:
                    del rows[key]
                else:
                    rows[key] = former
            if former is None and key == matter:
                self.matters.discard(key)

    def write(self) -> None:
        """Insert every row once, as it stands, and save what else has moved."""
        insert(*(prepared(rows.values()) for rows in self.rows.values()))
        for row, fields in self.moved.values():
            row.save(update_fields=fields)


open_births: ContextVar[Births | None] = ContextVar("births", default=None)


def add(row: M, *, matter: UUID | None = None) -> M:
    """This function will write a new row: at once, or at the end of the unit in which its matter was born.

    Without ``matter`` the row is a matter of its own.
    """
    births = open_births.get()
    if births is None or (matter is not None and matter not in births.matters):
        row.save(force_insert=True)
        return row
    if matter is None:
        births.matters.add(row.pk)
    births.put(row, matter or row.pk)
    return row


def add_all(rows: Iterable[M], *, matter: UUID) -> list[M]:
    """This function will write new rows of one model that belong to one matter."""
    made = list(rows)
    births = open_births.get()
    if births is not None and matter in births.matters:
        for row in made:
            births.put(row, matter)
    elif made:
        insert_new(made)
    return made


def change(row: models.Model, fields: Iterable[str] | None = None, *, matter: UUID | None = None) -> None:
    """This function will save a changed row; of one born in this unit the newest version is kept."""
    births = open_births.get()
    if births is not None and row.pk in births.rows.get(type(row), ()):
        births.put(row, matter or row.pk)
        return
    row.save(update_fields=None if fields is None else list(fields))


def move(row: models.Model, fields: Iterable[str]) -> None:
    """This function will save a row that the unit holds locked; in a unit of births once, at its end."""
    births = open_births.get()
    if births is None:
        row.save(update_fields=list(fields))
    else:
        births.moved[type(row), row.pk] = (row, tuple(fields))


def born(model: type[M], key: Any) -> M | None:
    """This function will return a row born in this unit, to be changed and saved by ``change``, or None."""
    births = open_births.get()
    row = births.rows.get(model, {}).get(key) if births is not None else None
    return None if row is None else _twin(row)


def all_born(model: type[M]) -> list[M]:
    """This function will return every row of a model that was born in this unit: to be looked at, not to be changed."""
    births = open_births.get()
    return [] if births is None else list(births.rows.get(model, {}).values())


def born_of(model: type[M], matter: UUID) -> list[M] | None:
    """This function will return the rows of a matter born in this unit, in the order they came; None for an older matter."""
    births = open_births.get()
    if births is None or matter not in births.matters:
        return None
    return [_twin(row) for row in births.families.get((model, matter), {}).values()]


def deliver() -> None:
    """This function will write what was born so far and make older matters of it; only between whole operations."""
    births = open_births.get()
    if births is not None:
        births.write()
        for kept in (births.rows, births.families, births.moved, births.known):
            kept.clear()
        births.matters.clear()
        births.undo.clear()


def once(key: Any, fetch: Callable[[], R]) -> R:
    """This function will fetch something that the unit locks or holds still, in a unit of births once only."""
    births = open_births.get()
    if births is None:
        return fetch()
    if key not in births.known:
        births.known[key] = fetch()
    found: R = births.known[key]
    return found


def foresee(key: Any, value: object) -> None:
    """This function will give the answer to ``once`` beforehand, for whoever has fetched many at a time."""
    births = open_births.get()
    if births is not None:
        births.known[key] = value


def foreseen(key: Any) -> Any:
    """This function will return what was fetched beforehand under a key, or None."""
    births = open_births.get()
    return None if births is None else births.known.get(key)


def _twin(row: M) -> M:
    """Return a copy: an operation that is refused half-way has changed nothing."""
    twin = type(row).__new__(type(row))
    twin.__dict__.update(row.__dict__)
    twin._state = copy(row._state)
    twin._state.fields_cache = dict(row._state.fields_cache)
    return twin
