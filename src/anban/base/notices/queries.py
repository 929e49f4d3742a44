"""Reads of notices: a person's inbox, deliveries that failed, what would be sent, and which part of the house is silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from anban.base.jobs.registry import zone_of
from anban.base.notices import routing
from anban.base.notices.channels import KINDS, open_channels
from anban.base.notices.models import Address, Beat, Copy, Delivery, Notice, Wish
from anban.base.people.actor import Actor
from anban.kit.clock import city_date

ADMINS = ("system_admin",)
SENDER = "notices.send"
GRACE = timedelta(minutes=5)
DIGEST_AT = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Silent:
    """A part of the house that has not been heard of for too long (失联). ``since`` None: never heard of at all."""

    name: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a channel would carry in a span of time: messages that go alone, notices held by the cap, digests, persons."""

    channel: str
    notices: int
    singles: int
    held: int
    digests: int
    persons: int
    busiest: int

    @property
    def messages(self) -> int:
        """Return how many messages would leave the house."""
        return self.singles + self.digests


def inbox(actor: Actor) -> QuerySet[Notice]:
    """Return the acting person's own notices in its root, newest first; nobody reads another's."""
    rows = Notice.objects.filter(root=actor.root, withdrawn_at=None).order_by("-created_at", "-id")
    return rows.filter(person_id=actor.person_id) if actor.person_id else rows.none()


visible_to = inbox


def unread(actor: Actor) -> int:
    """Return how many of the acting person's notices are unread."""
    return inbox(actor).filter(read_at=None).count()


def deliveries(actor: Actor) -> QuerySet[Delivery]:
    """Return the deliveries the actor may watch: its own, or all of its root for administrators of the system."""
    rows = Delivery.objects.filter(root=actor.root).order_by("-made_at", "-id")
    if actor.system or actor.has(*ADMINS):
        return rows
    return rows.filter(person_id=actor.person_id) if actor.person_id else rows.none()


def failed(actor: Actor) -> QuerySet[Delivery]:
    """Return the deliveries that were given up, newest first."""
    return deliveries(actor).filter(state=Delivery.State.FAILED)


def held(actor: Actor) -> int:
    """Return how many of the acting person's notices wait for the digest because the day's cap was reached."""
    if actor.person_id is None:
        return 0
    return Copy.objects.filter(person_id=actor.person_id, held=True, delivery=None).count()


def wishes(actor: Actor) -> Mapping[tuple[str, str], str]:
    """Return the acting person's wishes: (kind, channel) to cadence."""
    if actor.person_id is None:
        return {}
    rows = Wish.objects.filter(person_id=actor.person_id).values_list("kind", "channel", "cadence")
    return {(kind, channel): cadence for kind, channel, cadence in rows}


def silence(now: datetime) -> tuple[Silent, ...]:
    """Return the parts of the house that have been silent for more than twice their step and five minutes.

    The sender itself is always looked for: when it doesn't run, nobody is told of anything, and only a page can say so.
    """
    beats = {beat.name: beat for beat in Beat.objects.order_by("name")}
    silent = [] if SENDER in beats else [Silent(SENDER, None)]
    silent += [
        Silent(name, beat.at)
        for name, beat in beats.items()
        if beat.at + 2 * timedelta(seconds=beat.every_s) + GRACE < now
    ]
    return tuple(silent)


def simulate(root: str, since: datetime, until: datetime) -> tuple[Simulated, ...]:
    """Return what each open channel would have carried for the notices written from ``since`` to before ``until``.

    It applies the wishes, the cap and the digest of every day as they stand; nothing is sent and nothing is written.
    """
    zone = zone_of(root)
    rows = list(
        Notice.objects.filter(root=root, created_at__gte=since, created_at__lt=until, withdrawn_at=None)
        .order_by("created_at", "id")
        .values_list("person_id", "kind", "urgent", "created_at")
    )
    persons = {person for person, _, _, _ in rows}
    wished = wishes_of(persons)
    found = []
    for channel in open_channels():
        reached = reachable(persons, channel)
        singles: Counter[tuple[UUID, date]] = Counter()
        digests: set[tuple[UUID, date]] = set()
        messages: Counter[UUID] = Counter()
        carried = held_back = 0
        for person, kind, urgent, at in rows:
            cadence = routing.cadence(wished.get((person, channel), {}), kind, urgent=urgent)
            if person not in reached or cadence == routing.OFF:
                continue
            carried += 1
            today = city_date(at, zone)
            if cadence == routing.NOW and routing.split_by_cap(1, singles[person, today])[0]:
                singles[person, today] += 1
                messages[person] += 1
                continue
            held_back += cadence == routing.NOW
            # A notice of the instant of the digest itself is still in it; a later one comes the next morning.
            digest_on = city_date(at - DIGEST_AT - timedelta(microseconds=1), zone) + timedelta(days=1)
            if (person, digest_on) not in digests:
                digests.add((person, digest_on))
                messages[person] += 1
        found.append(
            Simulated(
                channel,
                carried,
                singles.total(),
                held_back,
                len(digests),
                len(messages),
                max(messages.values(), default=0),
            )
        )
    return tuple(found)


def wishes_of(persons: set[UUID]) -> dict[tuple[UUID, str], dict[str, str]]:
    """Return for (person, channel) the wishes as kind to cadence; the sender and the simulation read the same."""
    found: dict[tuple[UUID, str], dict[str, str]] = {}
    listed = sorted(persons)
    for start in range(0, len(listed), 500):
        rows = Wish.objects.filter(person_id__in=listed[start : start + 500])
        for person, kind, channel, cadence in rows.values_list("person_id", "kind", "channel", "cadence"):
            found.setdefault((person, channel), {})[kind] = cadence
    return found


def reachable(persons: set[UUID], channel: str) -> set[UUID]:
    """Return those of the persons whom the channel can reach: all, or those with an address on it."""
    if not KINDS[channel].NEEDS_ADDRESS:
        return persons
    listed = sorted(persons)
    found: set[UUID] = set()
    for start in range(0, len(listed), 500):
        rows = Address.objects.filter(Q(channel=channel) & Q(person_id__in=listed[start : start + 500]))
        found.update(rows.values_list("person_id", flat=True))
    return found
