"""The import wizard walked through: choose, match, preview; the worker's part done at once."""

from __future__ import annotations

from datetime import datetime

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from anban.base.jobs import registry
from anban.base.jobs.worker import run_once

JOBS = ["import.preview", "import.apply"]


def table(text: str, name: str = "名册.csv") -> SimpleUploadedFile:
    """Return a table as a browser sends it."""
    return SimpleUploadedFile(name, text.encode("utf-8-sig"), content_type="text/csv")


def work(at: datetime) -> None:
    """Run what was asked for, as the worker does."""
    registry.load()
    run_once(JOBS, at=at)


def through(client: Client, text: str, mapping: str = "", **columns: str) -> str:
    """Go through choosing and matching; return the address of the preview."""
    chosen = client.post("/import/", {"tables": table(text), "mapping": mapping})
    assert chosen.status_code == 302, chosen.content.decode()
    page = client.get(chosen.headers["Location"])
    given = {f"c-{c['field']}": c["chosen"] for c in page.context["columns"]}
    answer = client.post(chosen.headers["Location"], {**given, "source": page.context["source"], **columns})
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]
