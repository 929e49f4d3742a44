"""The only writer of the ledger: entering a hazard, and every action of its life, driven by the lifecycle table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count

from anban.base.files.operations import attach
from anban.base.files.queries import files_by_id
from anban.base.inserting import insert, prepared
from anban.base.journal.births import add, born, born_of, change, once
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor, job_actor
from anban.base.people.models import Person
from anban.base.people.queries import person_by_id
from anban.contexts.catalog.models import HazardCode
from anban.contexts.catalog.queries import latest_code, may_order
from anban.contexts.establishments.models import Observation, Place
from anban.contexts.establishments.search import search_text
from anban.contexts.hazards import chains, duties, ladders, policies
from anban.contexts.hazards.models import Cycle, Hazard, Measure, Paper, Tally, Voice
from anban.contexts.hazards.queries import (
    FIGURES,
    facts_of,
    figures_at,
    liable_person,
    roles_towards,
    same_danger,
    street_of,
)
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation, Pause
from anban.contexts.responsibility import operations as responsibility
from anban.contexts.responsibility.chained import Named
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.queries import Resolution, link_templates, resolve
from anban.contexts.territory.models import Body
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import body_by_id, calendar, city_date, settings_of
from anban.kit.workdays import Calendar
from anban.rules import clocks, law, proof, rebound
from anban.rules.errors import Refusal, register
from anban.rules.hazard_lifecycle import (
    FINAL,
    PENALTIES,
    Action,
    Chain,
    Clock,
    Grade,
    Listing,
    Outcome,
    Role,
    State,
    Step,
    Track,
    chain_after,
    grade_after,
    listing_after,
    missing_needs,
    outcome_after,
    permitted_step,
    target,
    track_after,
)

register(
    "hazard.changed_meanwhile",
    zh="{who}刚刚改动了这条隐患，请看过后再办。",
    en="{who} has just changed this hazard. Look again, then act.",
)
register(
    "hazard.place_unknown",
    zh="没有这个单位，或不在您的管辖范围内。",
    en="There is no such place in what you may see.",
)
register("hazard.fact_missing", zh="请写明看到了什么。", en="Say what was seen.")
register("hazard.needs_missing", zh="还缺：{what_zh}", en="Still missing: {what_en}")
register("hazard.in_the_future", zh="发现时间在将来。", en="The time of finding lies in the future.")
register(
    "hazard.rebound_is_entered",
    zh="反弹请按新发现上报：写明这次看到什么，系统会接到原档案的下一轮。",
    en="Enter a rebound as a new sighting: say what was seen this time, and it becomes the next cycle of this file.",
)
register("hazard.historical", zh="历史记录只读，不能办理。", en="A historical record is read-only.")
register("hazard.code_unknown", zh="目录里没有检查项 {item}。", en="The catalog has no item {item}.")
register("hazard.class_unknown", zh="目录里没有隐患类别 {name}。", en="The catalog has no hazard class {name}.")
register("hazard.body_unknown", zh="没有这个机构。", en="There is no such body.")
register("hazard.person_unknown", zh="没有这个人员。", en="There is no such person.")
register(
    "hazard.second_person_same", zh="须两人，且不是同一人。", en="Two persons are needed, and not the same one twice."
)
register(
    "hazard.not_receiver",
    zh="只有接收单位可以签收或退回。",
    en="Only the receiving body may sign for it or send it back.",
)
register(
    "hazard.receipt_over",
    zh="签收期限已过，已按规定退回移交单位。请联系移交单位再办移交。",
    en="The time to sign for it is over and it has gone back to the sender. Ask the sender to hand it over again.",
)
register("hazard.due_in_past", zh="期限不能早于今天。", en="A term cannot end before today.")
register(
    "hazard.delister_is_acceptor",
    zh="验收与摘牌须由不同的人签署。",
    en="Acceptance and delisting are signed by different persons.",
)
register("hazard.merge_into_itself", zh="不能并入自身。", en="A hazard cannot be merged into itself.")
register(
    "hazard.lasting_measure_missing",
    zh="这类隐患再次反弹，须写明成因和治本措施。",
    en="This kind came back again: name the cause and a lasting measure.",
)
register(
    "hazard.demolition_lengthens_nothing",
    zh="待拆迁不得延长整改期限。",
    en="Awaiting demolition never lengthens a term.",
)

WORDS = frozenset(
    {
        "reason",
        "opinion",
        "measures",
        "note",
        "description",
        "goals",
        "methods",
        "people",
        "emergency_plan",
        "report",
        "left_over",
        "cause",
        "lasting_measure",
        "assessor",
        "experts",
        "interim_control",
        "measure",
        "notice",
        "clause",
    }
)
"""Given facts that a person writes in words: they go to erasable rows, the journal keeps a commitment."""

PHOTO_PURPOSES: Mapping[str, str] = {"photo_before": "before", "photo_after": "after"}
"""The facts that are photos, and the purpose under which they are attached."""

NEED_NAMES: Mapping[str, tuple[str, str]] = {
    "place": ("单位", "place"), "description": ("情况描述", "description"), "reason": ("理由", "reason"),
    "photo_before": ("整改前照片", "a photo before"), "photo_after": ("整改后照片", "a photo after"),
    "measures": ("整改要求", "what has to be done"), "due_on": ("期限", "the term"), "basis": ("依据", "the basis"),
    "body": ("机构", "the body"), "bodies": ("部门", "the departments"), "clause": ("条款", "the clause"),
    "second_person": ("第二名人员", "the second person"), "opinion": ("意见", "the opinion"),
    "interim_control": ("临时管控措施", "the interim control"), "on_site": ("现场核验", "seen on site"),
    "into": ("并入的隐患", "the hazard it joins"), "found": ("抽查结果", "what was found"), "leader": ("包案领导", "the leader"),
    "level": ("挂牌级别", "the level of listing"), "notice": ("公告", "the notice"), "experts": ("专家", "the experts"),
    "funds": ("经费物资", "the means"), "goals": ("目标任务", "the goals"), "methods": ("方法措施", "the methods"),
    "people": ("机构人员", "the persons in charge"), "emergency_plan": ("应急预案", "the emergency plan"),
    "document_number": ("文号", "the document number"), "assessor": ("评估人", "the assessor"),
    "report": ("评估报告", "the report"), "left_over": ("遗留问题", "what is left"), "note": ("说明", "a note"),
    "measure": ("措施", "the measure"), "legal_review": ("法制审核", "the legal review"),
    "listing_consent": ("挂牌单位同意", "the listing body's consent"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What somebody saw: where, what, when; the rest is filled from the place's standing facts."""

    place_id: UUID
    fact: str
    code: str = ""
    class_code: str = ""
    part: str = ""
    basis: str = ""
    origin: str = "inspection"
    origin_ref: str = ""
    found_on: date | None = None
    found_at: datetime | None = None
    grade: str = ""
    life_at_risk: bool = False
    interim_control: str = ""
    inspected: bool = False
    self_found: bool = False
    voice_words: str = ""
    observation: Observation | None = None


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of a sighting: a new hazard, a further voice of an open one, or a rebound of a closed one."""

    hazard: Hazard
    kind: str


@dataclass(slots=True)
class Desk:
    """What an action works with, loaded once: the law's day, the calendar and the root's settings."""

    root: str
    at: datetime
    on: date
    zone: ZoneInfo
    calendar: Calendar
    overrides: dict[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, actor: Actor, root: str, at: datetime) -> Desk:
        """Return the desk of a root at an instant."""
        allowed, settings = set(law.overridable()), settings_of(root)
        made = {k: int(v) for k, v in settings.items() if k in allowed}
        return cls(root, at, city_date(at, root), ZoneInfo(actor.zone), calendar(root), made, settings)

    def due(self, kind: Clock, hazard: Hazard) -> clocks.Due | None:
        """Return the deadline of a clock that starts now for a hazard, or None where no law or custom sets one."""
        fire, life = hazard.class_code == "FIRE", hazard.life_at_risk
        if clocks.clock_key(kind, fire=fire, life_at_risk=life) is None:
            return None
        return clocks.due(
            kind,
            self.at,
            calendar=self.calendar,
            zone=self.zone,
            on=self.on,
            fire=fire,
            life_at_risk=life,
            overrides=self.overrides,
        )


def enter(*, actor: Actor, at: datetime, sighting: Sighting) -> Entered:
    """Put a danger on the ledger the moment somebody sees it, whoever has the power over it (上账).

    The same danger still open at the place gains a voice; one that was closed comes back as a rebound on the same file.
    Raises: hazard.place_unknown, hazard.fact_missing, hazard.code_unknown, hazard.class_unknown, hazard.in_the_future.
    """
    with unit():
        place = once(
            ("place", sighting.place_id, actor.root),
            lambda: Place.objects.select_for_update().filter(pk=sighting.place_id, root=actor.root).first(),
        )
        if place is None or not policies.can_enter(actor, place):
            # The same answer for what is not there and for what lies out of reach.
            raise Refusal("hazard.place_unknown", field="place")
        if not sighting.fact.strip():
            raise Refusal("hazard.fact_missing", field="fact")
        desk = Desk.of(actor, place.root, at)
        found_on = sighting.found_on or desk.on
        if found_on > desk.on or (sighting.found_at is not None and sighting.found_at > at + timedelta(minutes=5)):
            raise Refusal("hazard.in_the_future", field="found_on")
        item = _item(place.root, sighting.code)
        class_code = item.class_code if item else _class(place.root, sighting.class_code)
        for known in same_danger(place, sighting.code, sighting.part):
            if known.historical:
                continue
            if known.is_open:
                return _join(actor, at, known, sighting, found_on)
            if State(known.state) is State.CLOSED and known.closed_on is not None:
                decision = rebound.classify(
                    known.closed_on,
                    found_on,
                    rebound.windows(on=desk.on, overrides=desk.overrides),
                    watch_until=known.watch_until,
                    people_bring_back=bool(item and item.comes_back),
                    self_found_and_fixed=False,
                )
                if decision.is_rebound:
                    return _come_back(actor, desk, known, sighting, found_on, decision)
        return _open_new(actor, desk, place, sighting, found_on, item, class_code)


def _item(root: str, code: str) -> HazardCode | None:
    if not code:
        return None
    item = latest_code(root, code)
    if item is None:
        raise Refusal("hazard.code_unknown", field="code", item=code)
    return item


def _class(root: str, code: str) -> str:
    if may_order(root, code) is None:
        raise Refusal("hazard.class_unknown", field="class_code", name=code or "—")
    return code


def _open_new(
    actor: Actor, desk: Desk, place: Place, seen: Sighting, found_on: date, item: HazardCode | None, class_code: str
) -> Entered:
    resolution = resolve(place, class_code, desk.on)
    finder = _person_of(actor, resolution)
    grade = Grade(seen.grade) if seen.grade else Grade.GENERAL
    state = State.RECTIFYING if seen.inspected else State.UNVERIFIED
    if grade in (Grade.SUSPECTED_MAJOR, Grade.UNDETERMINED):
        state = State.SUSPECTED
    holder = resolution.fallback
    number = next_numbers(actor=actor, at=desk.at, root=place.root, series="HZ", year=desk.on.year)[0]
    hazard = Hazard(
        root=place.root,
        number=number,
        place=place,
        building_id=place.building_id,
        place_title=place.name,
        place_kind=place.kind,
        area_path=place.area_path,
        overview_code=place.overview_code,
        class_code=class_code,
        code=seen.code,
        part=seen.part.strip(),
        fact=seen.fact.strip(),
        basis=seen.basis or (item.basis if item else ""),
        chain=Chain.MAJOR if state is State.SUSPECTED else Chain.GENERAL,
        state=state.value,
        grade=grade.value,
        track=Track.SELF_CHECK.value if seen.self_found else "",
        origin=seen.origin,
        origin_ref=seen.origin_ref,
        found_on=found_on,
        found_at=seen.found_at,
        entered_at=desk.at,
        finder=finder,
        holder=holder.person or finder,
        holder_body=holder.body,
        life_at_risk=seen.life_at_risk,
        interim_control=seen.interim_control,
        outcome="",
        search=search_text(number, place.name, place.address, seen.fact, seen.part),
    )
    add(hazard)
    cycle = add(Cycle(hazard=hazard, no=1, found_on=found_on, opened_at=desk.at), matter=hazard.pk)
    _voice(hazard, seen, found_on, desk.at, finder)
    record(
        "hazard.entered",
        actor=actor,
        at=desk.at,
        subject=("hazard", hazard.pk),
        data={
            "state": hazard.state,
            "grade": hazard.grade,
            "origin": hazard.origin,
            "code": hazard.code,
            "class": class_code,
            "number": number,
            "found_on": found_on.isoformat(),
        },
        words={"interim_control": seen.interim_control},
        wrote=[hazard, cycle],
    )
    _fill_chain(actor, desk, hazard, place, resolution, finder)
    duties.settle(actor=actor, at=desk.at, hazard=hazard, desk=desk, resolution=resolution)
    _bring_together(actor, desk, hazard, resolution)
    return Entered(hazard, "new")


def _bring_together(actor: Actor, desk: Desk, hazard: Hazard, resolution: Resolution) -> None:
    """Open the joint mechanisms that a hazard calls for: each member's part is then on a desk."""
    responsibility.open_by_rule(
        actor=actor,
        at=desk.at,
        matter=("hazard", hazard.pk),
        title=f"{hazard.place_title}：{hazard.fact}"[:200],
        area_path=hazard.area_path,
        resolution=resolution,
        on=desk.on,
        hazard_class=hazard.class_code,
        hazard_code=hazard.code,
        grave=hazard.grade in (Grade.SUSPECTED_MAJOR.value, Grade.MAJOR.value),
    )


