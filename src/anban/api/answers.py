"""How an endpoint answers: typed bodies that name their root, written by orjson; unknown names in the query refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, get_type_hints

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel, ConfigDict

from anban.api.access import actor_of
from anban.api.conditional import etag as etag_of
from anban.api.problems import Problem
from anban.contexts.territory.queries import root as root_of
from anban.rules.errors import Refusal

MEDIA_TYPE: Final = "application/json"
NOTICES: Final[Mapping[str, str]] = {
    "demonstration": "演示数据，不是任何城市的记录。Demonstration data: not the record of any city.",
    "sample": "样本数据，来自公开数据集。Sample data: from a public data set.",
}
View = Callable[..., HttpResponseBase]


class Rooted(BaseModel):
    """A body that names its root; where the root is not real, ``root_kind`` and ``notice`` say so."""

    model_config = ConfigDict(from_attributes=True)

    root: str = ""
    root_kind: str = "real"
    notice: str | None = None


class Orjson(BaseRenderer):
    """Writes JSON: instants in UTC with offset, dates as ISO days."""

    media_type = MEDIA_TYPE

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """Return the bytes of a body."""
        del request, response_status
        return written(data)


class StrictParser(Parser):
    """Reads JSON by the letter: no NaN, no comments, no other content type."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the parsed body. Raises: api.media_type, and ValueError for what is no JSON."""
        if request.content_type != MEDIA_TYPE:
            raise Refusal("api.media_type", wanted=MEDIA_TYPE)
        return orjson.loads(request.body)


def written(data: Any) -> bytes:
    """Return a value as the bytes of its JSON."""
    return orjson.dumps(data, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=str)


def documented(model: Any, status: int = 200, *others: int) -> dict[Any, Any]:
    """Return the responses of an endpoint for the OpenAPI document."""
    refusals = frozenset({400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503})
    return {**dict.fromkeys((status, *others), model), refusals: Problem}


def reply(
    request: HttpRequest, body: BaseModel, *, status: int = 200, version: int | None = None, location: str = ""
) -> HttpResponse:
    """Answer with a typed body; a rooted one learns the name of its root here."""
    if isinstance(body, Rooted):
        where = root_of(actor_of(request).root)
        body.root, body.root_kind, body.notice = where.code, where.kind, NOTICES.get(where.kind)
    response = HttpResponse(written(body.model_dump()), status=status, content_type=f"{MEDIA_TYPE}; charset=utf-8")
    if version is not None:
        response["ETag"] = etag_of(version)
    if location:
        response["Location"] = location
    return response


def signed(view: View, wrapper: View) -> View:
    """Give a wrapper the evaluated signature of its view, which is what becomes the endpoint's schema."""
    wrapper.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
    return wrapper


def known_query(view: View) -> frozenset[str]:
    """Return the names that a view takes in its query, with ``root``."""
    model = get_type_hints(view).get("query")
    return frozenset(
        {"root", *(model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else ())}
    )


def read(view: View) -> View:
    """Guard an endpoint that reads: a name in the query that means nothing is refused, not ignored."""
    names = known_query(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refuse_unknown(request, names)
        return view(request, *args, **kwargs)

    return signed(view, guarded)


def refuse_unknown(request: HttpRequest, names: frozenset[str]) -> None:
    """Refuse a query with a name that means nothing here: a mistyped filter would show more than was asked for."""
    for name in request.GET:
        if name not in names:
            raise Refusal("api.field_unknown", field=name, name=name)
