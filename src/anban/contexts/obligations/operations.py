"""Writes of obligations: owed, done, void, handed over with a signature, breached and escalated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from anban.base.journal.births import add, add_all, born, born_of, change
from anban.base.journal.operations import record, unit
from anban.base.notices.operations import Telling, tell, tell_all
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.obligations import policies
from anban.contexts.obligations.models import EscalationStep, Handover, Obligation, Pause
from anban.contexts.territory.models import Body
from anban.rules.errors import Refusal, register
from anban.rules.escalation import Rung

register("obligation.not_yours", zh="这件事不在您名下，也不归您督办。", en="This is not yours, nor yours to supervise.")
register("obligation.ended", zh="这件事已经办结。", en="This has been settled already.")
register("obligation.handover_open", zh="已有一次移交等待签收。", en="A handover is already waiting for a signature.")
register("obligation.handover_self", zh="不能移交给同一个人。", en="It cannot be handed to the same person.")
register("obligation.not_addressee", zh="只有接收人本人可以签收或退回。", en="Only the addressee may sign or decline.")
register(
    "obligation.pause_not_allowed",
    zh="暂缓须由上一级（{who_zh}）批准，不能由承办人自己批准。",
    en="A pause is granted one level up ({who_en}), never by whoever owes it.",
)
register("obligation.pause_refused", zh="不能暂缓：{why_zh}。", en="It cannot be held back: {why_en}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What is to be owed: a natural person, in a unit, must do ``kind`` about a subject by ``due_at`` under a rule."""

    root: str
    person: Person
    unit_name: str
    kind: str
    subject: tuple[str, UUID]
    matter_id: UUID
    area_path: str
    title: str
    source_rule: str
    body: Body | None = None
    cycle_no: int = 1
    place_id: UUID | None = None
    place_title: str = ""
    ladder: str = Obligation.Ladder.TERRITORY
    grade: str = ""
    due_at: datetime | None = None
    provisional: bool = False
    link: str = ""
    title_en: str = ""
    """The title in English where it is the house's own words: for the notice."""


def _made(duty: Duty, at: datetime) -> Obligation:
    return Obligation(
        root=duty.root,
        person=duty.person,
        body=duty.body,
        unit_name=duty.unit_name,
        kind=duty.kind,
        subject_kind=duty.subject[0],
        subject_id=duty.subject[1],
        matter_id=duty.matter_id,
        cycle_no=duty.cycle_no,
        place_id=duty.place_id,
        area_path=duty.area_path,
        title=duty.title,
        place_title=duty.place_title,
        ladder=duty.ladder,
        grade=duty.grade,
        due_at=duty.due_at,
        provisional=duty.provisional,
        source_rule=duty.source_rule,
        opened_at=at,
    )


def _owed(actor: Actor, at: datetime, duty: Duty, obligation: Obligation) -> None:
    record(
        "obligation.owed",
        actor=actor,
        at=at,
        subject=("obligation", obligation.pk),
        matter=(duty.subject[0], duty.matter_id),
        data={
            "person": str(duty.person.pk),
            "kind": duty.kind,
            "due": duty.due_at.astimezone(UTC).isoformat() if duty.due_at else "",
            "rule": duty.source_rule,
        },
        wrote=[obligation],
    )


def owe_all(*, actor: Actor, at: datetime, duties: Sequence[Duty]) -> list[Obligation]:
    """Put several duties about one matter on desks in one statement; each person is told once of all that is new there."""
    if not duties:
        return []
    with unit(savepoint=False):
        matter = duties[0].matter_id
        made = add_all([_made(duty, at) for duty in duties], matter=matter)
        told: dict[UUID, tuple[Duty, Obligation]] = {}
        for duty, row in zip(duties, made, strict=True):
            _owed(actor, at, duty, row)
            told.setdefault(duty.person.pk, (duty, row))
        tell_all(
            actor=actor,
            at=at,
            matter=matter,
            notices=[
                Telling(
                    person_id=person,
                    kind=f"obligation.{duty.kind}",
                    title=f"{duty.title} · {duty.place_title}" if duty.place_title else duty.title,
                    title_en=duty.title_en,
                    link=duty.link,
                    key=f"owed:{row.pk.hex}",
                    root=duty.root,
                )
                for person, (duty, row) in told.items()
            ],
        )
        return made