def _join(actor: Actor, at: datetime, hazard: Hazard, seen: Sighting, found_on: date) -> Entered:
    row = born(Hazard, hazard.pk) or Hazard.objects.select_for_update().get(pk=hazard.pk)
    _voice(row, seen, found_on, at, _own_person(actor))
    row.voices_count += 1
    row.version += 1
    change(row, ["voices_count", "version"])
    record(
        "hazard.seen_again",
        actor=actor,
        at=at,
        subject=("hazard", row.pk),
        data={"origin": seen.origin, "found_on": found_on.isoformat(), "voices": row.voices_count},
        words={"description": seen.fact},
        wrote=[row],
    )
    return Entered(row, "joined")


def _come_back(
    actor: Actor, desk: Desk, known: Hazard, seen: Sighting, found_on: date, decision: rebound.ReboundDecision
) -> Entered:
    hazard = born(Hazard, known.pk) or Hazard.objects.select_for_update().select_related("place").get(pk=known.pk)
    former_grade = Grade(hazard.grade)
    resolution = resolve(hazard.place, hazard.class_code, desk.on)
    finder = _person_of(actor, resolution)
    state = State.RECTIFYING if seen.inspected else State.UNVERIFIED
    grade = Grade(seen.grade) if seen.grade else Grade.GENERAL
    if former_grade is not Grade.GENERAL or grade is not Grade.GENERAL:
        # 等级不降低: what was major before is suspected again until the department has judged.
        grade, state = Grade.SUSPECTED_MAJOR, State.SUSPECTED
    hazard.cycle_no += 1
    hazard.rebound_no += 1
    hazard.state, hazard.prior_state = state.value, ""
    hazard.chain = Chain.MAJOR.value if state is State.SUSPECTED else Chain.GENERAL.value
    hazard.grade = grade.value
    hazard.track = Track.SELF_CHECK.value if seen.self_found else ""
    hazard.found_on, hazard.found_at = found_on, seen.found_at
    hazard.is_open, hazard.closed_on, hazard.watch_until = True, None, None
    hazard.outcome, hazard.proof, hazard.due_at, hazard.provisional = "", "", None, False
    hazard.extended, hazard.extension_wanted_on, hazard.secured = 0, None, False
    hazard.designated, hazard.times_returned, hazard.sent_to_body = False, 0, None
    hazard.listing = Listing.NOT_LISTED.value
    hazard.finder, hazard.ordering_body = finder, None
    holder = resolution.fallback
    hazard.holder, hazard.holder_body = holder.person or finder, holder.body
    hazard.voices_count += 1
    hazard.version += 1
    change(hazard)
    cycle = add(Cycle(hazard=hazard, no=hazard.cycle_no, found_on=found_on, opened_at=desk.at), matter=hazard.pk)
    _voice(hazard, seen, found_on, desk.at, finder)
    record(
        "hazard.rebounded",
        actor=actor,
        at=desk.at,
        subject=("hazard", hazard.pk),
        data={
            "cycle": hazard.cycle_no,
            "rebound": hazard.rebound_no,
            "decision": decision.outcome,
            "reasons": [r.code for r in decision.reasons],
            "consequences": [c.value for c in decision.consequences],
        },
        words={"description": seen.fact},
        wrote=[hazard, cycle],
    )
    _fill_chain(actor, desk, hazard, hazard.place, resolution, finder)
    _supervise_rebound(actor, desk, hazard, resolution, decision)
    duties.settle(actor=actor, at=desk.at, hazard=hazard, desk=desk, resolution=resolution)
    return Entered(hazard, "rebound")


