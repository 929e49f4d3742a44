"""My desk: figures that equal their lists, one line per duty, handing over and signing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from anban.base.journal.models import Entry
from anban.contexts.hazards.models import Hazard
from anban.contexts.obligations.models import Handover, Obligation
from anban.contexts.obligations.operations import decline
from anban.rules.errors import Refusal
from tests.contexts.hazards.test_operations import see
from tests.factories.town import AT, Town
from tests.web.desk.conftest import Clock

SignIn = Callable[[str], Client]
FIGURE = re.compile(r'href="([^"]*)"[^>]*><span class="figure-label">([^<]+)</span> <span class="figure-value">(\d+)<')


def duties_in(page: str) -> int:
    return page.count('<li class="duty"') + page.count('<li class="offer"')


@pytest.mark.parametrize("rows", [1, 3])
def test_desk_needs_the_same_queries_however_many_rows(city: Town, signed_in: SignIn, rows: int) -> None:
    for number in range(rows):
        see(city, "王敏", city.place(f"单位{number}", manager=None))
    client = signed_in("王敏")
    client.get("/")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = client.get("/")
    assert duties_in(page.content.decode()) == rows
    assert len(queries) == 15


def test_every_figure_equals_the_list_it_opens(city: Town, signed_in: SignIn, clock: Clock) -> None:
    for days, name in ((0, "甲"), (1, "乙"), (4, "丙")):
        see(city, "王敏", city.place(name, manager=None), at=AT + timedelta(days=days))
    clock.at = AT + timedelta(days=4, hours=5)
    client = signed_in("王敏")
    figures = FIGURE.findall(client.get("/").content.decode())
    assert [label for _href, label, _n in figures] == ["逾期", "本周到期", "待我复查", "退回我的", "待签收"]
    assert [int(n) for _href, _label, n in figures] == [1, 1, 3, 0, 0]
    for href, label, number in figures:
        assert duties_in(client.get(href).content.decode()) == int(number), label


def test_a_line_says_clock_verb_place_matter(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place("巷口面馆")).hazard
    page = signed_in("王敏").get("/").content.decode()
    line = page[page.index('<li class="duty"') :]
    assert "还有 3 天" in line
    assert '<span class="duty-verb">核实</span>' in line
    assert f'href="/ledger/{hazard.pk}/?from=desk" data-row-link>巷口面馆</a>' in line
    assert "报警器断电" in line


def test_an_empty_desk_says_what_will_appear_and_how_to_begin(signed_in: SignIn) -> None:
    page = signed_in("王敏").get("/").content.decode()
    assert "现在没有待办" in page
    assert 'href="/report/"' in page


def test_a_duty_goes_to_a_colleague_who_signs(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    duty = Obligation.objects.get(matter_id=hazard.pk)
    giver, taker = signed_in("王敏"), signed_in("刘洋")
    form = giver.get(f"/duties/{duty.pk}/hand-over/").content.decode()
    assert "刘洋" in form
    assert "孙倩" not in form, "another body's officer was offered"
    answer = giver.post(f"/duties/{duty.pk}/hand-over/", {"to_person": str(city.people["刘洋"].pk)})
    assert answer.status_code == 302
    duty.refresh_from_db()
    assert duty.person_id == city.people["王敏"].pk, "the sender stays responsible until it is signed for"
    handover = Handover.objects.get(obligation=duty)
    assert "王敏 移交给您" in taker.get("/?only=sign").content.decode()
    assert giver.post(f"/handovers/{handover.pk}/sign/").status_code == 404, "only the addressee signs"
    assert taker.post(f"/handovers/{handover.pk}/sign/").status_code == 302
    duty.refresh_from_db()
    assert duty.person_id == city.people["刘洋"].pk
    verbs = [entry.body for entry in Entry.objects.filter(matter=f"hazard:{hazard.pk.hex}").order_by("-position")[:2]]
    assert '"obligation.handed_over"' in verbs[0]
    assert '"obligation.handover_offered"' in verbs[1]


def test_a_handover_is_sent_back_with_its_reason(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    duty = Obligation.objects.get(matter_id=hazard.pk)
    signed_in("王敏").post(f"/duties/{duty.pk}/hand-over/", {"to_person": str(city.people["刘洋"].pk)})
    handover = Handover.objects.get(obligation=duty)
    taker = signed_in("刘洋")
    assert taker.post(f"/handovers/{handover.pk}/decline/", {"reason": ""}).status_code == 422
    assert taker.post(f"/handovers/{handover.pk}/decline/", {"reason": "我在休假"}).status_code == 302
    handover.refresh_from_db()
    assert handover.declined_at == AT


def test_an_offer_is_taken_back_until_it_is_signed_for(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    duty = Obligation.objects.get(matter_id=hazard.pk)
    giver, taker = signed_in("王敏"), signed_in("刘洋")
    there = {"to_person": str(city.people["刘洋"].pk)}
    giver.post(f"/duties/{duty.pk}/hand-over/", there)
    first = Handover.objects.get(obligation=duty)
    assert "等刘洋签收" in giver.get("/").content.decode()
    assert taker.post(f"/handovers/{first.pk}/take-back/").status_code == 302, "who supervises the street may, too"
    first.refresh_from_db()
    assert (first.declined_at, first.signed_at) == (AT, None)
    assert "没有等您签收的事项" in taker.get("/?only=sign").content.decode()
    giver.post(f"/duties/{duty.pk}/hand-over/", there)
    second = Handover.objects.filter(declined_at__isnull=True).get()
    taker.post(f"/handovers/{second.pk}/sign/")
    page = giver.post(f"/handovers/{second.pk}/take-back/", follow=True)
    assert page.status_code == 404, "what was signed for is no longer mine"
    with pytest.raises(Refusal):
        decline(actor=city.actor("刘洋"), at=AT, handover_id=second.pk, reason="晚了")
    second.refresh_from_db()
    assert second.declined_at is None


def test_notices_tell_what_is_new_and_are_marked_as_read(city: Town, signed_in: SignIn) -> None:
    see(city, "王敏", city.place())
    client = signed_in("王敏")
    assert "1 条新通知" in client.get("/").content.decode()
    page = client.get("/notices/").content.decode()
    assert page.count("notice-new") == 1
    assert "报警器断电 · 巷口面馆" in page
    assert "notice-new" not in signed_in("高远").get("/notices/").content.decode(), "nobody reads another's"
    assert client.post("/notices/read/").status_code == 302
    assert "notice-new" not in client.get("/notices/").content.decode()
    assert "条新通知" not in client.get("/").content.decode()


def test_somebody_elses_duty_cannot_be_handed_over(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    duty = Obligation.objects.get(matter_id=hazard.pk)
    assert signed_in("郑洁").get(f"/duties/{duty.pk}/hand-over/").status_code == 404
    assert Hazard.objects.count() == 1


def test_a_stranger_is_asked_to_sign_in(city: Town) -> None:
    assert city.root
    answer = Client().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/")
