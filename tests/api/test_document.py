"""The committed documents are what the interface is: a change that nobody announced fails here."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from django.test import Client

from anban.api.problems import STATUS
from anban.api.v1 import api
from tests.architecture.checks import REPOSITORY

OPEN = {"/api/v1/journal/head", "/api/v1/journal/entries/{position}/proof", "/api/v1/journal/consistency"}


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REPOSITORY / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return found


def test_the_committed_document_is_the_interface() -> None:
    assert json.loads(json.dumps(api.get_openapi_schema(), default=str)) == document(), "run `make openapi`"


def test_a_planted_change_is_found() -> None:
    changed = document()
    del changed["paths"]["/api/v1/hazards"]
    assert json.loads(json.dumps(api.get_openapi_schema(), default=str)) != changed


def test_the_document_is_served() -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.json()) == (200, document())


def test_everything_but_the_journal_asks_for_a_token_and_names_its_refusals() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            assert ("security" in operation) == (path not in OPEN), (method, path)
            if path != "/api/v1/files/{file_id}":
                assert {"403", "404", "422"} <= set(operation["responses"]), (method, path)


def test_the_list_of_refusals_is_current_and_names_what_the_interface_says() -> None:
    # A process of its own: other tests register codes that are none of the product's.
    checked = subprocess.run(
        [sys.executable, "tools/made.py", "openapi", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    listed = (REPOSITORY / "docs" / "refusals.md").read_text(encoding="utf-8")
    for code in STATUS:
        assert f"| `{code}` | {STATUS[code]} |" in listed
