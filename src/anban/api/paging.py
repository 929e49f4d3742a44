"""Keyset pages: ``next`` is the key after which the next page begins, null at the end; no page is skipped or shown twice."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ConfigDict, Field

from anban.api.answers import Rooted, reply
from anban.contexts.territory.queries import area_by_code
from anban.rules.errors import Refusal

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


P = TypeVar("P", bound=Listed)


def newest_first(request: HttpRequest, query: Paged, rows: Any, page: type[P]) -> HttpResponse:
    """Answer the page of a scoped list that a query asks for, newest first by key; rows become what the page lists."""
    if query.after is not None:
        rows = rows.filter(pk__lt=query.after)
    found = list(rows.order_by("-pk")[: query.size + 1])
    shown = found[: query.size]
    following = str(shown[-1].pk) if len(found) > query.size else None
    return reply_page(request, page.model_validate({"items": shown, "next": following}, from_attributes=True))


def area_path(root: str, area: str) -> str:
    """Return the path of an area that a query gives as a code or a path. Raises: api.value_unknown."""
    if not area or "/" in area:
        return area
    found = area_by_code(root, area)
    if found is None:
        raise Refusal("api.value_unknown", field="area", name="area")
    return str(found.path)