def _supervise_rebound(
    actor: Actor, desk: Desk, hazard: Hazard, resolution: Resolution, decision: rebound.ReboundDecision
) -> None:
    """Name the office as supervisor: a rebound is supervised one level higher (督办单位提高一级)."""
    if rebound.Consequence.SUPERVISION_UP in decision.consequences and resolution.office.person is not None:
        responsibility.link(
            actor=actor,
            at=desk.at,
            root=hazard.root,
            matter=("hazard", hazard.pk),
            role=Role.SUPERVISING_UNIT.value,
            person=resolution.office.person,
            body=resolution.office.body,
            unit_name=resolution.office.body.name if resolution.office.body else "",
            cycle_no=hazard.cycle_no,
            reason="反弹，督办单位提高一级",
        )


def _voice(hazard: Hazard, seen: Sighting, found_on: date, at: datetime, person: Person | None) -> Voice:
    voice = Voice(
        hazard=hazard,
        origin=seen.origin,
        origin_ref=seen.origin_ref,
        found_on=found_on,
        at=at,
        person=person,
        observation=seen.observation,
    )
    return add(voice, matter=hazard.pk)


def _own_person(actor: Actor) -> Person | None:
    return person_by_id(actor.person_id) if actor.person_id else None


def _person_of(actor: Actor, resolution: Resolution) -> Person:
    """Return who found it: the acting person; for a job, whoever answers for the place."""
    own = _own_person(actor)
    if own is not None:
        return own
    if resolution.fallback.person is not None:
        return resolution.fallback.person
    return duties.steward(actor.root)


