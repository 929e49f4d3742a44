"""Rows of hazards: what each means, which are known already, and the set-based entering of those that are new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from anban.base.inserting import insert, prepared
from anban.base.journal.digests import row_digest, row_name
from anban.base.journal.operations import Draft, record, record_many, unit
from anban.base.notices.models import Notice
from anban.base.notices.operations import tell
from anban.base.people.models import Person
from anban.contexts.catalog import queries as catalog
from anban.contexts.catalog.models import HazardCode
from anban.contexts.establishments.importers import Fate, Item, MovedMeanwhile, Problem, Run, Target, TypedRow
from anban.contexts.establishments.models import PersonInCharge, Place
from anban.contexts.establishments.search import fold, search_text
from anban.contexts.establishments.vocabulary import Terms
from anban.contexts.hazards import chains, duties
from anban.contexts.hazards.columns import AMENDABLE, HAZARD_COLUMNS, ORIGINS, said_by
from anban.contexts.hazards.importers.whereabouts import Places, allowed, settle
from anban.contexts.hazards.models import Cycle, Hazard, Voice
from anban.contexts.hazards.operations import Desk, Sighting, enter
from anban.contexts.obligations.models import Obligation
from anban.contexts.responsibility.chained import Wanted
from anban.contexts.responsibility.chains import CARRIED, LinkRow
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.operations import Naming
from anban.contexts.responsibility.queries import Resolution, Resolver, link_templates
from anban.contexts.territory.operations import next_numbers
from anban.kit.canonical import digest
from anban.kit.ids import new_id
from anban.rules import rebound
from anban.rules.hazard_lifecycle import Clock, Grade, Role, State
from anban.rules.hazard_terms import ProofLevel, Term, Track

SERIES = "HZ"
NO_WORDS = "（来源未写明情况）"
CLOSED_WORDS = frozenset({"closed", "已销号", "已整改", "已完成", "整改完成", "已闭环", "已验收", "done", "rectified"})
_ORIGINS = {fold(word): code for code, words in ORIGINS.items() for word in (code, *words)}
_TERMS: Mapping[str, type[Term]] = {"state": State, "grade": Grade, "track": Track, "proof": ProofLevel}


@dataclass(slots=True)
class Fresh:
    """One new hazard with every row that puts it on the ledger, built before the transaction."""

    hazard: Hazard
    cycle: Cycle
    voice: Voice
    links: list[Link] = field(default_factory=list)
    duties: list[Obligation] = field(default_factory=list)


@dataclass(slots=True)
class Again:
    """A sighting of a danger that the ledger or an earlier row has: it is entered one by one, joining or rebounding."""

    sighting: Sighting


@dataclass(slots=True)
class Corrected:
    """Corrections of an open hazard's description; empty when the row says what the ledger says."""

    hazard_id: UUID
    version: int
    changes: dict[str, str]


@dataclass(slots=True)
class Memory:
    """What the rows of a live import need, loaded once."""

    desk: Desk
    resolver: Resolver
    items: dict[str, HazardCode]
    own: Person | None
    templates: Sequence[LinkRow] = ()
    dues: dict[tuple[str, bool, bool], Any] = field(default_factory=dict)
    resolved: dict[tuple[UUID, str], Resolution] = field(default_factory=dict)


# Reading what a row means


def open_run(run: Run) -> None:
    """This function will load the catalog and, for a live import, who answers for what."""
    items = {row.code: row for row in catalog.hazard_codes(run.root, run.on)}
    classes = catalog.hazard_classes(run.root, run.on).values_list("code", "zh", "en")
    run.known["items"] = items
    run.known["classes"] = Terms.of((code, zh, en, "") for code, zh, en in classes)
    if not run.mapping.historical:
        own = Person.objects.filter(pk=run.actor.person_id).first() if run.actor.person_id else None
        desk = Desk.of(run.actor, run.root, run.at)
        templates = link_templates(run.root, desk.settings)
        run.known["live"] = Memory(desk, Resolver.load(run.root, run.on), items, own, templates)


