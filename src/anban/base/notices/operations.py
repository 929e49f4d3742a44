"""Writes of notices: telling a person in the unit of what happened, taking back, reading, wishes and addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from anban.base.journal.births import add, add_all
from anban.base.journal.operations import record, unit
from anban.base.notices.channels import KINDS
from anban.base.notices.models import Address, Delivery, Notice, Wish
from anban.base.notices.queries import deliveries, inbox
from anban.base.notices.routing import DIGEST, NOW, OFF
from anban.base.people.actor import Actor
from anban.rules.errors import Refusal, register

register("notice.not_a_person", zh="只有人员可以设置自己的通知。", en="Only a person can set their own notices.")
register("notice.unknown_channel", zh="没有“{channel}”这一通知渠道。", en="There is no channel named {channel}.")
register(
    "notice.unknown_cadence",
    zh="通知方式只能是立即、汇总或不发。",
    en="Notices go at once, in the digest, or not at all.",
)
register("notice.not_failed", zh="没有这次发送，或它并没有失败。", en="There is no such sending, or it has not failed.")
LONGEST_TITLE = 200


def tell(
    *,
    actor: Actor,
    at: datetime,
    person_id: UUID,
    kind: str,
    title: str,
    key: str,
    title_en: str = "",
    link: str = "",
    matter: tuple[str, UUID] | None = None,
    urgent: bool = False,
    root: str | None = None,
    fresh: bool = False,
) -> Notice:
    """Put a notice for one person into the outbox, in the caller's unit of work; telling again under ``key`` changes nothing.

    Nothing is sent here: what is rolled back was never told, and what is committed is sent by the sender's job. The entry
    of what happened stands in the same unit, so the notice has none of its own. ``fresh`` says that ``key`` names something
    made in this moment, so that nobody can have told it before.
    """
    with unit(savepoint=False):
        facts = {
            "root": actor.root if root is None else root,
            "kind": kind,
            "title": title[:LONGEST_TITLE],
            "title_en": title_en[:LONGEST_TITLE],
            "link": link,
            "matter_kind": matter[0] if matter else "",
            "matter_id": matter[1] if matter else None,
            "urgent": urgent,
            "created_at": at,
        }
        if fresh:
            return add(Notice(person_id=person_id, key=key, **facts))
        notice, _ = Notice.objects.get_or_create(person_id=person_id, key=key, defaults=facts)
        return notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What one person is to be told, under a key that names something made in this moment."""

    person_id: UUID
    kind: str
    title: str
    key: str
    root: str
    title_en: str = ""
    link: str = ""


def tell_all(*, actor: Actor, at: datetime, matter: UUID, notices: Iterable[Telling]) -> list[Notice]:
    """Put notices about something made in this moment into the outbox in one statement; ``matter`` is what they were born with."""
    del actor  # as every operation; a notice has no entry of its own
    with unit(savepoint=False):
        made = [
            Notice(
                person_id=one.person_id, kind=one.kind, title=one.title[:LONGEST_TITLE],
                title_en=one.title_en[:LONGEST_TITLE], key=one.key, root=one.root, link=one.link, created_at=at,
            )
            for one in notices
        ]  # fmt: skip
        return add_all(made, matter=matter)


def withdraw(*, actor: Actor, at: datetime, matter_id: UUID, kinds: Iterable[str] = ()) -> int:
    """Take back what has not been sent about a matter (of ``kinds``, or all), since it came to nothing; returns how many."""
    with unit():
        rows = Notice.objects.filter(matter_id=matter_id, root=actor.root, withdrawn_at=None, read_at=None)
        named = tuple(kinds)
        if named:
            rows = rows.filter(kind__in=named)
        count = rows.exclude(copies__delivery__isnull=False).update(withdrawn_at=at)
        if count:
            record("notices.withdrawn", actor=actor, at=at, subject=("matter", matter_id), data={"count": count})
        return count


def mark_read(*, actor: Actor, at: datetime, notice_ids: Iterable[UUID] | None = None) -> int:
    """Mark the actor's own notices (the named ones, or all) as read; returns how many were unread.

    This records no entry: whether a person has looked is the person's own bookmark, not a fact of the city.
    """
    with unit():
        rows = inbox(actor).filter(read_at=None)
        if notice_ids is not None:
            rows = rows.filter(pk__in=list(notice_ids))
        return rows.update(read_at=at)


def wish(*, actor: Actor, at: datetime, kind: str, channel: str, cadence: str) -> Wish:
    """Set how the acting person wants to be told about ``kind`` (``*``: everything else) on a channel.

    Raises: notice.not_a_person, notice.unknown_channel, notice.unknown_cadence.
    """
    with unit():
        person_id = _person(actor, channel)
        if cadence not in {NOW, DIGEST, OFF}:
            raise Refusal("notice.unknown_cadence", "cadence")
        row, _ = Wish.objects.update_or_create(
            person_id=person_id, kind=kind, channel=channel, defaults={"cadence": cadence}
        )
        record(
            "wish.set", actor=actor, at=at, subject=("person", person_id),
            data={"kind": kind, "channel": channel, "cadence": cadence},
        )  # fmt: skip
        return row


def set_address(*, actor: Actor, at: datetime, channel: str, value: str) -> None:
    """Set where the acting person is reached on a channel; an empty value erases it. The journal doesn't learn the address.

    Raises: notice.not_a_person, notice.unknown_channel.
    """
    with unit():
        person_id = _person(actor, channel)
        if value.strip():
            Address.objects.update_or_create(
                person_id=person_id, channel=channel, defaults={"value": value.strip()[:254]}
            )
        else:
            Address.objects.filter(person_id=person_id, channel=channel).delete()
        record(
            "address.set", actor=actor, at=at, subject=("person", person_id),
            data={"channel": channel, "erased": not value.strip()},
        )  # fmt: skip


def send_again(*, actor: Actor, at: datetime, delivery_id: UUID) -> Delivery:
    """Let a delivery that was given up be tried anew, with its frozen payload. Raises: notice.not_failed."""
    with unit():
        row = deliveries(actor).select_for_update().filter(pk=delivery_id, state=Delivery.State.FAILED).first()
        if row is None:
            raise Refusal("notice.not_failed")
        row.state, row.attempts, row.next_try_at, row.problem = Delivery.State.WAITING, 0, at, ""
        row.save(update_fields=["state", "attempts", "next_try_at", "problem"])
        record("message.asked_again", actor=actor, at=at, subject=("message", row.pk))
        return row


def _person(actor: Actor, channel: str) -> UUID:
    if actor.person_id is None:
        raise Refusal("notice.not_a_person")
    if channel not in KINDS:
        raise Refusal("notice.unknown_channel", "channel", channel=channel)
    return actor.person_id