def _fill_chain(actor: Actor, desk: Desk, hazard: Hazard, place: Place, resolution: Resolution, finder: Person) -> None:
    """Fill the chain of persons from the place's standing chain; small things carry no forms."""
    roles = (
        (Role.TERRITORY_OFFICER, resolution.territory),
        (Role.SECTOR_OFFICER, resolution.sector_lead),
        (Role.SPECIAL_OFFICER, resolution.special),
        (Role.ENFORCER, resolution.enforcer),
    )
    unit_name = duties.unit_of(actor, hazard)
    names = [responsibility.Naming(Role.FINDER.value, finder, unit_name, reason="发现")]
    liable = liable_person(place, hazard.grade)
    if liable is not None:
        reason = str(liable.get_role_display())
        names.append(responsibility.Naming(Role.LIABLE_PERSON.value, liable.person, place.name, reason=reason))
    for role, answer in roles:
        if answer.person is not None:
            unit_name = answer.body.name if answer.body else ""
            names.append(responsibility.Naming(role.value, answer.person, unit_name, answer.body, answer.reason))
    needed = chains.demanded(hazard, link_templates(hazard.root, desk.settings))
    names += chains.kept_names(hazard, needed)
    responsibility.name_chain(
        actor=actor, at=desk.at, root=hazard.root, matter=("hazard", hazard.pk), cycle_no=hazard.cycle_no, names=names
    )
    named = {one.role for one in names}
    chains.complete(actor=actor, hazard=hazard, desk=desk, needed=needed, named=named, resolution=resolution)


def act(
    *,
    actor: Actor,
    at: datetime,
    hazard_id: UUID,
    action: Action,
    given: Mapping[str, Any] | None = None,
    verdict: str | None = None,
    version: int | None = None,
    caller: str = "hazards",
) -> Hazard:
    """Do one action of the lifecycle table to a hazard: lock, ask, apply, save, record.

    ``given`` carries what the step needs (``Step.needs``): texts, dates, ids of bodies, persons and stored photos. ``version`` is
    the one the actor saw. ``caller`` is the context that acts; only ``inspections`` may claim to have been on site.

    Raises: hazard.changed_meanwhile, hazard.needs_missing, and every refusal of the lifecycle table.
    """
    facts = {k: v for k, v in (given or {}).items() if v not in (None, "", (), [], False)}
    with unit():
        hazard = born(Hazard, hazard_id) or (
            Hazard.objects.select_for_update(of=("self",)).select_related("place", "holder_body").get(pk=hazard_id)
        )
        if version is not None and hazard.version != version:
            raise Refusal("hazard.changed_meanwhile", who=duties.last_writer(hazard))
        if hazard.historical:
            raise Refusal("hazard.historical")
        hazard = _come_back_first(actor, at, hazard, action)
        hazard = _run_out_first(actor, at, hazard, action)
        desk = Desk.of(actor, hazard.root, at)
        ladders.catch_up(actor, at, hazard, desk, _propose)
        before = State(hazard.state)
        known = facts_of(hazard)
        roles = None if actor.system else roles_towards(actor, hazard)
        step = permitted_step(before, action, roles, known)
        if step.new_cycle:
            raise Refusal("hazard.rebound_is_entered")
        facts = _with_photos(actor, at, hazard, facts)
        missing = missing_needs(step, facts.keys(), known)
        if missing:
            names = [NEED_NAMES.get(m, (m, m)) for m in missing]
            raise Refusal(
                "hazard.needs_missing",
                field=missing[0],
                what_zh="、".join(n[0] for n in names),
                what_en=", ".join(n[1] for n in names),
            )
        arrived = target(before, action, known, verdict=verdict)
        cycle = _cycle(hazard)
        resolution = resolve(hazard.place, hazard.class_code, desk.on)
        work = Work(actor, desk, hazard, cycle, step, action, before, arrived, dict(facts), verdict, caller, resolution)
        for effect in EFFECTS.get(action, ()):
            effect(work)
        _apply(work)
        wrote = _save(work)
        record(
            f"hazard.{VERBS.get(action, action.value)}",
            actor=actor,
            at=at,
            subject=("hazard", hazard.pk),
            data={
                "action": action.value,
                "from": before.value,
                "to": hazard.state,
                "cycle": work.cycle.no,
                **({"verdict": verdict} if verdict else {}),
                **_plain(work.facts),
                **work.noted,
            },
            words={k: str(v) for k, v in work.facts.items() if k in WORDS},
            wrote=wrote,
        )
        if arrived in FINAL and before not in FINAL:
            responsibility.close_joints(actor=actor, at=at, matter_id=hazard.pk)
        duties.settle(actor=actor, at=at, hazard=hazard, desk=desk, resolution=resolution, action=action, before=before)
        if action in (Action.SUSPECT, Action.JUDGE) and arrived not in FINAL:
            _bring_together(actor, desk, hazard, resolution)
            chains.raised(actor=actor, hazard=hazard, desk=desk, resolution=resolution)
        return hazard


def _come_back_first(actor: Actor, at: datetime, hazard: Hazard, action: Action) -> Hazard:
    """Return what nobody signed for in time before anything else is done to it, as the clocks' job had done on its hour.

    After an outage a late signature finds what it had found without one: the matter is the sender's again. What that asks
    of the sender has its clock from now: nobody is late for what they were never told.
    Raises: hazard.receipt_over.
    """
    if hazard.state != State.AWAITING_RECEIPT.value or hazard.designated or action is Action.RETURN_UNSIGNED:
        return hazard
    owed = born_of(Obligation, hazard.pk)
    if owed is None:
        owed = list(Obligation.objects.filter(matter_id=hazard.pk, kind="receive", state=Obligation.State.OPEN))
    due = next(
        (one.due_at for one in owed if one.kind == "receive" and one.state == "open" and not one.provisional), None
    )
    if due is None or ladders.next_look(due) >= at:
        return hazard
    if action in (Action.RECEIVE, Action.SEND_BACK):
        raise Refusal("hazard.receipt_over")
    hand = job_actor(ladders.JOB, hazard.root, zone=actor.zone)
    return act(actor=hand, at=at, hazard_id=hazard.pk, action=Action.RETURN_UNSIGNED)


def _run_out_first(actor: Actor, at: datetime, hazard: Hazard, action: Action) -> Hazard:
    """End a term that ran out before anything else is done to the hazard, as of the hour on which the clocks' job had done it.

    The re-inspection is owed from the end of the term, whenever anybody looks; to propose a case is owed from now: nobody is
    late for what they were never told. Source: 安全生产违法行为行政处罚办法 第十七条.
    """
    runs = (
        hazard.state == State.RECTIFYING.value
        and hazard.track != Track.SELF_CHECK.value
        and action is not Action.EXPIRE
    )
    if not runs or hazard.due_at is None or ladders.next_look(hazard.due_at) >= at:
        return hazard
    hand = job_actor(ladders.JOB, hazard.root, zone=actor.zone)
    return expire(actor=hand, at=at, hazard_id=hazard.pk, due_at=hazard.due_at)


