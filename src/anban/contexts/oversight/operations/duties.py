"""Writes of duty lists: kept, owed period by period, proven by evidence; posts that stand empty are put on a head's desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from anban.base.files.models import Attachment, StoredFile
from anban.base.files.operations import attach
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import Absence, DueDuty, PostDuty
from anban.contexts.oversight.queries import duties as queries
from anban.contexts.oversight.queries.duties import MATTER, Staff, evidence_of
from anban.contexts.oversight.queries.scope import figure
from anban.contexts.territory.models import Body, Post
from anban.contexts.territory.queries import calendar, city_date, root
from anban.kit.clock import day_end, day_start
from anban.rules.duty_lists import Evidence, Ground, Period, Span, Vacancy, spans
from anban.rules.errors import Refusal, register

register("duty.title_missing", zh="请写明职责内容。", en="Say what the duty is.")
register("duty.dates_reversed", zh="终止日期须晚于起始日期。", en="The last day must come after the first.")
register("duty.value_unknown", zh="“{what}”不是可用的值。", en="“{what}” is not a possible value.")
register("duty.count_invalid", zh="证据数量至少为 1。", en="At least one piece of evidence is asked for.")
register("duty.twice", zh="这个岗位已有代码相同的职责。", en="The post already has a duty with this code.")
register("duty.ended", zh="这项职责已经终止。", en="This duty has ended.")
register(
    "duty.not_by_file",
    zh="这项职责以台账记录为证据，不收证明材料。",
    en="What the ledger shows is the evidence of this duty; no files are taken.",
)
register("absence.overlaps", zh="这几天已经登记过不在岗。", en="These days are on record as an absence already.")

FILL_POST = "fill_post"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a duty is to be."""

    code: str
    title: str
    ground: str
    period: str
    evidence: str
    evidence_count: int = 1
    means: str = ""
    basis: str = ""
    from_on: date
    until_on: date | None = None


def add_duty(*, actor: Actor, at: datetime, post: Post, wanted: Wanted) -> PostDuty:
    """Put a duty on a post's list (岗责).

    Raises: oversight.not_allowed, duty.title_missing, duty.value_unknown, duty.count_invalid, duty.dates_reversed, duty.twice.
    """
    with unit():
        policies.require(post.root_id == actor.root and policies.can_keep_duties(actor, post.area.path))
        _check(wanted)
        # The post's row is the lock: two editors cannot put the same duty on it at once.
        Post.objects.select_for_update().get(pk=post.pk)
        twice = PostDuty.objects.filter(post=post, code=wanted.code).filter(until_on__isnull=True)
        if twice.exists() or PostDuty.objects.filter(post=post, code=wanted.code, from_on=wanted.from_on).exists():
            raise Refusal("duty.twice", field="code")
        row = PostDuty.objects.create(root=post.root_id, post=post, area_path=post.area.path, **_fields(wanted))
        record(
            "post_duty.added", actor=actor, at=at, subject=("post_duty", row.pk), matter=("post", post.pk), wrote=[row],
            data={"code": row.code, "period": row.period, "evidence": row.evidence, "from": row.from_on.isoformat()},
        )  # fmt: skip
        return row


def change_duty(*, actor: Actor, at: datetime, duty: PostDuty, wanted: Wanted) -> PostDuty:
    """Change a duty on a list; what is owed already keeps its period.

    Raises: oversight.not_allowed, duty.title_missing, duty.value_unknown, duty.count_invalid, duty.dates_reversed, duty.ended.
    """
    with unit():
        row = PostDuty.objects.select_for_update().get(pk=duty.pk)
        policies.require(policies.can_keep_duties(actor, row.area_path))
        _check(wanted)
        if row.until_on is not None and row.until_on <= city_date(at, row.root):
            raise Refusal("duty.ended")
        former = {
            name: str(getattr(row, name)) for name in ("period", "evidence", "evidence_count", "from_on", "until_on")
        }
        for name, value in _fields(wanted).items():
            setattr(row, name, value)
        row.version += 1
        row.save()
        record(
            "post_duty.changed", actor=actor, at=at, subject=("post_duty", row.pk), matter=("post", row.post_id),
            wrote=[row], data={"former": former},
        )  # fmt: skip
        return row