def item_code(text: str) -> str:
    """This function will give the code of a checklist item that the source names only by its words."""
    return f"I{digest(text)[:12]}" if text else ""


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will read what a row means and say what is wrong with it."""
    problems = [found for one in (_item, _class, _found) if (found := one(run, row)) is not None]
    if not row.text("fact"):
        row.flags.append("blank_text")
    origin = row.text("origin")
    if origin:
        row.values["origin"] = _ORIGINS.get(fold(origin), origin[:24])
        if fold(origin) not in _ORIGINS:
            row.flags.append("origin_unknown")
    for name, words in _TERMS.items():
        if text := row.text(name):
            row.values[name] = _code_of(words, text)
    return problems


def _code_of(words: type[Term], text: str) -> str:
    for word in words:
        if text in (word.value, word.zh, word.en):
            return str(word.value)
    return text


def _item(run: Run, row: TypedRow) -> Problem | None:
    if run.mapping.options.get("code_of") == "words" and row.text("code"):
        row.values["code"] = item_code(row.text("code"))
    code = row.text("code")
    if code and code not in run.known["items"]:
        return row.problem("code", "code_unknown", f"目录里没有检查项“{code}”", f"the catalog has no item “{code}”")
    return None


def _class(run: Run, row: TypedRow) -> Problem | None:
    known = run.known["items"].get(row.text("code"))
    text = row.text("class_code")
    if known is not None:
        row.values["class_code"] = known.class_code
        return None
    if not text and (row.text("number") or row.text("code")):
        return None
    code = run.known["classes"].exact.get(fold(text), "") if text else ""
    if not code:
        if text:
            return row.problem(
                "class_code", "class_unknown", f"目录里没有隐患类别“{text}”", f"there is no class “{text}”"
            )
        return row.problem(
            "class_code", "class_missing", "检查项和隐患类别至少要有一个", "an item or a class is needed"
        )
    row.values["class_code"] = code
    return None


def _found(run: Run, row: TypedRow) -> Problem | None:
    found = row.values.get("found_on", "")
    if isinstance(found, date):
        if found > run.on:
            return row.problem("found_on", "in_the_future", "发现日期在将来", "the day of finding lies in the future")
    elif not row.text("visit") and not row.text("number"):
        row.flags.append("no_date")
    return None


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row: by the source's key, its number, or what it says."""
    del run
    if text := row.text("source_key"):
        return f"k:{text}"
    if text := row.text("number"):
        return f"n:{text}"
    said = [
        row.text(n)
        for n in ("place_number", "credit_code", "place_name", "address", "code", "part", "found_on", "fact", "visit")
    ]
    return f"d:{digest(said)[:40]}"


# Planning


def plan(run: Run, items: list[Item]) -> None:
    """This function will decide what becomes of each row and build what is to be written, without writing."""
    places = Places(run, items)
    numbered = _numbered(run, items)
    fresh: list[tuple[Item, Place]] = []
    for item in items:
        if item.fate is Fate.REFUSED:
            continue
        standing = numbered.get(item.row.text("number")) or numbered.get(item.known.subject_id if item.known else None)
        if standing is not None:
            _compare(run, item, standing)
            continue
        # A context above may have found the place already, as from the visit that the row names.
        place = item.plan if isinstance(item.plan, Place) else places.of(item)
        item.plan = None
        if place is None or not allowed(run, item, place):
            continue
        settle(run, item, place)
        if run.mapping.historical:
            if item.fate is Fate.CHANGED:
                item.refuse(
                    "",
                    "history_fixed",
                    "历史记录已经入账，不能用文件改动",
                    "a historical record is on the ledger and isn't changed by a file",
                )
            continue
        if fold(item.row.text("state")) in {fold(word) for word in CLOSED_WORDS}:
            item.refuse("state", "closed_already", "已办结的隐患不能作为在办隐患导入，请用历史导入",
                        "what is closed can't be entered as open; import it as history")  # fmt: skip
            continue
        fresh.append((item, place))
    if fresh:
        _plan_live(run, fresh)


def _numbered(run: Run, items: Sequence[Item]) -> dict[Any, Hazard]:
    numbers = {item.row.text("number") for item in items} - {""}
    subjects = {item.known.subject_id for item in items if item.known and item.known.subject_id}
    found: dict[Any, Hazard] = {}
    for condition in (Q(number__in=numbers), Q(pk__in=subjects)):
        if numbers if condition.children[0][0] == "number__in" else subjects:  # type: ignore[index]
            for row in Hazard.objects.filter(condition, root=run.root).select_related("place"):
                found[row.number] = found[row.pk] = row
    return found