def expire(*, actor: Actor, at: datetime, hazard_id: UUID, due_at: datetime) -> Hazard:
    """End a term that ran out at ``due_at``: re-inspection is owed, and of a general hazard under order a case."""
    with unit():
        hazard = act(actor=actor, at=min(at, ladders.next_look(due_at)), hazard_id=hazard_id, action=Action.EXPIRE)
        if hazard.track == Track.ORDERED.value and hazard.grade == Grade.GENERAL.value:
            # What an overdue general hazard first means; a re-inspection that finds it put right ends it with a waiver.
            propose_case(actor=actor, at=at, hazard_id=hazard_id)
        return hazard


def _cycle(hazard: Hazard) -> Cycle:
    """Return the hazard's cycle, locked."""
    fresh = born_of(Cycle, hazard.pk)
    if fresh is not None:
        return next(row for row in fresh if row.no == hazard.cycle_no)
    return hazard.cycles.select_for_update().get(no=hazard.cycle_no)


@dataclass(slots=True)
class Work:
    """One action under way: the rows it changes and the facts it was given."""

    actor: Actor
    desk: Desk
    hazard: Hazard
    cycle: Cycle
    step: Step
    action: Action
    before: State
    arrived: State
    facts: dict[str, Any]
    verdict: str | None
    caller: str
    resolution: Resolution
    noted: dict[str, Any] = field(default_factory=dict)
    wrote: list[Any] = field(default_factory=list)

    def person(self, key: str) -> Person:
        """Return the person a fact names. Raises: hazard.person_unknown."""
        person = person_by_id(self.facts[key])
        if person is None or person.root != self.hazard.root:
            raise Refusal("hazard.person_unknown", field=key)
        return person

    def body(self, key: str = "body") -> Body:
        """Return the body a fact names. Raises: hazard.body_unknown."""
        body = body_by_id(self.facts[key])
        if body is None or body.root_id != self.hazard.root:
            raise Refusal("hazard.body_unknown", field=key)
        return body

    def own_body(self) -> Body | None:
        """Return the body in whose name the actor acts on this hazard."""
        for grant in self.actor.grants:
            if grant.body_id and (not grant.paths or any(self.hazard.area_path.startswith(p) for p in grant.paths)):
                return body_by_id(grant.body_id)
        return None


def _with_photos(actor: Actor, at: datetime, hazard: Hazard, facts: dict[str, Any]) -> dict[str, Any]:
    """Attach the photos given (ids of stored files) and count those that this cycle has; a photo is never just claimed."""
    kept = {k: v for k, v in facts.items() if k not in PHOTO_PURPOSES}
    for need, purpose in PHOTO_PURPOSES.items():
        ids = facts.get(need)
        if not isinstance(ids, (list, tuple)):
            continue
        for file in files_by_id(hazard.root, tuple(ids)):
            attach(
                actor=actor,
                at=at,
                file=file,
                matter_kind="hazard",
                matter_id=hazard.pk,
                purpose=purpose,
                cycle_no=hazard.cycle_no,
            )
    have = duties.photo_purposes(hazard)
    return {**kept, **dict.fromkeys((need for need in PHOTO_PURPOSES if need in have), True)}


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in facts.items():
        if key in WORDS:
            continue
        if isinstance(value, (bool, int)):
            plain[key] = value
        elif isinstance(value, (list, tuple)):
            plain[key] = [str(v) for v in value]
        elif isinstance(value, (date, datetime)):
            plain[key] = value.isoformat()
        else:
            plain[key] = str(value)
    return plain


def _apply(work: Work) -> None:
    """Move the hazard as the table says."""
    hazard, action, before, arrived = work.hazard, work.action, work.before, work.arrived
    if work.step.remembers:
        hazard.prior_state = before.value
    elif work.step.back:
        hazard.prior_state = ""
    former_chain = Chain(hazard.chain)
    hazard.outcome = outcome_after(action, arrived, Outcome(hazard.outcome or "none")).value.replace("none", "")
    hazard.grade = grade_after(action, Grade(hazard.grade), verdict=work.verdict).value
    track = track_after(action, Track(hazard.track) if hazard.track else None, former_chain)
    hazard.track = track.value if track else ""
    level = Listing(work.facts["level"]) if "level" in work.facts and action is Action.LIST else None
    hazard.listing = listing_after(action, Listing(hazard.listing), level=level).value
    hazard.chain = chain_after(arrived, former_chain).value
    hazard.state = arrived.value
    if work.facts.get("interim_control"):
        hazard.interim_control = str(work.facts["interim_control"])[:300]
    if action in PENALTIES:
        hazard.penalised = hazard.penalised or action is not Action.WAIVE
    if arrived in FINAL and before not in FINAL:
        _finish(work)


def _finish(work: Work) -> None:
    """End the cycle: outcome, proof, acceptor, lateness; a closed hazard is then watched."""
    hazard, cycle, desk = work.hazard, work.cycle, work.desk
    hazard.is_open = False
    hazard.sent_to_body = None
    hazard.extension_wanted_on = None
    cycle.ended_at, cycle.ended_on = desk.at, desk.on
    cycle.outcome = hazard.outcome
    cycle.late = bool(hazard.due_at and hazard.due_at < desk.at)
    if work.arrived in (State.CLOSED, State.GONE):
        hazard.proof = cycle.proof or _proof(work)
        cycle.proof = hazard.proof
        hazard.closed_on = desk.on
    if work.arrived is State.CLOSED:
        hazard.watch_until, _ = clocks.watch_until(desk.on, hazard.rebound_no, on=desk.on, overrides=desk.overrides)
    work.noted["proof"] = hazard.proof
    work.noted["late"] = cycle.late


def _proof(work: Work) -> str:
    photos = int("photo_after" in work.facts)
    return proof.proof_level(caller=work.caller, on_site=bool(work.facts.get("on_site")), photos_after=photos).value


def _save(work: Work) -> list[Any]:
    hazard = work.hazard
    hazard.version += 1
    change(hazard)
    if work.before in FINAL:
        # What is sampled or fined after the close leaves the ended cycle as it is: it never changes.
        return [hazard, *work.wrote]
    work.cycle.version += 1
    change(work.cycle, matter=hazard.pk)
    return [hazard, work.cycle, *work.wrote]


# ── effects ────────────────────────────────────────────────────────────────────────────────────────────────────


