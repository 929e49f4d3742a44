"""A report as a PDF, and what signed reports hand on; the words come from the page, so that both say the same."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from anban.base.typesetting import pdf


def report_pdf(told: Mapping[str, Any]) -> bytes:
    """Return a report as a PDF; ``told`` is what its page says. Raises: pdf.no_font."""
    return pdf(files("anban.contexts.risk").joinpath("report.typ").read_bytes(), told)
