"""Who calls: a bearer token becomes an Actor of one root, with the scope that the endpoint asks for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from anban.base.journal.queries import timeline
from anban.base.people.actor import Actor
from anban.base.people.queries import token_account
from anban.contexts.territory.queries import actor_for, city_date, roots_of
from anban.kit.clock import city_date as kit_city_date
from anban.kit.clock import now
from anban.rules.errors import Refusal, register

register("api.scope_missing", zh="令牌没有“{scope}”范围。", en="The token lacks the scope {scope}.")
register("api.no_post", zh="您的账号目前没有岗位。", en="Your account holds no post at present.")
register(
    "api.no_business",
    zh="系统、安全、审计管理员不办理业务。",
    en="The three administrators have no part in the business of the ledger.",
)
register("api.root_missing", zh="请用 root 指明地区根：{roots}。", en="Name the root with `root`: {roots}.")
register("api.root_not_yours", zh="您在这个地区根没有岗位。", en="You hold no post in this root.")
register(
    "api.second_factor_missing",
    zh="这个岗位的令牌须在绑定第二验证因素后签发。",
    en="A token for this post must be issued after binding a second factor.",
)

PRIVILEGED: Final = frozenset(
    {
        "street_deputy", "street_director", "district_committee_officer", "district_regulator_head",
        "city_committee_officer", "leader_viewer", "steward", "system_admin", "security_admin", "audit_admin",
    }
)  # fmt: skip
"""Roles that sign in with a second factor, as on the pages. Source: GB/T 22239-2019 8.1.4.1 d)."""

ADMINISTRATORS: Final = frozenset({"system_admin", "security_admin", "audit_admin"})
DEFAULT_ZONE: Final = "Asia/Shanghai"
REQUESTS_PER_MINUTE = 1200
"""How many requests one token may make in a minute, per web process."""


def permits(words: frozenset[str], need: str) -> bool:
    """Tell whether a token's words cover a need such as ``hazards:read``; to write includes to read."""
    subject, _, verb = need.partition(":")
    verbs = {verb, "write"} if verb == "read" else {verb}
    return any(word in words for each in verbs for word in (each, f"{subject}:{each}"))


class Bearer(HttpBearer):
    """``Authorization: Bearer``; ``need`` is the scope that the endpoint asks for."""

    def __init__(self, need: str) -> None:
        self.need = need
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Return the actor that a living token is, or None. Raises: the refusals of this module."""
        at = now()
        row = token_account(token.strip(), at)
        if row is None:
            return None
        words = frozenset(row.scope.split())
        if not permits(words, self.need):
            raise Refusal("api.scope_missing", scope=self.need)
        person_id: UUID = row.account.person_id
        root = _root(request, person_id, kit_city_date(at, DEFAULT_ZONE))
        factor = bool(row.account.totp_secret)
        actor = actor_for(
            person_id, root, city_date(at, root), account=row.account, channel="api", second_factor=factor, scopes=words
        )
        if actor.roles & PRIVILEGED and not factor and not _from_console(person_id, row.pk):
            raise Refusal("api.second_factor_missing")
        if actor.roles <= ADMINISTRATORS:
            raise Refusal("api.no_business")
        request.at, request.token_id = at, row.pk  # type: ignore[attr-defined]
        return actor


def _root(request: HttpRequest, person_id: UUID, on: date) -> str:
    choices = roots_of(person_id, on)
    if not choices:
        raise Refusal("api.no_post")
    named = request.GET.get("root") or request.headers.get("Anban-Root") or ""
    if named:
        if named not in choices:
            raise Refusal("api.root_not_yours", field="root")
        return named
    if len(choices) > 1:
        raise Refusal("api.root_missing", field="root", roots="、".join(choices))
    return choices[0]


def _from_console(person_id: UUID, token_id: UUID) -> bool:
    """Tell whether the house's own console issued a token: its operator stands in for the second factor."""
    subject = f"token:{token_id.hex}"
    return any(
        line.verb == "token.issued" and line.subject == subject and line.actor.startswith("job:")
        for line in timeline(("person", person_id))
    )


class PerToken(BaseThrottle):
    """At most ``REQUESTS_PER_MINUTE`` requests of one token in one minute of the clock."""

    def __init__(self) -> None:
        self.rest = 60.0

    def allow_request(self, request: HttpRequest) -> bool:
        """Count a request and tell whether it may pass."""
        at: Any = getattr(request, "at", None)
        token: Any = getattr(request, "token_id", None)
        if at is None or token is None:
            return True
        minute, second = divmod(int(at.timestamp()), 60)
        key = f"api-rate:{token.hex}:{minute}"
        cache.add(key, 0, timeout=120)
        self.rest = 60.0 - second
        return int(cache.incr(key)) <= REQUESTS_PER_MINUTE

    def wait(self) -> float:
        """Return the seconds until the next minute begins."""
        return self.rest


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor that the token gave."""
    actor: Any = getattr(request, "auth", None)
    if not isinstance(actor, Actor):
        raise Refusal("api.unauthenticated")
    return actor


def moment_of(request: HttpRequest) -> datetime:
    """Return the instant at which the caller's token was looked up: the ``at`` of everything this request does."""
    at: Any = getattr(request, "at", None)
    if not isinstance(at, datetime):
        raise Refusal("api.unauthenticated")
    return at
