"""The import wizard: choose, match, preview, apply, and the refused rows back as a file."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from anban.base.jobs.models import Job
from anban.contexts.establishments.models import Place, SourceList
from anban.contexts.territory.models import AreaRoot, Holding
from tests.factories import wizard
from tests.factories.town import AT, Town
from tests.factories.wizard import table, through

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Client]

GOOD = "名称,地址,类型,街道\n一号面馆,望京街1号,餐饮,望京街道\n二号面馆,望京街2号,餐饮,望京街道\n"
BAD = GOOD + "无处可寻,某地3号,餐饮,火星街道\n"
OWN_WORDS = "店招,门牌,业态,属地办\n一号面馆,望京街1号,餐饮,望京街道\n"


def work() -> None:
    """Run what was asked for, as the worker does."""
    wizard.work(AT)


def test_four_steps_bring_the_good_rows_in_and_hand_the_others_back(city: Town, signed_in: Enter) -> None:
    client = signed_in("刘洋")
    preview = through(client, BAD)
    waiting = client.get(preview).content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    work()
    looked = client.get(preview)
    assert [n for _key, _label, n in looked.context["counts"]] == ["2", "0", "0", "1"]
    assert "火星街道" in looked.content.decode()
    assert not Place.objects.exists()
    applied = client.post(f"{preview}apply/").headers["Location"]
    assert client.post(f"{preview}apply/").headers["Location"] == applied
    work()
    done = client.get(applied)
    assert "hx-trigger" not in client.get(applied, headers={"HX-Request": "true"}).content.decode()
    assert [n for _key, _label, n in done.context["counts"]] == ["2", "0", "0", "1"]
    assert sorted(Place.objects.values_list("name", flat=True)) == ["一号面馆", "二号面馆"]
    refused = client.get(f"{applied}refused/0/")
    text = b"".join(refused.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "无处可寻" in text
    assert "一号面馆" not in text
    past = client.get("/import/")
    assert [p["href"] for p in past.context["past"]] == [applied]
    assert Job.objects.filter(name="import.apply").count() == 1


def test_importing_the_same_file_again_changes_nothing(city: Town, signed_in: Enter) -> None:
    client = signed_in("刘洋")
    for expected in (["2", "0", "0", "0"], ["0", "0", "2", "0"]):
        preview = through(client, GOOD)
        work()
        assert [n for _key, _label, n in client.get(preview).context["counts"]] == expected
        client.post(f"{preview}apply/")
        work()
    assert Place.objects.count() == 2


def test_columns_are_matched_by_hand_and_a_required_one_must_be(city: Town, signed_in: Enter) -> None:
    client = signed_in("刘洋")
    chosen = client.post("/import/", {"tables": table(OWN_WORDS), "mapping": ""})
    assert chosen.status_code == 422
    assert "按列名认不出" in chosen.content.decode()
    preview = through(
        client, OWN_WORDS, "places", **{"c-name": "店招", "c-address": "门牌", "c-kind": "业态", "c-street": "属地办"},
        source="沿街商户名单",
    )  # fmt: skip
    work()
    client.post(f"{preview}apply/")
    work()
    row = Place.objects.get()
    assert (row.name, row.address, row.kind) == ("一号面馆", "望京街1号", "catering")
    assert SourceList.objects.get().name == "沿街商户名单"


def test_a_list_that_is_only_compared_makes_blind_spots(city: Town, signed_in: Enter) -> None:
    client = signed_in("刘洋")
    preview = through(client, GOOD, "places_match_only")
    work()
    client.post(f"{preview}apply/")
    work()
    assert not Place.objects.exists()
    assert "共 2 家" in client.get("/places/blind-spots/").content.decode()


def test_nobody_else_sees_an_import_or_its_files(city: Town, signed_in: Enter) -> None:
    city.hold("许宁", "呼家楼平安办", "street_safety_office", "呼家楼街道")
    client, other = signed_in("刘洋"), signed_in("许宁")
    preview = through(client, BAD)
    work()
    chosen = client.post("/import/", {"tables": table(GOOD)}).headers["Location"]
    assert other.get(chosen).status_code == 404
    assert other.get(preview).status_code == 404
    assert other.post(f"{preview}apply/").status_code == 404
    applied = client.post(f"{preview}apply/").headers["Location"]
    work()
    assert other.get(f"{applied}refused/0/").status_code == 404
    assert client.get(f"{applied}refused/7/").status_code == 404


def test_only_offices_import(city: Town, signed_in: Enter) -> None:
    city.place()
    for name in ("王敏", "李强", "孙倩"):
        assert signed_in(name).get("/import/").status_code == 403
    assert "已入账" not in signed_in("刘洋").get("/import/").content.decode()


def test_a_file_that_is_no_table_is_refused_beside_the_field(city: Town, signed_in: Enter) -> None:
    client = signed_in("刘洋")
    answer = client.post("/import/", {"tables": SimpleUploadedFile("a.pdf", b"%PDF-1.4\n%%EOF\n"), "mapping": ""})
    assert answer.status_code == 422
    assert "不能上传" in answer.content.decode()
    assert client.post("/import/", {"mapping": "places"}).status_code == 422


def test_an_unapplied_or_foreign_address_is_not_found(city: Town, signed_in: Enter) -> None:
    client = signed_in("刘洋")
    assert client.get("/import/match/?d=forged&m=places").status_code == 404
    preview = through(client, GOOD)
    assert client.post(f"{preview}apply/").status_code == 404


REPORTS = "report_id,item,finding\n1,灭火器,灭火器过期未更换\n2,电线,插座裸露\n"


def test_a_sample_goes_into_a_root_of_its_own_and_only_a_steward_may_make_it(city: Town, signed_in: Enter) -> None:
    office = signed_in("刘洋").get("/import/")
    assert "hazard_reports_zh" not in dict(office.context["form"].fields["mapping"].choices)
    city.hold("丁一", "市安委办", "steward", "试验市")
    client = signed_in("丁一")
    names = dict(client.get("/import/").context["form"].fields["mapping"].choices)
    assert {"chicago", "hazard_reports_zh"} <= set(names)
    chosen = client.post("/import/", {"tables": table(REPORTS, "reports.csv"), "mapping": "hazard_reports_zh"})
    page = client.get(chosen.headers["Location"])
    assert page.context["root_name"]
    preview = client.post(chosen.headers["Location"]).headers["Location"]
    work()
    applied = client.post(f"{preview}apply/").headers["Location"]
    work()
    job = Job.objects.get(name="import.apply")
    assert job.state == Job.State.DONE, job.problem
    root = AreaRoot.objects.exclude(pk=city.root).get()
    assert root.kind == "sample"
    assert Holding.objects.filter(post__root=root, person=city.people["丁一"]).exists()
    done = client.get(applied)
    assert done.context["root_href"] == f"/city/{root.code}/"
    assert client.post(f"/city/{root.code}/").status_code == 302
    assert "样本数据" in client.get("/ledger/").content.decode()
