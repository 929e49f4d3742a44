"""The pages for refused, missing and broken."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from anban.kit.ids import new_id

log = logging.getLogger("anban.web")


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403 with who may open the page."""
    text = str(exception) if exception and str(exception) else ""
    return render(request, "403.html", {"exception": text}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404; the same words and size for what is not there and what one may not see."""
    del exception
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500 with a reference number that stands in the log, never with a traceback."""
    reference = new_id().hex[-8:].upper()
    log.error("reference %s on %s", reference, request.path)
    return render(request, "500.html", {"reference": reference}, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token: most often a page left open overnight."""
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
