"""The kinds of values that come in: texts without control characters, days within reason, instants with an offset."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

FIRST_DAY = date(1949, 10, 1)
LAST_DAY = date(2149, 12, 31)


def _plain(text: str) -> str:
    # A zero byte is no text on PostgreSQL; of the other control characters a person writes line ends and tabs only.
    if any(ord(char) < 32 and char not in "\n\r\t" for char in text):
        message = "control characters are no text"
        raise ValueError(message)
    return text


Code = Annotated[str, Field(max_length=40), AfterValidator(_plain)]
Line = Annotated[str, Field(max_length=120), AfterValidator(_plain)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
Words = Annotated[str, Field(max_length=300), AfterValidator(_plain)]
Text = Annotated[str, Field(max_length=4000), AfterValidator(_plain)]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Instant = AwareDatetime


class Given(BaseModel):
    """A body that comes in: a name that means nothing is refused by that name."""

    model_config = ConfigDict(extra="forbid")


class PersonOut(BaseModel):
    """A natural person; the name is empty once erased."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str


class BodyOut(BaseModel):
    """A body of government, or a committee's office."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    kind: str


def rows_of(value: Any) -> Any:
    """Return the rows of a relation that was fetched with its row; anything else as it is."""
    return list(value.all()) if hasattr(value, "all") else value


def pieces(value: Any) -> Any:
    """Return what stands between semicolons in a stored text; anything else as it is."""
    return [one for one in value.split(";") if one] if isinstance(value, str) else value
