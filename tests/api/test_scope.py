"""Who gets what where: every role at every endpoint, towards its own area, one below, one above, one beside, another root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern

from anban.api.urls import patterns
from anban.api.v1 import api
from anban.base.files.models import Attachment, StoredFile
from anban.contexts.accidents.models import Accident
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.models import Visit
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight.models import Clue, Instruction, Instrument, SanctionCase, SanctionItem
from anban.contexts.responsibility.models import Boundary, JointMatter, JointPart
from anban.contexts.responsibility.policies import READERS as NET
from anban.contexts.risk.models import Assessment, EarlyWarning, TopPlace
from anban.contexts.territory.operations import add_area
from anban.web.shell.access import NET_READERS
from tests.api.conftest import Caller, caller_of, see
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db

AREAS = {
    "city": "试验市", "district": "朝阳区", "street": "望京街道", "community": "望京社区", "beside_street": "呼家楼街道",
    "beside_district": "中关村街道", "other_root": "望京街道",
}  # fmt: skip
"""Where something stands for the matrix, and under which name in the town (`other_root`: in another town)."""

REACH: dict[str, dict[str, str]] = {
    # role: the area of each relation to the role's own area; a relation that the tree doesn't have is left out
    "street": {
        "own": "street", "child": "community", "parent": "district", "sibling": "beside_street", "other root": "other_root",
    },
    "district": {
        "own": "district", "child": "street", "parent": "city", "sibling": "beside_district", "other root": "other_root",
    },
    "city": {"own": "city", "child": "district", "other root": "other_root"},
    "community": {"own": "community", "parent": "street", "sibling": "beside_street", "other root": "other_root"},
    "firm": {
        "own": "street", "child": "community", "parent": "district", "sibling": "beside_street", "other root": "other_root",
    },
}  # fmt: skip

READS = (
    "get_place",
    "list_places",
    "list_hazards_of_place",
    "get_hazard",
    "list_hazards",
    "get_visit",
    "list_visits",
    "get_file",
    "list_risk_order",
)
KEEP = ("register_place", "amend_place")
WARNED = ("list_warnings",)
"""Warnings are about areas, whatever the kind of place: posts of a sector see none."""
OFFICE = ("list_obligations", "hand_over")

# role: (person, level, what it may do in its own area and below; never elsewhere)
ROLES: dict[str, tuple[str, str, frozenset[str]]] = {
    "safety_inspector": ("王敏", "street", frozenset({*READS, *WARNED, *KEEP, "enter_hazard", "record_visit", "act_on_hazard", "attach_to_hazard", "list_obligations"})),
    "street_safety_office": ("刘洋", "street", frozenset({*READS, *WARNED, *KEEP, *OFFICE, "enter_hazard", "record_visit", "act_on_hazard", "attach_to_hazard"})),
    "certified_officer": ("孙倩", "street", frozenset({*READS, *KEEP, "enter_hazard", "record_visit", "act_on_hazard", "attach_to_hazard", "list_obligations"})),
    "grid_worker": ("韩松", "community", frozenset({*READS, *WARNED, "register_place", "enter_hazard", "record_visit", "attach_to_hazard", "list_obligations"})),
    "district_regulator": ("周航", "district", frozenset({*READS, *KEEP, "enter_hazard", "record_visit", "act_on_hazard", "attach_to_hazard", "list_obligations"})),
    # Gas in a restaurant: the class is its own, the kind of place another sector's.
    "district_regulator of a class": ("赵磊", "district", frozenset({"get_hazard", "list_hazards", "get_file", "enter_hazard", "record_visit", "act_on_hazard", "attach_to_hazard", "list_obligations"})),
    "district_committee_officer": ("何静", "district", frozenset({*READS, *WARNED, *KEEP, *OFFICE, "enter_hazard", "attach_to_hazard"})),
    "leader_viewer": ("宋岩", "district", frozenset({*READS, *WARNED, "enter_hazard", "attach_to_hazard", "list_obligations"})),
    "city_committee_officer": ("林涛", "city", frozenset({*READS, *WARNED, *KEEP, *OFFICE, "enter_hazard", "attach_to_hazard"})),
    "enterprise_manager": ("李强", "firm", frozenset({*READS, "enter_hazard", "attach_to_hazard"} - {"list_risk_order"})),
    "system_admin": ("贺冰", "city", frozenset()),
}  # fmt: skip

PRESSING = "test_the_net_and_oversight_show_each_post_its_own"
BESIDE = {
    "list_mandates": "no secret among officials; nobody else (test_mandates_are_for_officials)",
    "list_mechanisms": "no secret among officials; nobody else (test_mandates_are_for_officials)",
    "list_boundaries": PRESSING, "list_joints": PRESSING, "list_instructions": PRESSING, "list_instruments": PRESSING,
    "list_sanctions": PRESSING, "list_clues": PRESSING, "list_accidents": PRESSING,
    "store_file": "one's own upload; read through a matter only (get_file)",
    "list_handovers": "the caller's own (test_only_the_addressee_signs)",
    "sign_for": "the addressee's alone (test_only_the_addressee_signs)",
    "decline": "the addressee's alone (test_only_the_addressee_signs)",
    "list_rules": "the law, the same for everybody with a key", "one_rule": "the law", "ask_rule": "the law; it holds no data",
    "list_assessments": "the root's; its figures are those of the caller's areas (test_risk)",
    "head": "public", "proof": "public", "consistency": "public",
    "openapi-json": "public: the document", "api-root": "no page: not found",
}  # fmt: skip
"""Routes that have no area, each with its reason."""


@dataclass
class Corner:
    """What stands in one area: a place with a hazard, its duty, a visit and a file."""

    place: Place
    hazard: Hazard
    visit: Visit
    duty: Obligation
    file: StoredFile
    warning: EarlyWarning
    area_code: str


def corner(made: Town, area: str, *, manager: str | None = None) -> Corner:
    """Put one of each into an area, through the house's own hand where a person would leave a trace of its own."""
    place = made.place(f"{area}面馆", area=area, manager=manager)
    hazard = see_by_job(made, place)
    visit = Visit.objects.create(
        root=made.root, number=f"V{place.number}", place=place, place_kind=place.kind, area_path=place.area_path,
        kind="patrol", on=ON, recorded_at=AT,
    )  # fmt: skip
    # Somebody of no area owes it: a person that owes is let in by the duty, and the area alone is asked about here.
    duty = Obligation.objects.filter(matter_id=hazard.pk, state="open").first()
    assert duty is not None
    Obligation.objects.filter(matter_id=hazard.pk).update(person=made.people["外人"])
    stored = StoredFile.objects.create(
        root=made.root, sha256=place.pk.hex * 2, size=4, mime="application/pdf", stored_at=AT, stored_by="x"
    )
    Attachment.objects.create(
        file=stored, matter_kind="hazard", matter_id=hazard.pk, purpose="before", attached_at=AT, attached_by="x"
    )
    newest, _ = Assessment.objects.get_or_create(
        root=made.root,
        as_of=ON,
        defaults={"made_at": AT, "position": 1, "places": 0, "engine": "duckdb", "folder": "-"},
    )
    facts = {"daily": 0.01, "days_unseen": 10, "fails_730": 0, "rebounds_365": 0, "calls_90": 0, "open_now": 1}
    TopPlace.objects.create(
        assessment_id=newest.pk, root=made.root, place=place, area_path=place.area_path, kind=place.kind, index_value=1.0,
        chance=0.1, facts=orjson.dumps(facts).decode(),
    )  # fmt: skip
    warning = EarlyWarning.objects.create(
        root=made.root,
        method="scan",
        kind="x",
        area_path=place.area_path,
        level="watch",
        zh="x",
        en="x",
        first_on=ON,
        last_on=ON,
    )
    return Corner(place, hazard, visit, duty, stored, warning, made.areas[area].code)