def _compare(run: Run, item: Item, standing: Hazard) -> None:
    """Compare a row with the hazard that it is about: the same, a corrected description, or something no file may change."""
    if not allowed(run, item, standing.place):
        return
    settle(run, item, standing.place)
    item.subject_id, item.matched_by = standing.pk, "number" if item.known is None else "key"
    said, changes = said_by(standing, run.zone), {}
    for name, value in said.items():
        if name not in item.row.headers or item.row.text(name) == value:
            continue
        if name == "fact" and value == NO_WORDS and not item.row.text(name):
            continue
        if name == "state" and not item.row.text("number"):
            # The source's own word for the state is its own; ours moves by actions alone.
            continue
        if name not in AMENDABLE:
            if item.known is not None and name in ("cycle_no", "rebound_no", "found_on", "due_on", "origin"):
                continue
            item.refuse(name, "not_by_file", f"“{item.row.headers[name]}”不能用文件改动，请在隐患页面办理",
                        f"“{item.row.headers[name]}” isn't changed by a file; act on the hazard's page")  # fmt: skip
            return
        changes[name] = item.row.text(name)
    if changes and (standing.historical or not standing.is_open):
        item.refuse(
            next(iter(changes)),
            "not_open",
            "已办结的隐患和历史记录不再改动",
            "what is closed or historical isn't changed any more",
        )
    elif changes:
        item.plan = Corrected(standing.pk, standing.version, changes)
        item.fate = Fate.CHANGED
    elif item.known is None or standing.number == item.row.text("number"):
        item.fate = Fate.SAME


def _plan_live(run: Run, rows: Sequence[tuple[Item, Place]]) -> None:
    memory: Memory = run.known["live"]
    standing = _standing(run.root, [place for _, place in rows], {item.row.text("code") for item, _ in rows} - {""})
    run.known["planned_on"] = standing
    earlier: dict[Any, list[rebound.Spot]] = defaultdict(list)
    liable = _liable([place for _, place in rows])
    kept = {} if run.dry else chains.standing_links(run.root, {place.pk for _, place in rows}, sorted(CARRIED))
    numbers = iter([] if run.dry else _numbers(run, len(rows)))
    for item, place in rows:
        seen = _sighting(run, memory, item.row, place)
        spot = rebound.Spot(place.pk, place.building_id, seen.code, seen.part)
        near = [
            *standing.get(("p", place.pk, seen.code), ()), *earlier[place.pk, seen.code],
            *(standing.get(("b", place.building_id, seen.code), ()) if place.building_id else ()),
            *(earlier[place.building_id, seen.code] if place.building_id else ()),
        ]  # fmt: skip
        if seen.code and any(rebound.matches(other, spot) for other in near):
            item.plan = Again(seen)
            continue
        earlier[place.pk, seen.code].append(spot)
        if place.building_id:
            earlier[place.building_id, seen.code].append(spot)
        if run.dry:
            continue
        item.plan = _fresh(run, memory, seen, place, next(numbers), liable.get(place.pk, {}), kept)
        item.subject_id = item.plan.hazard.pk


def _numbers(run: Run, count: int) -> list[str]:
    # Given before the batch's own transaction, so that digests are made outside the lock; numbers may have gaps.
    with unit():
        return next_numbers(actor=run.actor, at=run.at, root=run.root, series=SERIES, year=run.on.year, count=count)


def _standing(root: str, places: Sequence[Place], codes: set[str]) -> dict[Any, tuple[rebound.Spot, ...]]:
    """Return where the ledger has each code at these places and their buildings (merged places read as their survivor)."""
    if not codes:
        return {}
    ids = {place.pk for place in places}
    buildings = {place.building_id for place in places if place.building_id}
    rows = Hazard.objects.filter(root=root, code__in=codes, historical=False).exclude(state=State.MERGED.value)
    near = Q(place_id__in=ids) | Q(place__survivor_id__in=ids)
    if buildings:
        near |= Q(building_id__in=buildings)
    found: dict[Any, list[rebound.Spot]] = defaultdict(list)
    values = (
        rows.filter(near).order_by("id").values_list("place_id", "place__survivor_id", "building_id", "code", "part")
    )
    for place_id, survivor_id, building_id, code, part in values:
        spot = rebound.Spot(survivor_id or place_id, building_id, code, part)
        found["p", spot.place, code].append(spot)
        if building_id:
            found["b", building_id, code].append(spot)
    return {name: tuple(spots) for name, spots in found.items()}


