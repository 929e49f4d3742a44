"""Writes of the register: places, parties, persons in charge, merges, source lists and blind spots."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.base.people.operations import note_access
from anban.contexts.establishments import policies, queries
from anban.contexts.establishments.derived import (
    amended_data,
    attributes_text,
    checked_code,
    derive,
    facts_of,
    registered_data,
)
from anban.contexts.establishments.models import Merge, Observation, Party, PersonInCharge, Place, SourceList
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import city_date, overviews
from anban.kit.geo import Datum, Position
from anban.rules.errors import Refusal, register

register(
    "place.unknown", zh="没有这个监管对象，或不在您的管辖范围内。", en="There is no such place in what you may see."
)
register(
    "place.changed_meanwhile",
    zh="该对象已被他人修改（现为第 {version} 版），请刷新后再改。",
    en="The place was changed by somebody else meanwhile (it is now version {version}); reload it and change it again.",
)
register("place.name_missing", zh="名称不能为空。", en="The name must not be empty.")
register("place.area_unknown", zh="没有这个地区。", en="There is no such area.")
register("place.number_taken", zh="编号 {number} 已被使用。", en="The number {number} is already in use.")
register("place.position_wrong", zh="坐标不在地球上。", en="There is no such position on the globe.")
register("place.value_unknown", zh="“{value}”不是可用的值。", en="“{value}” is not one of the possible values.")
register("place.field_unknown", zh="没有可改的项目：{name}。", en="There is no field {name} to change.")
register("place.merged_away", zh="该对象已并入 {number}。", en="The place was merged into {number}.")
register("place.merge_self", zh="不能与自身合并。", en="A place cannot be merged with itself.")
register(
    "place.building_wrong",
    zh="所在建筑必须是同一地区根内的另一个对象。",
    en="The building must be another place of the same root.",
)
register("merge.unknown", zh="没有这条合并记录，或已撤销。", en="There is no such merge, or it was undone.")
register("observation.unknown", zh="没有这条来源记录。", en="There is no such source row.")
register("observation.settled", zh="该来源记录已处理。", en="The source row was already dealt with.")
register("observation.reason_missing", zh="请写明理由。", en="A reason is needed.")
register("person.unknown", zh="没有这个人员。", en="There is no such person.")

SERIES = "PL"
# Facts that a person may change one by one; the others follow from these or have an operation of their own.
AMENDABLE = frozenset(
    {
        "name", "address", "credit_code", "kind", "industry", "form", "area_id", "building_id", "lng", "lat",
        "affiliation", "attributes",
    }
)  # fmt: skip
_CHOICES = {"form": Place.Form, "affiliation": Place.Affiliation, "status": Place.Status}


def register_place(
    *,
    actor: Actor,
    at: datetime,
    name: str,
    area_id: UUID,
    address: str = "",
    credit_code: str = "",
    kind: str = "",
    industry: str = "",
    form: str = Place.Form.UNIT,
    building_id: UUID | None = None,
    lng: float | None = None,
    lat: float | None = None,
    datum: str = Datum.WGS84,
    affiliation: str = Place.Affiliation.DISTRICT,
    status: str = Place.Status.OPERATING,
    status_on: date | None = None,
    attributes: Mapping[str, str] | None = None,
    number: str = "",
    historical: bool = False,
) -> Place:
    """Put a place on the register (建账). A number is given unless the source brings its own.

    Raises: place.not_allowed, place.name_missing, place.area_unknown, place.code_wrong, place.number_taken,
    place.position_wrong, place.value_unknown, place.building_wrong.
    """
    with unit():
        area = _area(actor, area_id)
        policies.require(policies.can_register(actor, area.path, kind))
        for field, value in (("form", form), ("affiliation", affiliation), ("status", status)):
            _require_choice(field, value)
        on = city_date(at, actor.root)
        if number and Place.objects.filter(root=actor.root, number=number).exists():
            raise Refusal("place.number_taken", field="number", number=number)
        given = number or next_numbers(actor=actor, at=at, root=actor.root, series=SERIES, year=on.year)[0]
        row = Place(
            root=actor.root, number=given, form=form, name=_name(name), address=address.strip(),
            credit_code=checked_code(credit_code), kind=kind, industry=industry, building_id=building_id,
            affiliation=affiliation, status=status, status_on=status_on, historical=historical, registered_at=at,
            attributes=attributes_text(attributes or {}),
        )  # fmt: skip
        _place_at(row, lng, lat, datum)
        _require_building(row)
        derive(row, area, overviews(actor.root, on))
        row.save(force_insert=True)
        record(
            "place.registered", actor=actor, at=at, subject=("place", row.pk), data=registered_data(row), wrote=[row]
        )
        return row


def amend(*, actor: Actor, at: datetime, place_id: UUID, version: int, changes: Mapping[str, Any]) -> Place:
    """Change facts of a place; ``changes`` has keys of ``AMENDABLE``, ``version`` is the one the person looked at.

    A position is given as ``lng`` and ``lat`` in WGS-84. Changing nothing writes nothing.

    Raises: place.unknown, place.changed_meanwhile, place.merged_away, place.not_allowed, place.field_unknown and those
    of ``register_place``.
    """
    with unit():
        row = _locked(actor, place_id, version)
        policies.require(policies.can_amend(actor, row))
        for field in changes:
            if field not in AMENDABLE:
                raise Refusal("place.field_unknown", field=field, name=field)
        before = facts_of(row)
        _apply(actor, row, changes)
        area = _area(actor, row.area_id)
        policies.require(policies.can_register(actor, area.path, row.kind))
        derive(row, area, overviews(actor.root, city_date(at, actor.root)))
        return _save_amended(row, before, actor=actor, at=at)


def _save_amended(row: Place, before: Mapping[str, str], *, actor: Actor, at: datetime) -> Place:
    """Save a place whose facts were changed since ``before`` (``facts_of``), with its entry; without a change, nothing."""
    after = facts_of(row)
    changed = sorted(name for name in after if after[name] != before[name])
    if not changed:
        return row
    row.version += 1
    row.save()
    data, words = amended_data(before, after, changed)
    record("place.amended", actor=actor, at=at, subject=("place", row.pk), data=data, words=words, wrote=[row])
    return row


def set_status(
    *, actor: Actor, at: datetime, place_id: UUID, version: int, status: str, on: date, reason: str = ""
) -> Place:
    """Say that a place operates, stopped, closed or awaits demolition (待拆迁).

    No clock of any hazard follows from it: awaiting demolition never lengthens a deadline.
    """
    with unit():
        row = _locked(actor, place_id, version)
        policies.require(policies.can_amend(actor, row))
        _require_choice("status", status)
        before = row.status
        if (before, row.status_on) == (status, on):
            return row
        row.status, row.status_on, row.version = status, on, row.version + 1
        row.save(update_fields=["status", "status_on", "version"])
        record(
            "place.status_set", actor=actor, at=at, subject=("place", row.pk),
            data={"before": before, "status": status, "status_on": on.isoformat()}, words={"reason": reason},
            wrote=[row],
        )  # fmt: skip
        return row


def set_party(
    *,
    actor: Actor,
    at: datetime,
    place_id: UUID,
    role: str,
    name: str,
    credit_code: str = "",
    from_on: date | None = None,
) -> Party | None:
    """Name the owner, manager or tenant unit (产权、管理使用、承租) from a day on; an empty name ends the one that stands."""
    with unit():
        row = _locked(actor, place_id)
        policies.require(policies.can_amend(actor, row))
        if role not in Party.Role.values:
            raise Refusal("place.value_unknown", field="role", value=role)
        code = checked_code(credit_code)
        standing = Party.objects.select_for_update().filter(place=row, role=role, until_on__isnull=True).first()
        if standing and (standing.name, standing.credit_code) == (name.strip(), code):
            return standing
        since = from_on or city_date(at, actor.root)
        if standing:
            standing.until_on = since
            standing.save(update_fields=["until_on"])
        party = None
        if name.strip():
            party = Party.objects.create(place=row, role=role, name=name.strip(), credit_code=code, from_on=since)
        record(
            "place.party_set", actor=actor, at=at, subject=("place", row.pk),
            data={"role": role, "party": str(party.pk) if party else "", "credit_code": code, "from": since.isoformat()},
            words={"name": name.strip()},
        )  # fmt: skip
        return party


def set_in_charge(
    *, actor: Actor, at: datetime, place_id: UUID, role: str, person_id: UUID | None, from_on: date | None = None
) -> PersonInCharge | None:
    """Name the person in charge (主要负责人、安全管理人) from a day on; None ends the one who stands.

    Raises: person.unknown, place.value_unknown, place.not_allowed.
    """
    with unit():
        row = _locked(actor, place_id)
        policies.require(policies.can_name_persons(actor, row))
        if role not in PersonInCharge.Role.values:
            raise Refusal("place.value_unknown", field="role", value=role)
        if person_id and not Person.objects.filter(pk=person_id, root=actor.root, erased_at__isnull=True).exists():
            raise Refusal("person.unknown", field="person_id")
        standing = (
            PersonInCharge.objects.select_for_update().filter(place=row, role=role, until_on__isnull=True).first()
        )
        if standing and standing.person_id == person_id:
            return standing
        since = from_on or city_date(at, actor.root)
        if standing:
            standing.until_on = since
            standing.save(update_fields=["until_on"])
        named = None
        if person_id:
            named = PersonInCharge.objects.create(place=row, role=role, person_id=person_id, from_on=since)
        record(
            "place.in_charge_set", actor=actor, at=at, subject=("place", row.pk),
            data={"role": role, "person": str(person_id) if person_id else "", "from": since.isoformat()},
        )  # fmt: skip
        return named


def merge(*, actor: Actor, at: datetime, survivor_id: UUID, absorbed_id: UUID, reason: str = "") -> Merge:
    """Say that two rows are one place (合并): reads, rebound and scope use the survivor; rows above keep their place.

    What was merged into the absorbed row before follows it, so that a survivor is always one step away.

    Raises: place.merge_self, place.merged_away, place.unknown, place.not_allowed.
    """
    with unit():
        if survivor_id == absorbed_id:
            raise Refusal("place.merge_self")
        first, second = (_locked(actor, one) for one in sorted((survivor_id, absorbed_id)))
        survivor, absorbed = (first, second) if first.pk == survivor_id else (second, first)
        for row in (survivor, absorbed):
            policies.require(policies.can_settle(actor, row.area_path, row.kind))
        moved = list(Place.objects.select_for_update().filter(survivor=absorbed).order_by("id"))
        written = [absorbed, *moved]
        for row in written:
            row.survivor, row.version = survivor, row.version + 1
            row.save(update_fields=["survivor", "version"])
        made = Merge.objects.create(survivor=survivor, absorbed=absorbed, at=at)
        record(
            "place.merged", actor=actor, at=at, subject=("place", absorbed.pk), matter=("place", survivor.pk),
            data={"merge": str(made.pk), "survivor": str(survivor.pk), "absorbed": [str(row.pk) for row in written]},
            words={"reason": reason}, wrote=written,
        )  # fmt: skip
        return made


def undo_merge(*, actor: Actor, at: datetime, merge_id: UUID, reason: str = "") -> Place:
    """Take a merge back: the absorbed row is a place of its own again, with what had been merged into it before.

    Raises: merge.unknown, place.not_allowed.
    """
    with unit():
        made = Merge.objects.select_for_update().filter(pk=merge_id, undone_at__isnull=True).first()
        if made is None:
            raise Refusal("merge.unknown")
        absorbed = Place.objects.select_for_update().filter(pk=made.absorbed_id, root=actor.root).first()
        if absorbed is None:
            raise Refusal("merge.unknown")
        policies.require(policies.can_settle(actor, absorbed.area_path, absorbed.kind))
        earlier = Merge.objects.filter(survivor=absorbed, undone_at__isnull=True).values("absorbed_id")
        followed = list(Place.objects.select_for_update().filter(pk__in=earlier).order_by("id"))
        absorbed.survivor = None
        for row in followed:
            row.survivor = absorbed
        written = [absorbed, *followed]
        for row in written:
            row.version += 1
            row.save(update_fields=["survivor", "version"])
        made.undone_at = at
        made.save(update_fields=["undone_at"])
        record(
            "place.merge_undone", actor=actor, at=at, subject=("place", absorbed.pk), matter=("place", made.survivor_id),
            data={"merge": str(made.pk), "restored": [str(row.pk) for row in written]}, words={"reason": reason},
            wrote=written,
        )  # fmt: skip
        return absorbed


def add_source(
    *,
    actor: Actor,
    at: datetime,
    code: str,
    name: str,
    name_en: str = "",
    must_register: bool = True,
    historical: bool = False,
    steward_id: UUID | None = None,
) -> SourceList:
    """Put a list from which places or records come on file (数据来源); one that is there stays as it is."""
    with unit():
        policies.require(policies.can_import(actor), "import.not_allowed")
        source, made = SourceList.objects.get_or_create(
            root=actor.root, code=code,
            defaults={
                "name": name, "name_en": name_en, "must_register": must_register, "historical": historical,
                "steward_id": steward_id,
            },
        )  # fmt: skip
        if made:
            record(
                "source.added", actor=actor, at=at, subject=("source", source.pk),
                data={"code": code, "must_register": must_register, "historical": historical},
            )  # fmt: skip
        return source


def match_observation(*, actor: Actor, at: datetime, observation_id: UUID, place_id: UUID) -> Observation:
    """Say that a source row is about a place that is on the register: the blind spot is none."""
    with unit():
        row = _open_observation(actor, observation_id)
        place = _locked(actor, place_id)
        policies.require(policies.can_settle(actor, place.area_path, place.kind))
        return _linked(row, place, "person", actor=actor, at=at)


def register_from_observation(
    *, actor: Actor, at: datetime, observation_id: UUID, name: str, area_id: UUID, **facts: Any
) -> Place:
    """Put the place of a source row on the register, with the facts as a person confirmed them (``register_place``)."""
    with unit():
        row = _open_observation(actor, observation_id)
        place = register_place(actor=actor, at=at, name=name, area_id=area_id, **facts)
        _linked(row, place, "registered", actor=actor, at=at)
        return place


def dismiss_observation(*, actor: Actor, at: datetime, observation_id: UUID, reason: str) -> Observation:
    """Say why a source row needs no place on the register; the row is kept. Raises: observation.reason_missing."""
    with unit():
        row = _open_observation(actor, observation_id)
        policies.require(policies.can_settle(actor, row.area_path))
        if not reason.strip():
            raise Refusal("observation.reason_missing", field="reason")
        row.dismissed_reason = reason.strip()[:200]
        row.save(update_fields=["dismissed_reason"])
        record(
            "observation.dismissed", actor=actor, at=at, subject=("observation", row.pk),
            matter=("source", row.source_id), words={"reason": row.dismissed_reason},
        )  # fmt: skip
        return row


def open_file(*, actor: Actor, at: datetime, place_id: UUID) -> queries.PlaceFile:
    """Read the one-page file of a place with the names of its persons in charge; the read is logged. Raises: place.unknown."""
    found = queries.file_of(actor, place_id, named=True)
    if found is None:
        raise Refusal("place.unknown")
    if found.in_charge:
        note_access(actor=actor, at=at, what="place.in_charge", subject=f"place:{place_id}", rows=len(found.in_charge))
    return found


def _linked(row: Observation, place: Place, how: str, *, actor: Actor, at: datetime) -> Observation:
    row.place, row.subject_id, row.matched_by, row.area_path = place, place.pk, how, place.area_path
    row.save(update_fields=["place", "subject_id", "matched_by", "area_path"])
    record(
        "observation.matched", actor=actor, at=at, subject=("observation", row.pk), matter=("place", place.pk),
        data={"source": str(row.source_id), "by": how},
    )  # fmt: skip
    return row


def _name(text: str) -> str:
    if not text.strip():
        raise Refusal("place.name_missing", field="name")
    return text.strip()


def _area(actor: Actor, area_id: UUID) -> Area:
    area = Area.objects.filter(pk=area_id, root_id=actor.root).first()
    if area is None:
        raise Refusal("place.area_unknown", field="area_id")
    return area


def _locked(actor: Actor, place_id: UUID, version: int | None = None) -> Place:
    """Lock a place that the actor sees and that stands for itself."""
    row = Place.objects.select_for_update().filter(pk=place_id, root=actor.root).first()
    if row is None or not queries.visible_to(actor).filter(pk=place_id).exists():
        raise Refusal("place.unknown")
    if row.survivor_id is not None:
        number = Place.objects.values_list("number", flat=True).get(pk=row.survivor_id)
        raise Refusal("place.merged_away", number=number)
    if version is not None and row.version != version:
        raise Refusal("place.changed_meanwhile", version=row.version)
    return row


def _open_observation(actor: Actor, observation_id: UUID) -> Observation:
    if queries.observation(actor, observation_id) is None:
        raise Refusal("observation.unknown")
    row = Observation.objects.select_for_update().get(pk=observation_id)
    if row.place_id is not None or row.dismissed_reason:
        raise Refusal("observation.settled")
    return row


def _require_choice(field: str, value: str) -> None:
    if value not in _CHOICES[field].values:
        raise Refusal("place.value_unknown", field=field, value=value)


def _require_building(row: Place) -> None:
    if row.building_id is None:
        return
    if row.building_id == row.pk or not Place.objects.filter(pk=row.building_id, root=row.root).exists():
        raise Refusal("place.building_wrong", field="building_id")


def _place_at(row: Place, lng: float | None, lat: float | None, datum: str) -> None:
    if lng is None or lat is None:
        row.lng_wgs84 = row.lat_wgs84 = None
        row.source_datum = ""
        return
    try:
        point = Position(lng, lat, Datum(datum)).to(Datum.WGS84)
    except ValueError as error:
        raise Refusal("place.position_wrong", field="lng") from error
    row.lng_wgs84, row.lat_wgs84, row.source_datum = round(point.lng, 7), round(point.lat, 7), datum


def _apply(actor: Actor, row: Place, changes: Mapping[str, Any]) -> None:
    for field in ("kind", "industry", "address"):
        if field in changes:
            setattr(row, field, str(changes[field]).strip())
    for field in ("form", "affiliation"):
        if field in changes:
            _require_choice(field, changes[field])
            setattr(row, field, changes[field])
    if "name" in changes:
        row.name = _name(changes["name"])
    if "credit_code" in changes:
        row.credit_code = checked_code(changes["credit_code"])
    if "attributes" in changes:
        row.attributes = attributes_text(changes["attributes"])
    if "area_id" in changes:
        row.area = _area(actor, changes["area_id"])
    if "building_id" in changes:
        row.building_id = changes["building_id"]
        _require_building(row)
    if "lng" in changes or "lat" in changes:
        _place_at(row, changes.get("lng", row.lng_wgs84), changes.get("lat", row.lat_wgs84), Datum.WGS84)
