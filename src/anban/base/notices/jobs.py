"""The sender: makes copies per channel, singles and digests of them, hands them to the channels, and gives its own heartbeat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from anban.base.jobs import registry
from anban.base.jobs.queries import last_done
from anban.base.jobs.registry import Handle, job, slot_name, zone_of
from anban.base.notices import channels, routing
from anban.base.notices.channels.payload import Line, Payload, Undelivered
from anban.base.notices.models import Address, Beat, Copy, Delivery, Notice
from anban.base.notices.queries import DIGEST_AT, SENDER, reachable, wishes_of
from anban.base.people.queries import language_of
from anban.kit.clock import city_date, day_end, day_start
from anban.kit.ids import new_id

BATCH = 500
STEP = timedelta(minutes=1)


@job(SENDER, every=STEP)
def send(slot: datetime, handle: Handle) -> dict[str, int]:
    """Tell what waits: copies per channel, single messages up to the cap, and every delivery that is due."""
    after_outage = _was_silent(slot)
    routed = route(slot)
    made = make_singles(slot, together=after_outage)
    sent, failed = deliver(slot, handle)
    beat(slot)
    return {"routed": routed, "made": made, "sent": sent, "failed": failed}


@job("notices.digest", every=timedelta(days=1), offset=DIGEST_AT, per_root=True)
def digest(slot: datetime, handle: Handle) -> dict[str, int]:
    """Put each person's waiting notices into one message per channel, with those the cap had held, counted.

    After an outage only the newest slot runs, and it holds all that waited: each notice once, in order.
    """
    route(slot)
    made = 0
    waiting = Copy.objects.filter(
        delivery=None, cadence=routing.DIGEST, created_at__lte=slot, notice__root=handle.root, notice__withdrawn_at=None
    )
    keys = list(waiting.order_by("person_id", "channel").values_list("person_id", "channel").distinct())
    for number, (person_id, channel) in enumerate(keys, start=1):
        with transaction.atomic():
            name = f"digest:{slot_name(slot)}"
            if Delivery.objects.filter(person_id=person_id, channel=channel, slot=name).exists():
                continue
            rows = waiting.filter(person_id=person_id, channel=channel).select_related("notice")
            made += bool(_put_together(list(rows.order_by("created_at", "id")), slot, name))
        handle.progress(number, len(keys))
    return {"made": made}


def route(at: datetime) -> int:
    """Make the copies per channel of every notice written up to ``at``; returns how many notices were routed."""
    routed = 0
    while True:
        notices = list(Notice.objects.filter(routed_at=None, created_at__lte=at).order_by("created_at", "id")[:BATCH])
        if not notices:
            return routed
        persons = {notice.person_id for notice in notices if notice.withdrawn_at is None}
        wished = wishes_of(persons)
        copies = []
        for channel in channels.open_channels():
            reached = reachable(persons, channel)
            for notice in notices:
                cadence = routing.cadence(
                    wished.get((notice.person_id, channel), {}), notice.kind, urgent=notice.urgent
                )
                if notice.person_id in reached and notice.withdrawn_at is None and cadence != routing.OFF:
                    copies.append(
                        Copy(
                            notice=notice, person_id=notice.person_id, channel=channel, cadence=cadence,
                            urgent=notice.urgent, created_at=notice.created_at,
                        )
                    )  # fmt: skip
        with transaction.atomic():
            Copy.objects.bulk_create(copies, ignore_conflicts=True)
            Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(routed_at=at)
        routed += len(notices)


def make_singles(at: datetime, *, together: bool = False) -> int:
    """Make the messages that go alone, up to each person's cap of the day; the rest is held for the digest.

    ``together`` (after an outage): one message for all that waits per person and channel, so that a restart is no storm.
    """
    made = 0
    waiting = Copy.objects.filter(delivery=None, cadence=routing.NOW, notice__withdrawn_at=None, created_at__lte=at)
    rows = waiting.select_related("notice").order_by("notice__root", "person_id", "channel", "created_at", "id")
    for (root, person_id, channel), group in groupby(
        rows.iterator(), key=lambda copy: (copy.notice.root, copy.person_id, copy.channel)
    ):
        copies = list(group)
        messages = [copies] if together and len(copies) > 1 else [[copy] for copy in copies]
        with transaction.atomic():
            may_go, _ = routing.split_by_cap(len(messages), _singles_today(root, person_id, channel, at))
            for message in messages[:may_go]:
                made += bool(_put_together(message, at, f"single:{message[0].pk.hex}", single=True))
            over = [copy.pk for message in messages[may_go:] for copy in message]
            for start in range(0, len(over), BATCH):
                Copy.objects.filter(pk__in=over[start : start + BATCH]).update(cadence=routing.DIGEST, held=True)
    return made


def deliver(at: datetime, handle: Handle | None = None) -> tuple[int, int]:
    """Hand every due delivery to its channel, oldest first; returns how many went and how many didn't.

    The try is written down before the channel is called: a sender killed in between tries again after the rest, under the
    same id. Quiet hours move a delivery to their end unless it is urgent.
    """
    sent = failed = 0
    open_now = channels.open_channels()
    due = Delivery.objects.filter(state=Delivery.State.WAITING, next_try_at__lte=at, channel__in=open_now)
    keys = list(due.order_by("next_try_at", "made_at", "id").values_list("pk", flat=True))
    for number, key in enumerate(keys, start=1):
        row = Delivery.objects.get(pk=key)
        zone = zone_of(row.root)
        if not row.urgent and routing.is_quiet(at, zone):
            Delivery.objects.filter(pk=key).update(next_try_at=routing.quiet_end(at, zone))
            continue
        tries = row.attempts + 1
        taken = Delivery.objects.filter(pk=key, attempts=row.attempts, state=Delivery.State.WAITING).update(
            attempts=tries, next_try_at=at + routing.rest(tries)
        )
        if taken != 1:
            continue
        address = Address.objects.filter(person_id=row.person_id, channel=row.channel).first()
        payload = Payload.thawed(row.payload, address=address.value if address else "", attempt=tries)
        try:
            channels.channel(row.channel).sent(payload)
        except Undelivered as problem:
            failed += 1
            over = tries >= routing.HABITS.most_tries
            Delivery.objects.filter(pk=key).update(
                problem=str(problem)[:300], state=Delivery.State.FAILED if over else Delivery.State.WAITING
            )
        else:
            sent += 1
            Delivery.objects.filter(pk=key).update(state=Delivery.State.SENT, sent_at=at, problem="")
        if handle is not None:
            handle.progress(number, len(keys))
    return sent, failed


def beat(at: datetime) -> None:
    """Write when the sender last worked, and when each other job of the timetable last ended well."""
    rows = [Beat(name=SENDER, at=at, every_s=int(STEP.total_seconds()))]
    done = last_done()
    rows += [
        Beat(name=kind.name, at=done[kind.name], every_s=int(kind.every.total_seconds()))
        for kind in registry.kinds()
        if kind.every is not None and kind.name in done and kind.name != SENDER
    ]
    Beat.objects.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=["at", "every_s"])


def _was_silent(at: datetime) -> bool:
    last = Beat.objects.filter(name=SENDER).values_list("at", flat=True).first()
    return last is not None and at - last > routing.HABITS.outage_after


def _singles_today(root: str, person_id: UUID, channel: str, at: datetime) -> int:
    zone = zone_of(root)
    today = city_date(at, zone)
    return int(
        Delivery.objects.filter(
            person_id=person_id, channel=channel, single=True,
            made_at__gte=day_start(today, zone), made_at__lt=day_end(today, zone),
        ).aggregate(n=Count("pk"))["n"]
    )  # fmt: skip


def _put_together(copies: Sequence[Copy], at: datetime, slot: str, *, single: bool = False) -> Delivery | None:
    """Freeze one message from these copies, which are all of one person and channel."""
    if not copies:
        return None
    first = copies[0]
    held = sum(copy.held for copy in copies)
    language = language_of(first.person_id)
    titles = [copy.notice.title_in(language) for copy in copies]
    zh, en = (first.notice.title, first.notice.title_in("en"))
    if len(titles) > 1 or not single:
        zh, en = routing.digest_title(titles, held)
    identity = new_id()
    payload = Payload(
        id=str(identity), root=first.notice.root, person=str(first.person_id), address="", slot=slot_name(at),
        subject_zh=zh, subject_en=en, held=held, lines=tuple(_lines(copies, language)),
    )  # fmt: skip
    delivery = Delivery.objects.create(
        id=identity, root=first.notice.root, person_id=first.person_id, channel=first.channel, single=single,
        urgent=any(copy.urgent and not copy.held for copy in copies), payload=payload.frozen(), slot=slot,
        made_at=at, next_try_at=at,
    )  # fmt: skip
    keys = [copy.pk for copy in copies]
    for start in range(0, len(keys), BATCH):
        Copy.objects.filter(pk__in=keys[start : start + BATCH]).update(delivery=delivery)
    return delivery


def _lines(copies: Iterable[Copy], language: str) -> Iterable[Line]:
    for copy in copies:
        notice = copy.notice
        yield Line(
            id=str(notice.pk), kind=notice.kind, title=notice.title_in(language), link=notice.link,
            at=slot_name(notice.created_at), urgent=notice.urgent, held=copy.held,
        )  # fmt: skip
