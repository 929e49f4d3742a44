"""Reads of persons, accounts, tokens and the log of personal reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from anban.base.people import policies
from anban.base.people.actor import Actor, Channel
from anban.base.people.models import AccessRecord, Account, ApiToken, Person, SavedView, SignInAttempt
from anban.base.people.sealing import readable
from anban.kit.remember import remembered

TOKEN_PREFIX: Final = "anban_"  # noqa: S105 - how a token is recognised, not one


def digest(secret: str) -> str:
    """Return the hash under which a long random secret (set-up link, token) is kept."""
    return sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Holder:
    """An account as pages see it: its person, language and whether it has a second factor."""

    id: UUID
    person_id: UUID
    login: str
    name: str
    root: str
    language: str
    theme: str
    has_second_factor: bool
    set_up: bool
    active: bool


SignedIn = Account
"""The signed-in account under the name that pages may know it by."""


def account_of(user: object) -> Account | None:
    """Return the signed-in account of a request's user, or None for a stranger."""
    return user if isinstance(user, Account) and user.is_active else None


def holder(account: Account) -> Holder:
    """Return what pages may know of an account."""
    return Holder(
        account.pk, account.person_id, account.login, account.person.name, account.person.root, account.language,
        account.theme, bool(account.totp_secret), account.has_usable_password(), account.is_active,
    )  # fmt: skip


def oneself(account: Account, channel: Channel = "web") -> Actor:
    """Return the actor that an account's person is for what concerns the account alone, before any post counts."""
    return Actor(person_id=account.person_id, root=account.person.root, account_id=account.pk, channel=channel)


def persons(actor: Actor) -> QuerySet[Person]:
    """Return the persons of the actor's root who are not erased, by name."""
    return Person.objects.filter(root=actor.root, erased_at__isnull=True).order_by("name", "id")


def person(actor: Actor, person_id: UUID) -> Person | None:
    """Return one person of the actor's root."""
    return Person.objects.filter(root=actor.root, pk=person_id).first()


@remembered
def person_by_id(person_id: UUID) -> Person | None:
    """Return the person with this id, for operations that have checked who asks."""
    return Person.objects.filter(pk=person_id).first()


def accounts(actor: Actor) -> QuerySet[Account]:
    """Return the accounts of the actor's root, for those who keep accounts. Raises: people.not_allowed."""
    policies.require_may_keep_accounts(actor, actor.root)
    return Account.objects.filter(person__root=actor.root).select_related("person").order_by("login")


def account_by_login(login: str) -> Account | None:
    """Return the account named ``login``, for the console and for set-up."""
    return Account.objects.filter(login=login).select_related("person").first()


def waiting_set_up(root: str) -> QuerySet[Account]:
    """Return the accounts of a root that nobody has set up yet, oldest first."""
    return (
        Account.objects.filter(person__root=root, is_active=True, password__startswith="!")  # noqa: S106 - the mark of no password
        .select_related("person")
        .order_by("created_at", "id")
    )


def account_of_set_up(token: str, at: datetime) -> Account | None:
    """Return the account that a set-up link still opens."""
    return (
        Account.objects.filter(setup_hash=digest(token), setup_until__gt=at, is_active=True)
        .select_related("person")
        .first()
    )


def tokens(actor: Actor) -> QuerySet[ApiToken]:
    """Return the actor's own tokens, newest first; keepers of accounts find others by account."""
    if actor.account_id is None:
        return ApiToken.objects.none()
    return ApiToken.objects.filter(account_id=actor.account_id).order_by("-created_at", "id")


def token_account(secret: str, at: datetime) -> ApiToken | None:
    """Return the living token (with account and person) that a secret is, or None; the secret itself is kept nowhere."""
    if not secret.startswith(TOKEN_PREFIX):
        return None
    return (
        ApiToken.objects.filter(
            token_hash=digest(secret), revoked_at__isnull=True, expires_at__gt=at, account__is_active=True
        )
        .select_related("account__person")
        .first()
    )


def access_records(actor: Actor) -> QuerySet[AccessRecord]:
    """Return the reads of personal data in the actor's root, newest first. Raises: people.not_allowed."""
    policies.require_may_audit(actor)
    return (
        AccessRecord.objects.filter(person__root=actor.root).select_related("person", "account").order_by("-at", "-id")
    )


def unreadable_factors() -> int:
    """Return how many active accounts have an authenticator that this installation's key doesn't open."""
    bound = Account.objects.filter(is_active=True).exclude(totp_secret="").values_list("totp_secret", "pk")
    return sum(not readable(sealed, account_id) for sealed, account_id in bound)


def failures_since(since: datetime) -> int:
    """Return how many sign-ins failed since an instant, for the metrics."""
    return SignInAttempt.objects.filter(at__gte=since, succeeded=False).count()


def active_tokens(at: datetime, within: timedelta) -> int:
    """Return how many tokens run out within a span, for the metrics."""
    return ApiToken.objects.filter(revoked_at__isnull=True, expires_at__gt=at, expires_at__lte=at + within).count()


def names_of(person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return persons' names by id, for pages whose matter the caller has found in the actor's scope; erased ones are empty."""
    return dict(Person.objects.filter(pk__in=set(person_ids)).values_list("pk", "name"))


def language_of(person_id: UUID) -> str:
    """Return the language that a person has chosen, empty for the house's own."""
    chosen = Account.objects.filter(person_id=person_id, is_active=True).exclude(language="").order_by("id")
    return chosen.values_list("language", flat=True).first() or ""


def saved_views(actor: Actor, page: str) -> QuerySet[SavedView]:
    """Return the saved filters of a list: the actor's own, and those shared within its root."""
    return (
        SavedView.objects.filter(root=actor.root, page=page)
        .filter(Q(account_id=actor.account_id) | Q(shared=True))
        .select_related("account__person")
        .order_by("created_at", "id")
    )