def owe(*, actor: Actor, at: datetime, duty: Duty) -> Obligation:
    """Put a duty on a person's desk and tell the person."""
    with unit(savepoint=False):
        obligation = add(_made(duty, at), matter=duty.matter_id)
        _owed(actor, at, duty, obligation)
        tell(
            actor=actor,
            at=at,
            person_id=duty.person.pk,
            kind=f"obligation.{duty.kind}",
            title=f"{duty.title} · {duty.place_title}" if duty.place_title else duty.title,
            title_en=duty.title_en,
            link=duty.link,
            key=f"owed:{obligation.pk.hex}",
            root=duty.root,
            fresh=True,
        )
        return obligation


def fulfil(
    *,
    actor: Actor,
    at: datetime,
    matter_id: UUID,
    kinds: Iterable[str] | None = None,
    subject_id: UUID | None = None,
    pointless: Collection[str] = (),
) -> list[Obligation]:
    """Mark the open obligations of a matter (of ``kinds``, about one subject, or all) as done; late ones keep their breach.

    Those of ``pointless`` kinds were not done: the matter has ended, and with it their object.
    """
    return _end(actor, at, matter_id, kinds, Obligation.State.DONE, "obligation.done", subject_id, pointless=pointless)


def fulfil_own(*, actor: Actor, at: datetime, matter_id: UUID, kinds: Iterable[str]) -> list[Obligation]:
    """Mark what the acting person itself owes about a matter as done; what others owe about it stays."""
    return _end(actor, at, matter_id, kinds, Obligation.State.DONE, "obligation.done", person_id=actor.person_key)


def void(*, actor: Actor, at: datetime, matter_id: UUID, kinds: Iterable[str] | None = None) -> list[Obligation]:
    """End the open obligations of a matter that no longer have an object."""
    return _end(actor, at, matter_id, kinds, Obligation.State.VOID, "obligation.voided")


def _end(
    actor: Actor,
    at: datetime,
    matter_id: UUID,
    kinds: Iterable[str] | None,
    state: str,
    verb: str,
    subject_id: UUID | None = None,
    person_id: UUID | None = None,
    pointless: Collection[str] = (),
) -> list[Obligation]:
    with unit(savepoint=False):
        ended = [
            row
            for row in _open_ones(matter_id, kinds)
            if (subject_id is None or row.subject_id == subject_id)
            and (person_id is None or row.person_id == person_id)
        ]
        for row in ended:
            row.state = Obligation.State.VOID if row.kind in pointless else state
            row.ended_at, row.ended_by = at, actor.reference
            if row.due_at and row.due_at < at and row.breached_at is None:
                row.breached_at = row.due_at
            row.version += 1
            change(row, ["state", "ended_at", "ended_by", "breached_at", "version"], matter=matter_id)
        if ended:
            first = ended[0]
            record(
                verb,
                actor=actor,
                at=at,
                subject=("obligation", first.pk),
                matter=(first.subject_kind, matter_id),
                data={"kinds": [row.kind for row in ended], "late": any(row.breached_at for row in ended)},
                wrote=ended,
            )
        return ended


def _open_ones(matter_id: UUID, kinds: Iterable[str] | None) -> list[Obligation]:
    """Return the open obligations of a matter, locked."""
    wanted = None if kinds is None else set(kinds)
    fresh = born_of(Obligation, matter_id)
    if fresh is not None:
        return [row for row in fresh if row.state == Obligation.State.OPEN and (wanted is None or row.kind in wanted)]
    rows = Obligation.objects.select_for_update().filter(matter_id=matter_id, state=Obligation.State.OPEN)
    return list((rows if wanted is None else rows.filter(kind__in=wanted)).order_by("id"))


