"""Visits: the list, recording one with its answers and findings in one page, and what became of each finding."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from anban.base.files.queries import attachments
from anban.base.people.models import AccessRecord
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.models import Answer, Visit
from tests.factories.town import AT, Town
from tests.web.places.conftest import Clock
from tests.web.places.test_register import hazard_at, verbs

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Client]


def picture() -> SimpleUploadedFile:
    """Return a small photo."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (120, 90, 60)).save(out, "JPEG")
    return SimpleUploadedFile("软管.jpg", out.getvalue(), content_type="image/jpeg")


def sent(client: Client, place: object, **more: object) -> dict[str, object]:
    """Return what the page sends when nothing is filled in, with more."""
    draft = client.get(f"/visits/new/?place={place}").context["draft"]
    return {"place": str(place), "id": str(draft.id), "on": draft.on, "list": list(draft.lists), **more}


def test_a_visit_creates_its_hazards_in_one_go_and_says_what_became_of_each(
    city: Town, signed_in: Enter, clock: Clock
) -> None:
    place = city.place(manager=None)
    known = hazard_at(city, place, "RG05")
    clock.at = AT + timedelta(minutes=10)
    client = signed_in("王敏")
    given = sent(
        client, place.pk, **{
            "a-RG04": "fail", "fact-RG04": "软管老化开裂", "part-RG04": "后厨", "life-RG04": "1", "photos-RG04": picture(),
            "a-RG05": "fail", "fact-RG05": "还是没装", "a-RG06": "pass", "a-beside": "fail", "class-beside": "FIRE",
            "fact-beside": "门口堆物", "task_number": "EC-2026-7",
        },
    )  # fmt: skip
    answer = client.post("/visits/new/", given)
    row = Visit.objects.get()
    assert answer.headers["Location"] == f"/visits/{row.pk}/"
    assert (row.kind, row.result, row.findings_count, row.task_number) == ("patrol", "fail", 3, "EC-2026-7")
    fresh = Hazard.objects.get(fact="软管老化开裂")
    assert (fresh.part, fresh.life_at_risk, fresh.origin_ref) == ("后厨", True, row.number)
    assert [a.purpose for a in attachments(fresh.pk)] == ["before"]
    assert Hazard.objects.count() == 3
    values = dict(Answer.objects.values_list("code", "value"))
    assert (values["RG04"], values["RG06"], values["RG01"]) == ("fail", "pass", "unchecked")
    page = client.get(f"/visits/{row.pk}/")
    became = {f["href"]: f["became"] for f in page.context["findings"]}
    assert became[f"/ledger/{fresh.pk}/"] == "新上账"
    assert became[f"/ledger/{known.pk}/"] == "并入未销号的同一隐患"
    assert "visit.recorded" in verbs()


