"""The target of places: columns, checks, matching several sources to one place, and the set-based writing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from anban.base.inserting import insert_new
from anban.base.journal.digests import row_digest, row_name
from anban.base.journal.operations import Draft, record, record_many
from anban.base.people.models import Person
from anban.contexts.catalog import queries as catalog
from anban.contexts.establishments import policies, queries
from anban.contexts.establishments.columns import PLACE_COLUMNS
from anban.contexts.establishments.derived import amended_data, attributes_text, derive, facts_of, registered_data
from anban.contexts.establishments.importers.targets import (
    Fate,
    Item,
    MovedMeanwhile,
    Problem,
    Run,
    Target,
    TypedRow,
    register_target,
)
from anban.contexts.establishments.models import Party, PersonInCharge, Place
from anban.contexts.establishments.operations import SERIES
from anban.contexts.establishments.search import fold, fold_address, match_key
from anban.contexts.establishments.vocabulary import AreaAmbiguous, Areas, Terms, code_of
from anban.contexts.territory import queries as territory
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import next_numbers
from anban.kit import credit_code as codes
from anban.kit.geo import Datum, Position
from anban.kit.ids import new_id
from anban.kit.remember import remembered

# How an observation came to its place when the place is its own: it was registered from it, or it names its number.
_OWNING = frozenset({"", "registered", "number"})
_PARTIES = tuple(Party.Role.values)
_PERSONS = tuple(PersonInCharge.Role.values)
_PLAIN = ("name", "address", "credit_code", "kind", "industry", "form", "affiliation", "status")
_SAVED = [
    "version", "name", "address", "credit_code", "kind", "industry", "form", "area", "area_path", "overview_code",
    "building", "lng_wgs84", "lat_wgs84", "source_datum", "affiliation", "status", "status_on", "attributes", "search",
    "match_key",
]  # fmt: skip


@dataclass(slots=True)
class _Plan:
    """What is to be written for one row: the place, whether it is new, its entry's data, its parties and persons."""

    place: Place
    fresh: bool
    before: dict[str, str] = field(default_factory=dict)
    version: int = 0
    own: bool = True
    """Whether the row may change facts that the register has: it made the place, or names its number."""
    former: dict[str, Any] = field(default_factory=dict)
    parties: dict[str, str] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    touched: bool = False


def _open(run: Run) -> None:
    kinds = catalog.place_kinds(run.root, run.on).values_list("code", "zh", "en", "aliases")
    run.known["kinds"] = Terms.of(kinds)
    run.known["areas"] = _areas(run.root)
    run.known["overviews"] = territory.overviews(run.root, run.on)
    run.known["allowed"] = {}


@remembered
def _areas(root: str) -> Areas:
    return Areas.of(Area.objects.filter(root_id=root).order_by("path"))


# Reading what a row means


def _check(run: Run, row: TypedRow) -> list[Problem]:
    problems = [found for one in (_choices, _where, _position) if (found := one(run, row)) is not None]
    _code(row)
    kind = row.text("kind")
    if kind:
        found = run.known["kinds"].find(kind)
        # A word that nobody knows says nothing about the kind on the register.
        row.values.pop("kind") if not found else row.values.update(kind=found)
        if not found:
            row.flags.append("kind_unknown")
    if not row.text("name"):
        row.flags.append("name_blank")
    return problems


def _choices(run: Run, row: TypedRow) -> Problem | None:
    for name in ("status", "affiliation", "form", "datum"):
        text = row.text(name)
        if not text:
            continue
        code = code_of(name, text)
        if not code:
            return row.problem(name, "value_unknown", f"“{text}”不是可用的值", f"“{text}” is not a possible value")
        row.values[name] = code
    return None


def _code(row: TypedRow) -> None:
    text = row.text("credit_code")
    code = codes.normalise(text)
    wrong = codes.problems(code) if code else ()
    # A wrong code costs the code, not the place: it is on the list with what is wrong.
    row.flags.extend(f"credit_code.{one}" for one in wrong)
    if wrong:
        row.values.pop("credit_code")
    elif "credit_code" in row.values:
        row.values["credit_code"] = code


