"""Writes of persons, accounts, tokens and the log of personal reads."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password

from anban.base.inserting import insert_new
from anban.base.journal.operations import record, unit
from anban.base.people import policies
from anban.base.people.actor import Actor
from anban.base.people.backend import end_sessions, matching_step
from anban.base.people.models import AccessRecord, Account, ApiToken, Person, SavedView
from anban.base.people.queries import TOKEN_PREFIX, account_of_set_up, digest, oneself
from anban.base.people.sealing import seal
from anban.rules.errors import Refusal, register

register("people.login_taken", zh="账号名“{login}”已有人使用。", en="The login {login} is taken.")
register(
    "people.login_invalid",
    zh="账号名须为 3 到 80 个字母、数字、点、横线、下划线或 @。",
    en="A login has 3 to 80 letters, digits, dots, hyphens, underscores or @.",
)
register(
    "people.setup_over",
    zh="这个设置链接已用过或已过期。请找安全管理员重新发一个。",
    en="This set-up link was used or has run out. Ask the security administrator for a new one.",
)
register("people.password_wrong", zh="现在的密码不对。", en="The present password is wrong.")
register(
    "people.code_wrong",
    zh="验证码不对。请检查手机时间是否准确，再输入新的验证码。",
    en="The code is wrong. Check the clock of your phone and enter a new code.",
)
register(
    "people.person_erased", zh="此人的信息已删除，不能开账号。", en="This person was erased and can have no account."
)
register("people.language_unknown", zh="没有这种语言。", en="There is no such language.")

SETUP_HOURS: Final = 72
LANGUAGES: Final = ("zh-hans", "en")


def add_person(*, actor: Actor, at: datetime, root: str, name: str, phone: str = "", steward: bool = False) -> Person:
    """Put a natural person on file. The journal learns the opaque id only."""
    with unit():
        person = Person.objects.create(root=root, name=name.strip(), phone=phone.strip(), steward=steward)
        record("person.added", actor=actor, at=at, subject=("person", person.pk), data={"steward": steward})
        return person


def add_people(*, actor: Actor, at: datetime, root: str, names: Sequence[str]) -> list[Person]:
    """Put many natural persons on file at once, with one entry each; returned in the order of the names."""
    with unit():
        rows = [Person(root=root, name=name.strip()) for name in names]
        insert_new(rows)
        for row in rows:
            record("person.added", actor=actor, at=at, subject=("person", row.pk), data={"steward": False})
        return rows


def erase_person(person_id: UUID, *, actor: Actor, at: datetime, reason: str) -> Person:
    """Erase a person's name and telephone; the id stays in every chain, and every proof still verifies.

    Source: 个人信息保护法 第47条.
    """
    with unit():
        person = Person.objects.select_for_update().get(pk=person_id)
        person.name, person.phone, person.erased_at = "", "", at
        person.save(update_fields=["name", "phone", "erased_at"])
        record("person.erased", actor=actor, at=at, subject=("person", person.pk), words={"reason": reason})
        return person


def note_access(*, actor: Actor, at: datetime, what: str, subject: str = "", rows: int = 0) -> AccessRecord:
    """Log a read of personal data or an export, apart from the journal."""
    return AccessRecord.objects.create(
        account_id=actor.account_id, person_id=actor.person_id, at=at, what=what, subject=subject, rows=rows
    )


def open_account(*, actor: Actor, at: datetime, person: Person, login: str) -> tuple[Account, str]:
    """Open an account without a password and return it with the one-time set-up token, which is shown once.

    The link works for 72 hours. Raises: people.not_allowed, people.login_invalid, people.login_taken, people.person_erased.
    """
    policies.require_may_keep_accounts(actor, person.root)
    login = login.strip()
    if not 3 <= len(login) <= 80 or not all(c.isalnum() or c in "._-@" for c in login):
        raise Refusal("people.login_invalid", field="login")
    with unit():
        if person.erased_at is not None:
            raise Refusal("people.person_erased", field="person")
        if Account.objects.filter(login__iexact=login).exists():
            raise Refusal("people.login_taken", field="login", login=login)
        token = secrets.token_urlsafe(32)
        account = Account(
            person=person, login=login, created_at=at, setup_hash=digest(token),
            setup_until=at + timedelta(hours=SETUP_HOURS),
        )  # fmt: skip
        account.set_unusable_password()
        account.save(force_insert=True)
        _note("account.opened", account, actor, at)
        return account, token


def reissue_setup(*, actor: Actor, at: datetime, account: Account) -> str:
    """Make a new set-up token; earlier ones are void, the present password stays until the link is used.

    Raises: people.not_allowed.
    """
    policies.require_may_keep_accounts(actor, account.person.root)
    with unit():
        row = _locked(account.pk)
        token = secrets.token_urlsafe(32)
        row.setup_hash, row.setup_until = digest(token), at + timedelta(hours=SETUP_HOURS)
        row.save(update_fields=["setup_hash", "setup_until"])
        _note("account.setup_reissued", row, actor, at)
        return token


def set_up(
    token: str, *, password: str, at: datetime, actor: Actor | None = None, hashed: str | None = None
) -> Account:
    """Set the first (or a forgotten) password by a set-up token, which is then used up; other sessions end.

    ``actor`` is the person itself where none is given; ``hashed`` is the password's own hash where a caller of many has made
    it beside other work. Raises: people.setup_over and what a password may be refused for.
    """
    account = account_of_set_up(token, at)
    if account is None:
        raise Refusal("people.setup_over")
    policies.check_password(password, account.login)
    hashed = hashed or make_password(password)
    with unit():
        row = _locked(account.pk)
        if row.setup_hash != digest(token):
            raise Refusal("people.setup_over")
        row.password, row.setup_hash, row.setup_until = hashed, "", None
        row.save(update_fields=["password", "setup_hash", "setup_until"])
        _note("account.set_up", row, actor or oneself(row), at)
        end_sessions(row.pk)
        return row


def change_password(
    *, actor: Actor, at: datetime, account: Account, present: str, password: str, keep_session: str = ""
) -> Account:
    """Change one's own password; every other session of the account ends.

    Raises: people.not_allowed, people.password_wrong and what a password may be refused for.
    """
    policies.require_own(actor, account.pk)
    if not account.check_password(present):
        raise Refusal("people.password_wrong", field="present")
    policies.check_password(password, account.login)
    hashed = make_password(password)
    with unit():
        row = _locked(account.pk)
        row.password = hashed
        row.save(update_fields=["password"])
        _note("account.password_changed", row, actor, at)
        end_sessions(row.pk, keep=keep_session)
        return row


def disable_account(*, actor: Actor, at: datetime, account: Account) -> Account:
    """Disable an account: its sessions end now, its tokens and links no longer work, its history stays.

    Raises: people.not_allowed, people.not_yourself.
    """
    policies.require_may_keep_accounts(actor, account.person.root)
    if actor.account_id == account.pk:
        raise Refusal("people.not_yourself")
    with unit():
        row = _locked(account.pk)
        row.is_active, row.disabled_at, row.setup_hash, row.setup_until = False, at, "", None
        row.save(update_fields=["is_active", "disabled_at", "setup_hash", "setup_until"])
        _note("account.disabled", row, actor, at)
        end_sessions(row.pk)
        return row


def enable_account(*, actor: Actor, at: datetime, account: Account) -> Account:
    """Let a disabled account sign in again, with its password and second factor. Raises: people.not_allowed."""
    policies.require_may_keep_accounts(actor, account.person.root)
    with unit():
        row = _locked(account.pk)
        row.is_active, row.disabled_at = True, None
        row.save(update_fields=["is_active", "disabled_at"])
        _note("account.enabled", row, actor, at)
        return row


def enrol_factor(*, actor: Actor, at: datetime, account: Account, secret: str, code: str) -> Account:
    """Bind an authenticator to one's own account, once it has shown a right code.

    A bound one is never replaced here: it has to be reset first. Raises: people.not_allowed, people.code_wrong.
    """
    policies.require_own(actor, account.pk)
    with unit():
        row = _locked(account.pk)
        if row.totp_secret:
            raise Refusal("people.not_allowed")
        step = matching_step(secret, code, at, after=0)
        if step is None:
            raise Refusal("people.code_wrong", field="code")
        row.totp_secret, row.totp_last_step = seal(secret, row.pk), step
        row.save(update_fields=["totp_secret", "totp_last_step"])
        _note("account.factor_enrolled", row, actor, at)
        return row


def reset_factor(*, actor: Actor, at: datetime, account: Account) -> Account:
    """Unbind a lost authenticator and end the account's sessions; the next sign-in binds a new one.

    Raises: people.not_allowed (the security administrator alone).
    """
    policies.require_may_reset_factor(actor, account.person.root)
    if actor.account_id == account.pk:
        raise Refusal("people.not_allowed")
    with unit():
        row = _locked(account.pk)
        row.totp_secret, row.totp_last_step = "", 0
        row.save(update_fields=["totp_secret", "totp_last_step"])
        _note("account.factor_reset", row, actor, at)
        end_sessions(row.pk)
        return row


def choose_language(*, actor: Actor, at: datetime, account: Account, language: str) -> Account:
    """Keep the language that a person reads. Raises: people.not_allowed, people.language_unknown."""
    policies.require_own(actor, account.pk)
    if language not in LANGUAGES:
        raise Refusal("people.language_unknown", field="language")
    with unit():
        row = _locked(account.pk)
        row.language = language
        row.save(update_fields=["language"])
        record(
            "account.language_chosen", actor=actor, at=at, subject=("account", row.pk),
            matter=("person", row.person_id), data={"language": language},
        )  # fmt: skip
        return row


def issue_token(
    *, actor: Actor, at: datetime, account: Account, scope: str, days: int, label: str = ""
) -> tuple[ApiToken, str]:
    """Issue a key for programs and return it with its secret, which is shown once and kept as a hash.

    Raises: people.not_allowed, people.scope_unknown, people.days_out_of_range.
    """
    policies.require_own_or_keeper(actor, account.pk, account.person.root)
    words = policies.check_token(scope, days)
    with unit():
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = ApiToken.objects.create(
            account=account, label=label.strip()[:80], scope=words, token_hash=digest(secret), created_at=at,
            expires_at=at + timedelta(days=days),
        )  # fmt: skip
        record(
            "token.issued", actor=actor, at=at, subject=("token", token.pk), matter=("person", account.person_id),
            data={"account": str(account.pk), "scope": words, "days": days},
        )  # fmt: skip
        return token, secret


def revoke_token(*, actor: Actor, at: datetime, token: ApiToken) -> ApiToken:
    """End a token now; ending one that has ended changes nothing. Raises: people.not_allowed."""
    policies.require_own_or_keeper(actor, token.account_id, token.account.person.root)
    with unit():
        row = ApiToken.objects.select_for_update().get(pk=token.pk)
        if row.revoked_at is None:
            row.revoked_at = at
            row.save(update_fields=["revoked_at"])
            record(
                "token.revoked", actor=actor, at=at, subject=("token", row.pk),
                matter=("person", token.account.person_id), data={"account": str(row.account_id)},
            )  # fmt: skip
        return row


def end_other_sessions(*, actor: Actor, at: datetime, account: Account, keep_session: str) -> int:
    """End every session of one's own account but this one; returns how many ended. Raises: people.not_allowed."""
    policies.require_own_or_keeper(actor, account.pk, account.person.root)
    with unit():
        ended = end_sessions(account.pk, keep=keep_session)
        record(
            "account.sessions_ended", actor=actor, at=at, subject=("account", account.pk),
            matter=("person", account.person_id), data={"ended": ended},
        )  # fmt: skip
        return ended