def hand_over(*, actor: Actor, at: datetime, obligation_id: UUID, to_person: Person) -> Handover:
    """Offer an obligation to another person; the first stays responsible until the second signs.

    Raises: obligation.not_yours, obligation.ended, obligation.handover_open, obligation.handover_self.
    """
    with unit():
        obligation = _open(obligation_id)
        if not policies.can_hand_over(actor, obligation):
            raise Refusal("obligation.not_yours")
        if obligation.person_id == to_person.pk:
            raise Refusal("obligation.handover_self", field="to_person")
        if obligation.handovers.filter(signed_at__isnull=True, declined_at__isnull=True).exists():
            raise Refusal("obligation.handover_open")
        handover = Handover.objects.create(
            obligation=obligation, from_person_id=obligation.person_id, to_person=to_person, offered_at=at
        )
        _note("obligation.handover_offered", actor, at, obligation, {"to": str(to_person.pk)})
        tell(
            actor=actor,
            at=at,
            person_id=to_person.pk,
            kind="handover",
            title=f"待签收：{obligation.title}",
            title_en=f"To sign for: {obligation.title}",
            link="/?only=sign",
            key=f"handover:{handover.pk.hex}",
            root=obligation.root,
        )
        return handover


def sign_for(*, actor: Actor, at: datetime, handover_id: UUID) -> Obligation:
    """Sign for an obligation: from now on it is this person's. Raises: obligation.not_addressee, obligation.ended."""
    with unit():
        handover = Handover.objects.select_for_update().select_related("to_person").get(pk=handover_id)
        obligation = _open(handover.obligation_id)
        if handover.to_person_id != actor.person_id:
            raise Refusal("obligation.not_addressee")
        if handover.signed_at or handover.declined_at:
            raise Refusal("obligation.ended")
        handover.signed_at = at
        handover.save(update_fields=["signed_at"])
        obligation.person = handover.to_person
        obligation.version += 1
        obligation.save(update_fields=["person", "version"])
        _note("obligation.handed_over", actor, at, obligation, {"from": str(handover.from_person_id)})
        return obligation


def decline(*, actor: Actor, at: datetime, handover_id: UUID, reason: str) -> Handover:
    """Decline an obligation offered; it stays where it is. Raises: obligation.not_addressee, obligation.ended."""
    with unit():
        handover = Handover.objects.select_for_update().get(pk=handover_id)
        obligation = _open(handover.obligation_id)
        if handover.to_person_id != actor.person_id:
            raise Refusal("obligation.not_addressee")
        if handover.signed_at or handover.declined_at:
            raise Refusal("obligation.ended")
        handover.declined_at = at
        handover.save(update_fields=["declined_at"])
        record(
            "obligation.handover_declined",
            actor=actor,
            at=at,
            subject=("obligation", obligation.pk),
            matter=(obligation.subject_kind, obligation.matter_id),
            words={"reason": reason},
        )
        return handover


def take_back(*, actor: Actor, at: datetime, handover_id: UUID) -> Handover:
    """Take an offer back before it is signed for; nothing has moved yet. Raises: obligation.not_yours, obligation.ended."""
    with unit():
        handover = Handover.objects.select_for_update().get(pk=handover_id)
        obligation = _open(handover.obligation_id)
        if not policies.can_hand_over(actor, obligation):
            raise Refusal("obligation.not_yours")
        if handover.signed_at or handover.declined_at:
            raise Refusal("obligation.ended")
        handover.declined_at = at
        handover.save(update_fields=["declined_at"])
        _note("obligation.handover_taken_back", actor, at, obligation, {"to": str(handover.to_person_id)})
        return handover


def note_breach(*, actor: Actor, at: datetime, obligation_id: UUID) -> bool:
    """Write down that an obligation ran out; done once, kept for ever. Returns whether it was new."""
    with unit(savepoint=False):
        fresh = born(Obligation, obligation_id)
        obligation = Obligation.objects.select_for_update().get(pk=obligation_id) if fresh is None else fresh
        if obligation.state != Obligation.State.OPEN or obligation.breached_at or obligation.due_at is None:
            return False
        if obligation.due_at >= at:
            return False
        obligation.breached_at = obligation.due_at
        obligation.version += 1
        change(obligation, ["breached_at", "version"], matter=obligation.matter_id)
        _note("obligation.breached", actor, at, obligation, {"due": obligation.due_at.astimezone(UTC).isoformat()})
        return True


