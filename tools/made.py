"""What is made from the code by machine and committed: migrations, the OpenAPI document, the rules; and who opens what."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import os
import pkgutil
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
OPENAPI = REPOSITORY / "docs" / "openapi.json"
REFUSALS = REPOSITORY / "docs" / "refusals.md"
RULES = REPOSITORY / "docs" / "rules.md"
SHOWN_LINES = 60


def migrations(*, check: bool) -> int:
    """Write the migrations that the models ask for, or say that some are missing."""
    from django.core.management import call_command

    try:
        call_command("makemigrations", check_changes=check, dry_run=check, verbosity=1)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def api_document() -> dict[str, Any]:
    """Find the one API of `anban.api` and return its OpenAPI document."""
    from django.urls import get_resolver
    from ninja import NinjaAPI

    # The document names paths as the site has them, so the site's addresses come first.
    _ = get_resolver().url_patterns
    package = importlib.import_module("anban.api")
    found: dict[int, NinjaAPI] = {}
    for name in ["anban.api", *(info.name for info in pkgutil.walk_packages(package.__path__, "anban.api."))]:
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, NinjaAPI):
                found[id(value)] = value
    if len(found) != 1:
        raise SystemExit(f"expected one NinjaAPI in anban.api and found {len(found)}")
    document: dict[str, Any] = json.loads(json.dumps(next(iter(found.values())).get_openapi_schema(), default=str))
    return document


def refusals_document() -> str:
    """Return the list of every refusal of the product: code, status in the API, both texts."""
    import anban
    from anban.api.problems import status_of
    from anban.rules.errors import all_codes

    for info in pkgutil.walk_packages(anban.__path__, "anban."):
        if not {"migrations", "wsgi", "asgi"} & set(info.name.split(".")):
            importlib.import_module(info.name)
    rows = [f"| `{m.code}` | {status_of(m.code)} | {m.zh} | {m.en} |".replace("\n", " ") for m in all_codes().values()]
    return (
        "# Refusals\n\n"
        "Every code with which Anban says no, the HTTP status under which `/api/v1` gives it, and its texts. "
        "Written by `make openapi`.\n\n"
        "| code | status | 中文 | English |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def openapi(*, check: bool) -> int:
    """Write the OpenAPI document and the list of refusals, or show where the committed ones differ from what is."""
    document = json.dumps(api_document(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return max(
        [_kept(path, text, check=check) for path, text in ((OPENAPI, document), (REFUSALS, refusals_document()))]
    )


def rules(*, check: bool) -> int:
    """Write docs/rules.md from the rules, or show where the committed one differs."""
    from anban.rules.documenting import document

    sys.path.insert(0, str(REPOSITORY))
    from tests.rules.worked_cases import FOLDER, cases

    examples = {
        path.stem: json.dumps(next(case.given for case in cases(path) if not case.error), ensure_ascii=False)
        for path in FOLDER.glob("*.csv")
    }
    return _kept(RULES, document(examples), check=check)


def _kept(path: Path, made: str, *, check: bool) -> int:
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    if made == kept:
        return 0
    if not check:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
        print(f"wrote {path.relative_to(REPOSITORY)}")
        return 0
    changes = difflib.unified_diff(kept.splitlines(), made.splitlines(), "committed", "made now", lineterm="", n=2)
    print("\n".join(list(changes)[:SHOWN_LINES]))
    command = "tools/made.py rules" if path == RULES else "make openapi"
    print(f"{path.name} is old. If the change is meant: `{command}`, and say so in CHANGELOG.md.")
    return 1


def roles(*, check: bool) -> int:
    """Print every address with the roles that `@needs` gave it; fail where a page names none."""
    from django.urls import URLPattern, URLResolver, get_resolver

    bare: list[str] = []

    def walk(prefix: str, patterns: list[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(path, pattern.url_patterns)
                continue
            view = pattern.callback
            module = str(getattr(view, "__module__", ""))
            if not module.startswith("anban.web"):
                continue
            named = getattr(view, "needed_roles", None)
            if named is None:
                bare.append(path)
            print(f"/{path:<60} {'—' if named is None else ' '.join(sorted(named)) or 'everyone'}")

    walk("", list(get_resolver().url_patterns))
    if bare and check:
        print("without roles: " + ", ".join(bare), file=sys.stderr)
    return 1 if bare and check else 0


def main() -> int:
    """Make or check one thing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["migrations", "openapi", "roles", "rules"])
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something is missing or old")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="anban-made-") as home:
        # Nothing here touches an installation: the settings get a home of their own.
        os.environ["ANBAN_HOME"] = home
        os.environ.pop("DATABASE_URL", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "anban.config.settings"
        import django

        django.setup()
        make = {"migrations": migrations, "openapi": openapi, "roles": roles, "rules": rules}[options.what]
        return make(check=options.check)


if __name__ == "__main__":
    sys.exit(main())
