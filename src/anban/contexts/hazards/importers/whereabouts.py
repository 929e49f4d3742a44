"""Which place a row of a file is about: by its visit, its number, its credit code, or its name and address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from anban.contexts.establishments import policies
from anban.contexts.establishments.importers import Item, Run
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.search import fold, match_key
from anban.kit import credit_code as codes


class Places:
    """The places that the rows of one batch name, read in one query for each way of naming."""

    def __init__(self, run: Run, items: Sequence[Item]) -> None:
        rows = [item.row for item in items]
        numbers = {row.text("place_number") for row in rows} - {""}
        wanted = {codes.normalise(row.text("credit_code")) for row in rows if row.text("credit_code")}
        names = {row.text("place_name") for row in rows if not row.text("place_number")} - {""}
        keys = {match_key(row.text("place_name"), row.text("address")) for row in rows} - {""}
        known = {item.known.place_id for item in items if item.known and item.known.place_id}
        base = Place.objects.filter(root=run.root).select_related("survivor")
        found: dict[UUID, Place] = {}
        for column, values in (
            ("number", numbers), ("credit_code", wanted), ("match_key", keys), ("name", names), ("pk", known),
        ):  # fmt: skip
            if values:
                found.update({row.pk: row for row in base.filter(Q(**{f"{column}__in": values}))})
        self.by_id = found
        self._coming = frozenset(run.mapping.options.get("expected", {}).get("places", ())) if run.dry else frozenset()
        self.by_number = {row.number: row.survivor or row for row in found.values()}
        self._by_code: dict[str, dict[UUID, Place]] = defaultdict(dict)
        self._by_key: dict[str, dict[UUID, Place]] = defaultdict(dict)
        self._by_name: dict[str, dict[UUID, Place]] = defaultdict(dict)
        for row in found.values():
            standing = row.survivor or row
            if row.credit_code:
                self._by_code[row.credit_code][standing.pk] = standing
            if row.match_key:
                self._by_key[row.match_key][standing.pk] = standing
            self._by_name[fold(row.name)][standing.pk] = standing

    def add(self, place: Place) -> None:
        """This method will add a place that is known from elsewhere, as from a visit."""
        self.by_id[place.pk] = place

    def of(self, item: Item) -> Place | None:
        """This method will give the place of a row, or refuse the row with the reason."""
        row = item.row
        if number := row.text("place_number"):
            place = self.by_number.get(number)
            if place is None and number not in self._coming:
                item.refuse("place_number", "place_unknown", f"台账里没有编号为“{number}”的单位",
                            f"no place with the number “{number}” is on the register")  # fmt: skip
            return place
        for name, table, wanted in (
            ("credit_code", self._by_code, codes.normalise(row.text("credit_code")) if row.text("credit_code") else ""),
            ("place_name", self._by_key, match_key(row.text("place_name"), row.text("address"))),
            ("place_name", self._by_name, fold(row.text("place_name"))),
        ):
            found = table.get(wanted, {}) if wanted else {}
            if len(found) == 1:
                return next(iter(found.values()))
            if len(found) > 1 and name == "place_name" and table is self._by_name:
                item.refuse(name, "place_ambiguous", f"有 {len(found)} 个单位叫“{row.text(name)}”，请填单位编号",
                            f"{len(found)} places are called “{row.text(name)}”; give the place's number")  # fmt: skip
                return None
        if not (row.text("credit_code") or row.text("place_name")):
            item.refuse(
                "place_number", "place_missing", "没有写明是哪个单位", "the row doesn't say which place it is about"
            )
        else:
            item.refuse("place_name", "place_unknown", "台账里没有这个单位，请先导入或登记单位",
                        "the place is not on the register; import or register it first")  # fmt: skip
        return None


def allowed(run: Run, item: Item, place: Place) -> bool:
    """This function will tell whether the actor may bring rows about a place, and refuse the row where not."""
    asked: dict[Any, bool] = run.known.setdefault("allowed", {})
    key = (place.area_path, place.kind)
    if key not in asked:
        asked[key] = policies.can_settle(run.actor, *key)
    if not asked[key]:
        item.refuse(
            "place_number", "not_allowed", "该单位不在您的管辖范围内", "the place is outside what your post covers"
        )
    return asked[key]


def settle(run: Run, item: Item, place: Place) -> None:
    """This function will note the place of a row for its observation."""
    item.place_id = place.pk
    item.area_path = place.area_path
    if not item.matched_by:
        item.matched_by = "place"
