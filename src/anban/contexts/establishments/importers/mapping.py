"""Mappings: what a source's columns, values and keys mean, read from TOML; shipped ones, and a user's own file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from anban.kit.geo import Datum
from anban.rules.errors import Refusal, register

register("import.mapping_unknown", zh="没有名为“{name}”的导入映射。", en="There is no import mapping named “{name}”.")
register("import.mapping_broken", zh="导入映射“{name}”有误：{what}", en="The import mapping “{name}” is wrong: {what}")

_NAMED = {
    "name", "title", "title_en", "target", "source", "source_name", "source_name_en", "root", "columns", "requires",
    "values", "constants", "attributes", "key", "datum", "date_serial", "register", "numbers", "match", "must_register",
    "historical", "steward", "prepare", "options", "own_names",
}  # fmt: skip


@dataclass(frozen=True)
class Mapping:
    """How the rows of one source become rows of one target (导入映射)."""

    name: str
    target: str
    source: str
    title: str = ""
    title_en: str = ""
    source_name: str = ""
    source_name_en: str = ""
    root: str = ""
    """The only root it may be used in; empty for any."""
    columns: AnyMapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Target field to the header texts that hold it in this source."""
    own_names: bool = True
    """Whether the target's own Chinese and English names count for fields that ``columns`` doesn't name."""
    requires: tuple[str, ...] = ()
    """Header texts without which a table is not of this source."""
    values: AnyMapping[str, AnyMapping[str, str]] = field(default_factory=dict)
    constants: AnyMapping[str, str] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    """Header texts that are kept as the source's own facts of the subject."""
    key: tuple[str, ...] = ()
    """Target fields or header texts that name a row for ever; empty: the target's own rule."""
    datum: str = ""
    date_serial: bool = False
    register: bool = True
    """Whether rows that match nothing are put on the register, or stay blind spots."""
    numbers: str = "register"
    """Whose numbers the column ``number`` holds: the ``register``'s own, or the ``source``'s."""
    match: tuple[str, ...] = ("number", "credit_code", "name_address")
    must_register: bool = True
    historical: bool = False
    steward: str = ""
    prepare: AnyMapping[str, Any] = field(default_factory=dict)
    options: AnyMapping[str, Any] = field(default_factory=dict)
    """Settings that only the target understands."""


def read_mapping(text: str, name: str = "") -> Mapping:
    """This function will read a mapping from TOML. Raises: import.mapping_broken."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(name, str(error)) from error
    label = str(raw.get("name", name))
    if unknown := sorted(set(raw) - _NAMED):
        raise _broken(label, f"unknown: {', '.join(unknown)}")
    if missing := [key for key in ("name", "target", "source") if not isinstance(raw.get(key), str) or not raw[key]]:
        raise _broken(label, f"missing: {', '.join(missing)}")
    if raw.get("datum") and raw["datum"] not in set(Datum):
        raise _broken(label, f"datum {raw['datum']}")
    if raw.get("numbers", "register") not in ("register", "source"):
        raise _broken(label, f"numbers {raw['numbers']}")
    try:
        plain: dict[str, Any] = {
            key: tuple(_texts(raw[key])) for key in ("requires", "attributes", "key", "match") if key in raw
        }
        columns = {str(fieldname): tuple(_texts(names)) for fieldname, names in raw.get("columns", {}).items()}
        values = {str(k): {str(a): str(b) for a, b in v.items()} for k, v in raw.get("values", {}).items()}
        constants = {str(k): str(v) for k, v in raw.get("constants", {}).items()}
    except (TypeError, AttributeError) as error:
        raise _broken(label, str(error)) from error
    rest = {k: v for k, v in raw.items() if k not in {*plain, "columns", "values", "constants"}}
    return Mapping(**rest, **plain, columns=columns, values=values, constants=constants)


# Packages whose folder ``mappings`` holds shipped ones; contexts above add their own.
_PACKAGES: dict[str, None] = {"anban.contexts.establishments": None}


def register_mappings(package: str) -> None:
    """This function will add a package whose folder ``mappings`` holds shipped mappings."""
    _PACKAGES[package] = None


def shipped_mappings() -> dict[str, Mapping]:
    """This function will give the mappings that come with the product, by name."""
    found = {}
    for package in _PACKAGES:
        folder = files(package).joinpath("mappings")
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir(), key=lambda p: p.name):
            if path.name.endswith(".toml"):
                one = read_mapping(path.read_text(encoding="utf-8"), path.name)
                found[one.name] = one
    return found


def mapping_named(name: str) -> Mapping:
    """This function will give a shipped mapping by its name, or the one in the TOML file of that path.

    Raises: import.mapping_unknown, import.mapping_broken.
    """
    if name.endswith(".toml"):
        path = Path(name)
        if path.is_file():
            return read_mapping(path.read_text(encoding="utf-8-sig"), path.stem)
    elif name in (known := shipped_mappings()):
        return known[name]
    raise Refusal("import.mapping_unknown", field="mapping", name=name)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    message = f"{value!r} is no list of texts"
    raise TypeError(message)


def _broken(name: str, what: str) -> Refusal:
    return Refusal("import.mapping_broken", field="mapping", name=name, what=what)
