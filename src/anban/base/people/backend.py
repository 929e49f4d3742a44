"""Signing in: password, throttling, second factor and sessions; what happens here is kept apart from the journal."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

import pyotp
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from anban.base.people.models import Account, SignInAttempt
from anban.base.people.sealing import readable, seal, unseal
from anban.rules.errors import Refusal, register

register(
    "people.sign_in_failed",
    zh="账号或密码不对，或账号已停用。请检查后再试，或联系本单位安全管理员。",
    en="Login or password is wrong, or the account is disabled. Check them, or ask your security administrator.",
)
register(
    "people.sign_in_wait",
    zh="尝试次数过多，请 {minutes} 分钟后再试。",
    en="Too many tries. Please try again in {minutes} min.",
)
register(
    "people.factor_wrong",
    zh="验证码不对或已用过。请等验证器显示下一个验证码再输入。",
    en="The code is wrong or was used already. Wait for the next code of your authenticator.",
)

WINDOW: Final = timedelta(minutes=15)
LOGIN_FAILURES: Final = 5
SOURCE_FAILURES: Final = 30
KEPT: Final = timedelta(days=1)
STEP_SECONDS: Final = 30
ISSUER: Final = "Anban"

_stand_in: dict[str, str] = {}


class AccountBackend:
    """Checks a password against an active account and loads the account of a session."""

    def authenticate(self, request: HttpRequest | None, login: str = "", password: str = "") -> Account | None:
        """Return the account when the password is right and the account is active."""
        account = Account.objects.filter(login=login).select_related("person").first()
        if account is None or not account.has_usable_password():
            # The same work as for a known login, so that timing doesn't tell who exists.
            stand_in = _stand_in.setdefault("hash", make_password(secrets.token_urlsafe(16)))
            Account(password=stand_in).check_password(password)
            return None
        if not account.check_password(password) or not account.is_active:
            return None
        return account

    def get_user(self, user_id: UUID | str) -> Account | None:
        """Return the active account of a session: a disabled one is a stranger at its next request."""
        return Account.objects.filter(pk=user_id, is_active=True).select_related("person").first()


def sign_in(*, login: str, password: str, source: str, at: datetime) -> Account:
    """Return the account that login and password open, counting every try by login and by source address.

    An unknown login gets the same words, the same work and the same waits as a known one.
    Raises: people.sign_in_failed, people.sign_in_wait.
    """
    attempt = _try(login, source, at)
    account = AccountBackend().authenticate(None, login=login, password=password)
    if account is None:
        raise Refusal("people.sign_in_failed")
    _succeeded(attempt)
    return account


def check_factor(account_id: UUID, code: str, *, source: str, at: datetime) -> None:
    """Accept a code of the account's authenticator once: the step it belongs to, and all before, are then used up.

    Source: RFC 6238 5.2. Raises: people.factor_wrong, people.sign_in_wait.
    """
    attempt = _try(f"second-factor {account_id}", source, at)
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=account_id)
        secret = unseal(account.totp_secret, account.pk)
        step = matching_step(secret, code, at, after=account.totp_last_step)
        if step is not None:
            account.totp_last_step = step
            account.save(update_fields=["totp_last_step"])
    if step is None:
        raise Refusal("people.factor_wrong", field="code")
    _succeeded(attempt)


def matching_step(secret: str, code: str, at: datetime, *, after: int) -> int | None:
    """Return the time step (30 s, one earlier and one later allowed) whose code this is, if it comes after ``after``."""
    given = "".join(code.split())
    if not secret or not given.isdigit():
        return None
    now_step = int(at.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in (now_step, now_step - 1, now_step + 1):
        if step > after and hmac.compare_digest(totp.generate_otp(step), given):
            return step
    return None


def usable_code(account: Account, at: datetime) -> str:
    """Return the code that the account's authenticator would give and that is not used up; for demonstrations only."""
    if not account.totp_secret or not readable(account.totp_secret, account.pk):
        return ""
    step = max(int(at.timestamp()) // STEP_SECONDS, account.totp_last_step + 1)
    return pyotp.TOTP(unseal(account.totp_secret, account.pk)).generate_otp(step)


def new_factor() -> str:
    """Return a fresh secret for an authenticator, of 160 bits."""
    return pyotp.random_base32()


def pending_factor(kept: str, account_id: UUID) -> tuple[str, str]:
    """Return the secret that a person is about to bind, and what the session keeps of it: a fresh one where it kept none."""
    if kept and readable(kept, account_id):
        return unseal(kept, account_id), kept
    secret = new_factor()
    return secret, seal(secret, account_id)


def factor_address(secret: str, login: str) -> str:
    """Return the ``otpauth://`` address that an authenticator reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def end_sessions(account_id: UUID, *, keep: str = "") -> int:
    """End every session of an account but the one whose key is ``keep``; returns how many were ended."""
    ended = 0
    for session in Session.objects.iterator(chunk_size=500):
        data: Mapping[str, object] = session.get_decoded()
        if data.get("_auth_user_id") == str(account_id) and session.session_key != keep:
            session.delete()
            ended += 1
    return ended


def forget_old_attempts(*, at: datetime) -> int:
    """Remove tries to sign in that are older than a day and sessions that ran out; a job calls it every hour."""
    removed, _ = SignInAttempt.objects.filter(at__lt=at - KEPT).delete()
    Session.objects.filter(expire_date__lt=at).delete()
    return removed


def _keyed(kind: str, text: str) -> str:
    return salted_hmac(f"anban.attempt.{kind}", text, algorithm="sha256").hexdigest()


def _try(login: str, source: str, at: datetime) -> SignInAttempt:
    """Count a try before it is judged, so that tries at once count as well. Raises: people.sign_in_wait."""
    attempt = SignInAttempt.objects.create(
        login_hash=_keyed("login", login.casefold()), source_hash=_keyed("source", source), at=at, succeeded=False
    )
    recent = SignInAttempt.objects.filter(at__gt=at - WINDOW, at__lte=at)
    by_login = recent.filter(login_hash=attempt.login_hash)
    last_good = by_login.filter(succeeded=True).aggregate(at=Max("at"))["at"]
    failed = by_login.filter(succeeded=False)
    if last_good is not None:
        failed = failed.filter(at__gt=last_good)
    for rows, limit in (
        (failed, LOGIN_FAILURES),
        (recent.filter(source_hash=attempt.source_hash, succeeded=False), SOURCE_FAILURES),
    ):
        earlier = list(rows.exclude(pk=attempt.pk).order_by("-at").values_list("at", flat=True)[:limit])
        if len(earlier) == limit:
            # A try that is not judged doesn't count: nobody can be kept out for ever by knocking.
            attempt.delete()
            raise Refusal("people.sign_in_wait", minutes=max(1, ceil((earlier[-1] + WINDOW - at).total_seconds() / 60)))
    return attempt


def _succeeded(attempt: SignInAttempt) -> None:
    attempt.succeeded = True
    attempt.save(update_fields=["succeeded"])
