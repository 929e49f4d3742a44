"""The ordinary history: visits of a year and the lives of what they found, planned purely and played through operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zlib import crc32
from zoneinfo import ZoneInfo

from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.config.demonstration import facts
from anban.config.demonstration.bodies import ROOT, City
from anban.config.demonstration.mandates import ENFORCERS
from anban.config.demonstration.places import FOCUS, Spot
from anban.contexts.catalog.data.tables import CheckItemRow, check_items, hazard_classes, place_kinds
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.inspections.operations import (
    FindingRecord,
    VisitorRecord,
    VisitRecord,
    record_visit,
    review_on_site,
)
from anban.contexts.inspections.queries import found_by
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action, State

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = 365
RECENT_DAYS = 18
RECENT = 0.11
MONTHS = (9, 6, 7, 9, 10, 12, 12, 11, 11, 9, 9, 12)
"""How busy each month is: before 元旦, 五一, 十一, and in the flood season more than at 春节."""

ON_SPOT = {"on_spot": 0.72, "general": 0.40, "suspected": 0.22}
"""Share put right before the party leaves, by level; over all it comes to about half."""

TERMS = ((3, 20), (7, 35), (15, 30), (30, 15))
"""Rectification terms in calendar days and their share in percent."""

COMES_BACK = 0.42
"""Share of what people bring back that is found again within the year where somebody looks."""

DOORS = (("visit", 66), ("check", 16), ("hotline", 9), ("self_check", 6), ("third_party", 1), ("tip", 2))
"""How hazards come onto the ledger, in percent."""

IN_TIME = 0.99
"""What is not signed for within a working day goes back to its sender: these sign or send back before that, in days."""

AT = "at:"
Who = str
"""Who acts, seen from the hazard: ``inspector``, ``order1``, ``order2``, ``liable``, ``principal``, ``office``, ``at:`` a kind of body …"""


@dataclass(frozen=True, slots=True)
class Step:
    """One act of a life: so long after the sighting, by whom, what, with which verdict and facts."""

    after: timedelta
    who: Who
    action: Action
    given: Mapping[str, Any] = field(default_factory=dict)
    verdict: str | None = None
    on_site: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One thing seen at a place, and what will become of it."""

    item: CheckItemRow
    part: str
    fact: str
    steps: tuple[Step, ...]
    grade: str = ""
    interim_control: str = ""
    life_at_risk: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """One visit, report or self-check at a place: when, through which door, by which of the persons, and what was found."""

    at: datetime
    door: str
    spot: Spot
    which: int
    found: tuple[Found, ...]


# ── planning: pure draws ───────────────────────────────────────────────────────────────────────────────────────


def plan(
    spots: Sequence[Spot], *, at: datetime, hazards: int, seed: int, clean: float = 0.25, within: float | None = None
) -> list[Day]:
    """Return the visits of the year before ``at`` that put about so many hazards on the ledger, in the order of time.

    ``clean`` is the share of visits that found nothing, kept small where time matters more than evenness; ``within`` asks
    for the last days alone.
    """
    rng = Random(seed)  # noqa: S311 - a plausible history, no secret
    chooser = _Chooser(spots)
    made: list[Day] = []
    count = 0
    while count < hazards:
        spot = chooser.draw(rng)
        moment = _moment(rng, at, within)
        door = rng.choices([d for d, _ in DOORS], weights=[w for _, w in DOORS])[0]
        if door == "self_check" and not spot.accountable:
            door = "visit"
        which = rng.randrange(2)
        if door in {"visit", "check"} and rng.random() < clean:
            made.append(Day(moment, door, spot, which, ()))
            continue
        number = {"visit": (1, 1, 1, 2), "check": (1, 2, 2, 3, 4), "self_check": (1, 1, 2)}.get(door, (1,))
        items = chooser.items(rng, spot, rng.choice(number))
        found = tuple(_found(rng, door, item, spot) for item in items)
        made.append(Day(moment, door, spot, which, found))
        count += len(found)
        again = _again(rng, made[-1], at)
        if again is not None:
            made.append(again)
            count += 1
    return sorted(made, key=lambda day: day.at)