def _where(run: Run, row: TypedRow) -> Problem | None:
    text = row.text("area") or row.text("street") or row.text("district")
    name = "area" if row.text("area") else "street" if row.text("street") else "district"
    district = row.text("district") if name == "street" else ""
    default = str(run.mapping.options.get("default_area", ""))
    areas: Areas = run.known["areas"]
    try:
        area = areas.find(text, district) if text else areas.find(default) if default else None
    except AreaAmbiguous:
        return row.problem(name, "area_ambiguous", f"“{text}”在几个区都有，请填地区代码或所属区",
                           f"several areas are called “{text}”; give the area code or the district")  # fmt: skip
    if area is None:
        if not run.mapping.register:
            row.flags.append("area_unknown")
            return None
        if not text:
            return row.problem("area", "area_missing", "缺少地区", "the area is missing")
        return row.problem(name, "area_unknown", f"没有名为“{text}”的地区", f"there is no area “{text}”")
    if name == "area" and (street := row.text("street")) and not _agrees(areas, street, area):
        return row.problem("street", "area_contradicted", f"街道“{street}”与地区代码 {area.code}（{area.name}）不一致",
                           f"the street “{street}” is not in the area {area.code} ({area.name})")  # fmt: skip
    row.values["area"] = area.code
    row.values.pop("street", None)
    row.values.pop("district", None)
    return None


def _agrees(areas: Areas, street: str, area: Area) -> bool:
    """Tell whether a street named beside an area's code may be that area, lie in it or around it."""
    try:
        named = areas.find(street)
    except AreaAmbiguous:
        return True  # several are called so; the code says which
    return named is not None and _nested(named.path, area.path)


def _position(run: Run, row: TypedRow) -> Problem | None:
    lng, lat = row.values.get("lng", ""), row.values.get("lat", "")
    datum = row.text("datum") or run.mapping.datum
    row.values.pop("datum", None)
    if lng == "" and lat == "":
        return None
    if lng == "" or lat == "":
        return row.problem("lng" if lng == "" else "lat", "position_half", "经度和纬度要一起填",
                           "longitude and latitude belong together")  # fmt: skip
    if not datum:
        return row.problem("lng", "datum_missing", "有坐标而没有坐标系（WGS-84、GCJ-02 或 BD-09）",
                           "a position without its datum (WGS-84, GCJ-02 or BD-09)")  # fmt: skip
    try:
        point = Position(float(lng), float(lat), Datum(datum)).to(Datum.WGS84)  # type: ignore[arg-type]
    except ValueError:
        return row.problem("lng", "position_wrong", "坐标不在地球上", "there is no such position on the globe")
    row.values["lng"], row.values["lat"], row.values["datum"] = round(point.lng, 7), round(point.lat, 7), datum
    return None


def _natural_key(run: Run, row: TypedRow) -> str:
    if number := row.text("number"):
        return f"n:{number}"
    same = match_key(row.text("name"), row.text("address"))
    if code := row.text("credit_code"):
        return f"c:{code}:{same}"
    return (
        f"a:{row.text('area')}:{same}"
        if same
        else f"r:{row.text('area')}:{fold(row.text('name'))}:{fold_address(row.text('address'))}"
    )


# Planning: which place a row is about


class _Candidates:
    """The places that the rows of one batch may be about, and those that earlier rows of the batch will make."""

    def __init__(self, run: Run, items: Sequence[Item]) -> None:
        texts = [item.row for item in items]
        by = run.mapping.match
        numbers = {row.text("number") for row in texts} if "number" in by else set()
        wanted = {row.text("credit_code") for row in texts} if "credit_code" in by else set()
        keys = {match_key(row.text("name"), row.text("address")) for row in texts} if "name_address" in by else set()
        buildings = {row.text("building") for row in texts}
        known = {item.known.place_id for item in items if item.known and item.known.place_id}
        base = Place.objects.filter(root=run.root).select_related("area", "survivor__area")
        rows: dict[UUID, Place] = {}
        for column, asked in (
            ("number", (numbers | buildings) - {""}),
            ("credit_code", wanted - {""}),
            ("match_key", keys - {""}),
            ("pk", known),
        ):
            if asked:
                rows.update({place.pk: place for place in base.filter(**{f"{column}__in": asked})})
        self.by_id: dict[UUID, Place] = {}
        self.by_number: dict[str, Place] = {}
        self.by_code: dict[str, dict[UUID, Place]] = defaultdict(dict)
        self.by_match: dict[str, dict[UUID, Place]] = defaultdict(dict)
        self.by_id.update(rows)
        for place in rows.values():
            self.by_number[place.number] = place
            self.add(place.survivor or place)

    def add(self, row: Place) -> None:
        # One object per place: two rows of a batch may speak of the same one.
        row = self.by_id.setdefault(row.pk, row)
        if row.number:
            self.by_number.setdefault(row.number, row)
        if row.credit_code:
            self.by_code[row.credit_code].setdefault(row.pk, row)
        if row.match_key:
            self.by_match[row.match_key].setdefault(row.pk, row)

    def standing(self, row: Place | None) -> Place | None:
        return row if row is None or row.survivor is None else self.by_id.get(row.survivor.pk, row.survivor)


