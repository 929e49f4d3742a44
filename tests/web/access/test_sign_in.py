"""Signing in through the pages: form, second factor, set-up link, idle time, switches, my account."""

from __future__ import annotations

import json
from pathlib import Path

import pyotp
import pytest
from django.conf import settings
from django.test import Client

from anban.base.people import backend, operations
from anban.base.people.models import Account, ApiToken, SignInAttempt
from anban.base.people.sealing import unseal
from anban.kit.clock import now
from tests.factories.office import PASSWORD, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    """A root with its offices."""
    return Office()


def test_signing_in_gives_a_fresh_session_and_goes_where_one_wanted(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    client = Client()
    assert client.get("/account/").headers["Location"] == "/sign-in/?next=/account/"
    client.session["x"] = 1
    client.session.save()
    before = client.session.session_key
    answer = client.post("/sign-in/", {"login": "office.a", "password": PASSWORD, "next": "/account/"})
    assert answer.headers["Location"] == "/account/"
    assert client.session.session_key != before
    assert client.get("/account/").status_code == 200
    assert SignInAttempt.objects.get().succeeded


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_host(office: Office, target: str) -> None:
    office.account("a", "safety_inspector", "street")
    answer = Client().post("/sign-in/", {"login": "office.a", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/"


def test_wrong_password_and_unknown_login_read_the_same(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    pages = []
    for login in ("office.a", "office.x"):
        answer = Client(headers={"accept-language": "zh-hans"}).post("/sign-in/", {"login": login, "password": "wrong"})
        assert answer.status_code == 422
        text = answer.content.decode()
        assert "账号或密码不对" in text
        assert "wrong" not in text
        pages.append(text.replace(login, "LOGIN"))
    assert len(pages[0].split()) == len(pages[1].split())


def test_the_sixth_try_is_answered_with_a_wait(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    client = Client()
    for _ in range(5):
        assert client.post("/sign-in/", {"login": "office.a", "password": "wrong"}).status_code == 422
    assert client.post("/sign-in/", {"login": "office.a", "password": PASSWORD}).status_code == 429


def test_a_privileged_role_meets_the_second_factor_before_anything_else(office: Office) -> None:
    office.account("d", "street_director", "street")
    client = Client()
    client.post("/sign-in/", {"login": "office.d", "password": PASSWORD})
    for path in ("/account/", "/people/", "/settings/", "/ledger/"):
        assert client.get(path).headers["Location"].startswith("/second-factor/?next=")
    page = client.get("/second-factor/").content.decode()
    assert "<svg" in page
    account = Account.objects.get(login="office.d")
    kept = client.session["factor_secret"]
    secret = unseal(kept, account.pk)
    assert secret not in kept
    assert " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)) in page
    assert client.post("/second-factor/", {"code": "abc"}).status_code == 422
    before = client.session.session_key
    answer = client.post("/second-factor/", {"code": pyotp.TOTP(secret).now(), "next": "/account/"})
    assert answer.headers["Location"] == "/account/"
    assert client.session.session_key != before
    assert client.get("/account/").status_code == 200
    account.refresh_from_db()
    assert secret not in account.totp_secret
    assert unseal(account.totp_secret, account.pk) == secret


def test_a_used_code_does_not_open_a_second_session(office: Office) -> None:
    office.account("d", "street_director", "street", factor=True)
    account = Account.objects.get(login="office.d")
    code = backend.usable_code(account, now())
    first, second = Client(), Client()
    for client in (first, second):
        client.post("/sign-in/", {"login": "office.d", "password": PASSWORD})
    assert first.post("/second-factor/", {"code": code}).status_code == 302
    assert second.post("/second-factor/", {"code": code}).status_code == 422
    assert second.get("/account/").status_code == 302


def test_an_authenticator_bound_of_ones_own_will_is_asked_for(office: Office) -> None:
    office.account("a", "safety_inspector", "street", factor=True)
    client = Client()
    client.post("/sign-in/", {"login": "office.a", "password": PASSWORD})
    assert client.get("/account/").headers["Location"].startswith("/second-factor/")


def test_half_an_hour_without_a_click_ends_the_session(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    client = office.client("a")
    assert client.get("/account/").status_code == 200
    session = client.session
    session["seen"] = now().timestamp() - 30 * 60 + 20
    session.save()
    assert client.get("/account/").status_code == 200
    session = client.session
    session["seen"] = now().timestamp() - 30 * 60 - 1
    session.save()
    assert client.get("/account/").headers["Location"].startswith("/sign-in/?idle=1&next=")
    assert client.get("/account/").headers["Location"] == "/sign-in/?next=/account/"


def test_signing_out_is_a_post_and_ends_the_session(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    client = office.client("a")
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/account/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/account/").status_code == 302


def test_a_form_from_another_site_is_refused(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"login": "office.a", "password": PASSWORD})
    assert answer.status_code == 403


def test_a_person_without_a_post_is_told_so_and_not_sent_round(office: Office) -> None:
    office.account("a")
    client = office.client("a")
    answer = client.get("/account/", headers={"accept-language": "zh-hans"})
    assert answer.status_code == 403
    assert "没有岗位" in answer.content.decode()


def test_a_set_up_link_works_once_in_the_browser(office: Office) -> None:
    person = office.person("a", "safety_inspector", "street")
    _account, token = operations.open_account(actor=office.job, at=now(), person=person, login="office.a")
    client = Client(headers={"accept-language": "zh-hans"})
    assert "office.a" in client.get(f"/set-up/{token}/").content.decode()
    weak = client.post(f"/set-up/{token}/", {"password": "1234567890", "again": "1234567890"})
    assert weak.status_code == 422
    assert "太常见" in weak.content.decode()
    differs = client.post(f"/set-up/{token}/", {"password": PASSWORD, "again": PASSWORD + "x"})
    assert differs.status_code == 422
    assert client.post(f"/set-up/{token}/", {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert client.get(f"/set-up/{token}/").status_code == 410
    assert office.client("a").get("/account/").status_code == 200


def test_the_language_is_kept_in_a_cookie_and_on_the_account(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    client = office.client("a")
    answer = client.post("/language/", {"language": "en", "next": "/account/"})
    assert answer.headers["Location"] == "/account/"
    assert client.get("/account/").headers["Content-Language"] == "en"
    assert Account.objects.get(login="office.a").language == "en"
    assert office.client("a").get("/account/").headers["Content-Language"] == "en"
    client.post("/language/", {"language": "xx"})
    assert client.get("/account/").headers["Content-Language"] == "en"


def test_one_goes_over_to_a_root_of_ones_own_posts_only(office: Office) -> None:
    other = Office("other")
    office.account("a", "safety_inspector", "street")
    person = office.people["a"]
    other.people["a"] = person
    other.person("a", "hotline_staff", "district")
    Office("third")
    client = office.client("a")
    assert client.post("/city/other/", {"next": "/account/"}).status_code == 302
    assert client.session["root"] == "other"
    assert client.get("/city/third/").status_code == 404
    assert client.session["root"] == "other"


def test_the_password_is_changed_and_other_sessions_end(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    here, there = office.client("a"), office.client("a")
    given = {"present": PASSWORD, "password": "four cats on a roof", "again": "four cats on a roof"}
    assert here.post("/account/password/", {**given, "present": "x"}).status_code == 422
    assert here.post("/account/password/", given).status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302


def test_a_token_is_shown_once_and_revoked_by_its_owner(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    office.account("b", "safety_inspector", "street")
    client, other = office.client("a"), office.client("b")
    client.post("/account/tokens/", {"label": "excel", "scope": "read", "days": "30"})
    assert "anban_" in client.get("/account/").content.decode()
    assert "anban_" not in client.get("/account/").content.decode().replace("anban_session", "")
    token = ApiToken.objects.get()
    assert other.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert ApiToken.objects.get().revoked_at is not None


def test_a_demonstrations_logins_fill_the_form_and_nothing_is_sent(office: Office) -> None:
    office.account("d", "street_director", "street", factor=True)
    row = {
        "login": "office.d", "password": PASSWORD, "name": "甲", "role_zh": "街道主任", "role_en": "Street director",
        "area": "某街道", "area_en": "A street", "otpauth": "otpauth://totp/x",
    }  # fmt: skip
    client = Client(headers={"accept-language": "zh-hans"})
    assert PASSWORD not in client.get("/sign-in/").content.decode()
    path = Path(settings.HOME) / "demo-logins.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    try:
        assert PASSWORD in client.get("/sign-in/").content.decode()
        page = client.get("/sign-in/?as=office.d").content.decode()
        assert f'value="{PASSWORD}"' in page
        assert "sessionid" not in client.cookies
        assert SignInAttempt.objects.count() == 0
        client.post("/sign-in/", {"login": "office.d", "password": PASSWORD})
        code = backend.usable_code(Account.objects.get(login="office.d"), now())
        assert f'id="demo-code">{code}<' in client.get("/second-factor/").content.decode()
    finally:
        path.unlink()
    assert "demo-code" not in client.get("/second-factor/").content.decode()


def test_the_secret_of_a_citys_account_is_never_shown_as_a_demonstrations(office: Office) -> None:
    office.account("d", "street_director", "street", factor=True)
    client = Client()
    client.post("/sign-in/", {"login": "office.d", "password": PASSWORD})
    assert (
        backend.usable_code(Account.objects.get(login="office.d"), now())
        not in client.get("/second-factor/").content.decode()
    )