class _Chooser:
    """Draws places (the focus streets oftener) and check items of a place's own lists (small things oftener)."""

    def __init__(self, spots: Sequence[Spot]) -> None:
        self.spots = [spot for spot in spots if spot.manager is not None]
        total = 0.0
        self.weights: list[float] = []
        for spot in self.spots:
            total += 1.0 if spot.street in FOCUS else 1.15
            self.weights.append(total)
        lists = {row.code: row.lists or ("NS",) for row in place_kinds()}
        by_list: dict[str, list[CheckItemRow]] = {}
        for item in check_items():
            by_list.setdefault(item.list_code, []).append(item)
        share = {"on_spot": 6.0, "general": 4.0, "suspected": 0.5}
        self.known: dict[str, tuple[list[CheckItemRow], list[float]]] = {}
        for kind, codes in lists.items():
            items = [item for code in codes for item in by_list.get(code, ()) if item.skill != "C"]
            items = items or by_list["NS"]
            weights = [share[item.level] * (1.0 if item.code in facts.FACTS else 0.4) for item in items]
            self.known[kind] = (items, weights)

    def draw(self, rng: Random) -> Spot:
        return rng.choices(self.spots, cum_weights=self.weights)[0]

    def items(self, rng: Random, spot: Spot, number: int) -> list[CheckItemRow]:
        items, weights = self.known.get(spot.kind, self.known["small_place"])
        chosen = {item.code: item for item in rng.choices(items, weights=weights, k=number)}
        return list(chosen.values())


def _moment(rng: Random, at: datetime, within: float | None) -> datetime:
    """Draw a working hour of the past year, busy months oftener."""
    while True:
        # The last weeks oftener than their share: what is under way is what people come to see.
        moment = at - timedelta(days=rng.uniform(0.2, within or (RECENT_DAYS if rng.random() < RECENT else DAYS)))
        local = moment.astimezone(ZONE)
        if rng.random() * max(MONTHS) > MONTHS[local.month - 1] or (local.weekday() > 4 and rng.random() < 0.85):
            continue
        clock = time(rng.choice((9, 9, 10, 10, 11, 14, 14, 15, 16)), rng.randrange(60))
        made = datetime.combine(local.date(), clock, ZONE)
        if made < at:
            return made


def _found(rng: Random, door: str, item: CheckItemRow, spot: Spot) -> Found:
    steps: tuple[Step, ...]
    grade = control = ""
    if door == "self_check":
        steps = _self_checked(rng)
    elif door in {"hotline", "tip"}:
        steps = _reported(rng, item)
    elif item.level == "suspected" and rng.random() < 0.10:
        steps = _suspected(rng)
        control = "停止使用该部位，专人看守"
    elif door != "third_party" and rng.random() < ON_SPOT[item.level]:
        steps = (
            Step(timedelta(minutes=20), "finder", Action.FIX_ON_SPOT, {"photo_before": True, "photo_after": True}),
        )
    elif door == "check":
        steps = _ordered(rng, timedelta(hours=1))
    elif door == "third_party":
        steps = _handed_over(rng)
    else:
        steps = _by_inspector(rng, item)
    return Found(item, facts.part_of(rng, item.hazard_class), facts.fact_of(rng, item), steps, grade, control)


def _by_inspector(rng: Random, item: CheckItemRow) -> tuple[Step, ...]:
    """A street inspector has no power to order: advise; what needs power is handed over the same day."""
    advise = Step(timedelta(minutes=30), "inspector", Action.ADVISE, {"measures": facts.MEASURES[item.hazard_class]})
    if rng.random() < 0.34:
        return (advise, *_handed_over(rng, timedelta(hours=3)))
    done = timedelta(days=rng.uniform(1, 9))
    return (advise, *_reviewed(rng, done, "inspector", "office"))


