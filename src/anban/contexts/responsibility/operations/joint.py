"""Writes of joint matters: mechanisms, cases opened by rule or by hand, whistles, requests for guidance, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from anban.base.journal.births import born_of, foresee, foreseen
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.obligations import operations as obligations
from anban.contexts.responsibility import policies
from anban.contexts.responsibility.clockwork import Workday, unit_of
from anban.contexts.responsibility.models import JointMatter, JointPart, Mechanism, Member
from anban.contexts.responsibility.queries import Answer, Resolution, mechanisms
from anban.contexts.territory.models import Area, Body
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.policies import require_may_arrange
from anban.contexts.territory.queries import Coverage, bodies_over
from anban.rules.clocks import Due
from anban.rules.errors import Refusal, register
from anban.rules.joint import KINDS, OPEN, RULINGS, PartState, answered, called_for

register("joint.not_allowed", zh="这一部分不归您的单位办理。", en="This part is not your body's.")
register("joint.nobody_asked", zh="请至少选择一个单位。", en="Choose at least one body.")
register(
    "joint.not_caller", zh="只有街道（乡镇）可以吹哨、请求指导。", en="Only a street may whistle or ask for guidance."
)
register(
    "joint.ruling_not_allowed",
    zh="拒绝报到由区政府（区安委办）裁定。",
    en="A refusal is ruled on by the district government or its committee's office.",
)
register("joint.ruling_unknown", zh="裁定只能是“到场”或“免办”。", en="The ruling is either arrive or excuse.")
register("joint.member_twice", zh="同一个单位不能列两次。", en="A body cannot be listed twice.")
register(
    "joint.limit_missing",
    zh="请写明每个单位办什么、几个工作日内办完。",
    en="Say what each body owes and within how many working days.",
)

register(
    "joint.lead_no_member",
    zh="牵头单位也要写明自己办什么、几个工作日。",
    en="The lead has a part of its own: say what it owes and by when.",
)
register(
    "joint.trigger_missing",
    zh="自动启动的机制须写明隐患类别或检查项。",
    en="A mechanism that opens by itself needs a hazard class or check items.",
)
register("joint.name_taken", zh="已有同名的联动机制。", en="There is a mechanism of this name already.")
register("joint.ended", zh="这个联动机制已经终止。", en="This mechanism has ended.")
register(
    "joint.change_too_early",
    zh="日期须晚于现行机制的起始日（{day}）。",
    en="The day must lie after the one on which the mechanism began ({day}).",
)

PATH: Final = "/net/joint/{}/"
GOVERNMENTS: Final = ("district_government", "district_committee_office")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one body is asked for, and in how many working days where not by the kind's own clock."""

    body: Body
    part: str
    limit_workdays: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A mechanism as it is to be: name, lead, area, what opens it, what each member owes by when, from when on what ground."""

    name: str
    lead: Body
    area: Area
    members: Sequence[Asked]
    from_on: date
    hazard_class: str = ""
    hazard_codes: Sequence[str] = ()
    by_rule: bool = True
    basis: str = ""


def add_mechanism(*, actor: Actor, at: datetime, plan: Plan) -> Mechanism:
    """Set up a joint mechanism: its lead, and what each member owes by when.

    Raises: territory.not_allowed, joint.nobody_asked, joint.member_twice, joint.limit_missing, joint.lead_no_member,
    joint.trigger_missing, joint.name_taken.
    """
    with unit():
        _require_sound(actor, plan)
        return _begin(actor, at, plan, None)


def change_mechanism(*, actor: Actor, at: datetime, mechanism_id: UUID, plan: Plan) -> Mechanism:
    """Let a mechanism go on otherwise from a day: the former one ends that day and stays on file; open matters keep its parts.

    Raises: as ``add_mechanism``; joint.change_too_early, joint.ended.
    """
    with unit():
        former = _standing(actor, mechanism_id)
        _require_sound(actor, plan)
        if plan.from_on <= former.from_on:
            raise Refusal("joint.change_too_early", field="from_on", day=former.from_on.isoformat())
        _end(actor, at, former, plan.from_on)
        return _begin(actor, at, plan, former)


def end_mechanism(*, actor: Actor, at: datetime, mechanism_id: UUID, until_on: date) -> Mechanism:
    """End a mechanism with a day (exclusive): from then on it opens nothing. Raises: territory.not_allowed, joint.ended, joint.change_too_early."""
    with unit():
        row = _standing(actor, mechanism_id)
        if until_on <= row.from_on:
            raise Refusal("joint.change_too_early", field="until_on", day=row.from_on.isoformat())
        return _end(actor, at, row, until_on)


def _standing(actor: Actor, mechanism_id: UUID) -> Mechanism:
    row = Mechanism.objects.select_for_update(of=("self",)).select_related("area").get(pk=mechanism_id)
    require_may_arrange(actor, row.area.path, root=row.root)
    if row.until_on is not None:
        raise Refusal("joint.ended")
    return row


def _require_sound(actor: Actor, plan: Plan) -> None:
    require_may_arrange(actor, plan.area.path, root=plan.area.root_id)
    if not plan.members:
        raise Refusal("joint.nobody_asked", field="members")
    bodies = {one.body.pk for one in plan.members}
    if len(bodies) < len(plan.members):
        raise Refusal("joint.member_twice", field="members")
    if any(not one.part.strip() or not one.limit_workdays or one.limit_workdays > 60 for one in plan.members):
        raise Refusal("joint.limit_missing", field="members")
    if plan.lead.pk not in bodies:
        raise Refusal("joint.lead_no_member", field="lead")
    if plan.by_rule and not plan.hazard_class and not plan.hazard_codes:
        raise Refusal("joint.trigger_missing", field="hazard_class")


def _begin(actor: Actor, at: datetime, plan: Plan, former: Mechanism | None) -> Mechanism:
    root = plan.area.root_id
    if Mechanism.objects.filter(root=root, name=plan.name, until_on__isnull=True).exists():
        raise Refusal("joint.name_taken", field="name")
    made = Mechanism.objects.create(
        root=root,
        name=plan.name,
        lead=plan.lead,
        area=plan.area,
        hazard_class=plan.hazard_class,
        hazard_codes=";".join(plan.hazard_codes),
        by_rule=plan.by_rule,
        basis=plan.basis,
        from_on=plan.from_on,
    )
    Member.objects.bulk_create(
        Member(mechanism=made, body=one.body, part=one.part.strip()[:200], limit_workdays=one.limit_workdays or 1)
        for one in plan.members
    )
    record(
        "mechanism.added",
        actor=actor,
        at=at,
        subject=("mechanism", made.pk),
        data={
            "lead": str(plan.lead.pk),
            "area": plan.area.code,
            "members": {str(one.body.pk): one.limit_workdays for one in plan.members},
            "from": plan.from_on.isoformat(),
            "instead_of": str(former.pk) if former else "",
        },
    )
    return made


def _end(actor: Actor, at: datetime, row: Mechanism, until_on: date) -> Mechanism:
    row.until_on = until_on
    row.save(update_fields=["until_on"])
    record("mechanism.ended", actor=actor, at=at, subject=("mechanism", row.pk), data={"until": until_on.isoformat()})
    return row


def open_joint(
    *,
    actor: Actor,
    at: datetime,
    kind: str,
    title: str,
    area_path: str,
    matter: tuple[str, UUID],
    parts: Sequence[Asked],
    mechanism: Mechanism | None = None,
    caller: Body | None = None,
    urgent: bool = False,
) -> JointMatter:
    """Ask several bodies for their part in a matter: each part is an obligation of a natural person, with its clock.

    Raises: joint.nobody_asked, responsibility.nobody_answers.
    """
    with unit():
        if not parts:
            raise Refusal("joint.nobody_asked", field="bodies")
        day = Workday.of(actor.root, at)
        known = KINDS[kind]
        number = next_numbers(actor=actor, at=at, root=actor.root, series="XT", year=day.on.year)[0]
        made = JointMatter.objects.create(
            root=actor.root,
            number=number,
            kind=kind,
            title=title[:300],
            area_path=area_path,
            matter_kind=matter[0],
            matter_id=matter[1],
            mechanism=mechanism,
            caller=caller,
            urgent=urgent,
            opened_at=at,
        )
        foresee((JointMatter, matter[1]), value=True)
        record(
            "joint.opened",
            actor=actor,
            at=at,
            subject=("joint", made.pk),
            matter=matter,
            data={"kind": kind, "bodies": [str(one.body.pk) for one in parts]},
            wrote=[made],
        )
        for one in parts:
            clock = known.urgent_clock if urgent and known.urgent_clock else known.clock
            due = day.workdays(one.limit_workdays) if one.limit_workdays else day.due(clock)
            part = JointPart.objects.create(
                joint=made,
                body=one.body,
                part=one.part[:300],
                state=PartState.WAITING.value,
                due_at=due.at,
                provisional=due.provisional,
            )
            record(
                "joint.asked",
                actor=actor,
                at=at,
                subject=("joint", made.pk),
                matter=matter,
                data={"body": str(one.body.pk), "due": due.at.isoformat()},
                wrote=[part],
            )
            _owe(actor, day, made, part, known.duty, day.at_body(one.body, area_path), known.rule, due)
        return made


def _owe(
    actor: Actor, day: Workday, matter: JointMatter, part: JointPart, kind: str, who: Answer, rule: str, due: Due
) -> None:
    assert who.person is not None  # noqa: S101 - at a vacant body the office stands in
    obligations.owe(
        actor=actor,
        at=day.at,
        duty=obligations.Duty(
            root=matter.root,
            person=who.person,
            body=who.body,
            unit_name=unit_of(who),
            kind=kind,
            subject=("joint", part.pk),
            matter_id=matter.matter_id if matter.matter_kind == "hazard" else matter.pk,
            area_path=matter.area_path,
            title=f"{matter.title}：{part.part}"[:300],
            place_title=matter.number,
            ladder="sector",
            due_at=due.at,
            provisional=due.provisional,
            source_rule=rule[:200],
            link=PATH.format(matter.pk),
        ),
    )


def _fulfil(actor: Actor, at: datetime, part: JointPart, kinds: Sequence[str]) -> None:
    matter = part.joint
    about = matter.matter_id if matter.matter_kind == "hazard" else matter.pk
    obligations.fulfil(actor=actor, at=at, matter_id=about, kinds=kinds, subject_id=part.pk)


def open_by_rule(
    *,
    actor: Actor,
    at: datetime,
    matter: tuple[str, UUID],
    title: str,
    area_path: str,
    resolution: Resolution,
    on: date,
    hazard_class: str,
    hazard_code: str,
    grave: bool,
) -> list[JointMatter]:
    """Open the mechanisms that a new hazard calls for: at once by its item, else a grave one of a class with several bodies.

    A class counts as several when its answers name at least two bodies beside the street. Nothing is opened twice.
    """  # fmt: skip
    found = []
    with unit(savepoint=False):
        several = resolution.several
        coverage: Coverage | None = None
        for mechanism in mechanisms(actor.root, on):
            if not called_for(
                hazard_class=mechanism.hazard_class, hazard_codes=mechanism.hazard_codes.split(";"), by_rule=mechanism.by_rule,
                of_class=hazard_class, of_code=hazard_code, grave=grave, several=several,
            ):  # fmt: skip
                continue
            coverage = coverage or Coverage.load(actor.root, on)
            if not coverage.covers(mechanism.area, area_path):
                continue
            if JointMatter.objects.filter(mechanism=mechanism, matter_id=matter[1], closed_at__isnull=True).exists():
                continue
            found.append(
                start(actor=actor, at=at, mechanism=mechanism, title=title, area_path=area_path, matter=matter)
            )
    return found


def start(
    *, actor: Actor, at: datetime, mechanism: Mechanism, title: str, area_path: str, matter: tuple[str, UUID]
) -> JointMatter:
    """Open one mechanism for a matter, by rule or by hand: every member gets its part. Raises: as ``open_joint``."""
    parts = [
        Asked(one.body, one.part, one.limit_workdays)
        for one in sorted(mechanism.members.all(), key=lambda one: (one.body_id != mechanism.lead_id, str(one.pk)))
    ]
    return open_joint(
        actor=actor, at=at, kind="joint", title=f"{mechanism.name}：{title}", area_path=area_path, matter=matter, parts=parts,
        mechanism=mechanism, caller=mechanism.lead,
    )  # fmt: skip


def call(
    *,
    actor: Actor,
    at: datetime,
    kind: str,
    title: str,
    area_path: str,
    matter: tuple[str, UUID] | None,
    bodies: Sequence[Body],
    words: str,
    urgent: bool = False,
) -> JointMatter:
    """Whistle for departments (吹哨), or ask them for guidance in writing, from a street.

    Raises: joint.not_caller, joint.nobody_asked, joint.words_missing.
    """  # fmt: skip
    with unit():
        caller = policies.calling_body(actor, area_path)
        if caller is None or kind not in ("whistle", "guidance"):
            raise Refusal("joint.not_caller")
        if not words.strip():
            raise Refusal("joint.words_missing", field="words")
        chosen = list({one.pk: one for one in bodies}.values())
        return open_joint(
            actor=actor,
            at=at,
            kind=kind,
            title=title,
            area_path=area_path,
            matter=matter or ("street", caller.pk),
            parts=[Asked(one, words.strip()[:300]) for one in chosen],
            caller=caller,
            urgent=urgent,
        )


def answer(*, actor: Actor, at: datetime, part_id: UUID, words: str, refuse: bool = False) -> JointPart:
    """Answer one's body's part: done with the words, or (a whistle only) refused, which goes to the district government.

    Raises: joint.not_allowed, joint.not_open, joint.cannot_refuse, joint.words_missing.
    """
    with unit():
        part = _part(actor, part_id)
        if not policies.can_answer(actor, part):
            raise Refusal("joint.not_allowed")
        state = answered(part.joint.kind, part.state, refuse=refuse, words=words)
        part.answer, part.answered_at = words.strip()[:1000], at
        part.answered_by = Person.objects.filter(pk=actor.person_key).first()
        _move(actor, at, part, state, "joint.refused" if refuse else "joint.answered", words)
        _fulfil(actor, at, part, [KINDS[part.joint.kind].duty])
        if refuse:
            day = Workday.of(actor.root, at)
            due = day.due("responsibility.refusal_workdays")
            rule = f"北京市街道办事处条例；工作惯例 [{due.law.certainty}]"
            _owe(actor, day, part.joint, part, "rule_refusal", _government(day, part.joint.area_path), rule, due)
        _close_if_done(actor, at, part.joint)
        return part


def rule_on_refusal(*, actor: Actor, at: datetime, part_id: UUID, ruling: str, words: str) -> JointPart:
    """Rule on a body's refusal to arrive, for the district government: it arrives after all, or it is excused.

    Raises: joint.ruling_not_allowed, joint.not_open, joint.ruling_unknown, joint.words_missing.
    """
    with unit():
        part = _part(actor, part_id)
        if not policies.can_rule(actor, part):
            raise Refusal("joint.ruling_not_allowed")
        if part.state != PartState.REFUSED.value:
            raise Refusal("joint.not_open")
        if ruling not in RULINGS:
            raise Refusal("joint.ruling_unknown", field="ruling")
        if not words.strip():
            raise Refusal("joint.words_missing", field="words")
        _fulfil(actor, at, part, ["rule_refusal"])
        state = RULINGS[ruling]
        if state is PartState.WAITING:
            day = Workday.of(actor.root, at)
            known = KINDS[part.joint.kind]
            due = day.due(known.urgent_clock if part.joint.urgent and known.urgent_clock else known.clock)
            part.due_at, part.provisional = due.at, due.provisional
            _move(actor, at, part, state, "joint.ruled", words)
            _owe(
                actor,
                day,
                part.joint,
                part,
                known.duty,
                day.at_body(part.body, part.joint.area_path),
                "区政府裁定：必须到场",
                due,
            )
        else:
            _move(actor, at, part, state, "joint.ruled", words)
        _close_if_done(actor, at, part.joint)
        return part


def lapse(*, actor: Actor, at: datetime, part_id: UUID) -> JointPart:
    """End a part whose time is up without an answer (逾期未答视为无意见); the breach is kept. Raises: joint.not_open."""
    with unit():
        part = _part(actor, part_id)
        if part.state != PartState.WAITING.value or part.due_at >= at:
            raise Refusal("joint.not_open")
        _move(actor, at, part, PartState.EXCUSED, "joint.lapsed", "")
        _fulfil(actor, at, part, [KINDS[part.joint.kind].duty])
        _close_if_done(actor, at, part.joint)
        return part


def close_joint(*, actor: Actor, at: datetime, joint_id: UUID) -> JointMatter:
    """Close a joint matter whose object is settled: what is still waiting is excused, and leaves the desks."""
    with unit(savepoint=False):
        matter = JointMatter.objects.select_for_update(of=("self",)).get(pk=joint_id)
        for part in (
            matter.parts.select_for_update(of=("self",))
            .select_related("joint")
            .filter(state__in=[one.value for one in OPEN])
        ):
            _move(actor, at, part, PartState.EXCUSED, "joint.excused", "")
            _fulfil(actor, at, part, [KINDS[matter.kind].duty, "rule_refusal"])
        _close_if_done(actor, at, matter)
        return matter


def close_joints(*, actor: Actor, at: datetime, matter_id: UUID) -> list[JointMatter]:
    """Close every joint matter about a matter that has ended."""
    if born_of(JointMatter, matter_id) is not None and not foreseen((JointMatter, matter_id)):
        # Born in this unit, and nobody was called.
        return []
    with unit(savepoint=False):
        ids = list(JointMatter.objects.filter(matter_id=matter_id, closed_at__isnull=True).values_list("pk", flat=True))
        return [close_joint(actor=actor, at=at, joint_id=one) for one in ids]


def _part(actor: Actor, part_id: UUID) -> JointPart:
    part = (
        JointPart.objects.select_for_update(of=("self",))
        .select_related("joint", "body__area")
        .filter(pk=part_id, joint__root=actor.root)
        .first()
    )
    if part is None:
        raise Refusal("joint.not_allowed")
    return part


def _move(actor: Actor, at: datetime, part: JointPart, state: PartState, verb: str, words: str) -> None:
    part.state = state.value
    part.version += 1
    part.save()
    record(
        verb,
        actor=actor,
        at=at,
        subject=("joint", part.joint_id),
        matter=(part.joint.matter_kind, part.joint.matter_id),
        data={"body": str(part.body_id), "state": part.state},
        words={"answer": words},
        wrote=[part],
    )


def _close_if_done(actor: Actor, at: datetime, matter: JointMatter) -> None:
    if matter.closed_at is not None or matter.parts.filter(state__in=[one.value for one in OPEN]).exists():
        return
    matter.closed_at = at
    matter.version += 1
    matter.save(update_fields=["closed_at", "version"])
    record(
        "joint.closed", actor=actor, at=at, subject=("joint", matter.pk), matter=(matter.matter_kind, matter.matter_id),
        wrote=[matter],
    )  # fmt: skip


def _government(day: Workday, path: str) -> Answer:
    """Return who rules on a refusal for the district government; its committee's office while the post is vacant."""
    for kind in GOVERNMENTS:
        for body in bodies_over(day.root, path).filter(kind=kind):
            found = day.at_body(body, path)
            if found.reason == "岗位":
                return found
    return day.office(path)
