"""Every way in which the interface says no: one shape (RFC 9457), one code per reason, Chinese and English, no traceback ever."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from pydantic import BaseModel, ConfigDict

from anban.kit.ids import new_id
from anban.rules.errors import Refusal, register

log = logging.getLogger("anban.api")
MEDIA_TYPE: Final = "application/problem+json"

register("api.not_found", zh="没有这一项，或它不归您查看。", en="There is no such thing, or it is not yours to see.")
register("api.unauthenticated", zh="需要有效的令牌。", en="A valid token is needed.")
register(
    "api.malformed",
    zh="请求内容不是可读的 JSON 或表单。",
    en="The request's content is not readable JSON or form data.",
)
register(
    "api.too_large", zh="请求内容太大，最多 {limit_kb} KB。", en="The request is too large; the limit is {limit_kb} KB."
)
register("api.media_type", zh="不支持的内容类型；请用 {wanted}。", en="Unsupported content type; send {wanted}.")
register("api.method_not_allowed", zh="这个地址不支持此方法。", en="This address does not take this method.")
register("api.too_many", zh="请求过于频繁，请稍后再试。", en="Too many requests; try again later.")
register("api.unavailable", zh="暂时无法读写数据，内容没有保存。", en="Storage is not available; nothing was saved.")
register("api.broken", zh="系统出错，编号 {reference}。", en="Something went wrong; reference {reference}.")
register("api.invalid", zh="有 {count} 处不合规。", en="{count} values are not valid.")
register("api.field_missing", zh="缺少“{name}”。", en="{name} is missing.")
register("api.field_unknown", zh="没有“{name}”这一项。", en="There is no field {name}.")
register("api.value_type", zh="“{name}”的类型或格式不对。", en="{name} has the wrong type or format.")
register("api.value_range", zh="“{name}”的长度或大小超出范围。", en="{name} is out of range.")
register("api.value_unknown", zh="“{name}”不是可用的值。", en="{name} is not one of the possible values.")

STATUS: Final[Mapping[str, int]] = {
    "api.not_found": 404, "place.unknown": 404, "file.not_found": 404, "file.no_copy": 404,
    "api.unauthenticated": 401,
    "api.scope_missing": 403, "api.no_post": 403, "api.no_business": 403, "api.root_not_yours": 403,
    "api.second_factor_missing": 403, "api.not_party": 403, "hazard.role_missing": 403, "hazard.not_receiver": 403,
    "obligation.not_yours": 403, "obligation.not_addressee": 403,
    "hazard.action_not_allowed": 409, "hazard.historical": 409, "hazard.already_listed": 409,
    "obligation.ended": 409, "obligation.handover_open": 409, "place.merged_away": 409, "place.number_taken": 409,
    "api.precondition_failed": 412,
    "api.malformed": 400, "api.precondition_malformed": 400, "idempotency.key_invalid": 400,
    "api.method_not_allowed": 405,
    "api.too_large": 413, "file.too_large": 413, "file.picture_too_large": 413, "file.bomb": 413,
    "api.media_type": 415, "file.type_unknown": 415, "file.type_not_here": 415, "file.heic": 415,
    "api.too_many": 429, "api.broken": 500, "api.unavailable": 503, "file.no_space": 503, "file.lost": 503,
}  # fmt: skip
"""The status of each refusal that is not simply a value to put right (422)."""

TITLES: Final[Mapping[int, str]] = {
    400: "Malformed request", 401: "Not authenticated", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 412: "Precondition failed", 413: "Too large", 415: "Unsupported media type", 422: "Refused",
    429: "Too many requests", 500: "Internal error", 503: "Unavailable",
}  # fmt: skip


class FieldProblem(BaseModel):
    """One value that cannot be taken as it is."""

    field: str
    code: str
    detail_zh: str
    detail_en: str


class Problem(BaseModel):
    """A refusal (RFC 9457): ``code`` is stable, ``detail`` in the language asked for, both texts beside it."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    field: str | None = None
    detail: str
    detail_zh: str
    detail_en: str
    instance: str
    errors: list[FieldProblem] = []


def status_of(code: str) -> int:
    """Return the HTTP status of a refusal."""
    if code in STATUS:
        return STATUS[code]
    if code.endswith(".changed_meanwhile"):
        return 409
    return 403 if code.endswith(".not_allowed") else 422


