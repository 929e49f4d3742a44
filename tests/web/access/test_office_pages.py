"""The pages of the office: who may open which, what they do, and how many queries they cost."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from anban.base.journal.models import Entry
from anban.base.people.models import AccessRecord, Account
from anban.contexts.catalog.data.tables import roles
from anban.contexts.territory.models import CalendarYear, Holding, LoadedCriteria, Setting
from anban.rules import law
from anban.web.desk import office_urls
from anban.web.public import urls as public_urls
from anban.web.shell.access import ADMINISTRATORS, EVERYBODY, PRIVILEGED
from tests.factories.office import Office

pytestmark = pytest.mark.django_db

OPEN = {
    "/people/": {"steward", "security_admin", "city_committee_officer", "district_committee_officer", "street_safety_office"},
    "/people/posts/new/": {"steward", "security_admin", "city_committee_officer", "district_committee_officer", "street_safety_office"},
    "/settings/": {"steward", "system_admin", "city_committee_officer"},
    "/access-log/": {"audit_admin"},
    "/account/": {row.code for row in roles()},
}  # fmt: skip
AREA = {"street": "street", "district": "district", "city": "city", "community": "street", "place": "street"}


@pytest.fixture
def office() -> Office:
    """A root with its offices."""
    return Office()


def verbs() -> list[str]:
    """Return what the journal says happened, in order."""
    return [json.loads(body)["verb"] for body in Entry.objects.order_by("position").values_list("body", flat=True)]


def test_the_roles_of_pages_are_the_roles_of_posts() -> None:
    codes = {row.code for row in roles()}
    assert set(EVERYBODY) | ADMINISTRATORS == codes
    assert {row.code for row in roles() if row.privileged} == PRIVILEGED
    assert not set(EVERYBODY) & ADMINISTRATORS


def test_every_page_says_who_may_open_it() -> None:
    seen = 0

    def walk(patterns: list[URLPattern | URLResolver]) -> None:
        nonlocal seen
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns)
            elif str(getattr(pattern.callback, "__module__", "")).startswith("anban.web"):
                seen += 1
                assert hasattr(pattern.callback, "needed_roles"), pattern.pattern

    walk(list(get_resolver().url_patterns))
    assert seen >= len(office_urls.urlpatterns) + len(public_urls.urlpatterns)


@pytest.mark.parametrize("role", [row.code for row in roles()])
def test_each_role_opens_its_pages_and_no_others(office: Office, role: str) -> None:
    level = next(row.level for row in roles() if row.code == role)
    office.account("a", role, AREA[level], factor=role in PRIVILEGED)
    client = office.client("a")
    for path, allowed in OPEN.items():
        assert client.get(path).status_code == (200 if role in allowed else 403), path


@pytest.mark.parametrize("path", list(OPEN))
def test_a_stranger_is_sent_to_sign_in_and_a_partial_update_with_him(path: str) -> None:
    assert Client().get(path).headers["Location"].startswith("/sign-in/?next=")
    answer = Client().get(path, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in/")


def test_administrators_arrive_at_their_own_page(office: Office) -> None:
    for name, role, page in (
        ("k", "security_admin", "/people/"),
        ("y", "system_admin", "/settings/"),
        ("u", "audit_admin", "/access-log/"),
    ):
        office.account(name, role, factor=True)
        assert office.client(name).get("/").headers["Location"] == page


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_of_posts_costs_the_same_for_one_and_for_three(
    office: Office, number: int, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    office.account("k", "security_admin", factor=True)
    for each in range(number):
        office.person(f"p{each}", ("safety_inspector", "street_safety_office", "hotline_staff")[each], "street")
    client = office.client("k")
    client.get("/people/")
    with django_assert_num_queries(12):  # type: ignore[operator]
        page = client.get("/people/").content.decode()
    assert page.count("data-row-link") == number + 1


def test_vacant_posts_come_first_and_can_be_asked_for_alone(office: Office) -> None:
    office.account("k", "security_admin", factor=True)
    office.person("p", "safety_inspector", "street")
    vacant = office.post("street_director", "street")
    client = office.client("k")
    page = client.get("/people/").content.decode()
    assert page.index(str(vacant.pk)) < page.index(str(office.post("security_admin").pk))
    alone = client.get("/people/?only=vacant").content.decode()
    assert str(vacant.pk) in alone
    assert str(office.post("safety_inspector", "street").pk) not in alone


def test_a_district_office_sees_and_fills_its_own_district_only(office: Office) -> None:
    office.account("d", "district_committee_officer", "district", factor=True)
    street, city = office.post("safety_inspector", "street"), office.post("duty_officer", "city")
    client = office.client("d")
    page = client.get("/people/").content.decode()
    assert str(street.pk) in page
    assert str(city.pk) not in page
    given = {"name": "新人", "from_on": "2026-01-01"}
    assert client.post(f"/people/posts/{city.pk}/", given).status_code == 404
    assert client.post(f"/people/posts/{street.pk}/", given).status_code == 302
    assert Holding.objects.get(post=street).person.name == "新人"
    assert verbs()[-2:] == ["person.added", "holding.appointed"]


def test_a_refused_appointment_leaves_no_person_behind(office: Office) -> None:
    office.account("b", "city_committee_officer", factor=True)
    post = office.post("security_admin")
    people = len(office.people)
    answer = office.client("b").post(f"/people/posts/{post.pk}/", {"name": "新人", "from_on": "2026-01-01"})
    assert answer.status_code == 422
    assert not Holding.objects.filter(post=post).exists()
    assert AccessRecord.objects.count() == 0
    assert len(office.people) == people
    assert verbs().count("person.added") == people


def test_a_holding_is_ended_with_its_day(office: Office) -> None:
    office.account("k", "security_admin", factor=True)
    office.person("p", "safety_inspector", "street")
    holding = Holding.objects.get(person=office.people["p"])
    path = f"/people/posts/{holding.post_id}/holdings/{holding.pk}/end/"
    client = office.client("k")
    client.post(path, {"until_on": "not a day"})
    assert Holding.objects.get(pk=holding.pk).until_on is None
    client.post(path, {"until_on": "2026-02-01"})
    assert Holding.objects.get(pk=holding.pk).until_on == date(2026, 2, 1)
    assert verbs()[-1] == "holding.ended"


def test_an_account_is_opened_and_its_link_shown_once(office: Office) -> None:
    office.account("k", "security_admin", factor=True)
    person = office.person("p", "safety_inspector", "street")
    client = office.client("k")
    path = f"/people/persons/{person.pk}/"
    assert client.post(f"{path}account/", {"login": "a b"}).status_code == 422
    client.post(f"{path}account/", {"login": "new.login"})
    page = client.get(path).content.decode()
    token = page.split("/set-up/")[1].split("/")[0]
    assert Client().get(f"/set-up/{token}/").status_code == 200
    assert token not in client.get(path).content.decode()
    assert AccessRecord.objects.filter(what="person.read", subject=str(person.pk)).count() == 3


def test_an_office_without_the_keys_sees_no_accounts(office: Office) -> None:
    office.account("p", "safety_inspector", "street")
    office.account("d", "district_committee_officer", "district", factor=True)
    client = office.client("d")
    page = client.get(f"/people/persons/{office.people['p'].pk}/").content.decode()
    assert "office.p" not in page
    account = Account.objects.get(login="office.p")
    assert client.post(f"/people/accounts/{account.pk}/disable/").status_code == 403
    assert Account.objects.get(pk=account.pk).is_active


def test_a_person_of_another_root_is_not_there(office: Office) -> None:
    other = Office("other")
    other.account("p", "safety_inspector", "street")
    office.account("k", "security_admin", factor=True)
    client = office.client("k")
    assert client.get(f"/people/persons/{other.people['p'].pk}/").status_code == 404
    assert client.post(f"/people/accounts/{other.accounts['p'].pk}/disable/").status_code == 404
    assert Account.objects.get(login="other.p").is_active


def test_a_figure_of_practice_is_set_and_law_is_not(office: Office) -> None:
    office.account("s", "steward", factor=True)
    client = office.client("s")
    key = law.overridable()[0]
    fixed = next(entry.key for entry in law.entries() if not entry.overridable)
    assert client.post("/settings/figures/", {"key": fixed, "value": "9"}).status_code == 422
    assert client.post("/settings/figures/", {"key": key, "value": "-1"}).status_code == 422
    assert client.post("/settings/figures/", {"key": key, "value": "9"}).status_code == 302
    assert list(Setting.objects.values_list("key", "value")) == [(key, "9")]
    assert verbs()[-1] == "setting.set"


def test_the_city_office_reads_the_figures_and_sets_none(office: Office) -> None:
    office.account("b", "city_committee_officer", factor=True)
    client = office.client("b")
    assert "/settings/figures/" not in client.get("/settings/").content.decode()
    assert client.post("/settings/figures/", {"key": law.overridable()[0], "value": "9"}).status_code == 403
    assert not Setting.objects.exists()


@pytest.mark.parametrize("part", ["figures", "calendar", "criteria", "sources", "retention"])
def test_every_part_of_the_settings_opens(office: Office, part: str) -> None:
    office.account("s", "steward", factor=True)
    assert office.client("s").get(f"/settings/?part={part}").status_code == 200


YEAR = "date,kind,name\n2031-01-01,off,元旦\n2031-05-01,off,劳动节\n2031-10-01,off,国庆节\n2031-09-28,work,调休\n"


@pytest.mark.parametrize(
    ("content", "status", "loaded"),
    [
        (YEAR.encode(), 302, 1),
        (b"\xef\xbb\xbf" + YEAR.encode(), 302, 1),
        (YEAR.replace("2031-05-01,off", "2031-05-01,free").encode(), 422, 0),
        (YEAR.replace("2031-10-01,off,国庆节\n", "").encode(), 422, 0),
        ("日期,类别\n".encode("gbk"), 422, 0),
        (b"x" * 300_000, 422, 0),
        (b"date,kind,name\n", 422, 0),
    ],
)
def test_a_year_of_the_calendar_is_loaded_whole_or_not_at_all(
    office: Office, content: bytes, status: int, loaded: int
) -> None:
    office.account("s", "steward", factor=True)
    answer = office.client("s").post(
        "/settings/calendar/", {"file": SimpleUploadedFile("2031.csv", content), "source": "通知"}
    )
    assert answer.status_code == status
    assert CalendarYear.objects.filter(year=2031).count() == loaded


STANDARD = """
kind = "elderly_care"
code = "养老机构 2023"
zh = "养老机构重大事故隐患"
en = "Elderly care"
law = "养老机构重大事故隐患判定标准"
in_force_from = 2023-11-27
certainty = "verified"
[[items]]
code = "4.1"
clause = "第四条第（一）项"
zh = "房屋鉴定为 C、D 级"
en = "building graded C or D"
"""


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (STANDARD.encode(), 302, ""),
        (b"\xef\xbb\xbf" + STANDARD.encode(), 302, ""),
        (STANDARD.replace("clause", "clausula").encode(), 422, "items[1].clausula"),
        (STANDARD.encode("gbk"), 422, "UTF-8"),
        (b"#" * 1_100_000, 422, "文件太大"),
    ],
)
def test_a_judgement_standard_is_loaded_whole_or_not_at_all(
    office: Office, content: bytes, status: int, told: str
) -> None:
    office.account("s", "steward", factor=True)
    client = office.client("s", **{"accept-language": "zh-hans"})
    answer = client.post("/settings/criteria/", {"file": SimpleUploadedFile("x.toml", content), "source": "民政部"})
    assert (answer.status_code, told in answer.content.decode()) == (status, True)
    if status == 302:
        assert list(LoadedCriteria.objects.values_list("code", "source")) == [("养老机构 2023", "民政部")]
        assert verbs()[-1] == "criteria.loaded"
        assert "民政部" in client.get("/settings/?part=criteria").content.decode()
        client.post("/settings/criteria/", {"file": SimpleUploadedFile("x.toml", content), "source": "第二次"})
        assert list(LoadedCriteria.objects.values_list("code", "source")) == [("养老机构 2023", "第二次")]
    else:
        assert not LoadedCriteria.objects.exists()


def test_the_city_office_reads_the_standards_and_loads_none(office: Office) -> None:
    office.account("b", "city_committee_officer", factor=True)
    client = office.client("b")
    assert "/settings/criteria/" not in client.get("/settings/?part=criteria").content.decode()
    file = SimpleUploadedFile("x.toml", STANDARD.encode())
    assert client.post("/settings/criteria/", {"file": file, "source": "x"}).status_code == 403


def test_the_state_of_the_house_is_the_system_administrators(office: Office) -> None:
    office.account("y", "system_admin", factor=True)
    office.account("s", "steward", factor=True)
    assert "guards" in office.client("y").get("/settings/?part=state").content.decode()
    assert "guards" not in office.client("s").get("/settings/?part=state").content.decode()


def test_a_refusal_is_a_page_with_its_reason_and_the_way_back(office: Office) -> None:
    office.account("s", "steward", factor=True)
    client = office.client("s", **{"accept-language": "zh-hans", "referer": "http://testserver/settings/"})
    page = client.post("/settings/figures/", {"key": "no.such", "value": "9"})
    assert page.status_code == 422
    assert "没有这一法定数值" in page.content.decode()
    assert 'href="http://testserver/settings/"' in page.content.decode()
    elsewhere = client.post("/settings/figures/", {"key": "no.such"}, headers={"referer": "https://evil.example/"})
    assert "evil" not in elsewhere.content.decode()
    part = client.post("/settings/figures/", {"key": "no.such"}, headers={"HX-Request": "true"}).content.decode()
    assert "law.unknown_key" in part
    assert "<html" not in part


def test_health_is_open_and_names_what_is_wrong() -> None:
    assert Client().get("/healthz").content == b"ok\n"
    answer = Client().get("/readyz")
    checks = json.loads(answer.content)["checks"]
    assert answer.status_code == 503
    # Nothing has run here yet, and that alone is wrong.
    assert [name for name, check in checks.items() if not check["ok"]] == ["worker"]
    lines = Client().get("/metrics").content.decode().splitlines()
    assert "anban_guards_missing 0" in lines
    assert all(line.startswith(("# ", "anban_")) for line in lines)