def _liable(places: Sequence[Place]) -> dict[UUID, dict[str, PersonInCharge]]:
    found: dict[UUID, dict[str, PersonInCharge]] = defaultdict(dict)
    ids = {place.pk for place in places}
    rows = (
        PersonInCharge.objects.filter(place_id__in=ids, until_on__isnull=True).select_related("person").order_by("id")
    )
    for row in rows:
        found[row.place_id].setdefault(row.role, row)
    return found


def _sighting(run: Run, memory: Memory, row: TypedRow, place: Place) -> Sighting:
    item = memory.items.get(row.text("code"))
    found = row.values.get("found_on", "")
    fact = row.text("fact") or (item.zh if item else NO_WORDS)
    return Sighting(
        place_id=place.pk, fact=fact, code=row.text("code"), class_code=row.text("class_code"), part=row.text("part"),
        basis=row.text("basis"), origin=row.text("origin") or "import",
        origin_ref=(row.text("source_key") or row.text("visit"))[:120],
        found_on=found if isinstance(found, date) else None,
        inspected=bool(run.mapping.options.get("inspected", False)),
    )  # fmt: skip


def _fresh(
    run: Run,
    memory: Memory,
    seen: Sighting,
    place: Place,
    number: str,
    liable: Mapping[str, PersonInCharge],
    kept: chains.Standing,
) -> Fresh:
    """Build what ``hazards.operations.enter`` writes for a new general hazard; a test holds the two equal."""
    item = memory.items.get(seen.code)
    class_code = item.class_code if item else seen.class_code
    place_class = (place.pk, class_code)
    if place_class not in memory.resolved:
        memory.resolved[place_class] = memory.resolver.of(place, class_code)
    resolution = memory.resolved[place_class]
    holder = resolution.fallback
    finder = memory.own or holder.person or duties.steward(run.root)
    state = State.RECTIFYING if seen.inspected else State.UNVERIFIED
    found_on = seen.found_on or memory.desk.on
    hazard = Hazard(
        id=new_id(), root=place.root, number=number, place=place, building_id=place.building_id, place_title=place.name,
        place_kind=place.kind, area_path=place.area_path, overview_code=place.overview_code, class_code=class_code,
        code=seen.code, part=seen.part.strip(), fact=seen.fact.strip(), basis=seen.basis or (item.basis if item else ""),
        chain="general", state=state.value, grade=Grade.GENERAL.value, origin=seen.origin, origin_ref=seen.origin_ref,
        found_on=found_on, entered_at=run.at, finder=finder, holder=holder.person or finder, holder_body=holder.body,
        search=search_text(number, place.name, place.address, seen.fact, seen.part),
    )  # fmt: skip
    made = Fresh(
        hazard,
        Cycle(id=new_id(), hazard=hazard, no=1, found_on=found_on, opened_at=run.at),
        Voice(
            hazard=hazard, origin=seen.origin, origin_ref=seen.origin_ref, found_on=found_on, at=run.at, person=finder
        ),
    )
    person = liable.get(PersonInCharge.Role.SAFETY_MANAGER) or liable.get(PersonInCharge.Role.PRINCIPAL)
    needed = chains.demanded(hazard, memory.templates)
    names = chains.kept_names(hazard, needed, kept)
    made.links = _links(run, hazard, place, resolution, finder, person, names)
    named = {one.role for one in made.links}
    asked = chains.wanted(hazard, needed, named, resolution)
    made.duties = [
        *(_naming(run, memory, hazard, one) for one in asked),
        *_duties(run, memory, hazard, resolution, person),
    ]
    return made


def _naming(run: Run, memory: Memory, hazard: Hazard, asked: Wanted) -> Obligation:
    """Build what ``chains.complete`` asks for one missing link."""
    if ("links", False, False) not in memory.dues:
        memory.dues["links", False, False] = chains.link_due(memory.desk)
    due = memory.dues["links", False, False]
    return Obligation(
        id=new_id(), root=hazard.root, person=asked.person, body=asked.body, unit_name=asked.unit_name, kind=asked.row.duty,
        subject_kind="hazard", subject_id=hazard.pk, matter_id=hazard.pk, cycle_no=1, place_id=hazard.place_id,
        area_path=hazard.area_path, title=hazard.fact[:200], place_title=hazard.place_title,
        ladder=Obligation.Ladder.TERRITORY, grade=hazard.grade, due_at=due.at, provisional=due.provisional,
        source_rule=asked.rule, opened_at=run.at,
    )  # fmt: skip