def _handed_over(rng: Random, start: timedelta = timedelta(hours=3)) -> tuple[Step, ...]:
    """Hand over to the body with the power; some come back once, a few twice and are then designated."""
    send = Step(start, "inspector", Action.TRANSFER, {"body": "ordering", "reason": "本岗位无权责令，同日移交"})
    draw = rng.random()
    steps = [send]
    late = start
    returns = 2 if draw < 0.025 else 1 if draw < 0.2 else 0
    for number in range(returns):
        late += timedelta(days=min(rng.uniform(0.4, 1.3), IN_TIME))
        given = {"clause": "部门三定方案", "reason": rng.choice(facts.REFUSED_WHY)}
        steps.append(Step(late, "order1", Action.SEND_BACK, given))
        late += timedelta(days=rng.uniform(0.2, 1.0))
        if number == 0:
            steps.append(
                Step(late, "inspector", Action.TRANSFER, {"body": "ordering", "reason": "补充现场情况，再次移交"})
            )
    if returns > 1:
        late += timedelta(days=rng.uniform(0.5, 2.5))
        steps.append(Step(late, "committee", Action.ASSIGN, {"body": "ordering", "reason": "二次退回，按业务相近指定"}))
    late += timedelta(days=min(rng.uniform(0.1, 1.2), IN_TIME))
    return (*steps, Step(late, "order1", Action.RECEIVE), *_ordered(rng, late + timedelta(hours=rng.uniform(1, 20))))


def _ordered(rng: Random, start: timedelta) -> tuple[Step, ...]:
    """Order with a term; most apply in time, some run over it, some ask for more, a few are fined."""
    term = rng.choices([days for days, _ in TERMS], weights=[share for _, share in TERMS])[0]
    steps = [
        Step(start, "order1", Action.ORDER, {"due_days": term, "basis": "item", "measures": "class", "lasting": True})
    ]
    end = start + timedelta(days=term)
    draw = rng.random()
    if draw < 0.05 and term >= 15:
        asked = start + timedelta(days=1)
        given = {"due_days": term + 14, "reason": "配件需定制", "interim_control": "停用并专人看守"}
        steps.append(Step(asked, "liable", Action.REQUEST_EXTENSION, given))
        granted = {**given, "reason": "情况属实，管控措施到位", "due_days": term + 13}
        steps.append(Step(asked + timedelta(days=1), "order1", Action.EXTEND, granted))
        end += timedelta(days=14)
    fined = rng.random()
    if fined < 0.03:
        given = {
            "basis": "依法给予警告，并处罚款",
            "second_person": "order2",
            "yuan": rng.choice((500, 1000, 2000, 3000)),
        }
        steps.append(Step(start + timedelta(minutes=40), "order1", Action.SIMPLE_PENALTY, given))
    elif fined < 0.05:
        given = {"reason": "首次发现，危害轻微并及时改正", "second_person": "order2"}
        steps.append(Step(start + timedelta(minutes=40), "order1", Action.WAIVE, given))
    if rng.random() < 0.135:
        steps.append(Step(end + timedelta(hours=14), "system", Action.EXPIRE))
        if rng.random() < 0.4:
            steps.append(Step(end + timedelta(days=1.2), "order1", Action.FILE_CASE, {"basis": "逾期未整改，提请立案"}))
        # Some stay where they are for months, which is what the overdue list is for.
        late = end + timedelta(days=rng.uniform(2, 30) if rng.random() < 0.65 else rng.uniform(60, 240))
        return (*steps, *_looked_at(rng, late, "order1", "order2", 0.55))
    done = start + timedelta(days=term * rng.uniform(0.25, 0.95))
    return (*steps, *_reviewed(rng, done, "order1", "order2"))


def _reviewed(rng: Random, done: timedelta, who: Who, second: Who) -> tuple[Step, ...]:
    """The firm applies; the first look passes 84 in 100, the third nearly always."""
    apply = Step(done, "liable", Action.APPLY_REVIEW, {"photo_after": True})
    return (apply, *_looked_at(rng, done + timedelta(days=rng.uniform(0.5, 6)), who, second, 0.84))


