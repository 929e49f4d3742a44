"""Who opens which page, towards which area: a table written apart from the code, held against every address of the site."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from anban.base.files.operations import attach, store
from anban.contexts.accidents.models import Accident
from anban.contexts.establishments.models import Observation, Place, SourceList
from anban.contexts.hazards import queries as hazards
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.inspections.models import Visit
from anban.contexts.obligations.models import Handover, Obligation
from anban.contexts.oversight.models import (
    Clue,
    DueDuty,
    InstructedMeasure,
    Instruction,
    Instrument,
    OversightFinding,
    OversightVisit,
    PostDuty,
    SanctionCase,
    SanctionItem,
)
from anban.contexts.responsibility.models import Boundary, Mechanism
from anban.contexts.responsibility.operations import Asked, open_joint
from anban.contexts.risk.models import Assessment, Report
from anban.contexts.risk.queries import FIGURES as COUNTED
from anban.contexts.risk.queries import HAZARDS
from anban.contexts.territory.models import Holding
from anban.contexts.territory.operations import add_area
from anban.web.shell import middleware
from tests.api.conftest import picture
from tests.factories.signed import account_of, client_of
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db

TABLE = Path(__file__).with_name("matrix.csv")
FIGURES = json.dumps({"now": dict.fromkeys((*COUNTED, *HAZARDS), 0), "before": {}, "areas": {}, "places": []})
SPOTS = {
    "community": "望京社区",
    "street": "望京街道",
    "beside": "呼家楼街道",
    "elsewhere": "中关村街道",
    "other root": "望京街道",
}
REACH = {
    "street": {"street", "community"}, "community": {"community"}, "district": {"community", "street", "beside"},
    "city": {"community", "street", "beside", "elsewhere"}, "firm": {"street"},
}  # fmt: skip
"""Which spots a post of a level reaches; a firm reaches its one place."""

POSTS: dict[str, tuple[str, str, str]] = {
    # role: name, level, body
    "safety_inspector": ("王敏", "street", ""), "certified_officer": ("孙倩", "street", ""),
    "street_safety_office": ("刘洋", "street", ""), "street_deputy": ("副主任", "street", "望京平安办"),
    "street_director": ("主任", "street", "望京平安办"), "community_contact": ("联络员", "community", "望京平安办"),
    "grid_worker": ("网格员", "community", "望京平安办"), "district_committee_officer": ("何静", "district", ""),
    "district_regulator": ("周航", "district", ""), "district_regulator_head": ("局长", "district", "朝阳城管委"),
    "city_committee_officer": ("林涛", "city", ""), "leader_viewer": ("市领导", "city", "市安委办"),
    "hotline_staff": ("接线员", "city", "市安委办"), "duty_officer": ("值班员", "city", "市安委办"),
    "steward": ("管家", "city", "市安委办"), "enterprise_manager": ("李强", "firm", ""),
    "system_admin": ("系统员", "city", "市安委办"), "security_admin": ("安全员", "city", "市安委办"),
    "audit_admin": ("审计员", "city", "市安委办"),
}  # fmt: skip
LEVELS = {"street": "望京街道", "community": "望京社区", "district": "朝阳区", "city": "试验市"}


@dataclass
class Spot:
    """What stands in one area: everything that an address can name."""

    name: str
    ids: dict[str, UUID | str]


@dataclass
class Row:
    """One address of the table."""

    address: str
    method: str
    about: str
    cells: dict[str, str]


def table() -> list[Row]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return [Row(row.pop("address"), row.pop("method"), row.pop("about"), row) for row in csv.DictReader(stream)]


def addresses() -> Iterator[str]:
    """Every address of the pages, as the site itself lists them."""

    def walk(prefix: str, patterns: list[Any]) -> Iterator[str]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(path, pattern.url_patterns)
            elif isinstance(pattern, URLPattern) and not path.startswith("/api/"):
                yield path

    return walk("/", list(get_resolver().url_patterns))


def spot(made: Town, key: str) -> Spot:
    """Put one of everything into an area, in the name of somebody whom the matrix does not ask about."""
    name = f"{key}-{made.root}面馆"
    area = SPOTS[key]
    place = made.place(name, area=area, manager="李强" if key == "street" else None)
    other = made.place(f"{name}二店", area=area, manager=None)
    hazard = enter(
        actor=made.actor("外人"), at=AT, sighting=Sighting(place_id=place.pk, code="RG07", fact=f"{name}报警器断电")
    ).hazard
    visit = Visit.objects.create(
        root=made.root, number=f"V{place.number}", place=place, place_kind=place.kind, area_path=place.area_path,
        kind="patrol", on=ON, recorded_at=AT,
    )  # fmt: skip
    # The area alone is asked about: nobody of the matrix owes it or is on its chain.
    Obligation.objects.filter(matter_id=hazard.pk).update(person=made.people["外人"])
    body = next(iter(made.bodies.values()))
    mechanism = Mechanism.objects.create(root=made.root, name=name, lead=body, area=made.areas[area], from_on=ON)
    accident = Accident.objects.create(
        root=made.root, number=f"SG{place.number}", kind="fire", on=ON, unit_name=name, area_path=place.area_path, recorded_at=AT
    )  # fmt: skip
    duty = Obligation.objects.filter(matter_id=hazard.pk).first()
    assert duty is not None
    handover = Handover.objects.create(
        obligation=duty, from_person=made.people["外人"], to_person=made.people["又一外人"], offered_at=AT
    )
    source, _ = SourceList.objects.get_or_create(root=made.root, code="list", defaults={"name": "名册"})
    blind = Observation.objects.create(
        source=source, kind="place", key=key, digest="0" * 64, payload=f'{{"name": "{name}盲"}}', area_path=place.area_path,
        taken_at=AT,
    )  # fmt: skip
    stored = store(
        actor=made.job, at=AT, root=made.root, stream=BytesIO(picture(len(key) + len(made.root))), name="a.jpg"
    )
    shown = {
        kind: attach(actor=made.job, at=AT, file=stored, matter_kind=kind, matter_id=row.pk, purpose="before").pk
        for kind, row in (("hazard", hazard), ("place", place))
    }
    boundary = Boundary.objects.create(
        root=made.root, number=f"JM-{key}", fault="gap", role="territory", area=made.areas[area], area_path=place.area_path,
        found_at=AT,
    )  # fmt: skip
    made.body(f"{name}局", "district_water", area)
    made.hold(f"{name}局员", f"{name}局", "district_regulator", area, sector="water")
    joint = open_joint(
        actor=made.job, at=AT, kind="guidance", title=name, area_path=place.area_path, matter=("place", place.pk),
        parts=[Asked(made.bodies[f"{name}局"], "答复")],
    )  # fmt: skip
    made.hold(f"{name}员工", next(iter(made.bodies)), "safety_inspector", area)
    holding = Holding.objects.get(person=made.people[f"{name}员工"])
    newest, _ = Assessment.objects.get_or_create(
        root=made.root,
        as_of=ON,
        defaults={"made_at": AT, "position": 1, "manifest_hash": "0" * 64, "folder": "gone", "places": 0},
    )
    report = Report.objects.create(
        root=made.root, number=f"RA-{key}", area=made.areas[area], area_path=made.areas[area].path, assessment=newest,
        figures=FIGURES, made_by=made.people["外人"], made_at=AT,
    )  # fmt: skip
    overseen = oversight_at(made, name, area, hazard, holding)
    overseen["proof_id"] = attach(
        actor=made.job,
        at=AT,
        file=stored,
        matter_kind="due_duty",
        matter_id=UUID(str(overseen["due_id"])),
        purpose="paper",
    ).pk
    return Spot(
        name,
        {
            "hazard_id": hazard.pk, "place_id": place.pk, "other_id": other.pk, "visit_id": visit.pk,
            "accident_id": accident.pk, "mechanism_id": mechanism.pk, "obligation_id": duty.pk, "handover_id": handover.pk, "observation_id": blind.pk, "attachment_id": shown["hazard"],
            "place_attachment_id": shown["place"], "position": 0, "post_id": holding.post_id, "holding_id": holding.pk,
            "person_id": holding.person_id, "account_id": account_of(made, f"{name}员工").pk, "code": made.root, "token": "none",
            "action": "verify", "role": "supplier", "step": "disable", "size": "thumb", "number": 1, "merge_id": uuid4(), "view_id": uuid4(),
            "job_id": uuid4(), "warning_id": uuid4(), "token_id": uuid4(), "report_id": report.pk,
            "name": "accident_grade", **overseen,
            "boundary_id": boundary.pk, "joint_id": joint.pk,
            "part_id": joint.parts.get().pk,
        },
    )  # fmt: skip


def oversight_at(made: Town, name: str, area: str, hazard: Hazard, holding: Holding) -> dict[str, UUID | str]:
    """Put one of everything that the committee's office keeps into an area, addressed to a body of nobody's."""
    outsider, path = made.people["外人"], made.areas[area].path
    body = made.bodies.get("局外单位") or made.body("局外单位", "district_office", "试验市")
    given = Instruction.objects.create(
        root=made.root, kind="instruction", number=name, requirement="整改", issued_on=ON, due_on=ON, area_path=path,
        registrar=outsider, registered_at=AT,
    )  # fmt: skip
    measure = InstructedMeasure.objects.create(
        instruction=given, hazard=hazard, person=outsider, requirement="整改", put_at=AT, due_on=ON
    )
    case = SanctionCase.objects.create(
        root=made.root,
        number=name,
        hazard=hazard,
        title=name,
        area_path=path,
        level="district",
        happened_on=ON,
        opened_at=AT,
    )
    item = SanctionItem.objects.create(case=case, subject="unit", unit_name=name, handler=outsider, due_on=ON)
    paper = Instrument.objects.create(
        root=made.root, kind="note", year=2026, serial=Instrument.objects.count() + 1, issuer=body, issued_by=outsider,
        issued_at=AT, to_body=body, to_person=outsider, area_path=path, hazard=hazard, about_kind="hazard",
        about_id=hazard.pk, due_on=ON,
        facts=json.dumps({"number": hazard.number, "place": name, "fact": hazard.fact, "found_on": ON.isoformat()}),
    )  # fmt: skip
    visit = OversightVisit.objects.create(
        root=made.root,
        number=name,
        kind="inspection",
        area=made.areas[area],
        area_path=path,
        from_on=ON,
        leader=outsider,
    )
    finding = OversightFinding.objects.create(
        visit=visit, no=1, fact=name, requirement="整改", body=body, person=outsider, area_path=path, due_on=ON
    )
    duty = PostDuty.objects.create(
        root=made.root, post=holding.post, code="D1", title=name, ground="territory", period="month", evidence="file",
        area_path=path, from_on=ON,
    )  # fmt: skip
    due = DueDuty.objects.create(duty=duty, from_on=ON, until_on=ON, person=holding.person)
    clue = Clue.objects.create(
        root=made.root, number=name, kind="firm", key="central", area=made.areas[area], area_path=path, since_on=ON, until_on=ON,
        figures=json.dumps({"results": [], "groups": [], "cases": [], "all": 0, "comparisons": 1}), found_at=AT,
    )  # fmt: skip
    return {
        "clue_id": clue.pk, "instruction_id": given.pk, "measure_id": measure.pk, "case_id": case.pk, "item_id": item.pk, "oversight_id": visit.pk,
        "instrument_id": paper.pk, "finding_id": finding.pk, "duty_id": duty.pk, "due_id": due.pk, "about": "hazard",
        "about_id": hazard.pk, "what": "overdue", "area_code": made.areas[area].code,
    }  # fmt: skip


@dataclass
class Site:
    """The town with a spot in every relation, and a signed-in client of every role."""

    spots: dict[str, Spot]
    clients: dict[str, Client]

    def ask(self, row: Row, role: str, key: str) -> Any:
        """Open an address as a role, aimed at a spot; whatever it does is taken back."""
        ids = dict(self.spots[key].ids)
        if row.address.startswith("/places/"):
            ids["attachment_id"] = ids["place_attachment_id"]
        if row.address.startswith("/oversight/"):
            ids |= {"code": ids["area_code"], "attachment_id": ids["proof_id"]}
            ids["step"] = "rectify" if "findings" in row.address else "decide"
        if "/bulk/" in row.address:
            ids["action"] = "transfer"
        if "/boundaries/" in row.address:
            ids["step"] = "assign"
        if row.address.startswith("/board/<"):
            ids["code"] = "A01"
        path = re.sub(r"<\w+:(\w+)>", lambda found: str(ids[found[1]]), row.address)
        client = self.clients[role]
        session = dict(client.cookies)
        with transaction.atomic():
            answer: Any = client.generic(row.method, path)
            answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            for close in answer._resource_closers:  # files that were sent; the connection stays the test's own
                close()
            transaction.set_rollback(True)
        client.cookies.clear()
        client.cookies.update(session)
        return answer


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(middleware, "now", lambda: AT)
    cache.clear()
    made, other = town(), town("other")
    made.areas["望京社区"] = add_area(
        actor=made.job, at=AT, root="town", code="A01026001", name="望京社区", name_en="望京社区", level="community",
        parent=made.areas["望京街道"], path="1/05/026/001/",
    )  # fmt: skip
    for one in (made, other):
        one.hold("外人", "市安委办", "city_committee_officer", "试验市")
        one.person("又一外人")
    spots = {key: spot(other if key == "other root" else made, key) for key in SPOTS}
    for role, (name, level, body) in POSTS.items():
        if body:
            made.hold(name, body, role, LEVELS[level])
    made.person("无岗")
    clients = {role: client_of(made, name) for role, (name, _, _) in POSTS.items()}
    clients |= {"nobody": client_of(made, "无岗"), "anonymous": Client()}
    for client in clients.values():
        client.raise_request_exception = False
    return Site(spots, clients)


def answered(answer: Any) -> str:
    """Say in one sign what an answer was: ``+`` opened, ``-`` refused, ``0`` not there, or its status."""
    if answer.status_code in (401, 403):
        return "-"
    if answer.status_code in (301, 302) and answer["Location"].startswith("/sign-in/"):
        return "-"
    if answer.status_code == 404:
        return "0"
    if answer.status_code == 422 and answer.context and str(answer.context.get("code", "")).endswith("not_allowed"):
        return "-"
    return "+" if answer.status_code < 500 else str(answer.status_code)


def expected(row: Row, role: str, key: str) -> str:
    """What the table says of a role at an address towards a spot."""
    cell = row.cells[role]
    if cell != "+" or role not in POSTS or row.about in ("nothing", "public") or row.about.startswith("list"):
        return cell
    return "+" if key in REACH[POSTS[role][1]] else "0"


def wrong_at(site: Site, row: Row, role: str, key: str) -> str:
    """Return how an answer differs from the table, or nothing."""
    answer = site.ask(row, role, key)
    found, wanted = answered(answer), expected(row, role, key)
    if row.about == "public":
        # Never refused by post; 503 says that a worker is missing, 404 and the way to the sign-in are answers as well.
        return f"{answer.status_code}" if answer.status_code in (403, 500) else ""
    if row.about.startswith("list") and wanted == "0":
        wanted = "+"
    if found != wanted:
        return f"{found} ({answer.status_code}), the table says {wanted}"
    if row.about.startswith("list") and found == "+":
        shown = {one for one, other in site.spots.items() if other.name.encode() in answer.body}
        reach = REACH[POSTS[role][1]] if row.cells[role] == "+" else set()
        if shown != reach:
            return f"lists {sorted(shown)}, reaches {sorted(reach)}"
    return ""


def keys_of(row: Row, role: str, number: int, soak: bool) -> list[str]:
    """Which spots a cell is tried at.

    The full run takes all; the sample takes every role at one spot inside of its reach, a third of them at one outside.
    """
    if row.about == "public":
        return ["street"] if soak or role in ("anonymous", "nobody", "safety_inspector", "system_admin") else []
    if role not in POSTS:
        return ["street"]
    reach = REACH[POSTS[role][1]]
    inside = [key for key in SPOTS if key in reach]
    outside = [key for key in SPOTS if key not in reach]
    if row.about == "nothing" or row.about.startswith("list"):
        return inside[:1]
    if row.cells[role] == "-":
        return inside if soak else inside[:1]
    if soak:
        return list(SPOTS)
    third = (number + list(POSTS).index(role)) % 3 == 0
    return [inside[number % len(inside)], *([outside[number % len(outside)]] if third else [])]


def test_every_role_at_every_address_in_every_area(site: Site, soak: bool) -> None:
    wrong, asked = [], 0
    for number, row in enumerate(table()):
        for role in row.cells:
            for key in keys_of(row, role, number, soak):
                asked += 1
                if found := wrong_at(site, row, role, key):
                    wrong.append(f"{role} at {row.address} towards {key}: {found}")
    assert wrong == [], f"{len(wrong)} of {asked}\n" + "\n".join(wrong)


def test_every_address_of_the_site_is_in_the_table() -> None:
    assert sorted({row.address for row in table()}) == sorted(set(addresses()))


def test_an_address_that_is_not_in_the_table_is_noticed() -> None:
    """The planted fault: a page that nobody entered in the table."""
    assert set(addresses()) - {row.address for row in table() if row.address != "/ledger/"} == {"/ledger/"}


def test_an_unscoped_list_is_caught(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted faults: a list and a page that begin at all rows instead of at those that the actor may see."""
    rows = {row.address: row for row in table()}
    assert wrong_at(site, rows["/ledger/"], "safety_inspector", "street") == ""
    monkeypatch.setattr(hazards, "arms", lambda actor: [Hazard.objects.all()])
    monkeypatch.setattr(hazards, "visible_to", lambda actor: Hazard.objects.all())
    assert "lists" in wrong_at(site, rows["/ledger/"], "safety_inspector", "street")
    page = rows["/ledger/<uuid:hazard_id>/"]
    assert "the table says 0" in wrong_at(site, page, "safety_inspector", "beside")
    assert Place.objects.count() == 2 * len(SPOTS)