def _plan(run: Run, items: Sequence[Item]) -> None:
    items = [item for item in items if item.known is None or not item.known.dismissed]
    near = _Candidates(run, items)
    own = [p.pk for p in near.by_id.values()]
    run.known["parties"] = queries.standing_parties(own)
    run.known["persons"] = queries.standing_in_charge(own)
    for item in items:
        area = run.known["areas"].by_code.get(item.row.text("area"))
        place = _matched(run, item, near, area)
        if place is None and not run.mapping.register:
            item.area_path = area.path if area else ""
            continue
        if place is None:
            place = _fresh(run, item, area)
            near.add(place)
            item.matched_by = "registered"
            item.plan = _Plan(place, fresh=True)
        else:
            _amended(run, item, place, area)
        if item.problems or not _allowed(run, item, place):
            continue
        if item.plan is not None:
            _named(run, item)
            _settle_building(item, near)
            _decide(run, item)
        item.place_id = item.subject_id = place.pk
        item.area_path = place.area_path
        if item.fate is Fate.SAME and item.known is not None and item.known.place_id is None:
            # The row says what it said before, but now its place is on the register.
            item.fate = Fate.CHANGED


def _matched(run: Run, item: Item, near: _Candidates, area: Area | None) -> Place | None:
    row = item.row
    if item.known is not None and item.known.place_id:
        item.matched_by = item.known.matched_by
        return near.standing(near.by_id.get(item.known.place_id))
    if "number" in run.mapping.match and row.text("number"):
        found = near.standing(near.by_number.get(row.text("number")))
        if found is not None:
            item.matched_by = "number"
            return found
    if "credit_code" in run.mapping.match and row.text("credit_code"):
        found = _one(item, _same_site(row, near.by_code.get(row.text("credit_code"), {}).values(), area))
        if found is not None:
            item.matched_by = "credit_code"
            return found
    key = match_key(row.text("name"), row.text("address"))
    if "name_address" in run.mapping.match and key:
        found = _one(
            item, [p for p in near.by_match.get(key, {}).values() if area is None or _nested(p.area_path, area.path)]
        )
        if found is not None:
            # Two different codes at one door are two firms, whatever the names say.
            if row.text("credit_code") and found.credit_code and row.text("credit_code") != found.credit_code:
                row.flags.append("possible_duplicate")
                return None
            item.matched_by = "name_address"
            return found
    return None


def _same_site(row: TypedRow, places: Any, area: Area | None) -> list[Place]:
    """A firm may have several sites under one code: those in another street with another address are not meant."""
    address = fold_address(row.text("address"))
    kept = []
    for place in places:
        same_street = area is None or _nested(place.area_path, area.path)
        if same_street or not address or not place.address or fold_address(place.address) == address:
            kept.append(place)
    exact = [p for p in kept if address and fold_address(p.address) == address]
    if len(exact) == 1:
        return exact
    if not kept and places:
        row.flags.append("code_elsewhere")
    return kept


def _one(item: Item, places: Sequence[Place]) -> Place | None:
    if len(places) > 1:
        item.row.flags.append("possible_duplicate")
    return places[0] if len(places) == 1 else None


def _nested(a: str, b: str) -> bool:
    return a.startswith(b) or b.startswith(a)


def _fresh(run: Run, item: Item, area: Area | None) -> Place:
    row = item.row
    if area is None:
        message = "a new place needs an area, which the check has asked for"
        raise RuntimeError(message)
    place = Place(
        id=new_id(), root=run.root, number=row.text("number") if run.mapping.numbers == "source" else "",
        historical=run.mapping.historical, registered_at=run.at,
    )  # fmt: skip
    for name in _PLAIN:
        if text := row.text(name):
            setattr(place, name, text)
    for name in ("form", "affiliation", "status"):
        # A default is a member of its list of choices; what is digested and inserted ten thousand times is a plain text.
        setattr(place, name, str(getattr(place, name)))
    _set_position(row, place)
    place.status_on = row.values.get("status_on") or None  # type: ignore[assignment]
    place.attributes = attributes_text(row.attributes)
    return derive(place, area, run.known["overviews"])


