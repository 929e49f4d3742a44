"""Reads of duty lists: who owes what as holder of a post, what the ledger shows of it, and which posts stand empty."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet

from anban.base.files.models import Attachment
from anban.base.people.actor import Actor
from anban.contexts.hazards.models import Cycle, Paper
from anban.contexts.inspections.models import Visit
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight.models import Absence, DueDuty, Instrument, OversightVisit, PostDuty
from anban.contexts.oversight.queries.scope import READERS, covered
from anban.contexts.territory.models import Holding, Post
from anban.contexts.territory.queries import root, within
from anban.kit.clock import day_start
from anban.rules.comparison import Interval, proportion
from anban.rules.duty_lists import HEADS, Evidence, Vacancy, standing

HEAD_ROLES = frozenset(role for roles in HEADS.values() for role in roles)
"""The roles of those who can be somebody's head."""

MATTER = "due_duty"
"""The matter under which files of proof are attached."""


def visible_to(actor: Actor) -> QuerySet[PostDuty]:
    """Return the duties of the posts in the areas that the actor keeps or reads, and those of its own posts."""
    rows = PostDuty.objects.filter(root=actor.root)
    if actor.system:
        return rows
    own = [grant.post_id for grant in actor.grants if grant.root == actor.root and grant.post_id]
    return rows.filter(covered(actor, READERS) | Q(post_id__in=own))


def in_force(rows: QuerySet[PostDuty], on: date) -> QuerySet[PostDuty]:
    """Return the duties that are in force on a day or will be."""
    return rows.filter(Q(until_on__isnull=True) | Q(until_on__gt=on))


def duty_list(
    actor: Actor, on: date, *, area_path: str = "", role: str = "", body: UUID | None = None
) -> QuerySet[PostDuty]:
    """Return the duty lists in force, by area, post and code."""
    rows = in_force(visible_to(actor), on).select_related("post__body", "post__area")
    if area_path:
        rows = rows.filter(within(area_path))
    if role:
        rows = rows.filter(post__role=role)
    if body:
        rows = rows.filter(post__body_id=body)
    return rows.order_by("area_path", "post__role", "post_id", "code", "id")


def duty(actor: Actor, duty_id: UUID) -> PostDuty | None:
    """Return one duty that the actor may see."""
    return visible_to(actor).select_related("post__body", "post__area").filter(pk=duty_id).first()


def _held_on(on: date) -> Q:
    return Q(from_on__lte=on) & (Q(until_on__isnull=True) | Q(until_on__gt=on))


def away_on(person_ids: Iterable[UUID], on: date) -> frozenset[UUID]:
    """Return which of the persons are away on a day."""
    rows = Absence.objects.filter(person_id__in=list(person_ids), from_on__lte=on, until_on__gt=on)
    return frozenset(rows.values_list("person_id", flat=True))


@dataclass(frozen=True, slots=True)
class Staff:
    """Who holds which post on a day, who is away, and who is head of whom; loaded once for many posts."""

    on: date
    held: dict[UUID, list[Holding]]
    by_role: dict[str, list[Holding]]
    away: frozenset[UUID]

    @classmethod
    def load(cls, root_code: str, on: date, *, posts: Collection[UUID] | None = None) -> Staff:
        """Return the staff of a root on a day; ``posts``: of these posts and of those who can be their heads alone."""
        found = Holding.objects.filter(_held_on(on), post__root_id=root_code, post__place_id__isnull=True)
        if posts is not None:
            found = found.filter(Q(post_id__in=posts) | Q(post__role__in=HEAD_ROLES))
        rows = list(found.select_related("person", "post__body", "post__area").order_by("deputy", "from_on", "id"))
        held: dict[UUID, list[Holding]] = {}
        by_role: dict[str, list[Holding]] = {}
        for row in rows:
            held.setdefault(row.post_id, []).append(row)
            by_role.setdefault(row.post.role, []).append(row)
        return cls(on, held, by_role, away_on([row.person_id for row in rows], on))

    def acting(self, post_id: UUID) -> Holding | None:
        """Return who acts: the holder, or the deputy when the holder is away or none is named."""
        present = [row for row in self.held.get(post_id, ()) if row.person_id not in self.away]
        return present[0] if present else None

    def head(self, post: Post) -> Holding | None:
        """Return the direct head: the first held post above it, in the same body before others, the nearest area first."""
        for role in HEADS.get(post.role, ()):
            fitting = [
                row
                for row in self.by_role.get(role, ())
                if row.post_id != post.pk and post.area.path.startswith(row.post.area.path)
            ]
            if role == "district_regulator_head":
                fitting = [row for row in fitting if row.post.body_id == post.body_id]
            if fitting:
                return max(
                    fitting, key=lambda row: (row.post.body_id == post.body_id, len(row.post.area.path), not row.deputy)
                )
        return None

    def standing(self, post: Post, ahead_days: int) -> tuple[Vacancy, Holding | None]:
        """Return how a post stands, and its first holder."""
        rows = self.held.get(post.pk, ())
        first = next((row for row in rows if not row.deputy), None)
        deputies = [row for row in rows if row.deputy and row.person_id not in self.away]
        said = standing(
            held_until=first.until_on if first else None,
            held=first is not None,
            away=first is not None and first.person_id in self.away,
            deputy=bool(deputies),
            on=self.on,
            ahead_days=ahead_days,
        )
        return said, first