def _looked_at(rng: Random, when: timedelta, who: Who, second: Who, share: float) -> tuple[Step, ...]:
    on_site = rng.random() < 0.62
    passed = rng.random() < share
    opinion = rng.choice(facts.OPINIONS_PASSED if passed else facts.OPINIONS_FAILED)
    given: dict[str, Any] = {"second_person": second, "opinion": opinion}
    if not on_site and rng.random() < 0.6:
        given["photo_after"] = True
    step = Step(when, who, Action.REVIEW, given, "passed" if passed else "failed", on_site)
    if passed:
        if rng.random() < 0.04:
            later = when + timedelta(days=rng.uniform(5, 60))
            return step, Step(later, who, Action.SAMPLE, {"found": "抽查未见反弹", "photo_after": True})
        return (step,)
    again = when + timedelta(days=rng.uniform(2, 7))
    retry = Step(again, "liable", Action.APPLY_REVIEW, {"photo_after": True})
    return (step, retry, *_looked_at(rng, again + timedelta(days=rng.uniform(1, 4)), who, second, 0.93))


def _self_checked(rng: Random) -> tuple[Step, ...]:
    """Track 甲: the firm finds, puts right and accepts; another person of the firm signs."""
    done = timedelta(days=rng.uniform(0.2, 4))
    return (
        Step(done, "liable", Action.APPLY, {"photo_after": True}),
        Step(
            done + timedelta(hours=rng.uniform(2, 30)),
            "principal",
            Action.ACCEPT,
            {"opinion": "已整改", "photo_after": True},
        ),
    )


def _reported(rng: Random, item: CheckItemRow) -> tuple[Step, ...]:
    """Four reports in ten prove true; each is looked at within the days."""
    when = timedelta(days=rng.uniform(0.2, 3))
    if rng.random() < 0.6:
        return (Step(when, "inspector", Action.VERIFY, {"reason": rng.choice(facts.NOT_FOUNDED)}, "not_founded"),)
    checked = Step(when, "inspector", Action.VERIFY, {"reason": "现场查看，情况属实"}, "founded")
    return (checked, *(_shifted(step, when) for step in _by_inspector(rng, item)))


def _shifted(step: Step, by: timedelta) -> Step:
    return Step(step.after + by, step.who, step.action, step.given, step.verdict, step.on_site)


def _suspected(rng: Random) -> tuple[Step, ...]:
    """Report as suspected major; a third is judged major and goes the long way, the others are ordered as general ones."""
    send = Step(
        timedelta(hours=2), "inspector", Action.SUSPECT,
        {"body": "special", "interim_control": "停止使用该部位，街道派人看守"},
    )  # fmt: skip
    judged = timedelta(days=rng.uniform(1, 4))
    if rng.random() > 0.35:
        given = {"clause": "对照判定标准逐条核对", "reason": "未达到重大隐患判定情形"}
        verdict = Step(judged, "special", Action.JUDGE, given, "general")
        return (send, verdict, *_ordered(rng, judged + timedelta(hours=4)))
    return (send, *major_steps(judged, listed=False, months=rng.uniform(1, 3)))


