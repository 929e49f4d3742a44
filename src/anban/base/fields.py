"""Column types shared by every app: time-ordered ids, and paths that compare byte by byte on both databases."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from anban.kit.ids import new_id


class PathField(models.CharField):  # type: ignore[type-arg]
    """A dated tree's path, or another text compared as bytes (PostgreSQL's locale order would break range predicates)."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Return the column's parameters with the byte-wise collation where the database has another default."""
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class Identified(models.Model):
    """A row whose id is a UUIDv7: ordered by the time it was made, on whatever device made it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


class Sealed(Identified):
    """A ledger row: its digest stands in the journal, so a change behind the journal's back is found; ``version`` is its ETag."""

    sealed = True
    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True
