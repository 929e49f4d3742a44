"""Accounts: opening, set-up, passwords, second factor, throttling, tokens, and who may do what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.test import Client

from anban.base.journal.models import Entry
from anban.base.people import backend, operations, queries
from anban.base.people.models import Account, ApiToken, SignInAttempt
from anban.rules.errors import Refusal
from tests.conftest import FULL_COST
from tests.factories.office import PASSWORD, Office

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def office() -> Office:
    """A root with its offices."""
    return Office()


def verbs() -> list[str]:
    """Return what the journal says happened, in order."""
    return [json.loads(body)["verb"] for body in Entry.objects.order_by("position").values_list("body", flat=True)]


def refused(code: str) -> pytest.RaisesExc[Refusal]:
    """Expect a refusal by its code."""
    return pytest.raises(Refusal, check=lambda problem: problem.code == code)


def test_an_opened_account_is_set_up_once_within_72_hours(office: Office) -> None:
    person = office.person("a")
    account, token = operations.open_account(actor=office.job, at=AT, person=person, login="a.b")
    assert not account.has_usable_password()
    assert queries.account_of_set_up(token, AT + timedelta(hours=72)) is None
    assert queries.account_of_set_up(token + "x", AT) is None
    done = operations.set_up(token, password=PASSWORD, at=AT + timedelta(hours=71))
    assert done.check_password(PASSWORD)
    with refused("people.setup_over"):
        operations.set_up(token, password=PASSWORD, at=AT + timedelta(hours=71))
    assert verbs()[-2:] == ["account.opened", "account.set_up"]


def test_the_journal_holds_neither_login_nor_token_nor_password(office: Office) -> None:
    account, token = operations.open_account(actor=office.job, at=AT, person=office.person("a"), login="geheim.login")
    operations.set_up(token, password=PASSWORD, at=AT)
    _row, secret = operations.issue_token(actor=office.job, at=AT, account=account, scope="read", days=3)
    everything = "\n".join(Entry.objects.values_list("body", flat=True))
    assert str(account.pk.hex) in everything
    for word in ("geheim", token, PASSWORD, secret):
        assert word not in everything
    assert not Account.objects.filter(setup_hash=token).exists()
    assert not ApiToken.objects.filter(token_hash__contains=secret).exists()


def test_a_reissued_link_voids_the_earlier_one(office: Office) -> None:
    account, first = operations.open_account(actor=office.job, at=AT, person=office.person("a"), login="abc")
    second = operations.reissue_setup(actor=office.job, at=AT, account=account)
    assert queries.account_of_set_up(first, AT) is None
    assert queries.account_of_set_up(second, AT) == account


@pytest.mark.parametrize("login", ["ab", "a b c", "x" * 81, "a/b/c", "<b>x</b>"])
def test_a_malformed_login_is_refused(office: Office, login: str) -> None:
    with refused("people.login_invalid"):
        operations.open_account(actor=office.job, at=AT, person=office.person("a"), login=login)
    assert not Account.objects.exists()


def test_a_login_is_taken_whatever_its_capitals(office: Office) -> None:
    operations.open_account(actor=office.job, at=AT, person=office.person("a"), login="Wang.Min")
    with refused("people.login_taken"):
        operations.open_account(actor=office.job, at=AT, person=office.person("b"), login="wang.min")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "people.password_short"),
        ("123456789", "people.password_short"),
        ("x" * 300, "people.password_long"),
        ("my wang.min pass", "people.password_is_login"),
        ("WANG.MIN2026", "people.password_is_login"),
        ("1234567890", "people.password_common"),
        ("Password123", "people.password_common"),
        ("ababababab", "people.password_common"),
    ],
)
def test_a_weak_password_is_refused_and_the_link_stays_good(office: Office, password: str, code: str) -> None:
    _account, token = operations.open_account(actor=office.job, at=AT, person=office.person("a"), login="wang.min")
    with refused(code):
        operations.set_up(token, password=password, at=AT)
    assert operations.set_up(token, password="只有小写没有数字也可以", at=AT).has_usable_password()


def test_a_password_costs_in_the_house_what_argon2_asks_for(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    for name, value in FULL_COST.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, value)
    hashed = make_password(PASSWORD)
    assert hashed.startswith("argon2$argon2id$")
    cost = dict(part.split("=") for part in hashed.split("$")[3].split(","))
    # OWASP's least for argon2id: 19 MiB and two passes.
    assert int(cost["m"]) >= 19 * 1024
    assert int(cost["t"]) >= 2
    assert check_password(PASSWORD, hashed)
    assert not check_password(PASSWORD + "x", hashed)


def test_the_present_password_is_asked_for(office: Office) -> None:
    office.account("a")
    own = office.accounts["a"]
    actor = queries.oneself(own)
    with refused("people.password_wrong"):
        operations.change_password(actor=actor, at=AT, account=own, present="nonsense", password="new words here")
    operations.change_password(actor=actor, at=AT, account=own, present=PASSWORD, password="new words here")
    assert Account.objects.get(pk=own.pk).check_password("new words here")
    assert verbs()[-1] == "account.password_changed"


def test_nobody_changes_the_password_of_another(office: Office) -> None:
    office.account("a")
    office.account("k", "security_admin")
    with refused("people.not_allowed"):
        operations.change_password(
            actor=office.actor("k"), at=AT, account=office.accounts["a"], present=PASSWORD, password="new words here"
        )


def test_a_disabled_account_loses_sessions_tokens_and_links(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    account = office.accounts["a"]
    browser = office.client("a")
    assert browser.get("/account/").status_code == 200
    _row, secret = operations.issue_token(actor=office.job, at=AT, account=account, scope="read", days=3)
    link = operations.reissue_setup(actor=office.job, at=AT, account=account)
    operations.disable_account(actor=office.job, at=AT, account=account)
    assert browser.get("/account/").status_code == 302
    assert queries.token_account(secret, AT) is None
    assert queries.account_of_set_up(link, AT) is None
    with refused("people.sign_in_failed"):
        backend.sign_in(login=account.login, password=PASSWORD, source="x", at=AT)
    operations.enable_account(actor=office.job, at=AT, account=account)
    # The old session stays ended; signing in anew works.
    assert browser.get("/account/").status_code == 302
    assert backend.sign_in(login=account.login, password=PASSWORD, source="x", at=AT) == account


@pytest.mark.parametrize("role", ["city_committee_officer", "system_admin", "audit_admin", "leader_viewer"])
def test_only_keepers_open_accounts(office: Office, role: str) -> None:
    office.account("k", role)
    with refused("people.not_allowed"):
        operations.open_account(actor=office.actor("k"), at=AT, person=office.person("a"), login="abc")
    assert not Account.objects.filter(login="abc").exists()


def test_a_keeper_of_another_root_is_refused(office: Office) -> None:
    other = Office("other")
    other.account("k", "security_admin")
    with refused("people.not_allowed"):
        operations.open_account(actor=other.actor("k"), at=AT, person=office.person("a"), login="abc")


def test_nobody_disables_oneself(office: Office) -> None:
    office.account("k", "security_admin")
    with refused("people.not_yourself"):
        operations.disable_account(actor=office.actor("k"), at=AT, account=office.accounts["k"])


def test_an_authenticator_is_bound_by_a_right_code_and_each_code_works_once(office: Office) -> None:
    office.account("a")
    account, secret = office.accounts["a"], backend.new_factor()
    actor = queries.oneself(account)
    with refused("people.code_wrong"):
        operations.enrol_factor(actor=actor, at=AT, account=account, secret=secret, code="000000x")
    code = pyotp.TOTP(secret).at(AT)
    operations.enrol_factor(actor=actor, at=AT, account=account, secret=secret, code=code)
    # The code of binding is used up, and the one after it is good once.
    with refused("people.factor_wrong"):
        backend.check_factor(account.pk, code, source="x", at=AT)
    later = AT + timedelta(seconds=30)
    following = pyotp.TOTP(secret).at(later)
    backend.check_factor(account.pk, following, source="x", at=later)
    with refused("people.factor_wrong"):
        backend.check_factor(account.pk, following, source="x", at=later)
    # Two steps early or late is no code.
    with refused("people.factor_wrong"):
        backend.check_factor(account.pk, pyotp.TOTP(secret).at(later + timedelta(seconds=90)), source="x", at=later)


def test_a_bound_authenticator_is_reset_by_the_security_administrator_alone(office: Office) -> None:
    office.account("a", factor=True)
    account = Account.objects.get(pk=office.accounts["a"].pk)
    with refused("people.not_allowed"):
        operations.enrol_factor(
            actor=queries.oneself(account), at=AT, account=account, secret="A" * 32, code=pyotp.TOTP("A" * 32).at(AT)
        )
    office.account("s", "steward")
    with refused("people.not_allowed"):
        operations.reset_factor(actor=office.actor("s"), at=AT, account=account)
    office.account("k", "security_admin")
    operations.reset_factor(actor=office.actor("k"), at=AT, account=account)
    assert Account.objects.get(pk=account.pk).totp_secret == ""
    assert verbs()[-1] == "account.factor_reset"


@pytest.mark.parametrize("login", ["office.a", "nobody.here"])
def test_five_failures_make_a_login_wait_known_or_not(office: Office, login: str) -> None:
    office.account("a")
    for number in range(5):
        with refused("people.sign_in_failed"):
            backend.sign_in(login=login, password="wrong", source=f"s{number}", at=AT)
    for minute in (0, 5, 14):
        with refused("people.sign_in_wait"):
            backend.sign_in(login=login, password=PASSWORD, source="s", at=AT + timedelta(minutes=minute))
    # Knocking while waiting does not lengthen the wait.
    after = AT + timedelta(minutes=15, seconds=1)
    if login == "office.a":
        assert backend.sign_in(login=login, password=PASSWORD, source="s", at=after).login == login
    else:
        with refused("people.sign_in_failed"):
            backend.sign_in(login=login, password=PASSWORD, source="s", at=after)


def test_a_success_starts_the_count_of_a_login_anew(office: Office) -> None:
    office.account("a")
    for number in range(3):
        for second in range(4):
            with refused("people.sign_in_failed"):
                backend.sign_in(
                    login="office.a", password="wrong", source="s", at=AT + timedelta(seconds=10 * number + second)
                )
        backend.sign_in(login="office.a", password=PASSWORD, source="s", at=AT + timedelta(seconds=10 * number + 5))


def test_thirty_failures_make_a_source_wait(office: Office) -> None:
    office.account("a")
    for number in range(30):
        with refused("people.sign_in_failed"):
            backend.sign_in(login=f"login{number}", password="wrong", source="one", at=AT)
    with refused("people.sign_in_wait"):
        backend.sign_in(login="office.a", password=PASSWORD, source="one", at=AT)
    assert backend.sign_in(login="office.a", password=PASSWORD, source="two", at=AT).login == "office.a"


def test_tries_are_kept_hashed_and_for_a_day(office: Office) -> None:
    with refused("people.sign_in_failed"):
        backend.sign_in(login="secretlogin", password="wrong", source="10.1.2.3", at=AT)
    row = SignInAttempt.objects.get()
    assert "secretlogin" not in row.login_hash
    assert "10.1.2.3" not in row.source_hash
    assert backend.forget_old_attempts(at=AT + timedelta(hours=24)) == 0
    assert backend.forget_old_attempts(at=AT + timedelta(hours=24, seconds=1)) == 1


def test_a_token_works_until_it_runs_out_or_is_revoked(office: Office) -> None:
    office.account("a")
    account = office.accounts["a"]
    token, secret = operations.issue_token(
        actor=queries.oneself(account), at=AT, account=account, scope="write,read", days=2
    )
    assert secret.startswith("anban_")
    assert token.scope == "read write"
    assert queries.token_account(secret, AT + timedelta(days=2) - timedelta(seconds=1)) == token
    assert queries.token_account(secret, AT + timedelta(days=2)) is None
    assert queries.token_account(secret[:-1] + ("A" if secret[-1] != "A" else "B"), AT) is None
    operations.revoke_token(actor=queries.oneself(account), at=AT, token=token)
    operations.revoke_token(actor=queries.oneself(account), at=AT, token=token)
    assert queries.token_account(secret, AT) is None
    assert verbs().count("token.revoked") == 1


@pytest.mark.parametrize(
    ("scope", "days", "code"),
    [
        ("admin", 3, "people.scope_unknown"),
        ("", 3, "people.scope_unknown"),
        ("read", 0, "people.days_out_of_range"),
        ("read", 367, "people.days_out_of_range"),
    ],
)
def test_a_token_beyond_bounds_is_refused(office: Office, scope: str, days: int, code: str) -> None:
    office.account("a")
    account = office.accounts["a"]
    with refused(code):
        operations.issue_token(actor=queries.oneself(account), at=AT, account=account, scope=scope, days=days)
    assert not ApiToken.objects.exists()


def test_the_access_log_is_read_by_the_audit_administrator_alone(office: Office) -> None:
    office.account("u", "audit_admin")
    office.account("s", "steward")
    operations.note_access(actor=office.actor("s"), at=AT, what="person.read", subject="x", rows=1)
    assert [row.what for row in queries.access_records(office.actor("u"))] == ["person.read"]
    with refused("people.not_allowed"):
        queries.access_records(office.actor("s"))
    other = Office("other")
    other.account("u", "audit_admin")
    assert not queries.access_records(other.actor("u")).exists()


def test_ending_other_sessions_keeps_this_one(office: Office) -> None:
    office.account("a", "safety_inspector", "street")
    here, there = office.client("a"), office.client("a")
    assert here.post("/account/sessions/").status_code == 302
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert Client().get("/account/").status_code == 302
