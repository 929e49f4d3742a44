"""A root with the offices that keep accounts: bodies, posts, persons and accounts that can sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.test import Client

from anban.base.people import backend, operations, sealing
from anban.base.people.actor import Actor, job_actor
from anban.base.people.models import Account, Person
from anban.base.people.queries import oneself
from anban.contexts.territory.models import Area, Body, Post
from anban.contexts.territory.operations import add_area, add_body, add_post, add_root, appoint
from anban.contexts.territory.queries import actor_for
from anban.kit.clock import now

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
FROM = date(2020, 1, 1)
PASSWORD = "three dogs on a hill"


@dataclass
class Office:
    """Areas, bodies and posts of one root, made through operations; persons by short names."""

    root: str = "office"
    areas: dict[str, Area] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)

    def __post_init__(self) -> None:
        add_root(actor=self.job, at=AT, code=self.root, name="某市", name_en="A city", kind="real")
        city = self._area("city", None, "1/")
        district = self._area("district", city, "1/05/")
        self._area("street", district, "1/05/026/")
        for key in ("city", "district", "street"):
            self.bodies[key] = add_body(
                actor=self.job, at=AT, area=self.areas[key], code=f"{self.root}-{key}", kind=f"{key}_office",
                name=f"{key}办", name_en=f"{key} office",
            )  # fmt: skip

    @property
    def job(self) -> Actor:
        """The house's own hand, for set-up."""
        return job_actor("set-up", self.root)

    def _area(self, level: str, parent: Area | None, path: str) -> Area:
        self.areas[level] = add_area(
            actor=self.job, at=AT, root=self.root, code=f"{self.root}-{level}", name=f"{level}区", name_en=level.title(),
            level=level, parent=parent, path=path,
        )  # fmt: skip
        return self.areas[level]

    def post(self, role: str, area: str = "city") -> Post:
        """Return the post of a role in an area, made at the first asking."""
        key = f"{role}-{area}"
        if key not in self.posts:
            self.posts[key] = add_post(actor=self.job, at=AT, body=self.bodies[area], role=role, area=self.areas[area])
        return self.posts[key]

    def person(self, name: str, role: str = "", area: str = "city") -> Person:
        """Put a person on file, in a post where a role is given."""
        if name not in self.people:
            self.people[name] = operations.add_person(actor=self.job, at=AT, root=self.root, name=name)
        if role:
            appoint(actor=self.job, at=AT, post=self.post(role, area), person=self.people[name], from_on=FROM)
        return self.people[name]

    def account(self, name: str, role: str = "", area: str = "city", *, factor: bool = False) -> Account:
        """Give a person an account with the common password of these tests; with ``factor`` an authenticator."""
        person = self.person(name, role, area)
        account, token = operations.open_account(actor=self.job, at=now(), person=person, login=f"{self.root}.{name}")
        self.accounts[name] = operations.set_up(token, password=PASSWORD, at=now())
        if factor:
            row = self.accounts[name]
            row.totp_secret = sealing.seal(backend.new_factor(), row.pk)
            row.save(update_fields=["totp_secret"])
        return account

    def actor(self, name: str, on: date = date(2026, 3, 2)) -> Actor:
        """Return the actor that a person is, signed in with its account."""
        return actor_for(self.people[name].pk, self.root, on, account=self.accounts.get(name), second_factor=True)

    def client(self, name: str, **headers: Any) -> Client:
        """Return a browser in which a person has signed in, with the second factor where one is bound."""
        client = Client(headers=headers or None)
        answer = client.post("/sign-in/", {"login": f"{self.root}.{name}", "password": PASSWORD})
        assert answer.status_code == 302, answer.content.decode()
        account = Account.objects.get(login=f"{self.root}.{name}")
        if account.totp_secret:
            answer = client.post("/second-factor/", {"code": backend.usable_code(account, now())})
            assert answer.status_code == 302, answer.content.decode()
        return client


def as_oneself(account: Account) -> Actor:
    """Return the account's person acting for itself."""
    return oneself(account)