def _amended(run: Run, item: Item, place: Place, area: Area | None) -> None:
    """Bring a place to what a row says: wholly when the row is its own, else only where the register knows nothing."""
    row = item.row
    if place._state.adding:
        # The row repeats a place that an earlier row of this batch makes; it only adds a source.
        return
    own = item.matched_by == "number" or (item.known is not None and item.known.matched_by in _OWNING)
    former = {name: getattr(place, name) for name in _SAVED}
    plan = _Plan(place, fresh=False, before=facts_of(place), version=place.version, own=own, former=former)
    for name in _PLAIN:
        if name in row.values and (own or not getattr(place, name)):
            text = row.text(name)
            if text or name not in ("name", "status", "form", "affiliation"):
                setattr(place, name, text)
    if "status_on" in row.values and own:
        place.status_on = row.values["status_on"] or None  # type: ignore[assignment]
    if ("lng" in row.values) and (own or place.lng_wgs84 is None):
        _set_position(row, place)
    if row.attributes and (own or not place.attributes):
        place.attributes = attributes_text(row.attributes)
    derive(place, area if area is not None and own else place.area, run.known["overviews"])
    item.plan = plan
    stale = row.values.get("version", "")
    if stale != "" and stale != plan.version and facts_of(place) != plan.before:
        _refuse(item, "version", "changed_meanwhile", f"该对象已被他人修改（现为第 {plan.version} 版），请重新导出后再改",
                f"the place was changed meanwhile (now version {plan.version}); export it again")  # fmt: skip


def _refuse(item: Item, name: str, code: str, zh: str, en: str) -> None:
    """Refuse a row after planning: the place in memory, which other rows of the batch may share, is as it was."""
    item.refuse(name, code, zh, en)
    plan: _Plan | None = item.plan
    if plan is not None:
        for column, value in plan.former.items():
            setattr(plan.place, column, value)
    item.plan = None


def _set_position(row: TypedRow, place: Place) -> None:
    lng, lat = row.values.get("lng", ""), row.values.get("lat", "")
    if lng == "" or lat == "":
        place.lng_wgs84, place.lat_wgs84, place.source_datum = None, None, ""
        return
    if (place.lng_wgs84, place.lat_wgs84) == (lng, lat):
        return
    place.lng_wgs84, place.lat_wgs84, place.source_datum = float(lng), float(lat), row.text("datum")  # type: ignore[arg-type]


def _allowed(run: Run, item: Item, place: Place) -> bool:
    """Ask for the area where the place is, and for the one where it was."""
    asked: dict[tuple[str, str], bool] = run.known["allowed"]
    keys = {(place.area_path, place.kind)}
    if item.plan is not None and item.plan.former:
        keys.add((item.plan.former["area_path"], item.plan.former["kind"]))
    for key in keys - asked.keys():
        asked[key] = policies.can_settle(run.actor, *key)
    if all(asked[key] for key in keys):
        return True
    _refuse(item, "area", "not_allowed", "该地区不在您的管辖范围内", "the area is outside what your post covers")
    return False


def _named(run: Run, item: Item) -> None:
    """Note which parties and persons in charge differ from those that stand."""
    plan: _Plan = item.plan
    parties = run.known["parties"].get(plan.place.pk, {})
    persons = run.known["persons"].get(plan.place.pk, {})
    for role in _PARTIES:
        if role in item.row.values:
            name = item.row.text(role)
            stands = parties[role].name if role in parties else ""
            if name != stands and (name or plan.own):
                plan.parties[role] = name
    for role in _PERSONS:
        if role in item.row.values:
            name = item.row.text(role)
            stands = persons[role].person.name if role in persons else ""
            if name != stands and (name or plan.own):
                plan.persons[role] = name


def _settle_building(item: Item, near: _Candidates) -> None:
    text = item.row.text("building")
    plan: _Plan = item.plan
    if "building" not in item.row.values:
        return
    found = near.standing(near.by_number.get(text)) if text else None
    if text and (found is None or found.pk == plan.place.pk):
        item.row.flags.append("building_unknown")
        return
    plan.place.building_id = found.pk if found else None


def _decide(run: Run, item: Item) -> None:
    plan: _Plan = item.plan
    plan.touched = plan.fresh or facts_of(plan.place) != plan.before
    changes = plan.touched or bool(plan.parties) or bool(plan.persons)
    own_number = run.mapping.numbers == "register" and not plan.fresh and item.row.text("number") == plan.place.number
    if own_number and not changes:
        # An exported row comes back: the register says the same, and no source has to say it again.
        item.fate = Fate.SAME
    elif own_number and item.known is None:
        item.fate = Fate.CHANGED


