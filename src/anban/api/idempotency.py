"""One key, one change: every write runs in one transaction with its receipt, and a repeated key gives the stored answer."""

from __future__ import annotations

import re
from functools import wraps
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from anban.api.access import actor_of, moment_of
from anban.api.answers import View, known_query, refuse_unknown, signed
from anban.base.journal.operations import unit
from anban.base.people import receipts
from anban.rules.errors import Refusal, register

register(
    "idempotency.reused",
    zh="这个 Idempotency-Key 已用于另一个请求。",
    en="This Idempotency-Key was used for another request.",
)
register(
    "idempotency.key_invalid",
    zh="Idempotency-Key 须是 1 到 200 个可见字符。",
    en="An Idempotency-Key has 1 to 200 visible characters.",
)

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replay"
KEPT: Final = ("Content-Type", "ETag", "Location")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def write(view: View) -> View:
    """Guard an endpoint that writes: one unit of work, and with a key at most once.

    A refusal takes the receipt back with everything else, so that the same key may be tried again.
    """
    names = known_query(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refuse_unknown(request, names)
        return once(request, request_digest(request), lambda: view(request, *args, **kwargs))

    return signed(view, guarded)


def request_digest(request: HttpRequest, content: bytes | None = None) -> str:
    """Return the digest by which two requests are the same: method, path, root and content."""
    head = f"{request.method}\n{request.path}\n{actor_of(request).root}\n".encode()
    return sha256(head + (request.body if content is None else content)).hexdigest()


def key_of(request: HttpRequest) -> str | None:
    """Return the request's key, or None. Raises: idempotency.key_invalid."""
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise Refusal("idempotency.key_invalid", field=HEADER)
    return key


def once(request: HttpRequest, digest: str, change: Any) -> HttpResponseBase:
    """Run a change and keep its answer in the same transaction; a key that was used gives that answer again.

    Raises: idempotency.reused, and whatever the change refuses.
    """
    key = key_of(request)
    if key is None:
        with unit():
            made: HttpResponse = change()
        return made
    account = actor_of(request).account_id
    assert account is not None  # noqa: S101 - a token always belongs to an account
    known = _replayed(account, key, digest)
    if known is not None:
        return known
    try:
        with unit():
            receipt = receipts.claim(account_id=account, key=key, request_hash=digest, at=moment_of(request))
            answer: HttpResponse = change()
            receipts.fill(receipt, status=answer.status_code, body=_kept(answer))
    except receipts.Taken:
        known = _replayed(account, key, digest)
        if known is None:
            raise
        return known
    return answer


def _kept(answer: HttpResponse) -> str:
    headers = {name: answer[name] for name in KEPT if name in answer}
    return f"{orjson.dumps(headers).decode()}\n{answer.content.decode()}"


def _replayed(account_id: UUID, key: str, digest: str) -> HttpResponse | None:
    known = receipts.stored(account_id, key)
    if known is None:
        return None
    if known.request_hash != digest:
        raise Refusal("idempotency.reused", field=HEADER)
    headers, _, content = known.body.partition("\n")
    response = HttpResponse(content.encode(), status=known.status, headers=orjson.loads(headers))
    response[REPLAYED] = "true"
    return response