def _locked(account_id: UUID) -> Account:
    return Account.objects.select_for_update(of=("self",)).select_related("person").get(pk=account_id)


def _note(verb: str, account: Account, actor: Actor, at: datetime) -> None:
    record(verb, actor=actor, at=at, subject=("account", account.pk), matter=("person", account.person_id))


register("people.view_untitled", zh="请给这组筛选起个名字。", en="Give this set of filters a name.")
register(
    "people.view_unknown", zh="没有这组筛选，或它不是您存的。", en="There is no such saved filter, or it is not yours."
)


def save_view(
    *, actor: Actor, at: datetime, page: str, title: str, query: str, columns: str = "", shared: bool = False
) -> SavedView:
    """Keep a list's filters under a name, for oneself or for everybody in the root.

    Raises: people.not_allowed without an account, people.view_untitled.
    """
    if actor.account_id is None:
        raise Refusal("people.not_allowed")
    if not title.strip():
        raise Refusal("people.view_untitled", field="title")
    with unit():
        view = SavedView.objects.create(
            account_id=actor.account_id, root=actor.root, page=page, title=title.strip()[:80], query=query[:2000],
            columns=columns, shared=shared, created_at=at,
        )  # fmt: skip
        record("view.saved", actor=actor, at=at, subject=("view", view.pk), data={"page": page, "shared": shared})
        return view


def drop_view(*, actor: Actor, at: datetime, view_id: UUID) -> None:
    """Remove one of one's own saved filters. Raises: people.view_unknown."""
    if actor.account_id is None:
        raise Refusal("people.view_unknown")
    with unit():
        gone, _ = SavedView.objects.filter(pk=view_id, root=actor.root, account_id=actor.account_id).delete()
        if not gone:
            raise Refusal("people.view_unknown")
        record("view.dropped", actor=actor, at=at, subject=("view", view_id))