def _paper(work: Work) -> None:
    """Keep the paper of a step: kind, who issued it, on whom it was served."""
    if not work.step.paper or work.actor.person_id is None:
        return
    paper = Paper(
        hazard=work.hazard,
        cycle_no=work.hazard.cycle_no,
        kind=work.action.value,
        body=work.own_body(),
        issued_by_id=work.actor.person_id,
        issued_at=work.desk.at,
        served_on=work.hazard.place_title[:200],
        served_at=work.desk.at,
        facts=json.dumps(_plain(work.facts), ensure_ascii=False, sort_keys=True),
    )
    add(paper, matter=work.hazard.pk)


def _order(work: Work) -> None:
    """Set the term: calendar days; awaiting demolition never lengthens it."""
    _set_due(work, "due_on")
    work.hazard.ordering_body = work.own_body()
    work.cycle.ordered_at = work.desk.at
    if work.hazard.rebound_no >= 1 and work.hazard.code:
        item = latest_code(work.hazard.root, work.hazard.code)
        if item is not None and item.comes_back and not work.facts.get("lasting_measure"):
            raise Refusal("hazard.lasting_measure_missing", field="lasting_measure")
        work.cycle.cause = str(work.facts.get("cause", ""))[:300]


def _set_due(work: Work, key: str) -> None:
    due_on = work.facts[key]
    if due_on < work.desk.on:
        raise Refusal("hazard.due_in_past", field=key)
    work.hazard.due_at = clocks.end_of_day(due_on, work.desk.zone)
    work.hazard.provisional = False
    work.cycle.due_at = work.hazard.due_at


def _advise(work: Work) -> None:
    if work.hazard.holder_id != work.actor.person_id and work.actor.person_id is not None:
        work.hazard.holder_id = work.actor.person_id
        work.hazard.holder_body = work.own_body()


def _transfer(work: Work) -> None:
    """Send to a body; the sender stays responsible until it is signed for."""
    work.hazard.sent_to_body = work.body()
    if work.hazard.times_returned == 0 and work.actor.person_id is not None and work.action is Action.TRANSFER:
        work.hazard.holder_id = work.actor.person_id
        work.hazard.holder_body = work.own_body()


def _require_receiver(work: Work) -> None:
    if work.hazard.sent_to_body_id not in work.actor.body_ids():
        raise Refusal("hazard.not_receiver")


def _receive(work: Work) -> None:
    """Sign for it: from now on the receiver's person is responsible."""
    _require_receiver(work)
    assert work.actor.person_id is not None  # noqa: S101 - a body's signature is always a person's
    work.hazard.holder_id = work.actor.person_id
    work.hazard.holder_body = work.hazard.sent_to_body
    work.hazard.sent_to_body = None


def _send_back(work: Work) -> None:
    """Send it back with the clause; the second return goes to the committee's office, which names the body."""
    _require_receiver(work)
    _return(work)


def _return(work: Work) -> None:
    """Count the return; whoever sent it was responsible all the while and has it on the desk again."""
    work.noted["from_body"] = str(work.hazard.sent_to_body_id)
    work.hazard.times_returned += 1
    work.hazard.sent_to_body = None
    work.noted["returns"] = work.hazard.times_returned


def _assign(work: Work) -> None:
    work.hazard.sent_to_body = work.body()
    work.hazard.designated = True


def _apply_review(work: Work) -> None:
    work.cycle.applied_at = work.desk.at
    work.cycle.rectifier_id = _rectifier(work)


def _rectifier(work: Work) -> UUID | None:
    """Return the natural person who says it was put right: who applied, else the chain's liable person."""
    if work.actor.person_id is not None and work.action in (Action.APPLY_REVIEW, Action.APPLY, Action.SELF_ASSESS):
        return work.actor.person_id
    return work.cycle.rectifier_id or duties.liable_id(work.hazard)


def _review(work: Work) -> None:
    """Re-inspect: two persons of the ordering body, neither of whom rectified."""
    second = work.person("second_person")
    if second.pk == work.actor.person_id:
        raise Refusal("hazard.second_person_same", field="second_person")
    work.cycle.reviews += 1
    if work.verdict != "passed":
        work.cycle.applied_at = None
        return
    _accept(work)
    if work.cycle.rectifier_id == second.pk:
        raise Refusal("hazard.acceptor_is_rectifier", field="second_person")


def _accept(work: Work) -> None:
    """Accept: never by the person who rectified; compared as natural persons, not accounts."""
    rectifier = _rectifier(work)
    if rectifier is not None:
        proof.require_other_acceptor(work.actor.person_id, [rectifier])
    work.cycle.rectifier_id = rectifier
    work.cycle.acceptor_id = work.actor.person_id
    work.cycle.proof = _proof(work)


def _fix_on_spot(work: Work) -> None:
    """Seen and put right before the party leaves: unit, finder and witness are enough."""
    work.cycle.rectifier_id = duties.liable_id(work.hazard)
    if work.cycle.rectifier_id is not None:
        proof.require_other_acceptor(work.actor.person_id, [work.cycle.rectifier_id])
    work.cycle.acceptor_id = work.actor.person_id


def _request_extension(work: Work) -> None:
    work.hazard.extension_wanted_on = work.facts["due_on"]


def _extend(work: Work) -> None:
    """Grant more time: asked for in time, with interim control, not oftener than allowed, never because of demolition."""
    hazard, desk = work.hazard, work.desk
    if hazard.place.status == Place.Status.AWAITING_DEMOLITION:
        raise Refusal("hazard.demolition_lengthens_nothing", field="due_on")
    due_on = city_date(hazard.due_at, hazard.root) if hazard.due_at else desk.on
    asked = _asked_at(hazard)
    decision = clocks.extension_allowed(
        requested_on=city_date(asked, hazard.root) if asked else desk.on,
        due_on=due_on,
        new_due_on=work.facts["due_on"],
        extensions_so_far=hazard.extended,
        interim_control=bool(work.facts.get("interim_control")),
        grade=Grade(hazard.grade),
        listed=Listing(hazard.listing).is_listed,
        listing_consent=bool(work.facts.get("listing_consent")),
        on=desk.on,
        overrides=desk.overrides,
    )
    if not decision.allowed:
        reason = decision.reasons[0]
        raise Refusal("hazard.extension_refused", field="due_on", why_zh=reason.zh, why_en=reason.en)
    _set_due(work, "due_on")
    hazard.extended += 1
    hazard.extension_wanted_on = None


def _asked_at(hazard: Hazard) -> datetime | None:
    """Return when the extension that is open was asked for."""
    kind = Action.REQUEST_EXTENSION.value
    fresh = born_of(Paper, hazard.pk)
    if fresh is not None:
        asked = [row.issued_at for row in fresh if (row.cycle_no, row.kind) == (hazard.cycle_no, kind)]
        return max(asked, default=None)
    papers = Paper.objects.filter(hazard=hazard, cycle_no=hazard.cycle_no, kind=kind)
    return papers.order_by("-issued_at").values_list("issued_at", flat=True).first()


