"""The pages of the net, followed by their links from a district officer's desk: four clicks to a case, and to its settlement."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import pytest

from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.responsibility.models import Boundary, Decision, JointMatter, Mandate, Mechanism
from anban.contexts.responsibility.operations import add_mandate, look_over
from anban.contexts.territory.models import Body
from anban.web.shell import middleware
from tests.factories.signed import client_of
from tests.factories.town import AT, ON, town
from tests.factories.wizard import table, through, work

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


def test_a_table_goes_through_the_wizard_and_its_refused_rows_come_back_to_be_mended(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    for name in ("一号会所", "二号会所"):
        t.place(name, kind="postnatal_centre", manager=None)
    look_over(actor=t.job, at=AT)
    office = client_of(t, "何静")
    assert "/import/?kind=mandates" in links(office.get("/net/mandates/"))
    choose = office.get("/import/?kind=mandates").content.decode()
    assert '<option value="mandates" selected>' in choose
    assert "必有的列：机构、职责、地区代码" in choose
    rows = (
        "朝阳商务局,sector_lead,postnatal_centre,A01,2026-01-01,", "没有的局,special,,A01,,",
        "朝阳商务局,sector_lead,hotel,A01,2026-05-01,2026-05-01", "朝阳商务局,sector_lead,postnatal_centre,A01,2026-02-01,",
    )  # fmt: skip
    text = "\n".join(("body,role,place_kind,area,from,until", *rows))
    before = Mandate.objects.count()
    preview = through(office, text)
    work(AT)
    looked = office.get(preview).content.decode()
    for said in (
        "没有这个机构",
        "终止日期（不含）须晚于起始日期",
        "与第 2 行是同一机构、同一职责",
        "会明确 2 个场所原来空白或交叉的责任",
    ):
        assert said in looked
    assert Mandate.objects.count() == before
    applied = office.post(f"{preview}apply/").headers["Location"]
    work(AT)
    done = office.get(applied)
    assert [n for _key, _label, n in done.context["counts"]] == ["1", "0", "0", "3"]
    assert "/net/mandates/" in links(done)
    assert Mandate.objects.count() == before + 1
    assert Boundary.objects.get(place_kind="postnatal_centre", fault="gap").state == "gone"
    back = b"".join(office.get(f"{applied}refused/0/").streaming_content).decode("utf-8-sig")
    assert "没有的局" in back
    assert "没有这个机构" in back
    assert back.count("postnatal_centre") == 1
    assert client_of(t, "林涛").get(f"{applied}refused/0/").status_code == 404
    mended = back.replace("没有的局", "朝阳消防")
    work_again = through(office, mended, "mandates")
    work(AT)
    assert [n for _key, _label, n in office.get(work_again).context["counts"]] == ["1", "0", "0", "2"]
    given = office.get("/net/mandates/export/?form=csv")
    assert "朝阳商务局" in b"".join(given.streaming_content).decode("utf-8-sig")


def test_bodies_and_duty_lists_go_through_the_same_wizard_from_their_own_pages(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    office = client_of(t, "何静")
    assert "/import/?kind=bodies" in links(office.get("/people/"))
    assert "/import/?kind=duties" in links(office.get("/oversight/duties/"))
    given = b"".join(office.get("/people/bodies/export/?form=csv").streaming_content).decode("utf-8-sig")
    preview = through(office, given + "edu,区教育委员会,朝阳教委,,A01,,\n")
    work(AT)
    rows = len(given.splitlines()) - 1
    counts = [n for _key, _label, n in office.get(preview).context["counts"]]
    assert counts[0] == "1"
    assert int(counts[2]) + int(counts[3]) == rows, "what stands in other districts is not hers to enter"
    office.post(f"{preview}apply/")
    work(AT)
    assert Body.objects.get(code="edu").name == "朝阳教委"
    duties = "机构代码,岗位角色,地区代码,职责代码,职责内容,职责依据类别,周期,履职证据,起始日期\n朝阳消防,nobody,A01,D1,检查,属地管理,每月,检查记录,2026-01-01\n"
    refused = through(office, duties)
    work(AT)
    assert [n for _key, _label, n in office.get(refused).context["counts"]] == ["0", "0", "0", "1"]


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


def test_the_templates_of_links_are_listed_given_out_and_changed_by_the_steward_alone(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: datetime(2026, 11, 24, 1, 0, tzinfo=UTC))
    t = town()
    t.hold("管家", "市安委办", "steward", "试验市")
    page = client_of(t, "王敏").get("/net/links/?class=GAS")
    shown = page.content.decode()
    assert "城镇燃气管理条例" in shown
    assert "建质规" not in shown
    assert "/import/?kind=link-templates" not in links(page)
    steward = client_of(t, "管家")
    assert "/import/?kind=link-templates" in links(steward.get("/net/links/"))
    given = b"".join(steward.get("/net/links/export/?form=csv").streaming_content).decode("utf-8-sig")
    added = given + ",FIRE,,,,检测单位,专业监管,2026-11-01,,消防法 第十六条,FP,practice\n"
    at = middleware.now()
    office = client_of(t, "何静")
    assert 'value="link-templates"' not in office.get("/import/?kind=link-templates").content.decode()
    preview = through(steward, added)
    work(at)
    assert [n for _key, _label, n in steward.get(preview).context["counts"]] == ["1", "0", str(len(given.splitlines()) - 1), "0"]  # fmt: skip
    chosen = office.post("/import/", {"tables": table(added), "mapping": "link-templates"})
    assert chosen.status_code == 422, "to her it is no table that she may take in"
    steward.post(f"{preview}apply/")
    work(at)
    assert "消防法 第十六条 " in client_of(t, "王敏").get("/net/links/?role=checker&class=FIRE").content.decode()


def test_a_mechanism_is_looked_at_before_it_is_begun_changed_and_ended(monkeypatch):
    monkeypatch.setattr(middleware, "now", lambda: AT)
    t = town()
    seen = Sighting(place_id=t.place().pk, code="RG07", fact="报警器断电", inspected=True)
    hazard = enter(actor=t.actor("王敏"), at=AT, sighting=seen).hazard
    office = client_of(t, "何静")
    assert "/net/mechanisms/new/" in links(office.get("/net/joint/"))
    assert client_of(t, "王敏").get("/net/mechanisms/new/").status_code == 403
    fire, gas = (str(t.bodies[one].pk) for one in ("朝阳消防", "朝阳城管委"))
    asked = {
        "rows": "2", "name": "燃气报警器联动", "lead": gas, "by_rule": "on", "codes": "rg07", "basis": "区安委会会议纪要", "from_on": "2026-03-03",
        "body_0": fire, "part_0": "现场警戒", "days_0": "1", "body_1": gas, "part_1": "", "days_1": "2",
    }  # fmt: skip
    assert office.post("/net/mechanisms/new/", asked).status_code == 422
    asked["part_1"] = "关阀查漏"
    assert office.post("/net/mechanisms/new/", {**asked, "codes": "ZZ99"}).status_code == 422
    assert 'name="body_2"' in office.post("/net/mechanisms/new/", {**asked, "more": "1"}).content.decode()
    looked = office.post("/net/mechanisms/new/", asked)
    assert "过去一年会自动启动 1 次" in looked.content.decode()
    assert f"/ledger/{hazard.pk}/" in links(looked)
    assert not Mechanism.objects.exists()
    begun = office.post("/net/mechanisms/new/", {**asked, "begin": "1"})
    made = Mechanism.objects.get()
    assert (begun["Location"], made.hazard_codes, made.members.count()) == (f"/net/mechanisms/{made.pk}/", "RG07", 2)
    page = client_of(t, "王敏").get(begun["Location"])
    assert "关阀查漏" in page.content.decode()
    assert f"/net/mechanisms/{made.pk}/change/" not in links(page)
    edit = f"/net/mechanisms/{made.pk}/change/"
    assert edit in links(office.get(begun["Location"]))
    assert "关阀查漏" in office.get(edit).content.decode()
    assert office.post(edit, {**asked, "begin": "1"}).status_code == 422, "it cannot change before it began"
    changed = office.post(edit, {**asked, "begin": "1", "from_on": "2026-04-01", "days_0": "3"})
    made.refresh_from_db()
    assert made.until_on == date(2026, 4, 1)
    ended = office.post(f"{changed['Location']}end/", {"until_on": "2026-05-01"})
    assert ended.status_code == 302
    assert Mechanism.objects.filter(until_on=None).count() == 0