@dataclass(frozen=True, slots=True)
class Standing:
    """A post with duties, how it stands, who holds it, who is its head."""

    post: Post
    said: Vacancy
    holder: Holding | None
    head: Holding | None
    duties: int


def posts_with_duties(root_code: str, on: date) -> dict[UUID, int]:
    """Return how many duties in force each post has."""
    counted: dict[UUID, int] = {}
    for post_id in in_force(PostDuty.objects.filter(root=root_code), on).values_list("post_id", flat=True):
        counted[post_id] = counted.get(post_id, 0) + 1
    return counted


def standings(actor: Actor, on: date, *, ahead_days: int, area_path: str = "") -> list[Standing]:
    """Return every post with duties in the actor's areas that is not simply held, in the order of areas (缺岗)."""
    counted = posts_with_duties(actor.root, on)
    staff = Staff.load(actor.root, on, posts=counted)
    rows = Post.objects.filter(covered(actor, READERS, "area__path"), root_id=actor.root, pk__in=list(counted))
    if area_path:
        rows = rows.filter(within(area_path, "area__path"))
    found = []
    for post in rows.select_related("body", "area").order_by("area__path", "role", "id"):
        said, holder = staff.standing(post, ahead_days)
        if said is not Vacancy.HELD:
            found.append(Standing(post, said, holder, staff.head(post), counted[post.pk]))
    return found


def is_direct_head(actor: Actor, person_id: UUID, on: date) -> bool:
    """Tell whether the actor is the direct head of a person in any post that the person holds."""
    staff = Staff.load(actor.root, on)
    for rows in staff.held.values():
        for row in rows:
            if row.person_id == person_id:
                head = staff.head(row.post)
                if head is not None and head.person_id == actor.person_id:
                    return True
    return False


def may_see_person(actor: Actor, person_id: UUID, on: date) -> bool:
    """Tell whether the actor may see a person's duties: that person and the direct head, and nobody else."""
    if actor.person_id is None:
        return False
    return actor.person_id == person_id or is_direct_head(actor, person_id, on)


@dataclass(frozen=True, slots=True)
class Shown:
    """One piece of evidence: what it is, when, and where it opens."""

    kind: Evidence
    label: str
    on: date
    href: str


