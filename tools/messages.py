"""Collects the interface texts, merges their English from ``locale_src/*.csv`` and writes the compiled catalog."""

from __future__ import annotations

import argparse
import ast
import csv
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "anban"
CALLS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2}
CALLS_WITH_CONTEXT = {"pgettext": 1, "pgettext_lazy": 1, "npgettext": 2, "npgettext_lazy": 2}
LARGEST_TABLE = 4_000_000  # bytes; larger files hold data, not labels
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd]|%%|\{(\w*)\}")
TAG = re.compile(r"{%-?\s*(.*?)\s*-?%}|{{\s*(.*?)\s*}}|{#.*?#}", re.S)
QUOTED = re.compile(r"""^(?:translate|trans)\s+("([^"]*)"|'([^']*)')(?=\s|$)""")
FILTERED = re.compile(r"""\b_\(\s*("([^"]*)"|'([^']*)')\s*\)""")


class Trouble(Exception):
    """Texts that cannot become a catalog; the message lists every one."""


class SteadyCatalog(Catalog):
    """A catalog whose header holds no date and no name, so that the same texts give the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The header of both files."""
        return [
            ("Project-Id-Version", "anban"),
            ("Language", "en"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", "nplurals=2; plural=(n != 1);"),
        ]


@dataclass(frozen=True)
class Texts:
    """The msgids in use: singular text to plural text (None for most), with the first place each stands at."""

    plurals: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def add(self, text: str, plural: str | None, place: str) -> None:
        """Note one use of a text."""
        if not text:
            return
        self.places.setdefault(text, place)
        if plural is not None or text not in self.plurals:
            self.plurals[text] = plural


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def from_python(source: str, place: str, texts: Texts) -> None:
    """Note the msgids of the gettext calls of one module.

    Raises: Trouble where a call is given an f-string, which no catalog can hold.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in CALLS_WITH_CONTEXT:
            raise Trouble(f"{place}:{node.lineno}: contexts are not used; choose a text that is clear by itself")
        if name not in CALLS or not node.args:
            continue
        if any(isinstance(part, ast.JoinedStr) for part in node.args[: CALLS[name]]):
            raise Trouble(f"{place}:{node.lineno}: an f-string cannot be translated; use named placeholders")
        text = _literal(node.args[0])
        plural = _literal(node.args[1]) if CALLS[name] == 2 and len(node.args) > 1 else None
        if text is not None:
            texts.add(text, plural, f"{place}:{node.lineno}")


def _block(parts: list[str], *, trimmed: bool) -> str:
    text = "".join(parts)
    if trimmed:
        text = " ".join(line.strip() for line in text.strip().splitlines() if line.strip())
    return text


def from_template(source: str, place: str, texts: Texts) -> None:
    """Note the msgids of one Django template: translate, blocktranslate (trimmed, plural) and ``_("…")``."""
    opened: str | None = None
    plural: list[str] | None = None
    parts: list[str] = []
    position = 0
    for match in TAG.finditer(source):
        here = f"{place}:{source.count(chr(10), 0, match.start()) + 1}"
        tag, variable = match.group(1), match.group(2)
        if opened is not None:
            target = parts if plural is None else plural
            target.append(source[position : match.start()].replace("%", "%%"))
            if variable is not None:
                target.append(f"%({variable.split('|')[0].strip()})s")
            elif tag is not None and tag.split()[0] == "plural":
                plural = []
            elif tag is not None and tag.split()[0] in {"endblocktranslate", "endblocktrans"}:
                trimmed = "trimmed" in opened.split()
                texts.add(
                    _block(parts, trimmed=trimmed),
                    None if plural is None else _block(plural, trimmed=trimmed),
                    here,
                )
                opened, plural, parts = None, None, []
        elif tag is not None:
            quoted = QUOTED.match(tag)
            if tag.split()[:1] in (["blocktranslate"], ["blocktrans"]):
                opened, plural, parts = tag, None, []
            elif quoted:
                # Django looks a quoted text of a tag up with its per cent signs doubled.
                texts.add((quoted.group(2) or quoted.group(3) or "").replace("%", "%%"), None, here)
        if opened is None or tag is not None:
            for literal in FILTERED.finditer(tag or variable or ""):
                texts.add((literal.group(2) or literal.group(3) or "").replace("%", "%%"), None, here)
        position = match.end()


def used_texts(package: Path = PACKAGE) -> Texts:
    """Collect every msgid of the package's modules and templates."""
    texts = Texts()
    for path in sorted(package.rglob("*.py")):
        from_python(path.read_text(encoding="utf-8"), path.relative_to(package).as_posix(), texts)
    for suffix in ("*.html", "*.txt"):
        for path in sorted(package.rglob(suffix)):
            if "templates" in path.parts:
                from_template(path.read_text(encoding="utf-8"), path.relative_to(package).as_posix(), texts)
    return texts


def texts_of_tables(english: Iterable[str], texts: Texts, package: Path = PACKAGE) -> None:
    """Note the translated texts that pages reach through a table: a term beside a state, a label in TOML, CSV or JSON.

    No call marks those, so a translation is in use when its text stands as a whole string in a module, or in a data file.
    """
    constants: set[str] = set()
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    data = "\n".join(
        path.read_text(encoding="utf-8")
        for suffix in ("*.toml", "*.csv", "*.json")
        for path in sorted(package.rglob(suffix))
        if "locale_src" not in path.parts and path.stat().st_size < LARGEST_TABLE
    )
    for text in english:
        if text not in texts.plurals and (text in constants or text in data):
            texts.add(text, None, "a table")


def english_texts(package: Path = PACKAGE) -> dict[str, tuple[str, str, str]]:
    """Read the translations: Chinese text to (English, English plural or "", file).

    Raises: Trouble for a bad header, an empty cell, or two files that differ on one text.
    """
    found: dict[str, tuple[str, str, str]] = {}
    troubles: list[str] = []
    for path in sorted((package / "locale_src").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) not in {("zh", "en"), ("zh", "en", "en_plural")}:
                raise Trouble(f"{path.name}: the header must be zh,en or zh,en,en_plural")
            for row in reader:
                place = f"{path.name}:{reader.line_num}"
                if None in row or not row["zh"] or not row["en"]:
                    troubles.append(f"{place}: needs zh and en and nothing more: {row}")
                    continue
                entry = (row["en"], row.get("en_plural") or "", path.name)
                known = found.setdefault(row["zh"], entry)
                if known[:2] != entry[:2]:
                    troubles.append(f"{place}: 「{row['zh']}」 is {known[0]!r} in {known[2]} and {entry[0]!r} here")
    if troubles:
        raise Trouble("\n".join(troubles))
    return found


def _placeholders(text: str) -> list[str]:
    return sorted({match.group(0) for match in PLACEHOLDER.finditer(text)} - {"%%"})


def catalog_of(texts: Texts, english: dict[str, tuple[str, str, str]], *, unused_allowed: bool = False) -> Catalog:
    """Join texts and translations.

    Raises: Trouble listing texts without English, translations no longer used, and placeholders that differ.
    """
    troubles = [f"no English: 「{text}」 ({texts.places[text]})" for text in texts.plurals if text not in english]
    if not unused_allowed:
        troubles += [
            f"no longer used: 「{text}」 ({entry[2]})" for text, entry in english.items() if text not in texts.plurals
        ]
    catalog = SteadyCatalog(locale="en", header_comment="", fuzzy=False)
    for text in sorted(texts.plurals):
        if text not in english:
            continue
        one, many, where = english[text]
        plural = texts.plurals[text]
        if _placeholders(text) != _placeholders(one) and plural is None:
            troubles.append(f"placeholders differ: 「{text}」 and {one!r} ({where})")
        if plural is None:
            catalog.add(text, one)
        else:
            catalog.add((text, plural), (one, many or one))
    if troubles:
        raise Trouble("\n".join(troubles))
    return catalog


def compiled(catalog: Catalog) -> tuple[bytes, bytes]:
    """Return the bytes of the .po and of the .mo; the same texts always give the same bytes."""
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalog, width=0, no_location=True, omit_header=True)
    header = 'msgid ""\nmsgstr ""\n' + "".join(f'"{name}: {value}\\n"\n' for name, value in catalog.mime_headers)
    write_mo(mo, catalog)
    return header.encode() + b"\n" + po.getvalue(), mo.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write the catalog, or with ``--check`` only say whether the committed one is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the committed catalog is old")
    parser.add_argument("--partial", action="store_true", help="write what there is and only list what is missing")
    options = parser.parse_args(arguments)
    folder = PACKAGE / "locale" / "en" / "LC_MESSAGES"
    status = 0
    try:
        texts, english = used_texts(), english_texts()
        texts_of_tables(english, texts)
        if options.partial:
            missing = [text for text in texts.plurals if text not in english]
            for text in missing:
                # A page under work shows Chinese until its English is written.
                print(f"no English: 「{text}」 ({texts.places[text]})", file=sys.stderr)
                del texts.plurals[text]
        catalog = catalog_of(texts, english, unused_allowed=options.partial)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    for name, content in zip(("django.po", "django.mo"), compiled(catalog), strict=True):
        path = folder / name
        if path.exists() and path.read_bytes() == content:
            continue
        if options.check:
            print(f"{path.relative_to(PACKAGE)} is old: run `make messages`", file=sys.stderr)
            status = 1
        else:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if not options.check:
        print(f"{len(texts.plurals)} texts in English")
    return status


if __name__ == "__main__":
    sys.exit(main())
