"""Several files at once: each recognised by its columns, taken in in the order places, visits, hazards, and history derived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor, Grant, job_actor
from anban.base.people.models import Person
from anban.contexts.catalog.models import HazardCode
from anban.contexts.catalog.operations import add_terms
from anban.contexts.establishments.importers import (
    Mapping,
    Preview,
    Problem,
    Result,
    SourceFile,
    apply,
    mapping_named,
    prepare_root,
    preview,
    recognise,
    shipped_mappings,
)
from anban.contexts.establishments.models import Place
from anban.contexts.establishments.operations import register_place
from anban.contexts.hazards.importers import item_code
from anban.contexts.inspections.importers.history import Derived, derive
from anban.contexts.territory.models import Area, AreaRoot, Body, Holding, Post
from anban.contexts.territory.operations import add_body, add_post, appoint
from anban.contexts.territory.queries import city_date
from anban.kit.collecting import seldom_collecting
from anban.kit.tabular import read_tables
from anban.rules.errors import Refusal, register

register(
    "import.nothing_recognised",
    zh="没有认出任何一个文件：列名与映射“{name}”不符。",
    en="No file was recognised: their columns are not those of the mapping “{name}”.",
)

ORDER = ("places", "visits", "hazards")
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class Taken:
    """What an import of several files did: the four counts over all, each mapping's own result, files nobody knew."""

    results: dict[str, Preview | Result] = field(default_factory=dict)
    derived: dict[str, Derived] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    refused_files: list[Path] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """This property will give new, changed, same and refused over all files."""
        names = ("new", "changed", "same", "refused")
        return {name: sum(one.counts[name] for one in self.results.values()) for name in names}

    @property
    def problems(self) -> list[Problem]:
        """This property will give the first problems of each mapping."""
        return [problem for one in self.results.values() for problem in one.problems]


def mappings_named(name: str) -> list[Mapping]:
    """This function will give the mappings of a name: one, or the family ``name_…`` that covers a source's several files.

    Raises: import.mapping_unknown, import.mapping_broken.
    """
    shipped = shipped_mappings()
    if name.endswith(".toml") or name in shipped:
        return [mapping_named(name)]
    family = [one for key, one in sorted(shipped.items()) if key.startswith(f"{name}_")]
    return _ordered(family) if family else [mapping_named(name)]


def families() -> dict[str, list[Mapping]]:
    """This function will give every shipped mapping by the name to ask for, files of one sample root under one name."""
    found: dict[str, list[Mapping]] = {}
    for name, one in sorted(shipped_mappings().items()):
        found.setdefault(one.root if one.root and name.startswith(f"{one.root}_") else name, []).append(one)
    return {name: _ordered(ones) for name, ones in sorted(found.items())}


def _ordered(mappings: Sequence[Mapping]) -> list[Mapping]:
    return sorted(mappings, key=lambda one: (ORDER.index(one.target) if one.target in ORDER else len(ORDER), one.name))


def take_in(
    files: Sequence[SourceFile | Path],
    mappings: Sequence[Mapping],
    *,
    actor: Actor,
    at: datetime,
    refused: Path | None = None,
    dry: bool = False,
    progress: Progress | None = None,
) -> Taken:
    """This function will take files in by the mappings that know their columns, or with ``dry`` say what it would do.

    Every batch commits by itself; after a crash the same call goes on where it stopped, and a second call changes nothing.
    Raises: FileRefused, import.nothing_recognised, import.not_allowed, import.other_root, import.busy.
    """
    given = [one if isinstance(one, SourceFile) else SourceFile(one) for one in files]
    taken = Taken()
    sorted_out = _sorted_out(given, _ordered(mappings), taken)
    if not sorted_out:
        raise Refusal("import.nothing_recognised", field="files", name=mappings[0].name.rsplit("_", 1)[0])
    if dry:
        _preview(sorted_out, taken, actor=actor, at=at, progress=progress)
        return taken
    with seldom_collecting():
        for mapping, own in sorted_out:
            prepare(mapping, own, actor=actor, at=at)
            handed_back = refused if refused is None or len(sorted_out) == 1 else _beside(refused, mapping)
            result = apply(own, mapping, actor=actor, at=at, refused=handed_back, progress=progress)
            taken.results[mapping.name] = result
            taken.refused_files.extend(result.refused_files)
        for mapping, _ in sorted_out:
            if mapping.historical and mapping.target == "hazards":
                taken.derived[mapping.name] = derive(mapping, actor=actor, at=at, progress=progress)
    return taken


def _preview(
    sorted_out: Sequence[tuple[Mapping, list[SourceFile]]],
    taken: Taken,
    *,
    actor: Actor,
    at: datetime,
    progress: Progress | None,
) -> None:
    """Say what each file would do; rows of a later file may name what an earlier one would bring."""
    expected: dict[str, frozenset[str]] = {}
    for mapping, own in sorted_out:
        knowing = replace(mapping, options={**mapping.options, "expected": dict(expected)})
        absent = bool(mapping.root) and not AreaRoot.objects.filter(pk=mapping.root).exists()
        with transaction.atomic() if absent else nullcontext():
            if absent:
                # The root is made for the look and taken back with everything in it.
                for one, files in sorted_out:
                    prepare(one, files, actor=actor, at=at)
            taken.results[mapping.name] = preview(own, knowing, actor=actor, at=at, progress=progress)
            if absent:
                transaction.set_rollback(True)
        expected[mapping.target] = _names_in(own, mapping)


