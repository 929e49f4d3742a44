"""Keyset pages: ``next`` is the key after which the next page begins, null at the end; no page is skipped or shown twice."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from anban.api.answers import Rooted, reply

SIZE_MOST = 200


class Paged(BaseModel):
    """Where a page begins and how long it is."""

    model_config = ConfigDict(extra="forbid")

    after: UUID | None = None
    size: Annotated[int, Field(ge=1, le=SIZE_MOST)] = 50


class Listed(Rooted):
    """A page of a list; ``next`` goes into ``after`` of the next request."""

    next: str | None = None


def reply_page(request: HttpRequest, body: Listed) -> HttpResponse:
    """Answer a page, with the next one's address in ``Link`` (RFC 8288)."""
    response = reply(request, body)
    if body.next:
        query = request.GET.copy()
        query["after"] = body.next
        response["Link"] = f'<{request.path}?{query.urlencode()}>; rel="next"'
    return response
