"""The second pass of an import: preview says what would happen, apply does it in batches that each commit by themselves.

A crash in the middle loses nothing that was committed: running again finds those rows the same and goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
from django.db import IntegrityError, connection

from anban.base import statistics
from anban.base.inserting import insert, prepared
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.base.people.models import Person
from anban.base.people.operations import add_person
from anban.contexts.establishments import policies
from anban.contexts.establishments.importers.mapping import Mapping
from anban.contexts.establishments.importers.reading import (
    DEFAULT_LIMITS,
    SourceFile,
    TableView,
    tables_of,
    typed,
    view,
)
from anban.contexts.establishments.importers.refused import RefusedRows
from anban.contexts.establishments.importers.targets import (
    TARGETS,
    Fate,
    Item,
    Known,
    MovedMeanwhile,
    Problem,
    Run,
    Said,
    Target,
    TypedRow,
)
from anban.contexts.establishments.models import Observation, SourceList
from anban.contexts.establishments.operations import add_source
from anban.contexts.territory import queries as territory
from anban.kit.canonical import digest as digest_of
from anban.kit.ids import new_id
from anban.kit.tabular import Limits, Table
from anban.rules.errors import Refusal, register

register("import.target_unknown", zh="没有导入目标“{target}”。", en="There is no import target “{target}”.")
register(
    "import.other_root",
    zh="映射“{name}”只能导入地区根 {root}。",
    en="The mapping “{name}” may only be used in the root {root}.",
)
register(
    "import.busy",
    zh="多次尝试后仍有他人在改动同一批对象，请稍后再导入。",
    en="Others keep changing the same rows; import again later.",
)

Progress = Callable[[int, int, str], None]
"""Called with rows done, rows expected (0 when unknown) and the stage: ``reading``, ``writing``, ``done``."""

FIRST_BATCH = 200
LARGEST_BATCH = 2_000
SMALLEST_BATCH = 20
# SQLite has one writer: a batch aims at half of the quarter second that others may have to wait.
LOCK_SECONDS = 0.12
SERVER_BATCH = 1_000
SHOWN_PROBLEMS = 200
SHOWN_ROWS = 10
TRIES = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the preview: where it stands, what would become of it, what was read."""

    file: str
    sheet: str
    row: int
    fate: str
    values: dict[str, str]
    flags: tuple[str, ...]
    matched_by: str


@dataclass(slots=True)
class _Tally:
    new: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    tables: list[TableView] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    notes: list[Problem] = field(default_factory=list)
    """Rows that go in although somebody should look at them."""

    @property
    def rows(self) -> int:
        """Return how many rows were read."""
        return self.new + self.changed + self.same + self.refused

    @property
    def counts(self) -> dict[str, int]:
        """Return the four counts by name."""
        return {"new": self.new, "changed": self.changed, "same": self.same, "refused": self.refused}

    def note(self, problems: Iterable[Problem]) -> None:
        """Keep the first problems, count all."""
        for problem in problems:
            self.problem_count += 1
            if len(self.problems) < SHOWN_PROBLEMS:
                self.problems.append(problem)


@dataclass(slots=True)
class Preview(_Tally):
    """What an import would do: counts, the first problems, how headers were understood, sample rows."""

    samples: list[Sample] = field(default_factory=list)
    effects: list[Said] = field(default_factory=list)
    """What the good rows taken together would do."""


@dataclass(slots=True)
class Result(_Tally):
    """What an import did: counts, the first problems, the files with refused rows."""

    refused_files: list[Path] = field(default_factory=list)


