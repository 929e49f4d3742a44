"""The addresses of the interface, each behind one gate; whatever else lies below ``/api/`` is not found, as a problem."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from anban.api.problems import respond, too_large
from anban.api.v1 import api
from anban.base.files.operations import DOCUMENT_LIMIT
from anban.rules.errors import Refusal

JSON_LIMIT: Final = 1024 * 1024
ENVELOPE: Final = 64 * 1024
"""What a multipart envelope adds to a file."""


def gate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Refuse what is too large before a byte of it is read, and say as a problem what the framework says as text."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        limit = DOCUMENT_LIMIT + ENVELOPE if request.path.endswith("/files") else JSON_LIMIT
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > limit:
            return respond(request, too_large(limit))
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return respond(request, Refusal("api.not_found"))
        if response.status_code == 405:
            refused = respond(request, Refusal("api.method_not_allowed"))
            refused["Allow"] = response.headers.get("Allow", "")
            return refused
        return response

    return guarded


@csrf_exempt
def missing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer an address that is none."""
    del rest
    return respond(request, Refusal("api.not_found"))


patterns, application, namespace = api.urls
for pattern in patterns:
    if isinstance(pattern, URLPattern):
        pattern.callback = gate(pattern.callback)

urlpatterns = [
    path("v1/", (patterns, application, namespace)),
    re_path(r"^(?P<rest>.*)$", missing),
]
