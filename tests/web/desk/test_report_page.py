"""Reporting a hazard: place and item are found, a photo goes along, and the reporter learns what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from anban.base.files.models import Attachment
from anban.contexts.hazards.models import Hazard, Voice
from anban.contexts.hazards.operations import act
from anban.rules.hazard_lifecycle import Action
from tests.contexts.hazards.test_operations import later, ordered_and_applied, see
from tests.factories.town import AT, Town
from tests.web.desk.conftest import Clock
from tests.web.desk.test_hazard_page import jpeg

SignIn = Callable[[str], Client]


def report(client: Client, place: Any, **more: Any) -> Any:
    return client.post("/report/", {"place": str(place.pk), "code": "RG07", "part": "", "fact": "", **more})


@pytest.mark.parametrize(
    ("name", "origin", "state", "track"),
    [
        ("王敏", "patrol", "rectifying", ""),
        ("李强", "self_check", "rectifying", "self_check"),
        ("社区", "report", "unverified", ""),
    ],
)
def test_who_reports_decides_where_it_came_from(
    city: Town, signed_in: SignIn, name: str, origin: str, state: str, track: str
) -> None:
    place = city.place()
    city.hold("社区", "望京平安办", "community_contact", "望京街道")
    answer = report(signed_in(name), place, fact="报警器断电", photo_before=jpeg())
    hazard = Hazard.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/report/done/{hazard.pk}/?as=new")
    assert (hazard.origin, hazard.state, hazard.track) == (origin, state, track)
    assert hazard.found_at == AT
    attached = Attachment.objects.get()
    assert (attached.matter_id, attached.purpose, attached.cycle_no) == (hazard.pk, "before", 1)


def test_without_words_the_items_name_is_the_fact(city: Town, signed_in: SignIn) -> None:
    report(signed_in("王敏"), city.place())
    assert Hazard.objects.get().fact == "可燃气体报警器未装、断电、失效、未联动切断阀"


def test_everything_missing_is_said_at_once(city: Town, signed_in: SignIn) -> None:
    answer = signed_in("王敏").post("/report/", {"fact": ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in ("请选择单位或场所", "请选一项", "请写明看到了什么"):
        assert words in page
    assert not Hazard.objects.exists()
    assert city.root


def test_a_place_of_another_street_cannot_be_reported_on(city: Town, signed_in: SignIn) -> None:
    elsewhere = city.place("别处", area="呼家楼街道", manager=None)
    assert report(signed_in("王敏"), elsewhere).status_code == 422
    assert not Hazard.objects.exists()


def test_the_same_danger_joins_and_a_closed_one_comes_back(city: Town, signed_in: SignIn, clock: Clock) -> None:
    place = city.place()
    hazard = see(city, "王敏", place).hazard
    client = signed_in("刘洋")
    answer = report(client, place, photo_before=jpeg())
    assert answer["Location"] == f"/report/done/{hazard.pk}/?as=joined"
    assert "记为第 2 次" in client.get(answer["Location"]).content.decode()
    assert Voice.objects.count() == 2
    ordered_and_applied(city, hazard)
    act(
        actor=city.actor("孙倩"), at=later(4), hazard_id=hazard.pk, action=Action.REVIEW, verdict="passed",
        given={"second_person": city.people["吴桐"].pk, "opinion": "好"},
    )  # fmt: skip
    clock.at = later(40)
    client = signed_in("刘洋")
    answer = report(client, place)
    assert answer["Location"] == f"/report/done/{hazard.pk}/?as=rebound"
    assert "第1次反弹" in client.get(answer["Location"]).content.decode()


def test_suspected_major_starts_under_control(city: Town, signed_in: SignIn) -> None:
    report(signed_in("王敏"), city.place(), suspected="on", interim_control="停气", life_at_risk="on")
    hazard = Hazard.objects.get()
    assert (hazard.state, hazard.grade, hazard.interim_control) == ("suspected", "suspected_major", "停气")
    assert hazard.life_at_risk


def test_items_of_the_place_come_first_then_the_ten_then_a_search(city: Town, signed_in: SignIn) -> None:
    place = city.place()
    client = signed_in("王敏")
    page = client.get(f"/report/codes/?place={place.pk}").content.decode()
    groups = [part.split('"')[0] for part in page.split('<optgroup label="')[1:]]
    assert groups == ["餐饮场所(瓶装气、管道气)", "随处可查的十项"]
    found = client.get("/report/codes/?q_code=RG07").content.decode()
    assert found.count("<option value=") == 2
    assert 'value="RG07"' in found


def test_finding_a_place_without_scripts_keeps_what_was_typed(city: Town, signed_in: SignIn) -> None:
    place = city.place()
    elsewhere = city.place("别处", area="呼家楼街道", manager=None)
    client = signed_in("王敏")
    answer = client.post(
        "/report/", {"find": "1", "q": place.number, "fact": "后厨瓶装气", "photo_before": jpeg(), "part": "后厨"}
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'value="{place.pk}"' in page
    assert "后厨瓶装气" in page
    assert "已收到 1 张照片" in page
    kept = page.split('name="kept" value="')[1].split('"')[0]
    assert report(client, place, kept=kept).status_code == 302
    assert Attachment.objects.count() == 1
    assert str(elsewhere.pk) not in client.get(f"/report/places/?q={elsewhere.number}").content.decode()


def test_a_firm_finds_its_own_place_chosen(city: Town, signed_in: SignIn) -> None:
    place = city.place()
    page = signed_in("李强").get("/report/").content.decode()
    assert f'value="{place.pk}" checked' in page


def test_the_next_step_is_offered(city: Town, signed_in: SignIn) -> None:
    client = signed_in("王敏")
    answer = report(client, city.place())
    page = client.get(answer["Location"]).content.decode()
    hazard = Hazard.objects.get()
    assert f'href="/ledger/{hazard.pk}/advise/"' in page
    assert f'href="/ledger/{hazard.pk}/transfer/"' in page
    assert f'href="/ledger/{hazard.pk}/order/"' not in page, "a street inspector cannot order"
    assert signed_in("郑洁").get(answer["Location"]).status_code == 404