def see_by_job(made: Town, place: Place) -> Hazard:
    """Put a hazard on the ledger in nobody's name that the matrix asks about."""
    return see(made, place, "外人")


def build() -> tuple[Town, dict[str, Corner]]:
    """Build both towns with a corner in every area of the matrix."""
    made, other = town(), town("other")
    for one in (made, other):
        one.hold("外人", "市安委办", "city_committee_officer", "试验市")
    made.areas["望京社区"] = add_area(
        actor=made.job, at=AT, root="town", code="A01026001", name="望京社区", name_en="望京社区", level="community",
        parent=made.areas["望京街道"], path="1/05/026/001/",
    )  # fmt: skip
    made.body("望京居委会", "community", "望京社区")
    made.hold("韩松", "望京居委会", "grid_worker", "望京社区")
    made.hold("贺冰", "市安委办", "system_admin", "试验市")
    corners = {
        key: corner(other if key == "other_root" else made, area, manager="李强" if key == "street" else None)
        for key, area in AREAS.items()
    }
    return made, corners


def requests(caller: Caller, spot: Corner, made: Town) -> dict[str, Callable[[], Any]]:
    """Return one request per endpoint that has an area, aimed at a corner."""
    hazard, place = f"/hazards/{spot.hazard.pk}", f"/places/{spot.place.pk}"

    def listed(path: str, wanted: Any) -> Callable[[], Any]:
        def ask() -> Any:
            answer = caller.get(path)
            if answer.status_code == 200:
                answer.found = any(row["id"] == str(wanted.pk) for row in answer.json()["items"])
            return answer

        return ask

    return {
        "list_places": listed("/places?size=200", spot.place),
        "get_place": lambda: caller.get(place),
        "register_place": lambda: caller.post(
            f"/places?root={spot.place.root}", {"name": "新", "area": spot.area_code, "kind": "catering"}
        ),
        "amend_place": lambda: caller.patch(place, {"address": "新址"}),
        "list_hazards_of_place": lambda: caller.get(f"{place}/hazards"),
        "list_hazards": listed("/hazards?size=200", spot.hazard),
        "get_hazard": lambda: caller.get(hazard),
        "enter_hazard": lambda: caller.post("/hazards", {"place": str(spot.place.pk), "code": "RG10", "fact": "x"}),
        "act_on_hazard": lambda: caller.post(f"{hazard}/actions/verify", {"verdict": "founded", "given": {"reason": "属实"}}),
        "attach_to_hazard": lambda: caller.post(f"{hazard}/attachments", {"file": str(spot.file.pk), "purpose": "paper"}),
        "list_visits": listed("/visits?size=200", spot.visit),
        "get_visit": lambda: caller.get(f"/visits/{spot.visit.pk}"),
        "record_visit": lambda: caller.post("/visits", {"place": str(spot.place.pk)}),
        "list_obligations": listed("/obligations?scope=area&size=200", spot.duty),
        "hand_over": lambda: caller.post(
            f"/obligations/{spot.duty.pk}/handover", {"to_person": str(made.people["吴桐"].pk)}
        ),
        "get_file": lambda: caller.get(f"/files/{spot.file.pk}"),
        "list_risk_order": listed("/risk/order?size=200", spot.place),
        "list_warnings": listed("/risk/warnings?size=200", spot.warning),
    }  # fmt: skip


