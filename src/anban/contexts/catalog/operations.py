"""Loads a root's catalog from the package's files or a source's own codes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.contexts.catalog.models import HazardClass, HazardCode, Industry, PlaceKind, Sector, Term
from anban.kit.ids import id_from

NAMES = {
    "list": "list_code",
    "class": "class_code",
    "place_kinds": "kinds",
    "lead": "lead_body_kind",
    "high_risk_six": "high_risk",
    "gbt4754": "industries",
}
"""Columns of the files whose name in the tables is longer."""


def load_standard(*, actor: Actor, at: datetime, root: str) -> int:
    """Load the package's hazard classes, 24 checklists, place kinds, industries and sectors; a second load adds nothing."""
    with unit():
        made = sum(
            _load(model, root, _rows(name))
            for model, name in (
                (HazardClass, "hazard_classes"),
                (HazardCode, "check_items"),
                (PlaceKind, "place_kinds"),
                (Industry, "industries"),
                (Sector, "sectors"),
            )
        )
        if made:
            record("catalog.loaded", actor=actor, at=at, subject=("root", root), data={"terms": made})
        return made


def add_terms(*, actor: Actor, at: datetime, root: str, model: type[Term], rows: Iterable[Mapping[str, str]]) -> int:
    """Add a source's own codes to a root (a sample's categories and codes); codes that are there stay as they are."""
    with unit():
        made = _load(model, root, rows)
        if made:
            record(
                "catalog.extended",
                actor=actor,
                at=at,
                subject=("root", root),
                data={"table": model._meta.db_table, "terms": made},
            )
        return made


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / "data" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _load(model: type[Term], root: str, rows: Iterable[Mapping[str, str]]) -> int:
    columns = {f.name for f in model._meta.concrete_fields}
    present = set(model._default_manager.filter(root=root).values_list("code", flat=True))
    fresh = []
    for row in rows:
        if row["code"] in present:
            continue
        named = {NAMES.get(k, k): v for k, v in row.items()}
        values: dict[str, object] = {k: v for k, v in named.items() if k in columns and v is not None}
        values["from_on"] = date.fromisoformat(row["from"]) if row.get("from") else None
        values["until_on"] = date.fromisoformat(row["until"]) if row.get("until") else None
        for flag in ("comes_back", "high_risk"):
            if flag in values:
                values[flag] = named[flag] == "true"
        fresh.append(
            model(id=id_from(model._meta.db_table, root, row["code"], row.get("from", "")), root=root, **values)
        )
    model._default_manager.bulk_create(fresh, batch_size=500)
    return len(fresh)
