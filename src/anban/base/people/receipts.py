"""Receipts of requests that carry an idempotency key: claimed and filled in the transaction of the change itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from anban.base.people.models import Receipt


class Taken(Exception):
    """Another request with the same key was first and has been committed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer that was given under a key, and the digest of the request that it answered."""

    request_hash: str
    status: int
    body: str


def stored(account_id: UUID, key: str) -> Stored | None:
    """Return the answer that an account was given under a key, or None."""
    row = Receipt.objects.filter(account_id=account_id, key=key).first()
    return Stored(row.request_hash, row.status, row.body) if row else None


def claim(*, account_id: UUID, key: str, request_hash: str, at: datetime) -> UUID:
    """Take a key before the change is made; a second request with it waits here until this one has committed.

    Call it in the transaction of the change. Raises: Taken.
    """
    try:
        with transaction.atomic():
            row = Receipt.objects.create(
                account_id=account_id, key=key, request_hash=request_hash, status=0, body="", at=at
            )
    except IntegrityError as error:
        raise Taken from error
    return row.pk


def fill(receipt_id: UUID, *, status: int, body: str) -> None:
    """Write the answer into a claimed receipt."""
    Receipt.objects.filter(pk=receipt_id).update(status=status, body=body)
