"""Files (附件): store content once, read it only through a matter that one may see."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from anban.api.access import Bearer, actor_of, moment_of
from anban.api.answers import Rooted, documented, read, refuse_unknown, reply
from anban.api.hazards import readable
from anban.api.idempotency import once, request_digest
from anban.base.files import queries
from anban.base.files.disk import Readable
from anban.base.files.operations import store
from anban.base.people.operations import note_access
from anban.rules.errors import Refusal

router = Router(tags=["files"])
NAME: Final = "file"


class FileQuery(BaseModel):
    """A smaller copy of a picture, 160 or 1280 pixels wide; without it the original bytes."""

    model_config = ConfigDict(extra="forbid")

    width: Annotated[int, Field(ge=1, le=10000)] | None = None


class FileOut(Rooted):
    """A stored file; the same bytes in one root are one file."""

    id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    width: int | None
    height: int | None
    stored_at: datetime


@router.post(
    "/files", response=documented(FileOut, 201), auth=Bearer("files:write"), summary="Store a file",
    openapi_extra={
        "parameters": [{"in": "query", "name": "name", "schema": {"type": "string"}, "required": False}],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object", "required": [NAME],
                        "properties": {NAME: {"type": "string", "format": "binary"}},
                    }
                },
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
    },
)  # fmt: skip
def store_file(request: HttpRequest) -> HttpResponseBase:
    """Store a file, as ``multipart/form-data`` (field ``file``) or as the raw body with ``?name=``.

    What it is, is read from its bytes; the content type that is claimed counts for nothing.
    """
    refuse_unknown(request, frozenset({"root", "name"}))
    actor, at = actor_of(request), moment_of(request)
    stream, name = _incoming(request)
    # Reading and hashing stay outside the transaction; the same bytes are one row, so that repeating is harmless.
    row = store(actor=actor, at=at, root=actor.root, stream=stream, name=name)
    body = FileOut.model_validate(row)

    def answer() -> HttpResponse:
        return reply(request, body, status=201, location=f"/api/v1/files/{row.pk}")

    return once(request, request_digest(request, row.sha256.encode()), answer)


@router.get("/files/{uuid:file_id}", auth=Bearer("files:read"), summary="The bytes of a file")
@read
def get_file(request: HttpRequest, file_id: UUID, query: Query[FileQuery]) -> HttpResponseBase:
    """Give the bytes of a file that is attached to a matter which the caller may see; the read is logged."""
    actor = actor_of(request)
    if not readable(actor, file_id):
        raise Refusal("file.not_found")
    row = queries.file(actor, file_id)
    content: Any = queries.open_derived(row, query.width) if query.width else queries.open_original(row)
    note_access(actor=actor, at=moment_of(request), what="file", subject=f"file:{file_id}", rows=1)
    response = FileResponse(content, content_type="image/jpeg" if query.width else row.mime)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(queries.download_name(row))}"
    return response


def _incoming(request: HttpRequest) -> tuple[Readable, str]:
    if request.content_type == "multipart/form-data":
        sent = request.FILES.get(NAME)
        if sent is None or isinstance(sent, list):
            raise Refusal("api.field_missing", field=NAME, name=NAME)
        return sent, sent.name or ""
    if request.content_type in {"application/x-www-form-urlencoded", "application/json"}:
        raise Refusal("api.media_type", wanted="multipart/form-data, application/octet-stream")
    return request, request.GET.get("name", "")