def _links(
    run: Run,
    hazard: Hazard,
    place: Place,
    resolution: Resolution,
    finder: Person,
    liable: PersonInCharge | None,
    kept: Iterable[Naming] = (),
) -> list[Link]:
    def named(role: Role, person: Person, unit_name: str, reason: str, body: Any = None) -> Link:
        return Link(
            id=new_id(), root=hazard.root, matter_kind="hazard", matter_id=hazard.pk, role=role.value, person=person,
            body=body, unit_name=unit_name, cycle_no=1, reason=reason[:300], from_at=run.at,
        )  # fmt: skip

    if "unit" not in run.known:
        run.known["unit"] = duties.unit_of(run.actor, hazard)
    made = [named(Role.FINDER, finder, run.known["unit"], "发现")]
    if liable is not None:
        made.append(named(Role.LIABLE_PERSON, liable.person, place.name, str(liable.get_role_display())))
    for role, answer in (
        (Role.TERRITORY_OFFICER, resolution.territory), (Role.SECTOR_OFFICER, resolution.sector_lead),
        (Role.SPECIAL_OFFICER, resolution.special), (Role.ENFORCER, resolution.enforcer),
    ):  # fmt: skip
        if answer.person is not None:
            made.append(named(role, answer.person, answer.body.name if answer.body else "", answer.reason, answer.body))
    made += [
        Link(
            id=new_id(), root=hazard.root, matter_kind="hazard", matter_id=hazard.pk, role=one.role, person=one.person,
            body=one.body, unit_name=one.unit_name, cycle_no=1, reason=one.reason, from_at=run.at,
        )
        for one in kept
    ]  # fmt: skip
    return made


def _duties(
    run: Run, memory: Memory, hazard: Hazard, resolution: Resolution, liable: PersonInCharge | None
) -> list[Obligation]:
    """Build what ``duties.settle`` asks in the two states in which a file can put a general hazard on the ledger."""
    owed = duties.TABLE[State(hazard.state)]
    if hazard.state == State.UNVERIFIED.value:
        answer = resolution.territory
        if answer.person is not None:
            who = (answer.person, answer.body, answer.body.name if answer.body else "")
        else:
            who = (
                hazard.holder,
                hazard.holder_body,
                hazard.holder_body.name if hazard.holder_body else hazard.place_title,
            )
        return [_owed(run, memory, hazard, owed.kind, who, owed.rule, owed.clock)]
    if liable is not None:
        first = _owed(run, memory, hazard, owed.kind, (liable.person, None, hazard.place_title), owed.rule, None)
    else:
        body = hazard.holder_body
        who = (hazard.holder, body, body.name if body else hazard.place_title)
        first = _owed(run, memory, hazard, "name_person", who, owed.rule, None)
    officer = resolution.enforcer
    if officer.person is not None:
        who = (officer.person, officer.body, officer.body.name if officer.body else "")
    else:
        who = (hazard.holder, hazard.holder_body, hazard.holder_body.name if hazard.holder_body else "")
    return [first, _owed(run, memory, hazard, "order", who, "同日移交或责令", Clock.HAND_OVER)]


def _owed(
    run: Run, memory: Memory, hazard: Hazard, kind: str, who: tuple[Person, Any, str], rule: str, clock: Clock | None
) -> Obligation:
    person, body, unit_name = who
    due_at, provisional, source = None, False, rule
    if clock is not None:
        asked = (clock.value, hazard.class_code == "FIRE", hazard.life_at_risk)
        if asked not in memory.dues:
            memory.dues[asked] = memory.desk.due(clock, hazard)
        due = memory.dues[asked]
        if due is not None:
            due_at, provisional, source = due.at, due.provisional, f"{rule} [{due.law.certainty}]"
    return Obligation(
        id=new_id(), root=hazard.root, person=person, body=body, unit_name=unit_name or hazard.place_title, kind=kind,
        subject_kind="hazard", subject_id=hazard.pk, matter_id=hazard.pk, cycle_no=1, place_id=hazard.place_id,
        area_path=hazard.area_path, title=hazard.fact[:200], place_title=hazard.place_title,
        ladder=Obligation.Ladder.SECTOR if kind == "order" else Obligation.Ladder.TERRITORY, grade=hazard.grade,
        due_at=due_at, provisional=provisional, source_rule=source[:200], opened_at=run.at,
    )  # fmt: skip


# Writing