def major_steps(judged: timedelta, *, listed: bool, months: float) -> tuple[Step, ...]:
    """Return the long way of a major hazard from judgement to its close, with a listing and two signatures where listed."""
    day = timedelta(days=1)
    term = int(months * 30)
    plan_given = {
        "goals": "消除重大隐患", "methods": "停用、拆除、更换并委托检测", "funds": "企业自筹并专款专用",
        "people": "主要负责人牵头，专班六人", "due_days": term, "emergency_plan": "停用区域封闭看守，夜间双岗",
    }  # fmt: skip
    steps = [
        Step(judged, "special", Action.JUDGE, {"clause": "GB 35181 判定要素", "reason": "集体讨论意见"}, "major"),
        Step(judged + day, "special", Action.REGISTER_MAJOR),
    ]
    if listed:
        steps += [
            Step(
                judged + 2 * day,
                "special",
                Action.PROPOSE_LIST,
                {"level": "district", "reason": "人员密集，治理周期长"},
            ),
            Step(judged + 4 * day, "committee", Action.LIST, {"level": "district", "notice": "区级挂牌督办公告"}),
            Step(judged + 4.2 * day, "committee", Action.LEAD, {"leader": "leader"}),
        ]
    approver = "committee" if listed else "special"
    steps += [
        Step(judged + 8 * day, "liable", Action.SUBMIT_PLAN, plan_given),
        Step(judged + 11 * day, approver, Action.APPROVE_PLAN, {"due_days": term}),
        Step(judged + 25 * day, "liable", Action.PROGRESS, {"note": "已完成设备采购，停用区域封闭"}),
    ]
    end = judged + timedelta(days=11 + term * 0.9)
    if listed:
        given = {
            "due_days": term + 30,
            "reason": "冬季停水改造，需错峰施工",
            "interim_control": "停用楼层封闭，每两小时巡查",
        }
        steps += [
            Step(judged + 30 * day, "liable", Action.REQUEST_EXTENSION, given),
            Step(
                judged + 32 * day, "special", Action.EXTEND, {**given, "due_days": term + 28, "listing_consent": True}
            ),
        ]
        end += 25 * day
    steps += [
        Step(end, "liable", Action.SELF_ASSESS, {"assessor": "注册消防工程师二人", "report": "系统检测合格"}),
        Step(end + day, "liable", Action.APPLY),
        Step(end + 6 * day, "special", Action.ACCEPT, {"experts": "专家三人"}, None, on_site=True),
    ]
    if listed:
        steps.append(Step(end + 12 * day, "committee", Action.DELIST, {"notice": "摘牌公告"}))
    return tuple(steps)


def _again(rng: Random, day: Day, at: datetime) -> Day | None:
    """Some of what people bring back is seen again where somebody looks: weeks after the first was closed."""
    for one in day.found:
        share = COMES_BACK if one.item.comes_back else 0.10
        closed = [step for step in one.steps if step.action in {Action.FIX_ON_SPOT, Action.REVIEW, Action.ACCEPT}]
        if not closed or rng.random() > share * 0.45:
            continue
        moment = day.at + closed[-1].after + timedelta(days=rng.uniform(12, 200))
        local = datetime.combine(
            moment.astimezone(ZONE).date(), time(rng.choice((10, 14, 15)), rng.randrange(60)), ZONE
        )
        if local >= at:
            continue
        steps = (
            _by_inspector(rng, one.item)
            if rng.random() < 0.6
            else (
                Step(timedelta(minutes=20), "finder", Action.FIX_ON_SPOT, {"photo_before": True, "photo_after": True}),
            )
        )
        return Day(local, "visit", day.spot, 1 - day.which, (Found(one.item, one.part, one.fact, steps),))
    return None


# ── playing: the same operations that people use ──────────────────────────────────────────────────────────────