register("hazard.extension_refused", zh="不能延期：{why_zh}", en="No extension: {why_en}")


def _refuse_extension(work: Work) -> None:
    work.hazard.extension_wanted_on = None


def _plan(work: Work) -> None:
    _set_due(work, "due_on")


def _reject_major(work: Work) -> None:
    if "due_on" in work.facts:
        _set_due(work, "due_on")
    work.cycle.applied_at = None


def _delist(work: Work) -> None:
    """The second signature, by the listing body; never by the person who signed the acceptance."""
    if work.cycle.acceptor_id is not None and work.cycle.acceptor_id == work.actor.person_id:
        raise Refusal("hazard.delister_is_acceptor")
    work.cycle.delister_id = work.actor.person_id


def _measure(work: Work) -> None:
    """Enter a measure beside rectification; it closes nothing."""
    if work.actor.person_id is None:
        return
    measure = Measure(
        hazard=work.hazard,
        cycle_no=work.hazard.cycle_no,
        kind=work.action.value,
        body=work.own_body(),
        person_id=work.actor.person_id,
        at=work.desk.at,
        yuan=work.facts.get("yuan"),
        basis=str(work.facts.get("basis", ""))[:300],
    )
    add(measure, matter=work.hazard.pk)


def _secure(work: Work) -> None:
    work.hazard.secured = True


def _release(work: Work) -> None:
    work.hazard.secured = False


def _merge(work: Work) -> None:
    """Join another open hazard of the same root: its voices go on there, this file stays as history."""
    named = work.facts["into"]
    into = born(Hazard, named) or Hazard.objects.select_for_update().filter(pk=named, root=work.hazard.root).first()
    if into is None or into.root != work.hazard.root or into.pk == work.hazard.pk or not into.is_open:
        raise Refusal("hazard.merge_into_itself", field="into")
    into.voices_count += work.hazard.voices_count
    into.version += 1
    change(into, ["voices_count", "version"])
    work.hazard.joined_to = into
    work.wrote.append(into)


def _lead(work: Work) -> None:
    leader = work.person("leader")
    responsibility.link(
        actor=work.actor,
        at=work.desk.at,
        root=work.hazard.root,
        matter=("hazard", work.hazard.pk),
        role=Role.CASE_LEADER.value,
        person=leader,
        unit_name=duties.unit_of(work.actor, work.hazard),
        cycle_no=work.hazard.cycle_no,
        reason="包案",
    )
    obligations.fulfil(actor=work.actor, at=work.desk.at, matter_id=work.hazard.pk, kinds=["name_leader"])


def _suspect(work: Work) -> None:
    """Report as suspected major: to the department that may judge; interim control at once."""
    work.hazard.sent_to_body = None
    work.hazard.holder_body = work.body()


def _name_body(work: Work) -> None:
    work.hazard.ownerless = False
    work.hazard.holder_body = work.body()


def _whistle(work: Work) -> None:
    """Call the departments: each owes its arrival by the clock, and a refusal goes to the district government."""
    given = work.facts["bodies"]
    ids = [given] if isinstance(given, str | UUID) else list(given)
    called = [body_by_id(UUID(str(one))) for one in ids]
    bodies = [one for one in called if one is not None and one.root_id == work.hazard.root]
    if len(bodies) < len(ids):
        raise Refusal("hazard.body_unknown", field="bodies")
    work.noted["bodies"] = [str(one.pk) for one in bodies]
    responsibility.open_joint(
        actor=work.actor,
        at=work.desk.at,
        kind="whistle",
        title=f"{work.hazard.place_title}：{work.hazard.fact}"[:200],
        area_path=work.hazard.area_path,
        matter=("hazard", work.hazard.pk),
        parts=[responsibility.Asked(one, str(work.facts["reason"])) for one in dict.fromkeys(bodies)],
        caller=work.own_body(),
        urgent=work.hazard.life_at_risk,
    )


EFFECTS: Mapping[Action, tuple[Any, ...]] = {
    Action.ORDER: (_order, _paper),
    Action.ADVISE: (_advise, _paper),
    Action.TRANSFER: (_transfer, _paper),
    Action.RECEIVE: (_receive, _paper),
    Action.SEND_BACK: (_send_back, _paper),
    Action.RETURN_UNSIGNED: (_return,),
    Action.ASSIGN: (_assign, _paper),
    Action.APPLY_REVIEW: (_apply_review, _paper),
    Action.APPLY: (_apply_review, _paper),
    Action.SELF_ASSESS: (_apply_review, _paper),
    Action.REVIEW: (_review, _paper),
    Action.ACCEPT: (_accept, _paper),
    Action.REJECT: (_reject_major, _paper),
    Action.FIX_ON_SPOT: (_fix_on_spot, _paper),
    Action.REQUEST_EXTENSION: (_request_extension, _paper),
    Action.EXTEND: (_extend, _paper),
    Action.REFUSE_EXTENSION: (_refuse_extension, _paper),
    Action.SUBMIT_PLAN: (_plan, _paper),
    Action.APPROVE_PLAN: (_plan, _paper),
    Action.RETURN_PLAN: (_paper,),
    Action.DELIST: (_delist, _paper),
    Action.FILE_CASE: (_measure, _paper),
    Action.SIMPLE_PENALTY: (_measure, _paper),
    Action.WAIVE: (_measure, _paper),
    Action.ESCALATE_MEASURE: (_measure, _paper),
    Action.SECURE: (_secure, _measure, _paper),
    Action.RELEASE: (_release, _paper),
    Action.MERGE: (_merge, _paper),
    Action.LEAD: (_lead, _paper),
    Action.LIST: (_paper,),
    Action.PROPOSE_LIST: (_paper,),
    Action.SUSPECT: (_suspect, _paper),
    Action.JUDGE: (_paper,),
    Action.REGISTER_MAJOR: (_paper,),
    Action.NAME_BODY: (_name_body, _paper),
    Action.DOWNGRADE: (_paper,),
    Action.PROGRESS: (_paper,),
    Action.WHISTLE: (_whistle, _paper),
    Action.VERIFY: (_paper,),
    Action.REPORT_GONE: (_paper,),
    Action.SAMPLE: (_paper,),
}
"""What an action does beside moving the state; an action that isn't here only moves it."""