def take_step(
    *,
    actor: Actor,
    at: datetime,
    obligation: Obligation,
    step: str,
    since: datetime,
    told: Person | None,
    text: str,
    text_en: str = "",
) -> EscalationStep | None:
    """Take one step of the ladder and tell its person; a step taken before is not taken again, and None."""
    with unit(savepoint=False):
        fresh = born_of(EscalationStep, obligation.matter_id)
        if fresh is None:
            made, new = EscalationStep.objects.get_or_create(
                obligation=obligation, step=step, defaults={"told": told, "due_at": since, "taken_at": at}
            )
        else:
            new = not any(row.obligation_id == obligation.pk and row.step == step for row in fresh)
            made = EscalationStep(obligation=obligation, step=step, told=told, due_at=since, taken_at=at)
            if new:
                add(made, matter=obligation.matter_id)
        if not new:
            return None
        # The obligation itself doesn't change: its digest stays the one of its last change.
        record(
            "obligation.escalated",
            actor=actor,
            at=at,
            subject=("obligation", obligation.pk),
            matter=(obligation.subject_kind, obligation.matter_id),
            data={"step": step, "told": str(told.pk) if told else ""},
        )
        if told is not None:
            tell(
                actor=actor,
                at=at,
                person_id=told.pk,
                kind="escalation",
                title=text,
                title_en=text_en,
                link=f"/ledger/{obligation.matter_id}/",
                key=f"step:{made.pk.hex}",
                root=obligation.root,
                fresh=True,
            )
        return made


def pause_step(
    *, actor: Actor, at: datetime, obligation_id: UUID, rung: Rung, until_at: datetime, reason: str
) -> Pause:
    """Hold the next step of an overdue obligation back; the caller has asked the rule for how long (暂缓督办).

    Raises: obligation.ended, obligation.pause_not_allowed, obligation.pause_refused.
    """
    with unit():
        obligation = _open(obligation_id)
        if not policies.can_pause(actor, obligation, rung):
            raise Refusal("obligation.pause_not_allowed", who_zh=rung.zh, who_en=rung.en)
        step = f"{obligation.ladder}.{rung.name}"
        if Pause.objects.filter(obligation=obligation, step=step).exists():
            why = ("这一级只能暂缓一次", "a step is held back only once")
            raise Refusal("obligation.pause_refused", why_zh=why[0], why_en=why[1])
        made = Pause.objects.create(
            obligation=obligation, step=step, granted_by_id=actor.person_key, granted_at=at, until_at=until_at
        )
        record(
            "obligation.step_paused",
            actor=actor,
            at=at,
            subject=("obligation", obligation.pk),
            matter=(obligation.subject_kind, obligation.matter_id),
            data={"step": step, "until": until_at.isoformat()},
            words={"reason": reason},
        )
        return made


def move_due(
    *, actor: Actor, at: datetime, matter_id: UUID, kinds: Iterable[str], due_at: datetime, provisional: bool = False
) -> list[Obligation]:
    """Move the due instant of a matter's open obligations (an extension granted, a calendar year loaded)."""
    with unit(savepoint=False):
        rows = _open_ones(matter_id, kinds)
        for row in rows:
            row.due_at, row.provisional = due_at, provisional
            row.version += 1
            change(row, ["due_at", "provisional", "version"], matter=matter_id)
        if rows:
            record(
                "obligation.due_moved",
                actor=actor,
                at=at,
                subject=("obligation", rows[0].pk),
                matter=(rows[0].subject_kind, matter_id),
                data={"due": due_at.astimezone(UTC).isoformat()},
                wrote=rows,
            )
        return rows


def _open(obligation_id: UUID) -> Obligation:
    obligation = Obligation.objects.select_for_update().get(pk=obligation_id)
    if obligation.state != Obligation.State.OPEN:
        raise Refusal("obligation.ended")
    return obligation


def _note(verb: str, actor: Actor, at: datetime, obligation: Obligation, data: dict[str, str]) -> None:
    record(
        verb,
        actor=actor,
        at=at,
        subject=("obligation", obligation.pk),
        matter=(obligation.subject_kind, obligation.matter_id),
        data=data,
        wrote=[obligation],
    )
