"""What an office does with delay (督办): the two ladders 块 and 条, and which steps are due."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from types import MappingProxyType

from anban.kit.workdays import Calendar
from anban.rules import clocks, law
from anban.rules.decision import ALLOWED, REFUSED, Decision, Reason
from anban.rules.hazard_terms import Clock, Grade, Term


class Ladder(Term):
    """Along which line a delay is told upward."""

    TERRITORY = "territory", "块（属地）", "Territory"
    SECTOR = "sector", "条（行业）", "Sector"


class Instrument(Term):
    """With what an office presses, from light to heavy; each has number, text, addressee, due and answer."""

    CALL = "call", "电话提醒", "Telephone reminder"
    NOTE = "note", "提示函", "Note"
    ASSIGNMENT = "assignment", "交办单", "Assignment"
    SUPERVISION = "supervision", "督办单（函）", "Supervision letter"
    WARNING = "warning", "警示函", "Warning letter"
    INTERVIEW = "interview", "约谈", "Interview"
    CIRCULAR = "circular", "通报", "Circular"
    LISTING = "listing", "挂牌督办", "Listing"
    ACCOUNTABILITY = "accountability", "问责建议", "Proposal to hold accountable"


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung: who is told, with what, and whether telling it leaves the street or the bureau."""

    name: str
    zh: str
    en: str
    instrument: Instrument
    outside: bool

    def key(self, ladder: Ladder) -> str:
        """This function will name the setting that says how many calendar days after the due day it is told."""
        return f"hazards.ladder_{ladder}_{self.name}_days"


DISTRICT_OFFICE = "district_office"

LADDERS: Mapping[Ladder, tuple[Rung, ...]] = MappingProxyType(
    {
        Ladder.TERRITORY: (
            Rung("community", "社区（村）", "Community", Instrument.CALL, False),
            Rung("street_office", "街道平安建设办公室", "Street safety office", Instrument.CALL, False),
            Rung("street_deputy", "街道分管副主任", "Deputy head of the street", Instrument.NOTE, False),
            Rung("street_director", "街道主任", "Head of the street", Instrument.NOTE, False),
            Rung(DISTRICT_OFFICE, "区安委办", "District committee's office", Instrument.SUPERVISION, True),
            Rung("district_deputy_head", "分管副区长", "Deputy head of the district", Instrument.INTERVIEW, True),
            Rung("city_office", "市安委办", "City committee's office", Instrument.CIRCULAR, True),
        ),
        Ladder.SECTOR: (
            Rung("section", "承办科（队）", "Section in charge", Instrument.CALL, False),
            Rung("bureau_deputy", "区级部门分管领导", "Deputy head of the department", Instrument.NOTE, False),
            Rung("bureau_head", "区级部门主要领导", "Head of the department", Instrument.NOTE, False),
            Rung(DISTRICT_OFFICE, "区安委办", "District committee's office", Instrument.SUPERVISION, True),
            Rung("city_department", "市级部门", "City department", Instrument.CIRCULAR, True),
        ),
    }
)
"""The two ladders from the bottom up."""

PROPOSE_CASE = "propose_case"

WRITTEN = (
    Instrument.NOTE, Instrument.ASSIGNMENT, Instrument.SUPERVISION, Instrument.WARNING, Instrument.INTERVIEW, Instrument.CIRCULAR,
    Instrument.ACCOUNTABILITY,
)  # fmt: skip
"""The instruments that are papers; a telephone call is none, and a listing is the hazard's own action."""


def written_steps() -> tuple[str, ...]:
    """This function will name the steps of both ladders that are taken with a paper."""
    return tuple(
        f"{ladder}.{rung.name}" for ladder, rungs in LADDERS.items() for rung in rungs if rung.instrument in WRITTEN
    )


def rung_of(step: str) -> Rung | None:
    """This function will give the rung of a step that is taken with a paper; None for any other step."""
    ladder, _, name = step.partition(".")
    known = {str(each): rungs for each, rungs in LADDERS.items()}
    return next((each for each in known.get(ladder, ()) if each.name == name and each.instrument in WRITTEN), None)