def preview(
    files: Sequence[SourceFile | Path],
    mapping: Mapping,
    *,
    actor: Actor,
    at: datetime,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Preview:
    """This function will read the files and say what ``apply`` would do; nothing is written.

    Raises: import.not_allowed, import.target_unknown, import.other_root.
    """
    run, target = _open(mapping, actor, at, dry=True)
    found = Preview()
    for batch in _batches(run, target, files, limits, found, None, lambda: SERVER_BATCH):
        items = _planned(run, target, batch)
        _count(found, items, None)
        for item in items:
            if len(found.samples) < SHOWN_ROWS:
                found.samples.append(_sample(item))
        if progress:
            progress(found.rows, 0, "reading")
    finish = target.finish(run)
    found.notes, found.effects = list(finish.notes[:SHOWN_PROBLEMS]), list(finish.effects)
    return found


def apply(
    files: Sequence[SourceFile | Path],
    mapping: Mapping,
    *,
    actor: Actor,
    at: datetime,
    refused: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
    expected: int = 0,
) -> Result:
    """This function will take the good rows of the files in and hand the others back as a file.

    Each batch is a unit of work of its own; on SQLite it holds the write lock for at most a quarter of a second. Rows are
    known again by their natural key, so that a second run changes nothing. ``refused`` names the file for refused rows
    (``.csv`` or ``.xlsx``; a second table of another shape gets a file of its own beside it).

    Raises: import.not_allowed, import.target_unknown, import.other_root, import.busy.
    """
    run, target = _open(mapping, actor, at, dry=False)
    result = Result()
    size = [FIRST_BATCH if connection.vendor == "sqlite" else SERVER_BATCH]
    with RefusedRows() as handed_back:
        for batch in _batches(run, target, files, limits, result, handed_back, lambda: size[0]):
            items = _written(run, target, batch, size)
            _count(result, items, handed_back)
            if progress:
                progress(result.rows, expected, "writing")
        _close(run, result)
        result.notes = list(target.finish(run).notes[:SHOWN_PROBLEMS])
        if result.new >= statistics.WORTH_IT:
            statistics.refresh()
        if refused is not None and handed_back.count:
            result.refused_files = handed_back.write(refused)
    if progress:
        progress(result.rows, result.rows, "done")
    return result


def _open(mapping: Mapping, actor: Actor, at: datetime, *, dry: bool) -> tuple[Run, Target]:
    policies.require(policies.can_import(actor), "import.not_allowed")
    if mapping.root and mapping.root != actor.root:
        raise Refusal("import.other_root", name=mapping.name, root=mapping.root)
    target = TARGETS.get(mapping.target)
    if target is None:
        raise Refusal("import.target_unknown", target=mapping.target)
    policies.require(target.may(actor), "import.not_allowed")
    source = SourceList.objects.filter(root=actor.root, code=mapping.source).first()
    if source is None and not dry:
        with unit():
            source = add_source(
                actor=actor, at=at, code=mapping.source, name=mapping.source_name or mapping.source,
                name_en=mapping.source_name_en, must_register=mapping.must_register, historical=mapping.historical,
                steward_id=_steward(mapping, actor, at),
            )  # fmt: skip
    zone = territory.root(actor.root).zone
    on = territory.city_date(at, actor.root)
    run = Run(actor, at, on, actor.root, zone, mapping, source, dry)
    target.open(run)
    return run, target


def _steward(mapping: Mapping, actor: Actor, at: datetime) -> Any:
    if not mapping.steward:
        return None
    known = Person.objects.filter(root=actor.root, name=mapping.steward, steward=True).order_by("id").first()
    named = known or add_person(actor=actor, at=at, root=actor.root, name=mapping.steward, steward=True)
    return named.pk


def _batches(
    run: Run,
    target: Target,
    files: Sequence[SourceFile | Path],
    limits: Limits,
    tally: _Tally,
    handed_back: RefusedRows | None,
    size: Callable[[], int],
) -> Iterator[list[TypedRow]]:
    """Read all files and give the good rows in batches; refused ones are counted and handed back on the way."""
    seen: dict[str, tuple[bytes, int]] = {}
    batch: list[TypedRow] = []
    broken: list[Problem] = []
    for given in files:
        file = given if isinstance(given, SourceFile) else SourceFile(given)
        for table in tables_of(file, limits, broken):
            for row in _rows(run, target, table, tally, handed_back, seen):
                batch.append(row)
                if len(batch) >= size():
                    yield batch
                    batch = []
        tally.note(broken)
        broken.clear()
    if batch:
        yield batch


def _rows(
    run: Run,
    target: Target,
    table: Table,
    tally: _Tally,
    handed_back: RefusedRows | None,
    seen: dict[str, tuple[bytes, int]],
) -> Iterator[TypedRow]:
    understood = view(table, run.mapping, target)
    fits = understood.ok and set(run.mapping.requires) <= set(table.header)
    tally.tables.append(understood)
    if not fits:
        tally.note([_unfit(table, understood, run.mapping, target)])
        for _ in table.rows:
            tally.refused += 1
        return
    if handed_back is not None:
        handed_back.open(table)
    for row in table.rows:
        made = typed(run, target, table, understood, row)
        problems = made if isinstance(made, list) else []
        if isinstance(made, TypedRow):
            content = bytes.fromhex(made.digest)[:16]
            earlier = seen.get(made.key)
            if earlier is None:
                seen[made.key] = (content, made.number)
            elif earlier[0] == content:
                tally.same += 1
                continue
            else:
                zh, en = (
                    f"与第 {earlier[1]} 行是同一条记录，内容却不同",
                    f"the same record as row {earlier[1]}, with other content",
                )
                problems = [made.problem("", "key_twice", zh, en)]
        if problems or not isinstance(made, TypedRow):
            tally.refused += 1
            tally.note(problems)
            if handed_back is not None:
                handed_back.add(table, row.cells, row.extra, problems)
            continue
        yield made


def _unfit(table: Table, understood: TableView, mapping: Mapping, target: Target) -> Problem:
    absent = [name for name in mapping.requires if name not in table.header]
    missing = [column for column in target.columns if column.field in understood.missing]
    if absent or missing:
        zh = f"缺少列：{'、'.join([*(one.zh for one in missing), *absent])}"
        en = f"columns are missing: {', '.join([*(one.en for one in missing), *absent])}"
    else:
        names = understood.duplicate
        zh, en = f"几列表示同一内容：{'、'.join(names)}", f"several columns mean the same: {', '.join(names)}"
    return Problem(table.file, table.sheet, table.header_row, "", "header", zh, en)


def _planned(run: Run, target: Target, rows: Sequence[TypedRow]) -> list[Item]:
    known = _known(run, target, rows)
    items = []
    for row in rows:
        one = known.get(row.key)
        fate = Fate.NEW if one is None else Fate.SAME if one.digest == row.digest else Fate.CHANGED
        items.append(Item(row, one, fate))
    target.plan(run, [item for item in items if item.fate is not Fate.SAME or _looked_at_again(target, item)])
    return items


def _looked_at_again(target: Target, item: Item) -> bool:
    if target.own_table:
        return True
    known = item.known
    return target.retries_unmatched and known is not None and known.place_id is None and not known.dismissed


def _known(run: Run, target: Target, rows: Sequence[TypedRow]) -> dict[str, Known]:
    if run.source is None:
        return {}
    found = Observation.objects.filter(source=run.source, kind=target.kind, key__in=[row.key for row in rows])
    return {
        row.key: Known(
            row.pk, row.digest, row.payload, row.place_id, row.subject_id, row.matched_by, bool(row.dismissed_reason)
        )
        for row in found
    }


def _written(run: Run, target: Target, rows: Sequence[TypedRow], size: list[int]) -> list[Item]:
    """Plan and write a batch; when somebody else changed what it was planned on, plan it again."""
    for _ in range(TRIES):
        items = _planned(run, target, rows)
        live = [item for item in items if item.fate in (Fate.NEW, Fate.CHANGED)]
        if not live:
            return items
        observations = _observations(run, target, live)
        try:
            with unit():
                begun = perf_counter()
                target.write(run, live)
                _observe(run, target, live, observations)
        except (IntegrityError, MovedMeanwhile):
            continue
        _adapt(size, perf_counter() - begun, len(live))
        return items
    raise Refusal("import.busy")


def _observations(run: Run, target: Target, live: Sequence[Item]) -> list[Observation]:
    made = []
    for item in live:
        row = item.row
        made.append(
            Observation(
                id=item.known.id if item.known else new_id(), source=run.source, kind=target.kind, key=row.key,
                digest=row.digest, payload=orjson.dumps(row.payload, option=orjson.OPT_SORT_KEYS).decode(),
                flags=";".join(dict.fromkeys(row.flags))[:200], taken_at=run.at,
            )
        )  # fmt: skip
    return made


def _observe(run: Run, target: Target, live: Sequence[Item], observations: Sequence[Observation]) -> None:
    fresh, known = [], []
    former: dict[str, str] = {}
    for item, row in zip(live, observations, strict=True):
        row.place_id, row.subject_id, row.matched_by = item.place_id, item.subject_id, item.matched_by
        row.area_path = item.area_path
        if item.known is None:
            fresh.append(row)
        else:
            known.append(row)
            # The digest of the former text, without persons' names, says what the row was before.
            former[str(row.pk)] = digest_of(item.known.payload)
    insert(prepared(fresh))
    if known:
        columns = ["digest", "payload", "flags", "place", "subject_id", "matched_by", "area_path", "taken_at"]
        Observation.objects.bulk_update(known, columns, batch_size=100)
    source = run.source
    if source is None:  # pragma: no cover - apply opens the source first
        message = "an import without its source"
        raise RuntimeError(message)
    data: dict[str, Any] = {
        "mapping": run.mapping.name,
        "target": target.code,
        "new": len(fresh),
        "changed": len(known),
    }
    if former:
        data["former"] = former
    record("source.rows_taken", actor=run.actor, at=run.at, subject=("source", source.pk), data=data)


def _adapt(size: list[int], seconds: float, rows: int) -> None:
    if connection.vendor != "sqlite":
        return
    wished = int(rows * LOCK_SECONDS / max(seconds, 0.001))
    # Grow gently, shrink at once: a slow disk must not hold others up twice.
    size[0] = max(SMALLEST_BATCH, min(LARGEST_BATCH, wished, size[0] * 2))


def _count(tally: _Tally, items: Sequence[Item], handed_back: RefusedRows | None) -> None:
    for item in items:
        setattr(tally, item.fate.value, getattr(tally, item.fate.value) + 1)
        tally.flags.update(item.row.flags)
        if item.fate is Fate.REFUSED:
            tally.note(item.problems)
            if handed_back is not None:
                handed_back.add_cells(item.row.file, item.row.sheet, item.row.cells, item.problems)


def _sample(item: Item) -> Sample:
    row = item.row
    values = {name: str(value) for name, value in row.values.items() if value != ""}
    return Sample(row.file, row.sheet, row.number, item.fate.value, values, tuple(row.flags), item.matched_by)


def _close(run: Run, result: Result) -> None:
    if run.source is None:
        return
    with unit():
        source = SourceList.objects.select_for_update().get(pk=run.source.pk)
        source.last_read_at = run.at
        source.save(update_fields=["last_read_at"])
        record(
            "source.read", actor=run.actor, at=run.at, subject=("source", source.pk),
            data={"mapping": run.mapping.name, **result.counts},
        )  # fmt: skip


def problem_rows(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """This function will give problems as plain rows, for JSON and tables."""
    return [asdict(problem) for problem in problems]
