"""The journal (全过程记录) as anybody may check it: the signed head, and proofs that tell nothing of what an entry says."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from anban.api.answers import documented, read, reply
from anban.base.journal import checkpoints
from anban.rules.errors import Refusal, register

register(
    "journal.sizes_wrong",
    zh="first 不能大于 second，second 不能超过日志长度。",
    en="`first` may not exceed `second`, nor `second` the journal.",
)

router = Router(tags=["journal"])
Size = Annotated[int, Field(ge=0, le=2**53 - 1)]


class HeadOut(BaseModel):
    """The journal's head: how many entries, the root over them, and the signed note that says so."""

    origin: str
    size: int
    root_hash: str
    hash_name: str
    checkpoint: str
    public_key: str


class ProofOut(BaseModel):
    """The proof that an entry is under the present head (RFC 9162)."""

    kind: str
    position: int
    size: int
    leaf: str
    path: list[str]
    checkpoint: str
    public_key: str


class ConsistencyOut(BaseModel):
    """The proof that the journal of ``first`` entries is a prefix of that of ``second`` (RFC 9162)."""

    kind: str
    first: int
    second: int
    first_root: str
    second_root: str
    path: list[str]
    checkpoint: str
    public_key: str


class ConsistencyQuery(BaseModel):
    """Two sizes of the journal; without ``second`` the present one."""

    model_config = ConfigDict(extra="forbid")

    first: Size
    second: Size | None = None


@router.get("/journal/head", response=documented(HeadOut), auth=None, summary="The signed head")
@read
def head(request: HttpRequest) -> HttpResponse:
    """Give the journal's head as it is now, signed."""
    now = checkpoints.head()
    body = HeadOut(
        origin=now.origin, size=now.size, root_hash=now.root.hex(), hash_name=now.hash_name, checkpoint=now.note,
        public_key=checkpoints.public_key().hex(),
    )  # fmt: skip
    return reply(request, body)


@router.get(
    "/journal/entries/{int:position}/proof", response=documented(ProofOut), auth=None, summary="The proof of an entry"
)
@read
def proof(request: HttpRequest, position: int) -> HttpResponse:
    """Prove that the entry at a position is in the journal."""
    try:
        found = checkpoints.proof_of(position)
    except LookupError as error:
        raise Refusal("api.not_found") from error
    return reply(request, ProofOut(**found))


@router.get("/journal/consistency", response=documented(ConsistencyOut), auth=None, summary="The proof of a prefix")
@read
def consistency(request: HttpRequest, query: Query[ConsistencyQuery]) -> HttpResponse:
    """Prove that an earlier journal is a prefix of a later one."""
    try:
        found = checkpoints.consistency(query.first, query.second)
    except (LookupError, ValueError) as error:
        raise Refusal("journal.sizes_wrong", field="first") from error
    return reply(request, ConsistencyOut(**found))