@dataclass(frozen=True, slots=True)
class Pause:
    """One step of a ladder is held back until an instant (暂缓): granted one level up, once per step; the breach still counts."""

    step: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """What the ladders ask about a delayed matter.

    `ordered`: an order with a term is overdue, so the ordering body can file a case; counts are of this hazard's file.
    """

    grade: Grade = Grade.GENERAL
    ordered: bool = False
    rebound_count: int = 0
    overdue_count: int = 1
    send_back_count: int = 0


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A step that is due: its id (told once), when it became due, who is told and with what.

    For `propose_case` (提请立案) there is no rung, and `due` is the deadline of the proposal.
    """

    id: str
    since: datetime
    zh: str
    en: str
    instrument: Instrument | None = None
    rung: Rung | None = None
    due: clocks.Due | None = None


def is_deadlocked(send_back_count: int, *, on: date, overrides: Mapping[str, int] | None = None) -> bool:
    """This function will say whether a matter was sent back so often that the committee's office names the holder.

    Raises: LawGap.
    """
    return send_back_count >= law.value("hazards.deadlock_times", on=on, overrides=overrides).value


def leaves_house(delay: Delay, *, on: date, overrides: Mapping[str, int] | None = None) -> bool:
    """This function will say whether a delay may leave the street or the bureau.

    Only a major hazard (one suspected or not to be judged counts as major until judged), a second rebound, a second
    overdue term, or a transfer deadlock.
    Raises: LawGap.
    """
    return (
        delay.grade is not Grade.GENERAL
        or delay.rebound_count >= 2
        or delay.overdue_count >= 2
        or is_deadlocked(delay.send_back_count, on=on, overrides=overrides)
    )


def steps_due(
    ladder: Ladder,
    delay: Delay,
    *,
    due_at: datetime,
    now: datetime,
    taken: Collection[str],
    calendar: Calendar,
    zone: tzinfo,
    on: date,
    overrides: Mapping[str, int] | None = None,
    pauses: Collection[Pause] = (),
) -> tuple[LadderStep, ...]:
    """This function will give the steps that are due and not yet taken, in their order; after an outage all that were missed.

    A paused step waits until its pause ends, and no later rung is told before it.
    An overdue general hazard under order first means 立案: its first step is the ordering body's proposal by the next
    working day. In a transfer deadlock (`due_at` is then the second return) the committee's office is told at once.
    Raises: LawGap; Refusal `clocks.naive_instant`.
    """
    if not clocks.is_overdue(due_at, now):
        return ()
    steps = [*_proposal(delay, due_at, calendar, zone, on, overrides)]
    rungs = LADDERS[ladder]
    shift = 0
    if is_deadlocked(delay.send_back_count, on=on, overrides=overrides):
        rungs = rungs[[each.name for each in rungs].index(DISTRICT_OFFICE) :]
        shift = law.value(rungs[0].key(ladder), on=on, overrides=overrides).value
    outside = leaves_house(delay, on=on, overrides=overrides)
    held = {each.step: each.until for each in pauses}
    barrier = due_at
    for rung in rungs:
        days = max(0, law.value(rung.key(ladder), on=on, overrides=overrides).value - shift)
        barrier = max(barrier, held.get(f"{ladder}.{rung.name}", barrier))
        since = max(due_at + timedelta(days=days), barrier)
        if since < now and (outside or not rung.outside):
            steps.append(LadderStep(f"{ladder}.{rung.name}", since, rung.zh, rung.en, rung.instrument, rung))
    return tuple(each for each in sorted(steps, key=lambda step: step.since) if each.id not in taken)


def next_step(
    ladder: Ladder,
    taken: Collection[str],
    *,
    send_back_count: int = 0,
    on: date,
    overrides: Mapping[str, int] | None = None,
) -> Rung | None:
    """This function will give the lowest rung that was not told yet: what a pause holds back, and who may grant it.

    Raises: LawGap.
    """
    rungs = LADDERS[ladder]
    if is_deadlocked(send_back_count, on=on, overrides=overrides):
        rungs = rungs[[each.name for each in rungs].index(DISTRICT_OFFICE) :]
    return next((rung for rung in rungs if f"{ladder}.{rung.name}" not in taken), None)


def pause_decision(
    *,
    from_on: date,
    until_on: date,
    paused_before: bool,
    calendar: Calendar,
    on: date,
    overrides: Mapping[str, int] | None = None,
) -> Decision:
    """This function will decide whether a step may be held back: once per step, at most so many working days, from today.

    A year whose calendar is not loaded is counted provisionally. Raises: LawGap.
    """
    most = law.value("oversight.pause_workdays", on=on, overrides=overrides)
    last, _provisional = calendar.provisional_add_workdays(from_on, most.value)
    checks = (
        (paused_before, "escalation.paused_before", "这一级只能暂缓一次", "A step is held back only once"),
        (until_on <= from_on, "escalation.pause_empty", "暂缓的截止日须在今天之后", "A pause ends after today"),
        (
            until_on > last,
            "escalation.pause_too_long",
            f"暂缓不超过 {most.value} 个工作日",
            f"A pause lasts at most {most.value} working days",
        ),
    )
    reasons = tuple(Reason(code, zh, en) for failed, code, zh, en in checks if failed)
    return Decision(REFUSED if reasons else ALLOWED, reasons, (most.source,))


def _proposal(
    delay: Delay,
    due_at: datetime,
    calendar: Calendar,
    zone: tzinfo,
    on: date,
    overrides: Mapping[str, int] | None,
) -> tuple[LadderStep, ...]:
    if not delay.ordered or delay.grade is not Grade.GENERAL:
        return ()
    until = clocks.due(Clock.FILE_CASE, due_at, calendar=calendar, zone=zone, on=on, overrides=overrides)
    return (LadderStep(PROPOSE_CASE, due_at, "提请立案", "Propose filing a case", due=until),)
