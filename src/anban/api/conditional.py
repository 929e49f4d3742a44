"""ETag from a row's version; ``If-Match`` and ``If-None-Match`` against it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from anban.api.problems import Precondition
from anban.rules.errors import Refusal, register

register("api.precondition_malformed", zh='If-Match 须是 ETag，例如 "3"。', en='If-Match takes an ETag, such as "3".')

_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


def etag(version: int) -> str:
    """Return the ETag of a version."""
    return f'"{version}"'


def expected(request: HttpRequest, present: int, *, theirs: Mapping[str, Any], yours: Mapping[str, Any]) -> int | None:
    """Return the version that the caller saw, or None where it did not say.

    Raises: Precondition when it is another than the present one, api.precondition_malformed.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        return None
    if given == "*":
        return present
    seen = _TAG.fullmatch(given)
    if seen is None:
        raise Refusal("api.precondition_malformed", field="If-Match")
    if int(seen[1]) != present:
        raise Precondition(given=given, present=present, theirs=theirs, yours=yours)
    return present


def unchanged(request: HttpRequest, version: int) -> bool:
    """Tell whether the caller has this version already (``If-None-Match``)."""
    return any(tag[1] == str(version) for tag in _TAG.finditer(request.headers.get("If-None-Match", "")))