def evidence_of(row: DueDuty) -> list[Shown]:
    """Return what the ledger shows for a due duty: records of its own kind by its person in its period and area."""
    duty_row = row.duty
    kind = Evidence(duty_row.evidence)
    zone = root(duty_row.root).zone
    begin, end = day_start(row.from_on, zone), day_start(row.until_on, zone)
    path, person = duty_row.area_path, row.person_id

    def local(at: datetime) -> date:
        return at.astimezone(ZoneInfo(zone)).date()

    if kind is Evidence.VISIT:
        visits = Visit.objects.filter(
            within(path), root=duty_row.root, on__gte=row.from_on, on__lt=row.until_on, visitors__person_id=person
        ).distinct()
        return [
            Shown(kind, f"{v.number} {v.place_title}", v.on, f"/visits/{v.pk}/") for v in visits.order_by("on", "id")
        ]
    if kind is Evidence.CLOSING:
        cycles = Cycle.objects.filter(
            within(path, "hazard__area_path"), acceptor_id=person, ended_on__gte=row.from_on, ended_on__lt=row.until_on
        ).select_related("hazard")
        return [
            Shown(kind, f"{c.hazard.number} {c.hazard.place_title}", c.ended_on, f"/ledger/{c.hazard_id}/")
            for c in cycles.order_by("ended_on", "id")
            if c.ended_on is not None
        ]
    if kind is Evidence.PAPER:
        papers = Paper.objects.filter(
            within(path, "hazard__area_path"), issued_by_id=person, issued_at__gte=begin, issued_at__lt=end
        ).select_related("hazard")
        return [
            Shown(kind, f"{p.hazard.number} {p.hazard.place_title}", local(p.issued_at), f"/ledger/{p.hazard_id}/")
            for p in papers.order_by("issued_at", "id")
        ]
    if kind is Evidence.INSTRUMENT:
        made = Instrument.objects.filter(
            within(path), root=duty_row.root, issued_by_id=person, issued_at__gte=begin, issued_at__lt=end,
            steps__isnull=True,
        )  # fmt: skip
        # What a ladder issues by itself bears the person's name, but is not the person's doing.
        return [
            Shown(kind, i.number, local(i.issued_at), f"/oversight/instruments/{i.pk}/")
            for i in made.order_by("issued_at")
        ]
    if kind is Evidence.OVERSIGHT:
        led = OversightVisit.objects.filter(
            within(path), root=duty_row.root, leader_id=person, from_on__gte=row.from_on, from_on__lt=row.until_on
        )
        return [Shown(kind, v.number, v.from_on, f"/oversight/visits/{v.pk}/") for v in led.order_by("from_on")]
    files = Attachment.objects.filter(matter_id=row.pk, matter_kind=MATTER).select_related("file")
    return [
        Shown(kind, a.file.name or "—", local(a.attached_at), f"/oversight/due/{row.pk}/files/{a.pk}/")
        for a in files.order_by("attached_at")
    ]


def open_due(root_code: str) -> QuerySet[DueDuty]:
    """Return the due duties of a root that are not done yet."""
    return DueDuty.objects.filter(duty__root=root_code, state=DueDuty.State.OPEN).select_related("duty")


def due(due_id: UUID) -> DueDuty | None:
    """Return one due duty; its scope is its person's, which the caller asks for."""
    return DueDuty.objects.filter(pk=due_id).select_related("duty__post__body", "person").first()


def due_file(row: DueDuty, attachment_id: UUID) -> Attachment | None:
    """Return a file of proof of a due duty, whose scope the caller has checked."""
    return (
        Attachment.objects.filter(matter_id=row.pk, matter_kind=MATTER, pk=attachment_id).select_related("file").first()
    )


def due_of(person_id: UUID, root_code: str) -> QuerySet[DueDuty]:
    """Return a person's due duties, the newest period first; the caller has asked who may see them."""
    return (
        DueDuty.objects.filter(person_id=person_id, duty__root=root_code)
        .select_related("duty__post__body", "person")
        .order_by("-until_on", "duty__code", "id")
    )


def obligations_of(person_id: UUID, root_code: str) -> QuerySet[Obligation]:
    """Return what a person owes now, the most pressing first; the caller has asked who may see it."""
    rows = Obligation.objects.filter(root=root_code, person_id=person_id, state=Obligation.State.OPEN)
    return rows.order_by(F("due_at").asc(nulls_last=True), "id")


@dataclass(frozen=True, slots=True)
class Record:
    """A person's record: share of ended duties done in time with its interval, and the mix it stands on."""

    in_time: Interval
    ended: int
    mix: tuple[tuple[str, int], ...]


def record_of(person_id: UUID, root_code: str, since: date, until: date) -> Record:
    """Return how a person's obligations that ran out or were done in a span ended; the mix says of what kinds they were."""
    zone = root(root_code).zone
    rows: Sequence[tuple[str, datetime | None]] = list(
        Obligation.objects.filter(
            root=root_code, person_id=person_id, due_at__gte=day_start(since, zone), due_at__lt=day_start(until, zone)
        )
        .exclude(state=Obligation.State.VOID)
        .values_list("kind", "breached_at")
    )
    mix: dict[str, int] = {}
    for kind, _ in rows:
        mix[kind] = mix.get(kind, 0) + 1
    kept = sum(breached is None for _, breached in rows)
    return Record(proportion(kept, len(rows)), len(rows), tuple(sorted(mix.items())))
