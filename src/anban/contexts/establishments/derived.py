"""What a place's row holds that follows from its other facts: path, overview, search text, match key, source's own facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anban.contexts.establishments.models import Place
from anban.contexts.establishments.search import match_key, search_text
from anban.contexts.territory.models import Area
from anban.contexts.territory.queries import Overviews
from anban.kit import credit_code as codes
from anban.kit.canonical import canonical_bytes
from anban.rules.errors import Refusal, register

register("place.code_wrong", zh="统一社会信用代码有误：{what}", en="The credit code is wrong: {what_en}")

# What people write goes to erasable words; codes and dates may stand in the journal.
_WORDED = frozenset({"name", "address"})
FACTS = (
    "name", "address", "credit_code", "kind", "industry", "form", "area_id", "building_id", "lng_wgs84", "lat_wgs84",
    "affiliation", "status", "status_on", "attributes",
)  # fmt: skip


def derive(row: Place, area: Area, overviews: Overviews) -> Place:
    """This function will fill a place's derived columns from its facts and its area."""
    row.area = area
    row.area_path = area.path
    row.overview_code = overviews.of(area.path)
    row.search = search_text(row.name, row.address, row.number, row.credit_code)
    row.match_key = match_key(row.name, row.address)
    return row


def attributes_text(attributes: Mapping[str, str]) -> str:
    """This function will write a source's own facts as canonical JSON, empty ones left out."""
    kept = {name: value for name, value in attributes.items() if value}
    return canonical_bytes(kept).decode() if kept else ""


def facts_of(row: Place) -> dict[str, str]:
    """This function will give a place's facts as texts, to be compared before and after a change."""
    values = ((name, getattr(row, name)) for name in FACTS)
    return {name: "" if value is None else str(value) for name, value in values}


def registered_data(row: Place) -> dict[str, Any]:
    """This function will give what the journal says of a new place: codes, dates and numbers only."""
    data: dict[str, Any] = {"number": row.number, "status": row.status, "kind": row.kind, "form": row.form}
    if row.credit_code:
        data["credit_code"] = row.credit_code
    if row.historical:
        data["historical"] = True
    if row.status_on:
        data["status_on"] = row.status_on.isoformat()
    return data


def amended_data(
    before: Mapping[str, str], after: Mapping[str, str], changed: list[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """This function will give what an entry says of a change: the fields, codes before and after, and what people wrote as words."""
    coded = [name for name in changed if name not in _WORDED and name != "attributes"]
    data: dict[str, Any] = {"changed": changed}
    if coded:
        data["before"] = {name: before[name] for name in coded}
        data["after"] = {name: after[name] for name in coded}
    if "status" in changed:
        data["status"] = after["status"]
    words = {f"{name}_{when}": side[name] for name in changed if name in _WORDED
             for when, side in (("before", before), ("after", after))}  # fmt: skip
    return data, words


def checked_code(text: str) -> str:
    """This function will give a credit code as it is kept, empty for none. Raises: place.code_wrong with what is wrong."""
    code = codes.normalise(text)
    wrong = codes.problems(code) if code else ()
    if wrong:
        zh, en = zip(*(codes.PROBLEMS[one] for one in wrong), strict=True)
        raise Refusal("place.code_wrong", field="credit_code", what="；".join(zh), what_en="; ".join(en))
    return code
