"""Writes of the links that a matter's chain must have: who is asked to name a person, of whatever kind the matter is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.base.people.operations import add_person
from anban.contexts.obligations import operations as obligations
from anban.contexts.obligations.models import Obligation
from anban.contexts.obligations.queries import owed_by
from anban.contexts.responsibility.chained import Chained, Named, wanted_links
from anban.contexts.responsibility.chains import NAMING, STORED, LinkRow, missing_links
from anban.contexts.responsibility.models import Link
from anban.contexts.responsibility.operations.links import link
from anban.contexts.responsibility.queries import Resolution, officials_for
from anban.contexts.territory.models import Body
from anban.contexts.territory.queries import city_date
from anban.rules.clocks import Due
from anban.rules.errors import Refusal, register

register(
    "link.incomplete",
    zh="责任环节须写明单位和自然人姓名。",
    en="A link needs a unit and the name of a natural person.",
)
register(
    "link.not_official",
    zh="这一环节只能由该地区在岗的相应人员承担。",
    en="This link takes somebody who holds such a post over the area.",
)


def complete_chain(
    *,
    actor: Actor,
    at: datetime,
    matter: Chained,
    needed: Iterable[LinkRow],
    named: Collection[str],
    resolution: Resolution | None,
    due: Callable[[], Due],
) -> list[Obligation]:
    """Put the naming of a person for each link that a matter's chain lacks on the desk of whoever must name one, all at once.

    ``needed`` are the links that the templates demand of it, ``named`` the roles in which somebody stands, ``resolution`` who
    answers for its place and class, ``due`` by when. The matter's own context calls this in the transaction that enters it.
    """
    with unit(savepoint=False):
        wanted = wanted_links(missing_links(needed, named), resolution, matter)
        if not wanted:
            return []
        by = due()
        duties = [
            obligations.Duty(
                root=matter.root, person=one.person, body=one.body, unit_name=one.unit_name, kind=one.row.duty,
                subject=(matter.kind, matter.pk), matter_id=matter.pk, cycle_no=matter.cycle_no, place_id=matter.place_id,
                area_path=matter.area_path, title=matter.title[:200], place_title=matter.place_title, grade=matter.grade,
                due_at=by.at, provisional=by.provisional, source_rule=one.rule, link=matter.link,
            )
            for one in wanted
        ]  # fmt: skip
        return obligations.owe_all(actor=actor, at=at, duties=duties)


def name_link(*, actor: Actor, at: datetime, matter: Chained, role: str, given: Named) -> Link:
    """Name the natural person of a link that a matter's chain lacks, as whoever owes it; the duty ends.

    A link of the net itself takes an official who holds such a post, any other the person of a unit.
    Raises: obligation.not_yours, link.incomplete, link.not_official.
    """
    with unit():
        duty = f"name_{role}"
        if duty not in NAMING or not owed_by(actor.person_key, matter.pk, (duty,)):
            raise Refusal("obligation.not_yours")
        body: Body | None = None
        if role in STORED:
            posts = officials_for(role, matter.root, matter.area_path, city_date(at, matter.root))
            post = next((one for one in posts if one.person_id == given.person), None)
            if post is None:
                raise Refusal("link.not_official", field="person")
            person, body, unit_name = post.person, post.post.body, post.post.body.name
        else:
            for key, said in (("name", given.name), ("unit_name", given.unit_name)):
                if not said.strip():
                    raise Refusal("link.incomplete", field=key)
            unit_name = given.unit_name.strip()
            person = _called(actor, at, matter.root, given.name.strip(), given.phone.strip())
        made = link(
            actor=actor,
            at=at,
            root=matter.root,
            matter=(matter.kind, matter.pk),
            role=STORED.get(role, role),
            person=person,
            body=body,
            unit_name=unit_name[:200],
            cycle_no=matter.cycle_no,
            reason="责任环节模板",
        )
        obligations.fulfil(actor=actor, at=at, matter_id=matter.pk, kinds=[duty])
        return made


def _called(actor: Actor, at: datetime, root: str, name: str, phone: str) -> Person:
    """Return the person of a name and telephone, put on file where nobody of both stands there."""
    known = Person.objects.filter(root=root, name=name, phone=phone, erased_at__isnull=True).first() if phone else None
    return known or add_person(actor=actor, at=at, root=root, name=name, phone=phone)