VERBS: Mapping[Action, str] = {
    Action.VERIFY: "verified", Action.FIX_ON_SPOT: "fixed_on_spot", Action.ORDER: "ordered", Action.ADVISE: "advised",
    Action.TRANSFER: "transferred", Action.RECEIVE: "received", Action.SEND_BACK: "sent_back",
    Action.RETURN_UNSIGNED: "returned_unsigned",
    Action.WHISTLE: "departments_called", Action.ASSIGN: "assigned", Action.APPLY_REVIEW: "review_applied_for",
    Action.EXPIRE: "term_expired", Action.REVIEW: "reviewed", Action.REQUEST_EXTENSION: "extension_requested",
    Action.EXTEND: "extended", Action.REFUSE_EXTENSION: "extension_refused", Action.FILE_CASE: "case_filed",
    Action.SIMPLE_PENALTY: "penalised_on_spot", Action.WAIVE: "penalty_waived", Action.ACCEPT: "accepted",
    Action.REJECT: "rejected", Action.SAMPLE: "sampled", Action.MERGE: "merged", Action.REPORT_GONE: "reported_gone",
    Action.SUSPECT: "suspected", Action.SECURE: "secured", Action.RELEASE: "released", Action.JUDGE: "judged",
    Action.REGISTER_MAJOR: "registered_major", Action.NAME_BODY: "body_named", Action.SUBMIT_PLAN: "plan_submitted",
    Action.APPROVE_PLAN: "plan_approved", Action.RETURN_PLAN: "plan_returned", Action.PROPOSE_LIST: "listing_proposed",
    Action.LIST: "listed", Action.LEAD: "leader_named", Action.PROGRESS: "progress_reported",
    Action.SELF_ASSESS: "self_assessed", Action.APPLY: "acceptance_applied_for", Action.DELIST: "delisted",
    Action.DOWNGRADE: "downgraded", Action.ESCALATE_MEASURE: "measure_escalated",
}  # fmt: skip


def refresh_due(*, actor: Actor, at: datetime, hazard_id: UUID) -> bool:
    """Compute a provisional deadline again once its calendar year is loaded. Returns whether it moved."""
    with unit():
        hazard = Hazard.objects.select_for_update().get(pk=hazard_id)
        desk = Desk.of(actor, hazard.root, at)
        return duties.refresh(actor=actor, at=at, hazard=hazard, desk=desk)


def propose_case(*, actor: Actor, at: datetime, hazard_id: UUID) -> None:
    """Put the proposal to file a case on the ordering body's desk: what an overdue general hazard first means (立案).

    Once in a cycle: proposed already, or filed, it is not asked for again.
    """
    with unit():
        stored = Hazard.objects.select_related("place", "holder", "holder_body", "ordering_body")
        hazard = born(Hazard, hazard_id) or stored.get(pk=hazard_id)
        asked, filed = born_of(Obligation, hazard.pk), born_of(Measure, hazard.pk)
        if asked is None:
            asked = list(Obligation.objects.filter(matter_id=hazard.pk, kind="propose_case"))
        if filed is None:
            filed = list(Measure.objects.filter(hazard=hazard, kind=Measure.Kind.CASE))
        if any(row.kind == "propose_case" and row.cycle_no == hazard.cycle_no for row in asked):
            return
        if any(row.kind == Measure.Kind.CASE and row.cycle_no == hazard.cycle_no for row in filed):
            return
        desk = Desk.of(actor, hazard.root, at)
        resolution = resolve(hazard.place, hazard.class_code, desk.on)
        duties.owe_case(actor=actor, at=at, hazard=hazard, desk=desk, resolution=resolution)
        record("hazard.case_due", actor=actor, at=at, subject=("hazard", hazard.pk), data={"rule": "逾期立案"})


def _propose(actor: Actor, at: datetime, hazard_id: UUID) -> None:
    propose_case(actor=actor, at=at, hazard_id=hazard_id)


def name_link(*, actor: Actor, at: datetime, hazard_id: UUID, role: str, given: Named) -> Link:
    """Name the natural person of a link that the hazard's chain lacks, as whoever owes it; the duty ends.

    Raises: obligation.not_yours, link.incomplete, link.not_official.
    """
    with unit():
        hazard = Hazard.objects.select_for_update().get(pk=hazard_id)
        matter = chains.chained(hazard)
        return responsibility.name_link(actor=actor, at=at, matter=matter, role=role, given=given)


def pause_ladder(*, actor: Actor, at: datetime, obligation_id: UUID, until_on: date, reason: str) -> Pause:
    """Hold the next step of a hazard's overdue obligation back, one level up granting it (暂缓督办).

    Raises: obligation.ended, obligation.pause_not_allowed, obligation.pause_refused.
    """
    with unit():
        row = Obligation.objects.select_for_update().get(pk=obligation_id)
        hazard = Hazard.objects.select_for_update(of=("self",)).select_related("place").get(pk=row.matter_id)
        desk = Desk.of(actor, hazard.root, at)
        # What is due already is told: a pause holds back what is to come.
        ladders.catch_up(actor, at, hazard, desk, _propose)
        return ladders.grant_pause(
            actor=actor, at=at, row=row, hazard=hazard, desk=desk, until_on=until_on, reason=reason
        )


def tally(*, actor: Actor, at: datetime) -> int:
    """Sum the ledger of the actor's root into the roll-up, replacing the former sums. Returns the number of rows.

    A roll-up is derived from the ledger and made again at any time: it records no entry.
    """
    counted = (
        Hazard.objects.filter(root=actor.root)
        .order_by()
        .values_list("area_path", "overview_code", "class_code", "place_kind")
        .annotate(**{name: Count("pk", filter=condition) for name, condition in figures_at(at).items()})
    )
    sums: dict[tuple[Any, ...], list[int]] = {}
    for path, overview, class_code, kind, *figures in counted.iterator(chunk_size=5000):
        street = street_of(path)
        for key in ((street, overview, True, "", ""), (street, overview, False, class_code, kind)):
            sums[key] = [a + b for a, b in zip(sums[key], figures, strict=True)] if key in sums else figures
    rows = [
        Tally(
            root=actor.root, area_path=street, overview_code=overview, whole=whole, class_code=class_code, place_kind=kind,
            made_at=at, **dict(zip(FIGURES, figures, strict=True)),
        )
        for (street, overview, whole, class_code, kind), figures in sums.items()
        if any(figures)
    ]  # fmt: skip
    with unit():
        Tally.objects.filter(root=actor.root).delete()
        insert(prepared(rows))
    return len(rows)