def respond(
    request: HttpRequest,
    refusal: Refusal,
    *,
    status: int | None = None,
    errors: Iterable[FieldProblem] = (),
    more: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Answer a refusal; what is not there and what may not be seen give the same words."""
    chosen = status or status_of(refusal.code)
    if chosen == 404:
        refusal = Refusal("api.not_found")
    english = request.headers.get("Accept-Language", "").lower().startswith("en")
    problem = Problem(
        type=f"urn:anban:problem:{refusal.code}", title=TITLES[chosen], status=chosen, code=refusal.code,
        field=refusal.field, detail=refusal.en if english else refusal.zh, detail_zh=refusal.zh, detail_en=refusal.en,
        instance=request.path, errors=list(errors), **(more or {}),
    )  # fmt: skip
    response = HttpResponse(orjson.dumps(problem.model_dump(mode="json")), status=chosen, content_type=MEDIA_TYPE)
    response["Content-Language"] = "en" if english else "zh"
    if chosen == 401:
        response["WWW-Authenticate"] = 'Bearer realm="anban"'
    if chosen == 503:
        response["Retry-After"] = "10"
    return response


class Precondition(Exception):
    """The caller's ``If-Match`` names another version than the present one: both values go back."""

    def __init__(self, *, given: str, present: int, theirs: Mapping[str, Any], yours: Mapping[str, Any]) -> None:
        super().__init__(given, present)
        self.more = {"given": given, "present": present, "theirs": theirs, "yours": yours}
        self.refusal = Refusal("api.precondition_failed", field="If-Match", given=given, present=present)


register(
    "api.precondition_failed",
    zh="内容已被改动：您看到的是 {given}，现在是第 {present} 版。",
    en="It was changed meanwhile: you saw {given}, it is now version {present}.",
)


def _code(kind: str) -> str:
    if kind == "missing":
        return "api.field_missing"
    if kind == "extra_forbidden":
        return "api.field_unknown"
    if kind in {"literal_error", "enum"}:
        return "api.value_unknown"
    ranged = ("too_long", "too_short", "greater_than", "less_than", "too_large", "max_", "decimal_", "out_of_range")
    return "api.value_range" if any(part in kind for part in ranged) else "api.value_type"


def _where(loc: Iterable[Any]) -> str:
    source, *rest = (str(part) for part in loc)
    if rest and rest[0] in {"body", "query"} and (len(rest) > 1 or source == "body"):
        rest = rest[1:]
    return ".".join(rest) or "body"


def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer values that do not fit the schema, each by the name of its field."""
    found: list[tuple[str, Refusal]] = []
    for each in error.errors:
        name = _where(each["loc"])
        found.append((name, Refusal(_code(str(each["type"])), field=name, name=name)))
    errors = [FieldProblem(field=name, code=r.code, detail_zh=r.zh, detail_en=r.en) for name, r in found]
    first = found[0][1] if len(found) == 1 else Refusal("api.invalid", field=found[0][0], count=len(found))
    return respond(request, first, status=422, errors=errors)


def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, Refusal):
        return respond(request, cause)
    known = {401: "api.unauthenticated", 404: "api.not_found", 405: "api.method_not_allowed", 429: "api.too_many"}
    return respond(request, Refusal(known.get(error.status_code, "api.malformed")))


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer what nobody foresaw with a reference that stands in the log."""
    reference = new_id().hex[-8:].upper()
    log.error("reference %s on %s %s", reference, request.method, request.path, exc_info=error)
    return respond(request, Refusal("api.broken", reference=reference))


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("storage failed on %s: %s", request.path, type(error).__name__, exc_info=error)
    return respond(request, Refusal("api.unavailable"))


def too_large(limit: int) -> Refusal:
    """Return the refusal of a request above ``limit`` bytes."""
    return Refusal("api.too_large", limit_kb=limit // 1024)


Handler = Callable[[HttpRequest, Any], HttpResponse]


def _plainly(code: str) -> Handler:
    def answer(request: HttpRequest, _: Any) -> HttpResponse:
        return respond(request, Refusal(code))

    return answer


def _precondition(request: HttpRequest, error: Precondition) -> HttpResponse:
    return respond(request, error.refusal, more=error.more)


def _refused(request: HttpRequest, error: Refusal) -> HttpResponse:
    # Another was quicker between the look at If-Match and the row's lock: the same answer as a moment later.
    beaten = error.code.endswith(".changed_meanwhile") and bool(request.headers.get("If-Match"))
    return respond(request, error, status=412 if beaten else None)


def _too_big(request: HttpRequest, _: Any) -> HttpResponse:
    return respond(request, too_large(1024 * 1024))


HANDLERS: Final[Mapping[type[Exception], Handler]] = {
    Http404: _plainly("api.not_found"),
    ObjectDoesNotExist: _plainly("api.not_found"),
    AuthenticationError: _plainly("api.unauthenticated"),
    Throttled: _plainly("api.too_many"),
    SuspiciousOperation: _plainly("api.malformed"),
    MultiPartParserError: _plainly("api.malformed"),
    RequestDataTooBig: _too_big,
    Refusal: _refused,
    Precondition: _precondition,
    ValidationError: invalid,
    HttpError: _http,
    OperationalError: _unavailable,
    OSError: _unavailable,
    Exception: _broken,
}
"""Who answers which exception; the nearest class of an exception wins."""


def install(api: NinjaAPI) -> None:
    """Teach an API to answer every exception in this one place."""
    for kind, handler in HANDLERS.items():
        api.add_exception_handler(kind, handler)
