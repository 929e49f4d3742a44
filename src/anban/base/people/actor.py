"""Who is acting, with what rights: frozen for one request, command or job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

NOBODY = UUID(int=0)
Channel = Literal["web", "api", "cli", "job"]


@dataclass(frozen=True, slots=True)
class Grant:
    """One right of an actor: a role over an area (all paths at or below ``paths``), perhaps within a sector, a place or one matter.

    ``paths`` empty with ``place_id`` and ``matter_id`` empty means the whole root. ``classes`` and ``kinds`` empty means every
    hazard class and place kind; otherwise a row is in the sector when its class *or* its place kind is named.
    """

    root: str
    role: str
    paths: tuple[str, ...] = ()
    sector: str = ""
    classes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    body_id: UUID | None = None
    body_kind: str = ""
    post_id: UUID | None = None
    place_id: UUID | None = None
    matter_id: UUID | None = None
    deputy: bool = False

    @property
    def whole_root(self) -> bool:
        """Tell whether this grant covers its root without any area, sector, place or matter limit."""
        return not (self.paths or self.classes or self.kinds or self.place_id or self.matter_id)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (or a named job) that acts in one root, with the grants its posts give on this day."""

    person_id: UUID | None
    root: str
    grants: tuple[Grant, ...] = ()
    account_id: UUID | None = None
    channel: Channel = "web"
    job: str = ""
    second_factor: bool = False
    zone: str = "Asia/Shanghai"
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def roles(self) -> frozenset[str]:
        """Return the codes of all roles this actor holds in its root."""
        return frozenset(g.role for g in self.grants if g.root == self.root)

    @property
    def reference(self) -> str:
        """Return the opaque name under which the journal knows this actor: a person's id, or ``job:name``."""
        return f"job:{self.job}" if self.job else str(self.person_id)

    @property
    def person_key(self) -> UUID:
        """Return the person's id for a filter; for a job an id that nobody has."""
        return self.person_id or NOBODY

    @property
    def system(self) -> bool:
        """Tell whether this is one of the house's own jobs, which sees its whole root."""
        return bool(self.job)

    def body_ids(self) -> frozenset[UUID]:
        """Return the bodies in whose name this actor may speak."""
        return frozenset(g.body_id for g in self.grants if g.root == self.root and g.body_id)

    def has(self, *roles: str) -> bool:
        """Tell whether the actor holds any of the roles in its root."""
        return not self.roles.isdisjoint(roles)

    def covers(self, path: str, *, roles: tuple[str, ...] = ()) -> bool:
        """Tell whether any grant (of ``roles``, when given) covers the area ``path``."""
        return any(
            g.root == self.root
            and (not roles or g.role in roles)
            and not g.place_id
            and not g.matter_id
            and (not g.paths or any(path.startswith(p) for p in g.paths))
            for g in self.grants
        )


def job_actor(name: str, root: str, *, zone: str = "Asia/Shanghai") -> Actor:
    """Return the actor under which the job ``name`` works in ``root``."""
    return Actor(person_id=None, root=root, job=name, channel="job", zone=zone)
