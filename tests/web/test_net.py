"""The pages of the net, followed by their links from a district officer's desk: four clicks to a case, and to its settlement."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from urllib.parse import urlencode

import pytest

from anban.contexts.responsibility.models import Boundary, Decision, JointMatter, Mandate
from anban.contexts.responsibility.operations import add_mandate, look_over
from anban.web.shell import middleware
from tests.factories.signed import client_of
from tests.factories.town import AT, ON, town

pytestmark = pytest.mark.django_db


def links(answer) -> list[str]:
    assert answer.status_code == 200
    return re.findall(r'href="(/[^"]*)"', answer.content.decode().replace("&amp;", "&"))


def test_a_district_officer_reaches_a_case_in_four_clicks_and_settles_it(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    t.place("月子会所", kind="postnatal_centre", manager=None)
    look_over(actor=t.job, at=AT)
    office = client_of(t, "何静")
    assert "/net/" in links(office.get("/"))
    listed = links(office.get("/net/"))
    assert "/net/boundaries/?fault=gap" in listed
    gap = Boundary.objects.get(place_kind="postnatal_centre")
    page = f"/net/boundaries/{gap.pk}/"
    assert page in links(office.get("/net/boundaries/?fault=gap"))
    assert any(one.startswith("/net/boundaries/") for one in links(office.get("/")))
    assert f"/net/places/?boundary={gap.pk}" in links(office.get(page))
    assert "月子会所" in office.get(f"/net/places/?boundary={gap.pk}").content.decode()
    body = str(t.bodies["朝阳商务局"].pk)
    bad = office.post(f"{page}assign/", {"assign-body": body, "assign-reason": ""})
    assert bad.status_code == 422

    def step(name, **given):
        answer = office.post(f"{page}{name}/", {f"{name}-{key}": value for key, value in given.items()})
        assert answer.status_code == 302, answer.content.decode()[:2000]

    step("assign", body=body, reason="业务相近")
    step("draft", body=body, reason="业务相近")
    assert "可解决 1 个场所" in office.get(page).content.decode()
    step("ask_opinions", bodies=[str(t.bodies["朝阳城管委"].pk)])
    asked = JointMatter.objects.get(kind="opinion")
    officer = client_of(t, "赵磊")
    part = asked.parts.get()
    assert f"/net/joint/of/{part.pk}/?from=desk" in links(officer.get("/"))
    assert officer.get(f"/net/joint/of/{part.pk}/")["Location"] == f"/net/joint/{asked.pk}/"
    assert officer.post(f"/net/joint/of/{part.pk}/answer/", {"words": "无意见"}).status_code == 302
    step("to_staffing")
    step("to_meeting", view="符合三定", view_on=ON.isoformat())
    step(
        "decide",
        meeting="常务会",
        document_no="朝政发〔2026〕3号",
        document_on=ON.isoformat(),
        effective_on="2026-03-03",
    )
    assert Decision.objects.get().state == "in_force"
    assert Mandate.objects.get(decision__isnull=False).from_on == date(2026, 3, 3)
    assert page not in links(office.get("/net/boundaries/?fault=gap"))
    assert page in links(office.get("/net/boundaries/?fault=gap&state=settled"))


def test_a_table_is_looked_at_before_it_is_taken_in_and_given_out_again(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    office = client_of(t, "何静")
    table = "body,role,place_kind,area\n朝阳商务局,sector_lead,hospital,A01\n没有的局,special,,A01\n".encode()
    before = Mandate.objects.count()
    file = BytesIO(table)
    file.name = "mandates.csv"
    looked = office.post("/net/mandates/import/", {"table": file})
    assert looked.status_code == 200
    assert "没有这个机构" in looked.content.decode()
    assert Mandate.objects.count() == before
    sealed = re.search(r'name="sealed" value="([^"]+)"', looked.content.decode())
    assert sealed is not None
    assert office.post("/net/mandates/import/", {"sealed": sealed[1]}).status_code == 302
    assert Mandate.objects.count() == before + 1
    assert client_of(t, "林涛").post("/net/mandates/import/", {"sealed": sealed[1]}).status_code == 404
    given = office.get("/net/mandates/export/?form=csv")
    assert "朝阳商务局" in b"".join(given.streaming_content).decode("utf-8-sig")


def test_a_street_whistles_and_the_refusal_is_ruled_on_in_the_browser(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    street, officer, office = (client_of(t, name) for name in ("刘洋", "赵磊", "何静"))
    sent = street.post("/net/joint/call/", {"kind": "whistle", "title": "后厨气瓶", "bodies": [str(t.bodies["朝阳城管委"].pk)], "words": "请到场"})  # fmt: skip
    assert sent.status_code == 302
    part = JointMatter.objects.get().parts.get()
    assert officer.post(f"/net/joint/of/{part.pk}/answer/", {"words": "不归我局", "refuse": "1"}).status_code == 302
    assert officer.post(f"/net/joint/of/{part.pk}/rule/", {"words": "x", "ruling": "excuse"}).status_code == 403
    assert office.post(f"/net/joint/of/{part.pk}/rule/", {"words": "归你局", "ruling": "arrive"}).status_code == 302
    part.refresh_from_db()
    assert part.state == "waiting"
    assert links(street.get("/net/joint/")).count(f"/net/joint/{part.joint_id}/") == 1


def test_the_district_page_of_oversight_counts_gaps_and_overlaps_and_opens_their_lists(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    t.place("月子会所", kind="postnatal_centre", manager=None)
    t.place("海淀月子会所", kind="postnatal_centre", area="中关村街道", manager=None)
    t.place("面馆", manager=None)
    twice = {"actor": t.job, "at": AT, "role": "special", "hazard_class": "CHEM", "area": t.areas["朝阳区"]}
    for body in ("朝阳商务局", "朝阳城管委"):
        add_mandate(body=t.bodies[body], **twice)
    look_over(actor=t.job, at=AT)
    path = t.areas["朝阳区"].path
    office = client_of(t, "何静")
    shown = office.get(f"/oversight/areas/{t.areas['朝阳区'].code}/")
    for fault in ("gap", "overlap"):
        address = f"/net/boundaries/?{urlencode({'fault': fault, 'area': path})}"
        assert address in links(shown)
        here = Boundary.objects.filter(fault=fault, area_path__startswith=path)
        figure = next(one for one in shown.context["figures"] if one.href == address)
        assert figure.value == str(here.count()) != "0"
        listed = office.get(address)
        assert {row.pk for row, *_ in listed.context["rows"]} == set(here.values_list("pk", flat=True))
        assert "朝阳区" in listed.content.decode()
    assert Boundary.objects.exclude(area_path__startswith=path).exists()