def end_duty(*, actor: Actor, at: datetime, duty: PostDuty, until_on: date) -> PostDuty:
    """End a duty; periods that begin on the day or later are not owed. Raises: oversight.not_allowed, duty.dates_reversed."""
    with unit():
        row = PostDuty.objects.select_for_update().get(pk=duty.pk)
        policies.require(policies.can_keep_duties(actor, row.area_path))
        if until_on <= row.from_on:
            raise Refusal("duty.dates_reversed", field="until_on")
        row.until_on = until_on
        row.version += 1
        row.save(update_fields=["until_on", "version"])
        record(
            "post_duty.ended", actor=actor, at=at, subject=("post_duty", row.pk), matter=("post", row.post_id),
            wrote=[row], data={"until": until_on.isoformat()},
        )  # fmt: skip
        return row


def _check(wanted: Wanted) -> None:
    if not wanted.title.strip():
        raise Refusal("duty.title_missing", field="title")
    for name, kind in (("ground", Ground), ("period", Period), ("evidence", Evidence)):
        value = getattr(wanted, name)
        if value not in {each.value for each in kind}:
            raise Refusal("duty.value_unknown", field=name, what=value)
    if wanted.evidence_count < 1:
        raise Refusal("duty.count_invalid", field="evidence_count")
    if wanted.until_on is not None and wanted.until_on <= wanted.from_on:
        raise Refusal("duty.dates_reversed", field="until_on")


def _fields(wanted: Wanted) -> dict[str, object]:
    return {
        "code": wanted.code, "title": wanted.title.strip(), "ground": wanted.ground, "period": wanted.period,
        "evidence": wanted.evidence, "evidence_count": wanted.evidence_count, "means": wanted.means.strip(),
        "basis": wanted.basis.strip(), "from_on": wanted.from_on, "until_on": wanted.until_on,
    }  # fmt: skip


def note_absence(*, actor: Actor, at: datetime, person: Person, from_on: date, until_on: date) -> Absence:
    """Put an absence on record, one's own or a subordinate's: the deputy acts meanwhile.

    Raises: oversight.not_allowed, duty.dates_reversed, absence.overlaps.
    """
    with unit():
        on = city_date(at, actor.root)
        policies.require(actor.system or queries.may_see_person(actor, person.pk, on))
        if until_on <= from_on:
            raise Refusal("duty.dates_reversed", field="until_on")
        Person.objects.select_for_update().get(pk=person.pk)
        if Absence.objects.filter(person=person, from_on__lt=until_on, until_on__gt=from_on).exists():
            raise Refusal("absence.overlaps", field="from_on")
        row = Absence.objects.create(root=actor.root, person=person, from_on=from_on, until_on=until_on)
        record(
            "absence.noted", actor=actor, at=at, subject=("person", person.pk),
            data={"from": from_on.isoformat(), "until": until_on.isoformat()},
        )  # fmt: skip
        return row


def add_proof(*, actor: Actor, at: datetime, due_id: UUID, file: StoredFile) -> Attachment:
    """Put a file of proof to a due duty whose evidence is a file, and see at once whether that is enough.

    Raises: oversight.not_allowed, duty.not_by_file.
    """
    with unit():
        row = DueDuty.objects.select_for_update().select_related("duty").get(pk=due_id)
        policies.require(actor.person_id == row.person_id and row.duty.root == actor.root)
        if row.duty.evidence != Evidence.FILE.value:
            raise Refusal("duty.not_by_file")
        made = attach(actor=actor, at=at, file=file, matter_kind=MATTER, matter_id=row.pk, purpose="paper")
        weigh(actor=actor, at=at, due_id=row.pk)
        return made


def weigh(*, actor: Actor, at: datetime, due_id: UUID) -> bool:
    """See whether the ledger shows enough evidence for a due duty, and if so end what is owed; returns whether it is done.

    Evidence counts by the day it bears: a duty proven late is done, and its breach stays.
    """
    with unit():
        row = DueDuty.objects.select_for_update().select_related("duty").get(pk=due_id)
        if row.state == DueDuty.State.DONE:
            return True
        found = len(evidence_of(row))
        enough = found >= row.duty.evidence_count
        if found == row.found and not enough:
            return False
        row.found = found
        if enough:
            row.state, row.done_at = DueDuty.State.DONE, at
        row.version += 1
        row.save(update_fields=["found", "state", "done_at", "version"])
        record(
            "due_duty.proven" if enough else "due_duty.weighed", actor=actor, at=at, subject=("due_duty", row.pk),
            matter=(MATTER, row.pk), wrote=[row], data={"found": found, "asked": row.duty.evidence_count},
        )  # fmt: skip
        if enough:
            obligations.fulfil(actor=actor, at=at, matter_id=row.pk)
        return enough


