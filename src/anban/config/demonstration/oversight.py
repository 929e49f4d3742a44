"""What the committee's office has to find in the demonstration: planted through operations, the truth written beside the logins.

It only writes; what finds these failings shares no code with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from anban.base.people.actor import Actor
from anban.config.demonstration.accounts import write_whole
from anban.config.demonstration.bodies import VACANT, City
from anban.config.demonstration.lives import ZONE
from anban.contexts.accidents.operations import Named, Report, record_accident
from anban.contexts.establishments.queries import places_by_id
from anban.contexts.hazards.models import Hazard
from anban.contexts.oversight.operations.duties import Wanted, add_duty
from anban.contexts.oversight.operations.instructions import Received, add_measure, register_instruction
from anban.contexts.oversight.operations.instruments import About, issue
from anban.contexts.oversight.operations.sanctions import open_case, take_step
from anban.contexts.oversight.operations.visits import add_finding, follow_up, open_visit, rectify
from anban.contexts.oversight.queries.duties import visible_to
from anban.contexts.territory.models import Post
from anban.contexts.territory.queries import posts, posts_holder
from anban.rules.accountability import AccidentGrade
from anban.rules.duty_lists import Period, span_of

TRUTH = "demo-oversight.json"
DISTRICT, STREET, CITY = "110105", "110105026", "110000"
LIKES, NOODLES = 10, 2
DAY = timedelta(days=1)
DUTIES: Mapping[str, tuple[tuple[str, str, str, str, str, int, str], ...]] = {
    "safety_inspector": (
        ("XC", "巡查辖区单位", "territory", "month", "visit", 20, "隐患告知单、移交"),
        ("FC", "复查到期隐患", "territory", "month", "closing", 5, "现场核验"),
        # No history proves this one by itself, so that an inspector's desk has a duty of the post in every season.
        ("XJ", "报送巡查小结", "territory", "quarter", "file", 1, "季度巡查小结"),
    ),
    "street_safety_office": (("DB", "督办逾期隐患", "territory", "month", "closing", 10, "街道内部督办"),),
    "street_director": (("YG", "研究安全生产工作", "party_and_government", "quarter", "file", 1, "街道安委会会议"),),
    "street_deputy": (("DD", "带队检查", "two_duties", "month", "visit", 2, "带队检查"),),
    "certified_officer": (("ZF", "依法责令并出具文书", "business", "month", "paper", 5, "责令改正通知书"),),
    "district_committee_officer": (
        ("DC", "督察街乡镇和部门", "territory", "quarter", "oversight", 1, "督察、回头看"),
        ("WS", "发出督办文书", "territory", "month", "instrument", 1, "提示函、督办单"),
    ),
    "district_regulator_head": (("HY", "研究本行业安全生产", "industry", "quarter", "file", 1, "行业安全会议"),),
}  # fmt: skip
"""Role to its duties: code, what, ground, period, evidence, how many, means."""


def plant(city: City, stories: Sequence[Mapping[str, Any]], path: Path) -> dict[str, list[str]] | None:
    """Plant duties, instructions, accidents, papers and a visit, and write down what is to be found; once only."""
    if visible_to(city.job).exists():
        return None
    office = city.actor(city.people("district_committee_office", DISTRICT, "district_committee_officer")[0])
    told = {row["story"]: row for row in stories}
    truth = {
        "vacant_posts": _duties(city),
        "left_alone": _instructions(city, office, [UUID(pk) for pk in told[LIKES]["hazard_ids"]]),
        "red_documents": [_document(city, office, "演办批〔示〕2号", 6)],
        "red_cases": _accidents(city, office, UUID(told[NOODLES]["place_id"])),
        "promises": _visit(city),
    }
    noodles = Hazard.objects.filter(pk__in=told[NOODLES]["hazard_ids"], is_open=True).order_by("pk").first()
    team = city.body("street_enforcement", STREET)
    if noodles is not None and team is not None:
        issue(
            actor=office, at=city.at - 2 * DAY, kind="supervision", about=About(hazard=noodles), to_body=team,
            due_on=city.on + timedelta(days=5),
        )  # fmt: skip
    write_whole(path, truth)
    return truth


def _duties(city: City) -> list[str]:
    """Give the posts of one street, its district's offices and one bureau their lists; that bureau's head has left."""
    since = _begun(city.at)
    empty = []
    for post in posts(city.job):
        vacant = post.body.kind == VACANT[1] and post.body.area.name == VACANT[0]
        near = post.area.code in (DISTRICT, STREET) and not post.place_id
        if post.role not in DUTIES or not (near or (vacant and post.role == "district_regulator_head")):
            continue
        _list(city, post, since)
        if vacant:
            empty.append(post.body.name)
    return empty


def _begun(at: datetime) -> date:
    """Return since when the lists hold: all of last month, and all of the quarter of the last night on which duties fell due."""
    night = (at - timedelta(hours=1)).astimezone(ZONE).date()
    last_month = night.replace(day=1) - timedelta(days=1)
    return min(last_month.replace(day=1), span_of(Period.QUARTER, night).from_on)


def _list(city: City, post: Post, since: date) -> None:
    for code, title, ground, period, evidence, count, means in DUTIES[post.role]:
        wanted = Wanted(
            code=code, title=title, ground=ground, period=period, evidence=evidence, evidence_count=count, means=means,
            basis="安全生产法 第九条；岗责清单（演示）", from_on=since,
        )  # fmt: skip
        add_duty(actor=city.job, at=city.at - 40 * DAY, post=post, wanted=wanted)


def _document(city: City, office: Actor, number: str, days_ago: int) -> str:
    received = Received(
        kind="instruction", number=number, requirement="限期整改并举一反三", issued_on=city.on - timedelta(days=days_ago + 1),
        due_on=city.on + timedelta(days=14 - days_ago), area_path=_area(city, DISTRICT).path,
    )  # fmt: skip
    register_instruction(actor=office, at=city.at - days_ago * DAY, received=received)
    return number


def _area(city: City, code: str) -> Any:
    return next(row for row in city.districts if row.code == code)


def _instructions(city: City, office: Actor, ids: Sequence[UUID]) -> list[str]:
    """Let an instruction reach the first storage station only; its likes stay as they are."""
    first, *likes = [Hazard.objects.get(pk=pk) for pk in ids]
    received = Received(
        kind="instruction", number="演办批〔示〕1号", requirement="立即整改储能站告知牌", issued_on=first.found_on,
        due_on=first.found_on + timedelta(days=10), area_path=_area(city, DISTRICT).path,
    )  # fmt: skip
    at = first.entered_at + timedelta(hours=20)
    row = register_instruction(actor=office, at=at, received=received)
    add_measure(
        actor=office, at=at, instruction_id=row.pk, hazard_id=first.pk, person=first.holder, body=first.holder_body,
        requirement="督促整改", due_on=received.due_on,
    )  # fmt: skip
    return [row.number for row in likes if row.is_open]


def _accidents(city: City, office: Actor, place_id: UUID) -> list[str]:
    """Let one firm have two accidents; after the second the unit is dealt with and the person is not."""
    place = places_by_id([place_id])[place_id]
    red = []
    for days_ago, half in ((300, False), (120, True)):
        on = city.on - timedelta(days=days_ago)
        report = Report(
            kind="gas", on=on, area_path=place.area_path, unit_name=place.name, place=place, grade=AccidentGrade.GENERAL,
            serious_injuries=1, causes=("用气管理",), named=(Named(name=f"演示{'乙' if half else '甲'}", link="用气管理", direct=True),),
        )  # fmt: skip
        accident = record_accident(actor=office, at=city.at - (days_ago - 1) * DAY, report=report)
        case = open_case(actor=office, at=city.at - (days_ago - 2) * DAY, accident=accident)
        for item in case.items.order_by("id"):
            if half and item.subject == "person":
                continue
            for step in ("decide", "execute"):
                number = "演安罚〔示〕7号" if step == "decide" else ""
                take_step(actor=office, at=city.at - 10 * DAY, item_id=item.pk, step=step, document_number=number)
        if half:
            red.append(case.number)
    return red


def _visit(city: City) -> list[str]:
    """Let the city's office visit the district: one promise kept, one run out."""
    leader = city.actor(city.people("city_committee_office", CITY, "city_committee_officer")[0])
    district, at = _area(city, DISTRICT), city.at - 45 * DAY
    row = open_visit(
        actor=leader, at=at, kind="inspection", area=district, body=None, from_on=city.on - timedelta(days=45)
    )
    kept, broken = city.body("district_urban_management", DISTRICT), city.body("district_commerce", DISTRICT)
    if kept is None or broken is None:
        return []
    facts = (
        (kept, "部分街道燃气报警器台账缺项", "补齐台账", "两周内补齐", 40),
        (broken, "月子中心等新业态未明确行业主管", "提出分工意见", "月底前报分工意见", 20),
    )
    made = []
    for body, fact, requirement, promise, left in facts:
        made.append(
            add_finding(
                actor=leader, at=at, visit_id=row.pk, fact=fact, requirement=requirement, body=body, promise=promise,
                due_on=city.on - timedelta(days=left),
            )
        )  # fmt: skip
    holding = posts_holder(kept, kept.area.path, at)
    if holding is not None:
        rectify(actor=city.actor(holding.person), at=city.at - 42 * DAY, finding_id=made[0].pk, statement="已补齐")
        follow_up(actor=leader, at=city.at - 30 * DAY, finding_id=made[0].pk, passed=True)
    return [made[1].fact]