def _beside(refused: Path, mapping: Mapping) -> Path:
    return refused.with_name(f"{refused.stem}-{mapping.target}{refused.suffix}")


def _sorted_out(
    files: Sequence[SourceFile], mappings: Sequence[Mapping], taken: Taken
) -> list[tuple[Mapping, list[SourceFile]]]:
    """Give each mapping its files; with a single mapping all files are its own, so that a wrong header is said as such."""
    if len(mappings) == 1:
        return [(mappings[0], list(files))]
    found: dict[str, list[SourceFile]] = {}
    for file in files:
        known = {one.mapping.name for one in recognise([file], mappings) if one.mapping is not None}
        for name in known:
            found.setdefault(name, []).append(file)
        if not known:
            taken.unknown.append(file.label)
    return [(one, found[one.name]) for one in mappings if one.name in found]


def _names_in(files: Sequence[SourceFile], mapping: Mapping) -> frozenset[str]:
    """Return the names under which later files of the same set will speak of these rows."""
    columns = [*mapping.columns.get("number", ()), *mapping.columns.get("source_key", ())]
    found: set[str] = set()
    for file in files:
        for table in read_tables(file.path, name=file.label):
            own = [name for name in columns if name in table.columns]
            for row in table.rows:
                found.update(row.cells[name].strip() for name in own)
    return frozenset(found - {""})


# What a source needs before its rows come in


def prepare(mapping: Mapping, files: Sequence[SourceFile], *, actor: Actor, at: datetime) -> None:
    """This function will make what a mapping declares: root, areas, terms, and of its options the one place and the items."""
    prepare_root(mapping, files, actor=actor, at=at)
    if mapping.options.get("code_of") == "words":
        _items(mapping, files, actor, at)
    if place := mapping.options.get("place"):
        _place(place, actor, at)
    if mapping.root:
        _open_sample(actor, at)


def _items(mapping: Mapping, files: Sequence[SourceFile], actor: Actor, at: datetime) -> None:
    """Enter the source's own checklist items, known by their words alone, as items of its class."""
    class_code = mapping.constants.get("class_code", "")
    words: dict[str, None] = {}
    for file in files:
        for table in read_tables(file.path, name=file.label):
            column = next((name for name in mapping.columns.get("code", ()) if name in table.columns), None)
            for row in table.rows:
                if column and (text := row.cells[column].strip()):
                    words[text] = None
    rows = [
        {
            "code": item_code(text),
            "zh": text[:300],
            "en": text[:300],
            "class_code": class_code,
            "source": mapping.source,
        }
        for text in words
    ]
    add_terms(actor=actor, at=at, root=actor.root, model=HazardCode, rows=rows)


def _place(named: Any, actor: Actor, at: datetime) -> None:
    """Register the one place that stands for a source without places; it is there once."""
    if Place.objects.filter(root=actor.root, number=named["number"]).exists():
        return
    area = Area.objects.filter(root_id=actor.root, parent__isnull=True).order_by("path").first()
    if area is None:
        raise Refusal("place.area_unknown", field="area")
    register_place(
        actor=actor,
        at=at,
        name=named["name"],
        number=named["number"],
        area_id=area.pk,
        form=Place.Form.COMPOUND,
        historical=True,
    )


def _open_sample(actor: Actor, at: datetime) -> None:
    """Give the stewards of the other roots, and whoever imports, a post in the sample root, so that they can look at it."""
    area = Area.objects.filter(root_id=actor.root, parent__isnull=True).order_by("path").first()
    if area is None:
        return
    job = job_actor("import", actor.root)
    on = city_date(at, actor.root)
    stewards = set(
        Holding.objects.filter(post__role="steward", until_on__isnull=True)
        .exclude(post__root_id=actor.root)
        .values_list("person_id", flat=True)
    )
    wanted = stewards | ({actor.person_id} if actor.person_id else set())
    held = set(
        Holding.objects.filter(post__root_id=actor.root, post__role="steward").values_list("person_id", flat=True)
    )
    persons = list(Person.objects.filter(pk__in=wanted - held, erased_at__isnull=True).order_by("id"))
    if not persons:
        return
    with unit():
        body = Body.objects.filter(root_id=actor.root).order_by("id").first() or add_body(
            actor=job, at=at, area=area, code="sample_office", kind="city_committee_office", name="样本数据管理",
            name_en="Keepers of the sample",
        )  # fmt: skip
        post = Post.objects.filter(root_id=actor.root, role="steward").order_by("id").first() or add_post(
            actor=job, at=at, body=body, role="steward", area=area, title="样本数据管理人"
        )
        for person in persons:
            appoint(actor=job, at=at, post=post, person=person, from_on=on)
        record(
            "sample.opened",
            actor=actor,
            at=at,
            subject=("root", actor.root),
            data={"persons": [str(p.pk) for p in persons]},
        )


def keeper(person_id: Any, root: str, *, zone: str, channel: Any = "cli") -> Actor:
    """This function will give the actor that takes files into a sample root: the person asking, as its steward."""
    if person_id is None:
        return Actor(person_id=None, root=root, job="console", channel=channel, zone=zone)
    return Actor(person_id=person_id, root=root, grants=(Grant(root=root, role="steward"),), channel=channel, zone=zone)
