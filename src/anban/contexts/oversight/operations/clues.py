"""Writes of clues (研判线索): opened by the nightly look, settled by a person with reason and source; desks: ``instruments.issue``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.queries import of_matter
from anban.contexts.oversight import policies
from anban.contexts.oversight.models import Clue
from anban.contexts.oversight.queries import clues as queries
from anban.contexts.oversight.queries import likes
from anban.contexts.oversight.queries.scope import COMMITTEE, figure
from anban.contexts.oversight.titles import CLUES
from anban.contexts.territory.models import Area, Post
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import calendar, city_date, holders_of_role, root
from anban.kit.clock import day_end
from anban.rules.errors import Refusal, register

register("clue.dealt_with", zh="这条线索已经办过。", en="This clue has been dealt with.")
register("clue.reason_missing", zh="请写明差别的原因。", en="Say what explains the difference.")
register(
    "clue.source_missing",
    zh="请写明依据：文件、台账或核查记录。",
    en="Name the source: a document, a ledger or a check.",
)

OBLIGATION: Final = "weigh_clue"
LOOK_BACK_DAYS: Final = 548
PER_BODY: Final = (Clue.Kind.DEPENDENCE, Clue.Kind.BODY)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look changed: clues found, gone, and those that stand open."""

    found: int
    gone: int
    standing: int


def look_over(*, actor: Actor, at: datetime) -> Looked:
    """Compare the like cases of a root as each of its committee's offices would, and open a clue where they differ.

    A clue goes on its own office's desk, to be weighed; nobody else hears of it. What no longer differs goes by itself unless
    somebody had it in hand; what a person has answered speaks again only through cases found since. A body's clue belongs
    to the nearest office: a wider one doesn't open it again. Run again it does nothing. Raises: LawGap.
    """
    on = city_date(at, actor.root)
    horizon = figure(actor, "comparison_horizon_days", on).value
    since, until = on - timedelta(days=LOOK_BACK_DAYS), on - timedelta(days=horizon + likes.LANDMARK_DAYS)
    rows = likes.dealt(actor, since=since, until=until)
    answered = queries.answered(actor.root)
    found = gone = standing = 0
    nearer: set[queries.Subject] = {subject for _, subject in answered if subject[0] in PER_BODY}
    for area in _offices(actor.root):
        own = [row for row in rows if row.area_path.startswith(area.path)]
        mine = {subject: day for (area_id, subject), day in answered.items() if area_id == area.pk}
        results = likes.compared(own, horizon, mine)
        seen: dict[queries.Subject, list[likes.Result]] = {}
        for one in results:
            seen.setdefault((one.what, one.key), []).append(one)
        differ = {
            subject: made
            for subject, made in seen.items()
            if any(one.found for one in made) and (subject in mine or subject not in nearer)
        }
        nearer |= {subject for subject in differ if subject[0] in PER_BODY}
        look = _Look(actor, at, area, (since, until), sum(one.comparison.p is not None for one in results))
        told = {
            subject: queries.figures(
                subject,
                made,
                own if subject not in mine else [r for r in own if r.found_on >= mine[subject]],
                look.family,
            )
            for subject, made in differ.items()
        }
        changed = _write(look, told, mine)
        found, gone, standing = found + changed.found, gone + changed.gone, standing + changed.standing
    return Looked(found, gone, standing)


def _offices(root_code: str) -> Sequence[Area]:
    """Return the areas that have a committee's office of their own, the nearest ones first."""
    areas = {post.area for post in Post.objects.filter(root_id=root_code, role__in=COMMITTEE).select_related("area")}
    return sorted(areas, key=lambda area: (-len(area.path), area.path))


@dataclass(frozen=True, slots=True)
class _Look:
    """One office's look: who looks when over which area and span, among how many comparisons."""

    actor: Actor
    at: datetime
    area: Area
    span: tuple[date, date]
    family: int


def _write(look: _Look, told: dict[queries.Subject, str], answered: dict[queries.Subject, date]) -> Looked:
    """Open what is new, keep what stands up to date, let go what is no longer there."""
    found = gone = 0
    with unit():
        rows = queries.open_clues(look.actor.root, look.area.pk).select_for_update(of=("self",))
        known = {(row.kind, row.key): row for row in rows}
        for subject, row in known.items():
            if subject not in told:
                _let_go(look, row)
                gone += 1
                continue
            if row.figures != told[subject]:
                row.figures, row.since_on, row.until_on = told[subject], *_span(look, subject, answered)
                _save(look.actor, look.at, row, "clue.measured", ["figures", "since_on", "until_on"])
            _owe(look, row)
        now_answered = {
            s: d for (area_id, s), d in queries.answered(look.actor.root).items() if area_id == look.area.pk
        }
        for subject in sorted(told):
            # Somebody may have answered it while the cases were read.
            if subject not in known and now_answered.get(subject) == answered.get(subject):
                _open(look, subject, told[subject], answered)
                found += 1
    return Looked(found, gone, len(told))


def _span(look: _Look, subject: queries.Subject, answered: dict[queries.Subject, date]) -> tuple[date, date]:
    since, until = look.span
    return max(since, answered.get(subject, since)), until


