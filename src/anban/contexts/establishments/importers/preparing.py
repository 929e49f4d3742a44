"""What a mapping needs in its root before rows come in: the root, areas from a column, the source's own place kinds."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.contexts.catalog.models import HazardClass, HazardCode, PlaceKind, Term
from anban.contexts.catalog.operations import add_terms
from anban.contexts.establishments import policies
from anban.contexts.establishments.importers.mapping import Mapping
from anban.contexts.establishments.importers.reading import DEFAULT_LIMITS, SourceFile
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import add_area, add_root
from anban.kit.tabular import read_tables

_TERMS: dict[str, type[Term]] = {"kinds": PlaceKind, "classes": HazardClass, "codes": HazardCode}


def prepare_root(mapping: Mapping, files: Sequence[SourceFile | Path], *, actor: Actor, at: datetime) -> None:
    """This function will make the root, the city, the areas and the terms that a mapping declares; a second time, nothing.

    ``prepare.root`` and ``prepare.city`` name themselves; each of ``prepare.areas`` makes one area per value of a column of
    the files, with ``{value}`` in its code and names; ``prepare.kinds``, ``prepare.classes`` and ``prepare.codes`` list terms.

    Raises: import.not_allowed; FileRefused when a file can't be read.
    """
    policies.require(policies.can_import(actor), "import.not_allowed")
    plan = mapping.prepare
    if not plan:
        return
    with unit():
        if "root" in plan:
            add_root(actor=actor, at=at, **plan["root"])
        city = _area(actor, at, plan["city"], "city", None, "1/") if "city" in plan else None
        for rule in plan.get("areas", []):
            _areas(actor, at, rule, city, files, mapping)
        for name, model in _TERMS.items():
            if name in plan:
                rows = [{k: str(v) for k, v in one.items()} for one in plan[name]]
                add_terms(actor=actor, at=at, root=actor.root, model=model, rows=rows)


def _areas(
    actor: Actor,
    at: datetime,
    rule: AnyMapping[str, Any],
    city: Area | None,
    files: Sequence[SourceFile | Path],
    mapping: Mapping,
) -> None:
    renamed = rule.get("unknown", {})
    for value in _values(rule["column"], files, mapping):
        named = renamed if value in renamed.get("values", ()) else rule
        level = rule.get("level", Area.Level.DISTRICT)
        texts = {key: str(named[key]).format(value=value) for key in ("code", "name", "name_en", "segment")}
        path = f"{city.path if city else ''}{texts.pop('segment')}/"
        _area(actor, at, texts, level, city, path, in_overview=bool(rule.get("in_overview", True)))


def _area(
    actor: Actor,
    at: datetime,
    named: AnyMapping[str, str],
    level: str,
    parent: Area | None,
    path: str,
    *,
    in_overview: bool = False,
) -> Area:
    known = Area.objects.filter(root_id=actor.root, code=named["code"]).first()
    return known or add_area(
        actor=actor, at=at, root=actor.root, code=named["code"], name=named["name"], name_en=named["name_en"],
        level=level, parent=parent, path=path, in_overview=in_overview,
    )  # fmt: skip


def _values(column: str, files: Sequence[SourceFile | Path], mapping: Mapping) -> list[str]:
    found: set[str] = set()
    for given in files:
        file = given if isinstance(given, SourceFile) else SourceFile(given)
        for table in read_tables(file.path, limits=DEFAULT_LIMITS, name=file.label):
            if not set(mapping.requires) <= set(table.header):
                for _ in table.rows:
                    pass
                continue
            found.update(row.cells.get(column, "").strip() for row in table.rows if not row.problems)
    return sorted(found, key=lambda text: (len(text), text))