def cells() -> Iterator[tuple[str, str]]:
    """Every role with every relation of its tree."""
    for role, (_, level, _) in ROLES.items():
        for relation in REACH[level]:
            yield role, relation


def reached(answer: Any) -> bool:
    """Whether an answer gave, or did, what was asked; bytes that lie nowhere (503) were asked for by right."""
    if answer.status_code == 200 and hasattr(answer, "found"):
        return bool(answer.found)
    return answer.status_code in (200, 201, 503)


def test_the_matrix_of_roles_endpoints_and_areas() -> None:
    made, corners = build()
    wrong: list[str] = []
    for role, relation in cells():
        name, level, allowed = ROLES[role]
        key = REACH[level][relation]
        inside = relation == "own" or (relation == "child" and level != "firm")
        caller = caller_of(made, name)
        for endpoint, ask in requests(caller, corners[key], made).items():
            with transaction.atomic():
                answer = ask()
                transaction.set_rollback(True)
            expected = inside and endpoint in allowed
            if reached(answer) != expected:
                code = answer.json().get("code") if "json" in answer["Content-Type"] else ""
                wrong.append(f"{role} {relation} {endpoint}: {answer.status_code} {code}, expected {expected}")
            outside_read = not inside and endpoint in READS and not endpoint.startswith("list_")
            if outside_read and role != "system_admin" and answer.status_code != 404:
                wrong.append(f"{role} {relation} {endpoint}: {answer.status_code}, not 404")
    assert wrong == [], "\n".join(wrong)