def open_periods(*, actor: Actor, at: datetime) -> int:
    """Put every period of every duty that has begun on the desk of whoever acted on its first day; each once.

    Where nobody acted, the direct head owes it; where there is none either, the committee's office. A run after an outage
    makes what the missed runs would have made, on the same desks. Records ``due_duty.owed``.
    """
    today = city_date(at, actor.root)
    duties = list(
        PostDuty.objects.filter(root=actor.root, from_on__lte=today).select_related("post__body", "post__area")
    )
    there = set(DueDuty.objects.filter(duty__root=actor.root).values_list("duty_id", "from_on"))
    staff: dict[date, Staff] = {}
    made = 0
    for duty in duties:
        for span in spans(Period(duty.period), duty.from_on, today, duty.until_on):
            if (duty.pk, span.from_on) in there:
                continue
            known = staff.get(span.from_on)
            if known is None:
                known = staff[span.from_on] = Staff.load(actor.root, span.from_on)
            made += _owe(actor, at, duty, span, known)
    return made


def _owe(actor: Actor, at: datetime, duty: PostDuty, span: Span, staff: Staff) -> int:
    acting = staff.acting(duty.post_id)
    holding = acting or staff.head(duty.post)
    if holding is None:
        return 0
    zone = root(duty.root).zone
    with unit():
        row = DueDuty.objects.create(
            duty=duty, from_on=span.from_on, until_on=span.until_on, person=holding.person,
            deputy=acting is None or acting.deputy,
        )  # fmt: skip
        record(
            "due_duty.owed", actor=actor, at=at, subject=("due_duty", row.pk), matter=(MATTER, row.pk), wrote=[row],
            data={"duty": duty.code, "from": span.from_on.isoformat(), "deputy": row.deputy},
        )  # fmt: skip
        obligations.owe(
            actor=actor, at=at,
            duty=obligations.Duty(
                root=duty.root, person=holding.person, body=holding.post.body, unit_name=holding.post.body.name,
                kind="post_duty", subject=(MATTER, row.pk), matter_id=row.pk, area_path=duty.area_path, title=duty.title,
                source_rule=duty.basis[:200] or Ground(duty.ground).zh,
                due_at=day_start(span.until_on, zone) - timedelta(seconds=1),
                link=f"/oversight/persons/{holding.person_id}/", ladder=_ladder(duty.post.body),
            ),
        )  # fmt: skip
    return 1


def _ladder(body: Body) -> str:
    return Obligation.Ladder.SECTOR if body.sector else Obligation.Ladder.TERRITORY


def watch_posts(*, actor: Actor, at: datetime) -> int:
    """Put every post with duties that is, or soon will be, without anybody on its head's desk; take it off when filled.

    Records through obligations. Raises: LawGap.
    """
    today = city_date(at, actor.root)
    ahead = figure(actor, "vacancy_ahead_days", today).value
    term = figure(actor, "name_holder_workdays", today)
    staff = Staff.load(actor.root, today)
    counted = queries.posts_with_duties(actor.root, today)
    asked = set(
        Obligation.objects.filter(root=actor.root, kind=FILL_POST, state=Obligation.State.OPEN).values_list(
            "matter_id", flat=True
        )
    )
    made = 0
    for post in Post.objects.filter(root_id=actor.root, pk__in=list(counted)).select_related("body", "area"):
        said, _holder = staff.standing(post, ahead)
        if said in (Vacancy.HELD, Vacancy.DEPUTIZED):
            if post.pk in asked:
                obligations.fulfil(actor=actor, at=at, matter_id=post.pk, kinds=[FILL_POST])
            continue
        head = staff.head(post)
        if post.pk in asked or head is None:
            continue
        last, provisional = calendar(actor.root).provisional_add_workdays(today, term.value)
        obligations.owe(
            actor=actor, at=at,
            duty=obligations.Duty(
                root=actor.root, person=head.person, body=head.post.body, unit_name=head.post.body.name, kind=FILL_POST,
                subject=("post", post.pk), matter_id=post.pk, area_path=post.area.path,
                title=f"{post.body.name} {post.title or post.role}：{said.zh}，有 {counted[post.pk]} 项岗责",
                source_rule=term.source.citation, due_at=day_end(last, root(actor.root).zone) - timedelta(seconds=1),
                provisional=provisional, link="/oversight/vacancies/",
            ),
        )  # fmt: skip
        made += 1
    return made