def _let_go(look: _Look, row: Clue) -> None:
    row.state = Clue.State.GONE
    _save(look.actor, look.at, row, "clue.gone", ["state"])
    obligations.void(actor=look.actor, at=look.at, matter_id=row.pk, kinds=[OBLIGATION])


def _open(look: _Look, subject: queries.Subject, figures: str, answered: dict[queries.Subject, date]) -> None:
    kind, key = subject
    root_code, on = look.actor.root, city_date(look.at, look.actor.root)
    earlier = Clue.objects.filter(root=root_code, area=look.area, kind=kind, key=key).order_by("-found_at").first()
    since, until = _span(look, subject, answered)
    row = Clue.objects.create(
        root=root_code, kind=kind, key=key, body_id=UUID(key) if kind in PER_BODY else None, area=look.area,
        number=next_numbers(actor=look.actor, at=look.at, root=root_code, series="YP", year=on.year)[0],
        area_path=look.area.path, since_on=since, until_on=until, figures=figures, earlier=earlier, found_at=look.at,
    )  # fmt: skip
    record(
        "clue.found", actor=look.actor, at=look.at, subject=("clue", row.pk), matter=("clue", row.pk), wrote=[row],
        data={"number": row.number, "kind": kind, "earlier": earlier.number if earlier else ""},
    )  # fmt: skip
    _owe(look, row)


def _owe(look: _Look, row: Clue) -> None:
    """Put an open clue on its office's desk unless it is there; while the office has no holder the next look tries again."""
    on = city_date(look.at, row.root)
    held = [one for role in COMMITTEE for one in holders_of_role(row.root, role, look.area.path, on)]
    if not held or of_matter(row.pk).filter(kind=OBLIGATION, state="open").exists():
        return
    term = figure(look.actor, "clue_workdays", on)
    last, provisional = calendar(row.root).provisional_add_workdays(on, term.value)
    # The title names the kind alone: who looks over an area's duties is not who may know of its bodies' figures.
    obligations.owe(
        actor=look.actor, at=look.at,
        duty=obligations.Duty(
            root=row.root, person=held[0].person, body=held[0].post.body, unit_name="", kind=OBLIGATION,
            subject=("clue", row.pk), matter_id=row.pk, area_path=row.area_path,
            title=f"{row.number} {CLUES[row.kind][0]}", title_en=f"{row.number} {CLUES[row.kind][1]}", source_rule=term.source.citation,
            due_at=day_end(last, root(row.root).zone) - timedelta(seconds=1), provisional=provisional,
            link=f"/oversight/clues/{row.pk}/",
        ),
    )  # fmt: skip


def settle(*, actor: Actor, at: datetime, clue_id: UUID, reason: str, source: str) -> Clue:
    """Settle a clue in one's own name: what explains the difference, and on what ground; it comes back through new cases alone.

    Raises: oversight.not_allowed, clue.dealt_with, clue.reason_missing, clue.source_missing.
    """
    with unit():
        row = _locked(actor, clue_id)
        if not reason.strip():
            raise Refusal("clue.reason_missing", field="reason")
        if not source.strip():
            raise Refusal("clue.source_missing", field="source")
        row.reason, row.source = reason.strip(), source.strip()
        _decide(actor, at, row, Clue.State.SETTLED, "clue.settled", {"source": row.source})
        return row


def put_on_desk(*, actor: Actor, at: datetime, clue_id: UUID, paper: str) -> Clue:
    """Note that a clue was put to a body by a paper. Part of the unit in which the paper is issued.

    Raises: oversight.not_allowed, clue.dealt_with.
    """
    with unit(savepoint=False):
        row = _locked(actor, clue_id)
        _decide(actor, at, row, Clue.State.ON_DESK, "clue.put_on_desk", {"paper": paper})
        return row


def _locked(actor: Actor, clue_id: UUID) -> Clue:
    row = Clue.objects.select_for_update(of=("self",)).get(pk=clue_id)
    policies.require(
        row.root == actor.root and actor.person_id is not None and policies.can_oversee(actor, row.area_path)
    )
    if row.state not in (Clue.State.OPEN, Clue.State.ON_DESK):
        raise Refusal("clue.dealt_with")
    return row


def _decide(actor: Actor, at: datetime, row: Clue, state: Clue.State, verb: str, data: dict[str, str]) -> None:
    row.state, row.decided_by_id, row.decided_at = state, actor.person_id, at
    _save(actor, at, row, verb, ["state", "decided_by", "decided_at", "reason", "source"], data)
    obligations.fulfil(actor=actor, at=at, matter_id=row.pk, kinds=[OBLIGATION])


def _save(
    actor: Actor, at: datetime, row: Clue, verb: str, columns: list[str], data: dict[str, str] | None = None
) -> None:
    row.version += 1
    row.save(update_fields=[*columns, "version"])
    record(
        verb, actor=actor, at=at, subject=("clue", row.pk), matter=("clue", row.pk), wrote=[row],
        data={"number": row.number, **(data or {})},
    )  # fmt: skip