def test_every_route_is_in_the_matrix_or_named_with_its_reason() -> None:
    names = {pattern.name for pattern in patterns if isinstance(pattern, URLPattern)}
    covered = {endpoint for _, _, allowed in ROLES.values() for endpoint in allowed}
    operations = {
        operation.view_func.__name__
        for router in api._routers
        for view in router[1].path_operations.values()
        for operation in view.operations
    }
    assert operations | (names & {"openapi-json", "api-root"}) == covered | set(BESIDE)


def test_only_the_addressee_signs(here: Town) -> None:
    see(here, here.place())
    duty = Obligation.objects.get()
    offered = caller_of(here, "王敏").post(
        f"/obligations/{duty.pk}/handover", {"to_person": str(here.people["刘洋"].pk)}
    )
    for name in ("王敏", "郑洁", "何静", "李强"):
        caller = caller_of(here, name)
        assert caller.get("/handovers").json()["items"] == []
        assert caller.post(f"/handovers/{offered.json()['id']}/sign", None).status_code == 404
        assert caller.post(f"/handovers/{offered.json()['id']}/decline", {"reason": "x"}).status_code == 404
    duty.refresh_from_db()
    assert duty.person_id == here.people["王敏"].pk


READERS = frozenset({"王敏", "刘洋", "孙倩", "周航", "赵磊", "何静", "宋岩", "林涛"})
SEEN_BY: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    # endpoint: who sees what stands in 望京街道, who sees what stands in 中关村街道 (of the persons below)
    "boundaries": (READERS, frozenset({"高远", "林涛"})),
    "joints": (READERS, frozenset({"高远", "林涛"})),
    "instructions": (frozenset({"何静", "宋岩", "林涛"}), frozenset({"林涛"})),
    "instruments": (frozenset({"何静", "宋岩", "林涛"}), frozenset({"林涛"})),
    "sanctions": (frozenset({"何静", "宋岩", "林涛"}), frozenset({"林涛"})),
    "clues": (frozenset({"何静", "林涛"}), frozenset({"林涛"})),
    "accidents": (frozenset({"刘洋", "周航", "赵磊", "何静", "宋岩", "林涛"}), frozenset({"林涛"})),
}


