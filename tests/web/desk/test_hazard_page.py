"""The hazard page: what it tells, which buttons it has, its forms, refusals beside their fields, photos, and who may not see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from anban.base.files.models import Attachment, StoredFile
from anban.base.journal.models import Entry
from anban.base.people.models import AccessRecord
from anban.contexts.hazards.models import Cycle, Hazard
from anban.contexts.hazards.operations import act
from anban.contexts.inspections.models import Visit
from anban.rules.hazard_lifecycle import Action
from tests.contexts.hazards.test_operations import later, ordered_and_applied, see
from tests.factories.town import AT, ON, Town
from tests.web.desk.conftest import Clock

SignIn = Callable[[str], Client]


def jpeg(shade: int = 90, name: str = "photo.jpg") -> SimpleUploadedFile:
    """Return a small photo as a phone sends it."""
    target = BytesIO()
    Image.new("RGB", (320, 240), (shade, shade, 120)).save(target, "JPEG")
    return SimpleUploadedFile(name, target.getvalue(), content_type="image/jpeg")


def body(client: Client, hazard: Hazard, rest: str = "") -> str:
    answer = client.get(f"/ledger/{hazard.pk}/{rest}")
    assert answer.status_code == 200
    return answer.content.decode()


def buttons(page: str) -> list[str]:
    part = page[page.index('<div class="chain">') : page.index("data-photos")]
    return [piece.split(">")[1].split("<")[0] for piece in part.split('<a class="button')[1:]]


def verbs(hazard: Hazard) -> list[str]:
    rows = Entry.objects.filter(matter=f"hazard:{hazard.pk.hex}").order_by("position").values_list("body", flat=True)
    return [row.split('"verb":"')[1].split('"')[0] for row in rows]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_needs_the_same_queries_however_much_happened(city: Town, signed_in: SignIn, rows: int) -> None:
    place = city.place()
    hazard = see(city, "王敏", place).hazard
    for number in range(rows):
        see(city, "刘洋", place, at=later(0, number))
    client = signed_in("王敏")
    client.get(f"/ledger/{hazard.pk}/")
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/ledger/{hazard.pk}/")
    assert len(queries) == 29


def test_the_page_says_what_whose_by_when_and_logs_the_read(city: Town, signed_in: SignIn) -> None:
    place = city.place()
    hazard = see(city, "王敏", place).hazard
    ordered_and_applied(city, hazard)
    page = body(signed_in("孙倩"), hazard)
    assert "HZ-2026-000001" in page
    assert f'href="/places/{place.pk}/"' in page
    assert "待复查" in page
    assert "还有 7 天" in page
    assert "朝阳区 望京街道" in page
    for duty, person in (("整改", "李强"), ("属地", "王敏"), ("行业主管", "周航"), ("专业监管", "赵磊")):
        assert duty in page
        assert person in page
    last = (
        Entry.objects.filter(matter=f"hazard:{hazard.pk.hex}")
        .order_by("-position")
        .values_list("position", flat=True)[0]
    )
    assert f'href="/journal/{last}/"' in page
    assert "核验通过" in Client().get(f"/journal/{last}/").content.decode(), "the seal opens its proof, for anybody"
    assert AccessRecord.objects.filter(what="hazard", subject=hazard.number).count() == 1


def test_a_missing_person_is_said_to_be_missing_and_who_must_name_it(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place(manager=None, kind="cinema"), code="IM08").hazard
    page = body(signed_in("王敏"), hazard)
    assert "缺，请属地落实整改责任人" in page
    assert "缺，请区安委办明确行业主管部门" in page


def test_only_the_buttons_this_person_may_press(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    ordered_and_applied(city, hazard)
    assert buttons(body(signed_in("孙倩"), hazard))[0] == "复查"
    assert "复查" not in buttons(body(signed_in("王敏"), hazard)), (
        "a street inspector may not re-inspect what others ordered"
    )
    assert "责令限期整改" not in buttons(body(signed_in("李强"), hazard))


@pytest.mark.parametrize("rest", ["", "verify/", "transfer/"])
def test_a_neighbouring_street_gets_404(city: Town, signed_in: SignIn, rest: str) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    assert signed_in("王敏").get(f"/ledger/{hazard.pk}/{rest}").status_code == 200
    for stranger in ("郑洁", "高远"):
        assert signed_in(stranger).get(f"/ledger/{hazard.pk}/{rest}").status_code == 404
    assert signed_in("郑洁").post(f"/ledger/{hazard.pk}/transfer/", {}).status_code == 404


def test_an_unknown_action_is_404_and_one_of_others_is_refused_with_who_may(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    client = signed_in("王敏")
    assert client.get(f"/ledger/{hazard.pk}/abolish/").status_code == 404
    answer = client.get(f"/ledger/{hazard.pk}/order/")
    assert answer.status_code == 422
    assert "可以办理的人：执法人员" in answer.content.decode()


def test_the_form_asks_for_what_the_table_needs(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    page = body(signed_in("孙倩"), hazard, "order/")
    for name in ("term", "due_on", "basis", "measures", "version"):
        assert f'name="{name}"' in page
    assert "3 天（3月5日 周四）" in page
    assert "30 天（4月1日 周三）" in page
    assert "安全生产法 36(4)" in page, "the basis of the item is filled in"


def test_an_order_by_term_sets_the_day(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    answer = signed_in("孙倩").post(
        f"/ledger/{hazard.pk}/order/",
        {"version": hazard.version, "term": "15", "basis": "条例", "measures": "更换报警器"},
    )
    assert (answer.status_code, answer["Location"]) == (302, f"/ledger/{hazard.pk}/")
    hazard.refresh_from_db()
    assert hazard.due_at is not None
    assert hazard.due_at.astimezone(None).date() >= ON
    assert (hazard.due_at - AT).days == 15
    assert verbs(hazard)[-1].startswith("obligation.")
    assert "hazard.ordered" in verbs(hazard)


def test_what_is_missing_is_said_beside_its_field_and_the_rest_is_kept(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    answer = signed_in("孙倩").post(
        f"/ledger/{hazard.pk}/order/",
        {"version": hazard.version, "term": "other", "basis": "条例第三十条", "measures": ""},
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#id_measures"' in page
    assert "请写明日期。" in page
    assert "条例第三十条" in page
    assert Hazard.objects.get(pk=hazard.pk).due_at is None


def test_a_refusal_of_the_domain_stands_beside_its_field(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    before = (ON - timedelta(days=1)).isoformat()
    answer = signed_in("孙倩").post(
        f"/ledger/{hazard.pk}/order/",
        {"version": hazard.version, "term": "other", "due_on": before, "basis": "条例", "measures": "更换"},
    )
    assert answer.status_code == 422
    assert 'id="id_due_on_error"' in answer.content.decode()
    assert "期限不能早于今天。" in answer.content.decode()


def test_two_at_once_the_second_learns_who_was_first_and_keeps_its_words(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    stale = hazard.version
    act(
        actor=city.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    given = {"version": stale, "term": "7", "basis": "条例", "measures": "先断气再更换"}
    answer = signed_in("孙倩").post(f"/ledger/{hazard.pk}/order/", given)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "王敏刚刚改动了这条隐患" in page
    assert "先断气再更换" in page
    now = Hazard.objects.get(pk=hazard.pk).version
    assert f'name="version" value="{now}"' in page, "having looked, one more press does it"


def test_photos_survive_a_refusal_and_count_when_sent_again(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    client = signed_in("王敏")
    answer = client.post(
        f"/ledger/{hazard.pk}/fix_on_spot/",
        {"version": hazard.version, "photo_before": jpeg(40), "photo_after": jpeg(200)},
    )
    page = answer.content.decode()
    assert answer.status_code == 422, "whether it was on site has not been said"
    assert "已收到 1 张照片" in page
    assert Attachment.objects.count() == 0, "nothing is attached before the action is done"
    kept = page.split('name="kept" value="')[1].split('"')[0]
    again = client.post(f"/ledger/{hazard.pk}/fix_on_spot/", {"version": hazard.version, "kept": kept, "on_site": "no"})
    assert again.status_code == 302
    hazard.refresh_from_db()
    assert (hazard.state, hazard.proof) == ("closed", "photo")
    assert sorted(Attachment.objects.values_list("purpose", "cycle_no")) == [("after", 1), ("before", 1)]
    other = signed_in("刘洋")
    second = see(city, "王敏", city.place("车库", manager=None), code="EB01").hazard
    stolen = other.post(f"/ledger/{second.pk}/fix_on_spot/", {"version": second.version, "kept": kept, "on_site": "no"})
    assert stolen.status_code == 422, "a photo taken in by one person is worth nothing to another"


def test_a_file_that_is_no_photo_is_refused_beside_its_field(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    act(
        actor=city.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    hazard.refresh_from_db()
    words = SimpleUploadedFile("photo.jpg", b"%PDF-1.4 not a photo", content_type="image/jpeg")
    answer = signed_in("李强").post(
        f"/ledger/{hazard.pk}/apply_review/", {"version": hazard.version, "photo_after": words}
    )
    assert answer.status_code == 422
    assert 'id="id_photo_after_error"' in answer.content.decode()
    assert Hazard.objects.get(pk=hazard.pk).state == "rectifying"
    assert StoredFile.objects.count() == 0


def test_a_review_on_site_records_a_visit_and_proves_it(city: Town, signed_in: SignIn, clock: Clock) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    ordered_and_applied(city, hazard)
    clock.at = later(2)
    hazard.refresh_from_db()
    client = signed_in("孙倩")
    given: dict[str, Any] = {
        "version": hazard.version, "verdict": "passed", "opinion": "已更换", "second_person": str(city.people["吴桐"].pk),
    }  # fmt: skip
    assert client.post(f"/ledger/{hazard.pk}/review/", given).status_code == 422, (
        "being there is asked for, never assumed"
    )
    assert client.post(f"/ledger/{hazard.pk}/review/", {**given, "on_site": "yes"}).status_code == 302
    hazard.refresh_from_db()
    assert (hazard.state, hazard.proof) == ("closed", "on_site")
    assert Visit.objects.count() == 1
    page = body(client, hazard)
    assert "观察期至" in page
    assert "现场核验" in page
    assert "按期完成" in page


def test_the_rectifier_is_told_why_it_may_not_accept(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place(manager="孙倩")).hazard
    act(
        actor=city.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    act(
        actor=city.actor("吴桐"), at=AT, hazard_id=hazard.pk, action=Action.ORDER,
        given={"due_on": ON, "basis": "b", "measures": "m"},
    )  # fmt: skip
    act(actor=city.actor("孙倩"), at=AT, hazard_id=hazard.pk, action=Action.APPLY_REVIEW, given={"photo_after": True})
    hazard.refresh_from_db()
    answer = signed_in("孙倩").post(
        f"/ledger/{hazard.pk}/review/",
        {
            "version": hazard.version, "verdict": "passed", "on_site": "no", "opinion": "好",
            "second_person": str(city.people["吴桐"].pk),
        },
    )  # fmt: skip
    assert answer.status_code == 422
    assert "整改" in answer.content.decode()
    assert Hazard.objects.get(pk=hazard.pk).state == "awaiting_review"


def test_a_rebound_shows_the_first_cycle_as_it_closed(city: Town, signed_in: SignIn, clock: Clock) -> None:
    place = city.place()
    hazard = see(city, "王敏", place).hazard
    ordered_and_applied(city, hazard)
    act(
        actor=city.actor("孙倩"), at=later(4), hazard_id=hazard.pk, action=Action.REVIEW, verdict="passed",
        given={"second_person": city.people["吴桐"].pk, "opinion": "好"},
    )  # fmt: skip
    first = Cycle.objects.values().get(hazard=hazard, no=1)
    see(city, "王敏", place, at=later(40))
    clock.at = later(40, 1)
    page = body(signed_in("王敏"), hazard)
    assert "第1次反弹（首轮 3月6日 已整改" in page
    assert "第 2 轮" in page
    assert "孙倩" in page[page.index("验收人") : page.index("验收人") + 60]
    assert Cycle.objects.values().get(hazard=hazard, no=1) == first


def test_a_suspected_major_hazard_carries_interim_control(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    client = signed_in("王敏")
    assert "先按重大管控" not in body(client, hazard)
    answer = client.post(
        f"/ledger/{hazard.pk}/suspect/",
        {"version": hazard.version, "body": str(city.bodies["朝阳城管委"].pk), "interim_control": "停气，专人看守"},
    )
    assert answer.status_code == 302
    page = body(client, hazard)
    assert "疑似重大隐患：判定前先按重大管控" in page
    assert "停气，专人看守" in page
    judging = body(signed_in("赵磊"), hazard, "judge/")
    assert '<input type="text" name="clause"' in judging
    assert 'list="list-clause"' in judging
    offered = judging[judging.index('<datalist id="list-clause">') : judging.index("</datalist>")]
    assert "建城规〔2023〕4号）》第九条第（一）项" in offered
    assert "GB 35181" not in offered, "the standard of 2017 no longer holds and the text of 2025 isn't loaded"


def test_photos_are_served_to_whoever_sees_the_hazard_and_to_nobody_else(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    client = signed_in("王敏")
    client.post(
        f"/ledger/{hazard.pk}/verify/",
        {"version": hazard.version, "verdict": "founded", "reason": "属实", "photo_before": jpeg()},
    )
    attached = Attachment.objects.get()
    url = f"/files/{hazard.pk}/{attached.pk}/thumb/"
    assert url in body(client, hazard)
    answer = client.get(url)
    small = Image.open(BytesIO(b"".join(answer.streaming_content)))
    assert (answer["Content-Type"], small.width) == ("image/jpeg", 160)
    original = client.get(f"/files/{hazard.pk}/{attached.pk}/original/")
    assert b"".join(original.streaming_content) == jpeg().read()
    assert client.get(f"/files/{hazard.pk}/{attached.pk}/huge/").status_code == 404
    other = see(city, "王敏", city.place("车库", manager=None), code="EB01").hazard
    assert client.get(f"/files/{other.pk}/{attached.pk}/thumb/").status_code == 404, "a photo belongs to its own hazard"
    assert signed_in("郑洁").get(url).status_code == 404


def test_next_and_previous_stay_inside_the_list(city: Town, signed_in: SignIn) -> None:
    rows = [
        see(city, "王敏", city.place(name, manager=None), code=code, at=AT + timedelta(seconds=n)).hazard
        for n, (name, code) in enumerate((("甲", "RG07"), ("乙", "EB01"), ("丙", "RG07")))
    ]
    client = signed_in("王敏")
    page = body(client, rows[2], "?class=GAS")
    assert f'rel="next" href="/ledger/{rows[0].pk}/?class=GAS"' in page
    assert 'rel="prev"' not in page
    assert f"{rows[1].pk}" not in page
    assert 'rel="next"' not in body(client, rows[2]), "outside a list there is no next one"


def test_with_htmx_the_form_comes_alone_and_success_moves_the_page(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    client = signed_in("王敏")
    url = f"/ledger/{hazard.pk}/verify/"
    part = client.get(url, headers={"HX-Request": "true", "HX-Boosted": "true"}).content.decode()
    assert part.lstrip().startswith("<h2>核实</h2>")
    given = {"version": hazard.version, "verdict": "founded", "reason": "属实"}
    answer = client.post(url, given, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/ledger/{hazard.pk}/")


def test_a_historical_record_has_no_buttons(city: Town, signed_in: SignIn) -> None:
    hazard = see(city, "王敏", city.place()).hazard
    Hazard.objects.filter(pk=hazard.pk).update(historical=True)
    page = body(signed_in("王敏"), hazard)
    assert "历史记录，只供查阅" in page
    assert f"/ledger/{hazard.pk}/verify/" not in page
