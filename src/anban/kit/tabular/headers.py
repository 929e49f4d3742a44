"""Matching the header of a file to the columns that an importer wants, by their Chinese and English names."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .tables import unique_columns


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column that an importer knows: its key, the names it goes by (中文、English), whether it must be there."""

    key: str
    names: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """Which wanted columns a header has; ``ok`` when none is missing or ambiguous."""

    found: dict[str, str]
    """Wanted key → the key of ``Row.cells``."""
    missing: tuple[str, ...]
    """Keys of required columns that aren't there."""
    duplicate: dict[str, tuple[str, ...]]
    """Wanted key → the several header texts that claim it."""
    unknown: tuple[str, ...]
    """Header texts that nobody wants."""

    @property
    def ok(self) -> bool:
        """Whether rows can be read with this header."""
        return not self.missing and not self.duplicate


def header_key(name: str) -> str:
    """This function will fold a header text for comparison: half-width, lower case, no spaces, marks or trailing star."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in folded if not c.isspace() and c not in "\ufeff\u200b_-*:")


def match_columns(header: Sequence[str], wanted: Iterable[Wanted]) -> ColumnMatch:
    """This function will match header texts (``Table.header``) to wanted columns by key or any of their names.

    Raises: ValueError when two wanted columns share a name, which is a mistake of the importer.
    """
    owners: dict[str, str] = {}
    wishes = tuple(wanted)
    for wish in wishes:
        for name in (wish.key, *wish.names):
            if owners.setdefault(header_key(name), wish.key) != wish.key:
                raise ValueError(f"{name!r} names both {owners[header_key(name)]!r} and {wish.key!r}")
    claims: dict[str, list[tuple[str, str]]] = {}
    unknown = []
    for text, column in zip(header, unique_columns(header), strict=True):
        key = owners.get(header_key(text)) if text else None
        if key is not None:
            claims.setdefault(key, []).append((text, column))
        elif text:
            unknown.append(text)
    return ColumnMatch(
        found={key: claim[0][1] for key, claim in claims.items() if len(claim) == 1},
        missing=tuple(wish.key for wish in wishes if wish.required and wish.key not in claims),
        duplicate={key: tuple(text for text, _ in claim) for key, claim in claims.items() if len(claim) > 1},
        unknown=tuple(unknown),
    )