def test_sending_twice_makes_one_visit(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    client = signed_in("王敏")
    given = sent(client, place.pk, **{"a-RG06": "pass"})
    assert (
        client.post("/visits/new/", given).headers["Location"] == client.post("/visits/new/", given).headers["Location"]
    )
    assert Visit.objects.count() == 1


def test_a_failed_item_without_words_is_refused_beside_the_item_and_keeps_its_photo(
    city: Town, signed_in: Enter
) -> None:
    place = city.place(manager=None)
    client = signed_in("王敏")
    given = sent(
        client, place.pk, **{"a-RG04": "fail", "part-RG04": "后厨", "photos-RG04": picture(), "a-beside": "fail"}
    )
    answer = client.post("/visits/new/", given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#item-RG04"' in page
    assert "已收到 1 张照片" in page
    assert "清单外发现要选隐患类别" in page
    assert not Visit.objects.exists()
    assert not Hazard.objects.exists()
    kept = answer.context["kept"]
    again = {**given, "fact-RG04": "软管老化", "kept": kept, "a-beside": "unchecked", "photos-RG04": ""}
    assert client.post("/visits/new/", again).status_code == 302
    assert len(attachments(Hazard.objects.get().pk)) == 1


def test_who_comes_decides_what_it_is(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    officer = signed_in("孙倩")
    alone = sent(officer, place.pk, kind="enforcement")
    refused = officer.post("/visits/new/", alone)
    assert refused.status_code == 422
    assert "两名以上持证" in refused.content.decode()
    both = sent(officer, place.pk, visitors=[str(city.people["吴桐"].pk)])
    assert officer.post("/visits/new/", both).status_code == 302
    assert Visit.objects.get().kind == "enforcement"
    helped = signed_in("王敏")
    with_officers = sent(helped, place.pk, visitors=[str(city.people[n].pk) for n in ("孙倩", "吴桐")])
    assert helped.post("/visits/new/", with_officers).status_code == 302
    assert Visit.objects.order_by("-id").values_list("kind", flat=True)[0] == "assisted"


def test_a_committee_office_is_told_that_it_never_inspects(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    answer = signed_in("何静").get(f"/visits/new/?place={place.pk}")
    assert answer.status_code == 403
    assert "不对企业作行政检查" in answer.content.decode()
    assert signed_in("何静").post("/visits/new/", {"place": str(place.pk)}).status_code == 403
    assert not Visit.objects.exists()


def test_more_lists_can_be_added_without_losing_what_was_typed(city: Town, signed_in: Enter) -> None:
    place = city.place(manager=None)
    client = signed_in("王敏")
    given = sent(
        client, place.pk, **{"a-RG04": "fail", "fact-RG04": "写到一半", "list": ["RG", "FB"], "more_lists": "1"}
    )
    page = client.post("/visits/new/", given)
    assert page.context["draft"].lists == ("RG", "FB")
    assert "写到一半" in page.content.decode()
    assert "FB02" in page.content.decode()
    assert not Visit.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_of_visits_costs_the_same_for_one_and_for_three(
    city: Town, signed_in: Enter, number: int, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    client = signed_in("王敏")
    for each in range(number):
        client.post("/visits/new/", sent(client, city.place(f"店{each}", manager=None).pk))
    client.get("/visits/")
    with django_assert_num_queries(14):  # type: ignore[operator]
        page = client.get("/visits/").content.decode()
    assert page.count("data-row-link") == number
    assert f"共 {number} 次" in page


def test_a_neighbor_sees_no_visit(city: Town, signed_in: Enter) -> None:
    client = signed_in("王敏")
    client.post("/visits/new/", sent(client, city.place("巷口面馆", manager=None).pk))
    row = Visit.objects.get()
    stranger = signed_in("郑洁")
    assert "巷口面馆" not in stranger.get("/visits/").content.decode()
    assert "还没有检查记录" in stranger.get("/visits/").content.decode()
    assert stranger.get(f"/visits/{row.pk}/").status_code == 404


def test_a_firm_records_no_visits(city: Town, signed_in: Enter) -> None:
    place = city.place()
    for path in ("/visits/", f"/visits/new/?place={place.pk}"):
        assert signed_in("李强").get(path).status_code == 403


def test_the_list_is_given_out_as_the_filters_and_the_scope_have_it(city: Town, signed_in: Enter) -> None:
    client = signed_in("王敏")
    for name in ("巷口面馆", "街角粮店"):
        client.post("/visits/new/", sent(client, city.place(name, manager=None).pk))
    found = Visit.objects.values_list("result", flat=True)[0]
    assert f"/visits/?result={found}&amp;format=csv" in client.get(f"/visits/?result={found}").content.decode()
    other = "fail" if found != "fail" else "pass"
    for who, address, number in (("王敏", "?", 2), ("王敏", f"?result={other}&", 0), ("郑洁", "?", 0)):
        answer = signed_in(who).get(f"/visits/{address}format=csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        assert len(list(csv.DictReader(io.StringIO(text)))) == number
    assert AccessRecord.objects.filter(what="visits.exported").count() == 3
    book = signed_in("王敏").get("/visits/?format=xlsx")
    assert b"".join(book.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