def pressed(made: Town, area: str) -> dict[str, Any]:
    """Put one of everything that the net and oversight know into an area, in the name of somebody whom nobody asks about."""
    person, body = made.people["外人"], made.bodies["市安委办"]
    path = made.areas[area].path
    accident = Accident.objects.create(
        root=made.root, number=f"SG{path}", kind="fire", on=ON, unit_name=area, area_path=path, recorded_at=AT
    )
    more = {"root": made.root, "area_path": path}
    case = SanctionCase.objects.create(
        number=f"WZ{path}", accident=accident, title=area, level="district", happened_on=ON, opened_at=AT, **more
    )
    SanctionItem.objects.create(case=case, subject="unit", unit_name=area, handler=person, due_on=ON)
    joint = JointMatter.objects.create(
        number=f"XT{path}", kind="whistle", title=area, matter_kind="street", matter_id=case.pk, opened_at=AT, **more
    )
    JointPart.objects.create(joint=joint, body=body, part="到场", state="waiting", due_at=AT)
    return {
        "accidents": accident, "sanctions": case, "joints": joint,
        "boundaries": Boundary.objects.create(
            number=f"JX{path}", fault="gap", role="special", area=made.areas[area], bodies=str(body.pk), found_at=AT, **more
        ),
        "instructions": Instruction.objects.create(
            kind="document", number=area, requirement="整改", issued_on=ON, due_on=ON, registrar=person, registered_at=AT, **more
        ),
        "clues": Clue.objects.create(
            number=f"YP{path}", kind="firm", key="central", area=made.areas[area], since_on=ON, until_on=ON, figures="{}", found_at=AT,
            **more,
        ),
        "instruments": Instrument.objects.create(
            kind="note", year=2026, serial=Instrument.objects.count() + 1, issuer=body, issued_by=person, issued_at=AT,
            to_body=body, to_person=person, about_kind="sanction", about_id=case.pk, facts="{}", due_on=ON, **more,
        ),
    }  # fmt: skip


def test_the_net_and_oversight_show_each_post_its_own() -> None:
    made, _corners = build()
    other = town("third")
    other.hold("外人", "市安委办", "city_committee_officer", "试验市")
    here, beside, elsewhere = pressed(made, "望京街道"), pressed(made, "中关村街道"), pressed(other, "望京街道")
    wrong = []
    for name in (*READERS, "高远", "韩松", "李强"):
        caller = caller_of(made, name)
        for endpoint, (seers, beside_seers) in SEEN_BY.items():
            answer = caller.get(f"/{endpoint}?size=200")
            shown = {row["id"] for row in answer.json().get("items", ())}
            wanted = {str(here[endpoint].pk)} if name in seers else set()
            wanted |= {str(beside[endpoint].pk)} if name in beside_seers else set()
            if shown != wanted:
                wrong.append(f"{name} {endpoint}: {answer.status_code} {shown}, expected {wanted}")
            if str(elsewhere[endpoint].pk) in shown:
                wrong.append(f"{name} {endpoint} sees another root")
    assert wrong == [], "\n".join(wrong)


def test_mandates_are_for_officials() -> None:
    assert NET_READERS == NET, "pages and interface ask the same posts"
    made, _corners = build()
    for path in ("/mandates", "/mechanisms", "/boundaries", "/joints"):
        for name in ("李强", "韩松"):
            assert caller_of(made, name).get(path).json()["code"] == "net.not_allowed"
        assert caller_of(made, "王敏").get(path).status_code == 200
    shown = caller_of(made, "王敏").get("/mandates?area=A01&role=special").json()["items"]
    assert {row["body"]["name"] for row in shown} == {"朝阳城管委", "朝阳消防"}
    assert caller_of(made, "王敏").get("/mandates?area=nowhere").json()["code"] == "api.value_unknown"
    assert caller_of(made, "王敏").get("/mandates?on=2025-12-31").status_code == 200


def test_the_net_and_oversight_need_the_same_queries_for_one_row_and_three() -> None:
    made, _corners = build()
    caller = caller_of(made, "林涛")
    counts: dict[str, list[int]] = {}
    for areas in (("望京街道",), ("中关村街道", "呼家楼街道")):
        for area in areas:
            pressed(made, area)
        for endpoint in (*SEEN_BY, "mandates", "mechanisms"):
            with CaptureQueriesContext(connection) as captured:
                assert caller.get(f"/{endpoint}").status_code == 200
            counts.setdefault(endpoint, []).append(len(captured))
    assert {one: len(set(two)) for one, two in counts.items()} == dict.fromkeys(counts, 1), counts
    assert max(max(two) for two in counts.values()) <= 11, counts