class Player:
    """Plays days through the operations, with the persons who really hold the posts."""

    def __init__(self, city: City, photos: Mapping[str, Sequence[UUID]]) -> None:
        self.city = city
        self.photos = photos
        self.lists = {row.code: row.lists or ("NS",) for row in place_kinds()}
        self.items = check_items()
        self.special = {row.code: row.special_regulator for row in hazard_classes()}
        self.refused: list[str] = []
        self.entered = 0

    def play(self, day: Day) -> list[Hazard]:
        """Play one day: the visit, report or self-check, and then the life of each thing found, up to the present."""
        try:
            if day.door in {"visit", "check"}:
                rows = self._visited(day)
            else:
                rows = [row for one in day.found if (row := self._reported(day, one)) is not None]
        except Refusal as refusal:
            self.refused.append(f"{day.door}:{refusal.code}")
            return []
        made = []
        for one in day.found:
            hazard = next((row for row in rows if row.code == one.item.code), None)
            if hazard is None:
                continue
            self.entered += hazard.voices_count == 1
            made.append(self._lived(day, one, hazard))
        return made

    def _visited(self, day: Day) -> list[Hazard]:
        spot = day.spot
        if day.door == "check" and day.found:
            finder = self._persons("order1", spot, day.found[0].item.hazard_class, day.which)
        else:
            finder = self._persons("inspector", spot, "", day.which)
        if not finder:
            return []
        second = finder[1] if len(finder) > 1 else finder[0]
        party = (VisitorRecord(second.pk, certified=True),) if day.door == "check" and day.found else ()
        lists = {one.item.list_code for one in day.found}
        visit = record_visit(
            actor=self.city.actor(finder[0]), at=day.at,
            visit=VisitRecord(
                place_id=spot.place_id, visitors=party, answers={} if day.found else self._clean(spot),
                lists=tuple(sorted(lists)),
                findings=tuple(
                    FindingRecord(
                        fact=one.fact, code=one.item.code, part=one.part, interim_control=one.interim_control,
                        grade=one.grade, life_at_risk=one.life_at_risk,
                    )
                    for one in day.found
                ),
            ),
        )  # fmt: skip
        return found_by(visit)

    def _clean(self, spot: Spot) -> dict[str, str]:
        lists = self.lists.get(spot.kind, ("NS",))
        seen = [item.code for item in self.items if item.list_code in lists and item.skill == "A"]
        return dict.fromkeys(seen[:8], "pass")

    def _reported(self, day: Day, one: Found) -> Hazard | None:
        spot = day.spot
        if day.door == "self_check":
            assert spot.manager is not None  # noqa: S101 - only accountable places check themselves
            actor = self._of(spot.manager, posted=True)
        else:
            who = {"hotline": "hotline", "tip": "hotline", "third_party": "office"}[day.door]
            persons = self._persons(who, spot, "", day.which)
            if not persons:
                return None
            actor = self.city.actor(persons[0])
        entered = enter(
            actor=actor, at=day.at,
            sighting=Sighting(
                place_id=spot.place_id, fact=one.fact, code=one.item.code, part=one.part, origin=day.door,
                inspected=day.door in {"self_check", "third_party"}, self_found=day.door == "self_check",
            ),
        )  # fmt: skip
        return entered.hazard if entered.kind != "joined" else None

    def _lived(self, day: Day, one: Found, hazard: Hazard) -> Hazard:
        """Play the steps that lie before the present; what the rules refuse ends the life where it stands."""
        if hazard.found_on != day.at.astimezone(ZONE).date() or State(hazard.state) not in _FRESH:
            return hazard
        for step in one.steps:
            when = day.at + step.after
            if when >= self.city.at:
                break
            try:
                hazard = self.step(day, one, hazard, step, when)
            except Refusal as refusal:
                self.refused.append(f"{step.action}:{refusal.code}")
                break
        return hazard

    def step(self, day: Day, one: Found, hazard: Hazard, step: Step, when: datetime) -> Hazard:
        """Play one step by the person whom it is for."""
        if step.who == "system":
            actor: Actor | None = self.city.job
        else:
            actor = self._actor(day, one, step.who)
        if actor is None:
            raise Refusal("hazard.person_unknown")
        given = self._given(day, one, step, when)
        if step.on_site:
            return review_on_site(
                actor=actor, at=when, hazard_id=hazard.pk, action=step.action, verdict=step.verdict, given=given
            )
        return act(actor=actor, at=when, hazard_id=hazard.pk, action=step.action, verdict=step.verdict, given=given)

    def _given(self, day: Day, one: Found, step: Step, when: datetime) -> dict[str, Any]:
        given = dict(step.given)
        klass = one.item.hazard_class
        if "due_days" in given:
            given["due_on"] = _local_day(when) + timedelta(days=given.pop("due_days"))
        if given.get("basis") == "item":
            given["basis"] = one.item.basis or "安全生产法 第六十五条"
        if given.get("measures") == "class":
            given["measures"] = facts.MEASURES[klass]
        if given.pop("lasting", False):
            draw = Random(str(one.part) + one.fact)  # noqa: S311 - the same words each time
            given |= {"cause": draw.choice(facts.CAUSES), "lasting_measure": draw.choice(facts.LASTING)}
        for key in ("second_person", "leader"):
            if key in given:
                persons = self._persons(given[key], day.spot, klass, day.which)
                given[key] = persons[0].pk if persons else None
        for need in ("photo_before", "photo_after"):
            if need in given:
                # One place shows its own corner each time, and each place another.
                held = self.photos[need.removeprefix("photo_")]
                given[need] = [held[crc32(f"{day.spot.name}{one.item.code}".encode()) % len(held)]]
        if "body" in given:
            given["body"] = self._body(given["body"], day.spot, klass)
        return given

    def _body(self, which: str, spot: Spot, klass: str) -> UUID | None:
        if which == "ordering":
            body = self._ordering(spot, klass)
        elif which == "special":
            body = next((b for k in self.special[klass] if (b := self.city.body(k, spot.district))), None)
        else:
            body = self.city.body(which, spot.district) or self.city.body(which, "110000")
        return body.pk if body else None

    def _ordering(self, spot: Spot, klass: str) -> Any:
        if klass == "GAS":
            return self.city.body("street_enforcement", spot.street)
        return self.city.body(ENFORCERS[klass], spot.district)

    def _actor(self, day: Day, one: Found, who: Who) -> Actor | None:
        if who in {"liable", "principal"}:
            person_id = day.spot.manager if who == "liable" else day.spot.principal
            return self._of(person_id, posted=day.spot.accountable) if person_id else None
        if who == "finder":
            who = "order1" if day.door == "check" else "inspector"
        klass = day.found[0].item.hazard_class if who == "order1" and day.door == "check" else one.item.hazard_class
        persons = self._persons(who, day.spot, klass, day.which)
        return self.city.actor(persons[0]) if persons else None

    def _of(self, person_id: UUID, *, posted: bool) -> Actor:
        """Return a firm's person: by the posts it holds, or as the liable person that a chain names and nothing else."""
        if not posted:
            return Actor(person_id=person_id, root=ROOT)
        known = self.city.actors.get(person_id)
        return known or self.city.actor(Person(pk=person_id))

    def _persons(self, who: Who, spot: Spot, klass: str, which: int) -> list[Person]:
        """Return who answers to a word at a place, the one meant first."""
        city, district, street = self.city, spot.district, spot.street
        if who in {"order1", "order2"}:
            body = self._ordering(spot, klass)
            if body is None:
                return []
            held = city.held.get((body.pk, "certified_officer")) or city.held.get((body.pk, "district_regulator"), [])
            turn = which % len(held) if held else 0
            held = held[turn:] + held[:turn]
            return held[1:] + held[:1] if who == "order2" else held
        if who.startswith(AT):
            return city.people(who.removeprefix(AT), district, "district_regulator")
        if who == "special":
            for kind in self.special[klass]:
                held = city.people(kind, district, "district_regulator")
                if held:
                    return held
            return []
        kind, area, role = {
            "inspector": ("street_safety_office", street, "safety_inspector"),
            "office": ("street_safety_office", street, "street_safety_office"),
            "committee": ("district_committee_office", district, "district_committee_officer"),
            "hotline": ("district_government_services", district, "hotline_staff"),
            "leader": ("district_government", district, "leader_viewer"),
        }[who]
        held = city.people(kind, area, role)
        turn = which % len(held) if held else 0
        return held[turn:] + held[:turn]


_FRESH = frozenset({State.UNVERIFIED, State.RECTIFYING, State.SUSPECTED})


def _local_day(at: datetime) -> date:
    return at.astimezone(ZONE).date()


__all__ = ["ROOT", "Day", "Found", "Player", "Step", "major_steps", "plan"]