# Writing


def _write(run: Run, items: Sequence[Item]) -> None:
    plans = [(item, item.plan) for item in items if item.plan is not None]
    fresh = [plan.place for _, plan in plans if plan.fresh]
    _number(run, fresh)
    insert_new(fresh)
    changed = list({plan.place.pk: plan for _, plan in plans if not plan.fresh and plan.touched}.values())
    _require_unmoved(changed)
    for plan in changed:
        plan.place.version = plan.version + 1
    if changed:
        Place.objects.bulk_update([plan.place for plan in changed], _SAVED, batch_size=100)
    _write_names(run, [plan for _, plan in plans])
    record_many(_registered(run, plan) for _, plan in plans if plan.fresh)
    for _, plan in plans:
        if not plan.fresh and (plan.touched or plan.parties or plan.persons):
            _record_amended(run, plan)


def _number(run: Run, fresh: Sequence[Place]) -> None:
    nameless = [place for place in fresh if not place.number]
    if not nameless:
        return
    numbers = next_numbers(
        actor=run.actor, at=run.at, root=run.root, series=SERIES, year=run.on.year, count=len(nameless)
    )
    for place, number in zip(nameless, numbers, strict=True):
        place.number = number
        derive(place, place.area, run.known["overviews"])


def _require_unmoved(changed: Sequence[_Plan]) -> None:
    wanted = {plan.place.pk: plan.version for plan in changed}
    if not wanted:
        return
    held = dict(Place.objects.select_for_update().filter(pk__in=wanted).values_list("id", "version"))
    if held != wanted:
        raise MovedMeanwhile


def _write_names(run: Run, plans: Sequence[_Plan]) -> None:
    parties = [(plan.place, role, name) for plan in plans for role, name in plan.parties.items()]
    persons = [(plan.place, role, name) for plan in plans for role, name in plan.persons.items()]
    standing_parties, standing_persons = run.known["parties"], run.known["persons"]
    ended = [standing_parties.get(p.pk, {}).get(role) for p, role, _ in parties]
    gone = [standing_persons.get(p.pk, {}).get(role) for p, role, _ in persons]
    Party.objects.filter(pk__in=[row.pk for row in ended if row]).update(until_on=run.on)
    PersonInCharge.objects.filter(pk__in=[row.pk for row in gone if row]).update(until_on=run.on)
    insert_new(Party(place=place, role=role, name=name, from_on=run.on) for place, role, name in parties if name)
    named = [(place, role, Person(root=run.root, name=name)) for place, role, name in persons if name]
    insert_new(person for _, _, person in named)
    insert_new(PersonInCharge(place=place, role=role, person=person, from_on=run.on) for place, role, person in named)
    record_many(
        _draft(run, "place.in_charge_set", place, {"role": role, "person": str(person.pk), "added": True}, {})
        for place, role, person in named
    )


def _registered(run: Run, plan: _Plan) -> Draft:
    data = registered_data(plan.place)
    if plan.parties:
        data["parties"] = sorted(plan.parties)
    return _draft(run, "place.registered", plan.place, data, {row_name(plan.place): row_digest(plan.place)})


def _draft(run: Run, verb: str, place: Place, data: dict[str, Any], rows: dict[str, str]) -> Draft:
    matter = f"place:{place.pk.hex}"
    data["source"] = run.mapping.source
    return Draft(verb, run.actor.reference, run.root, run.actor.channel, run.at, matter, matter, data, rows)


def _record_amended(run: Run, plan: _Plan) -> None:
    after = facts_of(plan.place)
    changed = sorted(name for name in after if after[name] != plan.before[name])
    data, words = amended_data(plan.before, after, changed)
    data["source"] = run.mapping.source
    if plan.parties:
        data["parties"] = sorted(plan.parties)
    if plan.persons:
        data["persons"] = sorted(plan.persons)
    record(
        "place.amended", actor=run.actor, at=run.at, subject=("place", plan.place.pk), data=data, words=words,
        wrote=[plan.place] if plan.touched else [],
    )  # fmt: skip


PLACES = register_target(
    Target(
        code="places", kind="place", zh="监管对象", en="Places", columns=PLACE_COLUMNS, open=_open, check=_check,
        key=_natural_key, plan=_plan, write=_write, retries_unmatched=True,
    )
)  # fmt: skip