def write(run: Run, items: list[Item]) -> None:
    """This function will write a batch inside its unit of work: new hazards set by set, the others one by one."""
    if run.mapping.historical:
        return
    fresh = [item.plan for item in items if isinstance(item.plan, Fresh)]
    if fresh:
        _require_unmoved(run, fresh, items)
        enter_many(run, fresh)
        _tell(run, fresh)
    for item in items:
        if isinstance(item.plan, Again):
            item.subject_id = enter(actor=run.actor, at=run.at, sighting=item.plan.sighting).hazard.pk
        elif isinstance(item.plan, Corrected):
            _correct(run, item.plan)


def enter_many(run: Run, fresh: Sequence[Fresh]) -> None:
    """This function will put new hazards on the ledger with cycles, voices, chains and duties, each with one entry."""
    insert(
        prepared(one.hazard for one in fresh), prepared(one.cycle for one in fresh), prepared(one.voice for one in fresh),
        prepared(link for one in fresh for link in one.links), prepared(duty for one in fresh for duty in one.duties),
    )  # fmt: skip
    record_many(_entered(run, one) for one in fresh)


def _entered(run: Run, made: Fresh) -> Draft:
    hazard = made.hazard
    rows: Iterable[Any] = (hazard, made.cycle, *made.links, *made.duties)
    name = f"hazard:{hazard.pk.hex}"
    data = {
        "state": hazard.state, "grade": hazard.grade, "origin": hazard.origin, "code": hazard.code,
        "class": hazard.class_code, "number": hazard.number, "found_on": hazard.found_on.isoformat(),
        "source": run.mapping.source, "chain": {link.role: str(link.person_id) for link in made.links},
        "duties": {duty.kind: str(duty.person_id) for duty in made.duties},
    }  # fmt: skip
    return Draft(
        "hazard.entered", run.actor.reference, run.root, run.actor.channel, run.at, name, name, data,
        {row_name(row): row_digest(row) for row in rows},
    )  # fmt: skip


def _require_unmoved(run: Run, fresh: Sequence[Fresh], items: Sequence[Item]) -> None:
    """Lock the places and look again: whoever entered the same danger meanwhile makes this row a further voice."""
    ids = {one.hazard.place_id for one in fresh}
    places = list(Place.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    codes = {one.hazard.code for one in fresh} - {""}
    planned: Mapping[Any, Any] = run.known["planned_on"]
    now = _standing(run.root, places, codes)
    if any(planned.get(name, ()) != spots for name, spots in now.items()):
        raise MovedMeanwhile
    if any(place.survivor_id for place in places):
        raise MovedMeanwhile
    del items


def _tell(run: Run, fresh: Sequence[Fresh]) -> None:
    """Tell each person once per import that there is work; a thousand notices would tell nothing."""
    persons = {duty.person_id for one in fresh for duty in one.duties}
    source = run.source
    if source is None:
        return
    name = f"import:{source.pk.hex}:{run.at.isoformat(timespec='seconds')}"
    told = set(Notice.objects.filter(person_id__in=persons, key=name).values_list("person_id", flat=True))
    for person_id in sorted(persons - told):
        tell(
            actor=run.actor, at=run.at, person_id=person_id, kind="obligation.verify", key=name, link="/", root=run.root,
            title=f"“{source.name}”导入的隐患有您的待办",
            title_en=f"Hazards taken in from “{source.name_en or source.name}” have duties for you",
        )  # fmt: skip


def _correct(run: Run, wanted: Corrected) -> None:
    row = Hazard.objects.select_for_update().select_related("place").get(pk=wanted.hazard_id)
    if row.version != wanted.version:
        raise MovedMeanwhile
    before = {name: getattr(row, name) for name in wanted.changes}
    for name, value in wanted.changes.items():
        setattr(row, name, value)
    row.search = search_text(row.number, row.place_title, row.place.address, row.fact, row.part)
    row.version += 1
    row.save(update_fields=[*wanted.changes, "search", "version"])
    words = {
        f"{name}_{when}": side[name]
        for name in before
        for when, side in (("before", before), ("after", wanted.changes))
    }
    record(
        "hazard.described_again", actor=run.actor, at=run.at, subject=("hazard", row.pk),
        data={"changed": sorted(wanted.changes), "source": run.mapping.source}, words=words, wrote=[row],
    )  # fmt: skip


HAZARD_ROWS = Target(
    code="hazards", kind="hazard", zh="隐患", en="Hazards", columns=HAZARD_COLUMNS, open=open_run, check=check, key=key,
    plan=plan, write=write,
)  # fmt: skip
"""The target without visits; ``inspections.importers`` adds what a visit knows and registers it."""
