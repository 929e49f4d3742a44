"""The register's pages: the list and its filters, one place, keeping it, blind spots, duplicates, merging."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from anban.base.journal.models import Entry
from anban.base.people.models import AccessRecord
from anban.contexts.establishments.models import Merge, Observation, Party, PersonInCharge, Place, SourceList
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, enter
from tests.factories.town import AT, Town

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Client]


def verbs() -> list[str]:
    """Return what the journal says happened, in order."""
    return [json.loads(body)["verb"] for body in Entry.objects.order_by("position").values_list("body", flat=True)]


def hazard_at(city: Town, place: Place, code: str = "RG04", who: str = "王敏") -> Hazard:
    """Put a hazard on the ledger."""
    seen = Sighting(place_id=place.pk, fact=f"{code} 软管老化", code=code, origin="patrol")
    return enter(actor=city.actor(who), at=AT, sighting=seen).hazard


def blind_spot(city: Town, name: str = "无证小吃店", area: str = "望京街道") -> Observation:
    """Keep a row of an outside list that is on no register."""
    source, _made = SourceList.objects.get_or_create(root=city.root, code="gas", defaults={"name": "燃气用户名单"})
    payload = json.dumps({"name": name, "address": "望京街8号", "kind": "餐饮"}, ensure_ascii=False)
    return Observation.objects.create(
        source=source,
        kind="place",
        key=name,
        digest="0" * 64,
        payload=payload,
        area_path=city.areas[area].path,
        taken_at=AT,
    )


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same_for_one_and_for_three(
    city: Town, signed_in: Enter, number: int, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    for each in range(number):
        hazard_at(city, city.place(f"面馆{each}", manager=None))
    client = signed_in("王敏")
    client.get("/places/")
    with django_assert_num_queries(17):  # type: ignore[operator]
        page = client.get("/places/").content.decode()
    assert page.count("data-row-link") == number
    assert page.count("&amp;open=1") == number


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_of_a_place_costs_the_same_for_one_and_for_three(
    city: Town, signed_in: Enter, number: int, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    place = city.place(manager=None)
    for each in range(number):
        hazard_at(city, place, ("RG04", "RG05", "RG06")[each])
        city.place(f"邻居{each}", building=place, manager=None)
    client = signed_in("王敏")
    client.get(f"/places/{place.pk}/")
    with django_assert_num_queries(30):  # type: ignore[operator]
        page = client.get(f"/places/{place.pk}/").content.decode()
    assert page.count("data-row-link") == number
    assert page.count("邻居") == number


def test_a_neighbor_street_sees_nothing(city: Town, signed_in: Enter) -> None:
    place = city.place("巷口面馆")
    other = city.place("隔壁面馆", area="呼家楼街道", manager=None)
    spot = blind_spot(city)
    stranger = signed_in("郑洁")
    page = stranger.get("/places/").content.decode()
    assert "巷口面馆" not in page
    assert "隔壁面馆" in page
    assert "无证小吃店" not in stranger.get("/places/blind-spots/").content.decode()
    for path in (
        f"/places/{place.pk}/", f"/places/{place.pk}/edit/", f"/places/{place.pk}/merge/", f"/places/blind-spots/{spot.pk}/",
        f"/places/{other.pk}/merge/{place.pk}/", f"/visits/new/?place={place.pk}",
    ):  # fmt: skip
        assert stranger.get(path).status_code in {404, 422}, path
        assert "巷口面馆" not in stranger.get(path).content.decode(), path
    assert stranger.post(f"/places/{place.pk}/files/").status_code == 404
    assert AccessRecord.objects.filter(what="place.in_charge").count() == 0


def test_filters_stand_in_the_address_and_count_what_they_leave(city: Town, signed_in: Enter) -> None:
    city.place("一号面馆", manager=None)
    city.place("二号仓库", kind="warehouse", manager=None, status="awaiting_demolition")
    client = signed_in("王敏")
    everything = client.get("/places/").content.decode()
    assert "共 2 家" in everything
    only = client.get("/places/?status=awaiting_demolition").content.decode()
    assert "共 1 家" in only
    assert "二号仓库" in only
    assert "一号面馆" not in only
    assert "没有符合条件的单位" in client.get("/places/?q=不存在的店").content.decode()
    client.post("/places/new/", new_place(city, name="三号茶馆"))
    found = client.get("/places/?q=三号").content.decode()
    assert "三号茶馆" in found
    assert "一号面馆" not in found


def test_paging_goes_on_and_back_without_losing_a_row(
    city: Town, signed_in: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anban.web.desk.places.PAGE", 2)
    for each in range(5):
        city.place(f"店{each}", manager=None)
    client = signed_in("王敏")
    seen: list[str] = []
    path = "/places/"
    pages = []
    while path:
        page = client.get(path)
        pages.append(page.context["rows"])
        seen += [row.name for row in page.context["rows"]]
        path = page.context["pager"].next_href
    assert seen == [f"店{each}" for each in (4, 3, 2, 1, 0)]
    back = client.get(page.context["pager"].previous_href)
    assert [row.name for row in back.context["rows"]] == [row.name for row in pages[1]]
    first = client.get(back.context["pager"].previous_href)
    assert [row.name for row in first.context["rows"]] == ["店4", "店3"]
    assert first.context["pager"].previous_href == ""


def test_the_export_keeps_the_scope_and_is_logged(city: Town, signed_in: Enter) -> None:
    city.place("巷口面馆", manager=None)
    city.place("隔壁面馆", area="呼家楼街道", manager=None)
    answer = signed_in("王敏").get("/places/?format=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["名称"] for row in rows] == ["巷口面馆"]
    record = AccessRecord.objects.get(what="places.exported")
    assert record.rows == 1
    book = signed_in("王敏").get("/places/?format=xlsx")
    assert b"".join(book.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]


def test_the_columns_are_kept_for_the_reader(city: Town, signed_in: Enter) -> None:
    city.place(manager=None)
    client = signed_in("王敏")
    client.get("/places/?columns=number&columns=credit_code")
    shown = [c.key for c in client.get("/places/").context["columns"] if c.shown]
    assert shown == ["name", "status", "credit_code", "number"]


def test_reading_who_is_in_charge_is_logged(city: Town, signed_in: Enter) -> None:
    place = city.place()
    page = signed_in("王敏").get(f"/places/{place.pk}/").content.decode()
    assert "李强" in page
    record = AccessRecord.objects.get(what="place.in_charge")
    assert (record.rows, record.person_id) == (1, city.people["王敏"].pk)


def test_the_page_shows_open_before_closed_and_what_may_be_done(city: Town, signed_in: Enter) -> None:
    place = city.place(status="awaiting_demolition")
    hazard = hazard_at(city, place)
    page = signed_in("王敏").get(f"/places/{place.pk}/").content.decode()
    assert f"/ledger/{hazard.pk}/" in page
    assert "也不延长任何整改期限" in page
    assert page.index("未销号隐患") < page.index("近两年检查") < page.index("已销号隐患")
    for text in (f"/report/?place={place.pk}", f"/visits/new/?place={place.pk}", f"/places/{place.pk}/edit/"):
        assert text in page
    looked = signed_in("宋岩").get(f"/places/{place.pk}/").content.decode()
    assert f"/places/{place.pk}/edit/" not in looked
    assert f"/visits/new/?place={place.pk}" not in looked


def new_place(city: Town, **more: str) -> dict[str, str]:
    """Return what the form of a new place sends."""
    return {
        "name": "新开面馆", "area": str(city.areas["望京街道"].pk), "kind": "catering", "form": "unit",
        "affiliation": "district", **more,
    }  # fmt: skip


def test_a_new_place_is_registered_with_its_entry(city: Town, signed_in: Enter) -> None:
    answer = signed_in("王敏").post("/places/new/", new_place(city))
    made = Place.objects.get(name="新开面馆")
    assert answer.headers["Location"] == f"/places/{made.pk}/"
    assert made.area_path == city.areas["望京街道"].path
    assert verbs()[-1] == "place.registered"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "必填"),
        ({"credit_code": "911101"}, "统一社会信用代码有误"),
        ({"building": "NO-SUCH"}, "底数里没有这个编号"),
        ({"lng": "116.4"}, "要么都填"),
    ],
)
def test_a_refused_place_says_why_and_keeps_what_was_typed(
    city: Town, signed_in: Enter, wrong: dict[str, str], said: str
) -> None:
    answer = signed_in("王敏").post("/places/new/", new_place(city, address="望京街9号", **wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "望京街9号" in page
    assert not Place.objects.exists()


def test_nobody_registers_outside_the_own_area(city: Town, signed_in: Enter) -> None:
    outside = new_place(city, area=str(city.areas["呼家楼街道"].pk))
    assert signed_in("王敏").post("/places/new/", outside).status_code == 422
    assert not Place.objects.exists()


def test_a_concurrent_edit_is_named_and_loses_nothing(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    facts = new_place(city, verb="facts", version="1", name="巷口面馆（新）", address="改后的地址")
    assert signed_in("刘洋").post(f"/places/{place.pk}/edit/", {**facts, "address": "刘洋改的"}).status_code == 302
    answer = signed_in("王敏").post(f"/places/{place.pk}/edit/", facts)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "刘洋" in page
    assert "地址" in page
    assert "改后的地址" in page
    again = signed_in("王敏").post(f"/places/{place.pk}/edit/", {**facts, "version": "2"})
    assert again.status_code == 302
    assert Place.objects.get(pk=place.pk).address == "改后的地址"


def test_status_party_and_person_are_kept_each_with_its_entry(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    client = signed_in("王敏")
    path = f"/places/{place.pk}/edit/"
    answer = client.post(
        path, {"verb": "status", "version": "1", "status": "stopped", "on": "2026-03-01", "reason": "装修"}
    )
    assert answer.status_code == 302
    assert client.post(path, {"verb": "party", "role": "owner_unit", "name": "某置业公司"}).status_code == 302
    assert client.post(path, {"verb": "in_charge", "role": "principal", "name": "周敏"}).status_code == 302
    assert Place.objects.get(pk=place.pk).status == "stopped"
    assert Party.objects.get(place=place).name == "某置业公司"
    assert PersonInCharge.objects.get(place=place).person.name == "周敏"
    assert [v for v in verbs() if v.startswith("place.")][-3:] == [
        "place.status_set",
        "place.party_set",
        "place.in_charge_set",
    ]


def test_a_firm_names_its_own_persons_but_not_its_facts(city: Town, signed_in: Enter) -> None:
    place = city.place()
    client = signed_in("李强")
    page = client.get(f"/places/{place.pk}/edit/").content.decode()
    assert 'value="in_charge"' in page
    assert 'value="facts"' not in page
    refused = client.post(
        f"/places/{place.pk}/edit/", {"verb": "status", "version": "1", "status": "closed", "on": "2026-03-01"}
    )
    assert refused.status_code == 422
    assert Place.objects.get(pk=place.pk).status == "operating"
    assert client.get("/places/blind-spots/").status_code == 403


def test_two_rows_become_one_and_two_again(city: Town, signed_in: Enter) -> None:
    one, other = city.place("巷口面馆", manager=None), city.place("巷口面馆", manager=None)
    hazard_at(city, other)
    Place.objects.filter(pk__in=[one.pk, other.pk]).update(match_key="same")
    office = signed_in("刘洋")
    assert f"/merge/{other.pk}/" in office.get("/places/duplicates/").content.decode()
    preview = office.get(f"/places/{one.pk}/merge/{other.pk}/").content.decode()
    assert other.number in preview
    assert office.post(f"/places/{one.pk}/merge/{other.pk}/", {"reason": "同一家"}).status_code == 302
    made = Merge.objects.get()
    page = office.get(f"/places/{one.pk}/").content.decode()
    assert "软管老化" in page
    assert f"/merges/{made.pk}/undo/" in page
    assert "已并入" in office.get(f"/places/{other.pk}/").content.decode()
    assert signed_in("王敏").get(f"/places/{one.pk}/merge/{other.pk}/").status_code == 422
    assert office.post(f"/places/{one.pk}/merges/{made.pk}/undo/").status_code == 302
    assert Place.objects.get(pk=other.pk).survivor_id is None
    assert verbs()[-1] == "place.merge_undone"


def test_an_undo_of_a_foreign_merge_is_not_found(city: Town, signed_in: Enter) -> None:
    one, other = city.place("甲", manager=None), city.place("乙", manager=None)
    third = city.place("丙", manager=None)
    office = signed_in("刘洋")
    office.post(f"/places/{one.pk}/merge/{other.pk}/")
    made = Merge.objects.get()
    assert office.post(f"/places/{third.pk}/merges/{made.pk}/undo/").status_code == 404
    assert Merge.objects.get().undone_at is None


def test_a_blind_spot_is_registered_with_what_the_source_wrote(city: Town, signed_in: Enter) -> None:
    spot = blind_spot(city)
    office = signed_in("刘洋")
    assert f"/places/blind-spots/{spot.pk}/" in office.get("/places/blind-spots/").content.decode()
    form = office.get(f"/places/new/?observation={spot.pk}").context["form"]
    assert (form["name"].value(), form["kind"].value()) == ("无证小吃店", "catering")
    assert form["area"].value() == str(city.areas["望京街道"].pk)
    sent = {key: form[key].value() or "" for key in form.fields if key != "version"}
    assert office.post("/places/new/", sent).status_code == 302
    spot.refresh_from_db()
    assert spot.place is not None
    assert spot.place.name == "无证小吃店"
    assert "没有底数盲区" in office.get("/places/blind-spots/").content.decode()


def test_a_blind_spot_is_matched_or_dismissed_with_a_reason(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    first, second = blind_spot(city, "甲店"), blind_spot(city, "乙店")
    office = signed_in("刘洋")
    path = f"/places/blind-spots/{first.pk}/"
    assert office.post(path, {"verb": "match"}).status_code == 422
    assert office.post(path, {"verb": "match", "place": str(place.pk)}).headers["Location"] == f"/places/{place.pk}/"
    assert Observation.objects.get(pk=first.pk).matched_by == "person"
    path = f"/places/blind-spots/{second.pk}/"
    assert office.post(path, {"verb": "dismiss", "reason": ""}).status_code == 422
    assert office.post(path, {"verb": "dismiss", "reason": "已注销"}).status_code == 302
    assert Observation.objects.get(pk=second.pk).dismissed_reason == "已注销"
    assert verbs()[-2:] == ["observation.matched", "observation.dismissed"]
    inspector = blind_spot(city, "丙店")
    assert (
        signed_in("王敏").post(f"/places/blind-spots/{inspector.pk}/", {"verb": "dismiss", "reason": "x"}).status_code
        == 422
    )


def test_a_document_goes_into_the_file_and_comes_out_again(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    client = signed_in("王敏")
    content = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
    upload = SimpleUploadedFile("执照.pdf", content)
    assert client.post(f"/places/{place.pk}/files/", {"document": upload}).status_code == 302
    page = client.get(f"/places/{place.pk}/")
    attached: UUID = page.context["documents"][0].id
    answer = client.get(f"/places/{place.pk}/files/{attached}/")
    assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
    assert signed_in("郑洁").get(f"/places/{place.pk}/files/{attached}/").status_code == 404


def test_a_leader_who_may_not_register_gets_the_page_of_who_may(city: Town, signed_in: Enter) -> None:
    answer = signed_in("宋岩").get("/places/new/")
    assert answer.status_code == 403
    assert "由街道登记" in answer.content.decode()
    assert "/places/new/" not in signed_in("宋岩").get("/places/").content.decode()
    assert signed_in("宋岩").post("/places/new/", new_place(city)).status_code == 403
