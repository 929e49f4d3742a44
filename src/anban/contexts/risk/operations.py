"""The only writer of results: a pass is published, reports are drawn up, signed and withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from itertools import chain, groupby
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import models, transaction

from anban.base.inserting import insert, prepared
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.contexts.risk import policies, queries
from anban.contexts.risk.models import (
    Assessment,
    Cell,
    Curve,
    EarlyWarning,
    Event,
    Look,
    Part,
    Report,
    Simulation,
    TopHazard,
    TopPlace,
)
from anban.contexts.territory.models import Area
from anban.contexts.territory.operations import next_numbers
from anban.contexts.territory.queries import city_date
from anban.kit.canonical import canonical_bytes
from anban.kit.ids import new_id
from anban.rules.errors import Refusal, register

register(
    "risk.no_assessment",
    zh="还没有评估，无法起草研判。",
    en="There is no assessment yet on which a report could stand.",
)
register(
    "risk.sector_needed",
    zh="您的岗位只看自己的行业：请选择行业，研判才说得完整。",
    en="Your post sees its own sector alone: choose it, so that the assessment is whole.",
)
register("risk.area_unknown", zh="没有这个地区：{area}。", en="There is no area {area}.")
register(
    "risk.report_unknown", zh="没有这份研判，或您无权查看。", en="There is no such report, or you may not read it."
)
register(
    "risk.report_signed",
    zh="研判已签发或撤回，不能再改。",
    en="The report is signed or withdrawn and can't be changed.",
)
register(
    "risk.simulation_unsound",
    zh="模拟器没有通过闭式解或 A/A 检验，结果不能发布。",
    en="The simulator failed a closed form or the A/A test; its result can't be published.",
)
register(
    "risk.warning_unknown", zh="没有这条预警，或您无权查看。", en="There is no such warning, or you may not read it."
)
register("risk.warning_answered", zh="这条预警已处置或已消退。", en="The warning is answered or has passed.")
register("risk.answer_missing", zh="请选择处置意见，并写明理由。", en="Choose an answer and give your reason.")
register("risk.opinion_missing", zh="签发前请写下研判意见。", en="Write the opinion before you sign.")
register(
    "risk.earlier_not_earlier",
    zh="对比的评估必须早于本次。",
    en="The assessment compared with must be of an earlier day.",
)

BATCH: Final = 2_000
"""So many rows are inserted under one write lock of SQLite."""

A_A_LEVEL: Final = 0.01
"""Chance that a sound simulator's A/A tests, all scenarios together, are taken for unsound."""
FULL_KEPT: Final = 3
CELLS_KEPT: Final = 40
PARTS: Final = (Cell, TopPlace, TopHazard, Curve)
FACTS: Final = (
    "daily", "high_risk", "days_unseen", "visits", "fails_730", "fails_last3", "known_last3", "open_now", "overdue_now",
    "major_now", "rebounds_365", "repeats_365", "calls_90", "no_lead",
)  # fmt: skip
POINTS_KEPT: Final = 120
SERIES: Final = "RA"

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a pass over one root hands down: what it read, where its files are, and the rows of its smaller results."""

    root: str
    as_of: date
    position: int
    manifest_hash: str
    folder: str
    engine: str
    cells: Rows
    top_places: Rows
    debts: Rows
    watches: Rows
    curves: Rows


def publish(*, actor: Actor, at: datetime, passed: Passed) -> Assessment:
    """Publish a pass: its rows first, in short transactions; then, in one moment, the assessment that makes them seen.

    What a killed publication left behind is taken away by the next one.
    """
    _sweep(passed.root)
    key = new_id()
    places = 0

    def cells() -> Iterator[Cell]:
        nonlocal places
        for row in passed.cells:
            places += int(row["places"])
            yield Cell(
                assessment_id=key, root=passed.root, street=row["street"], kind=row["kind"],
                overview_code=row["overview_code"],
                **{name: int(row[name] or 0) for name in (*queries.FIGURES, *queries.SHARES, *queries.HAZARDS)},
            )  # fmt: skip

    _insert(cells())
    _insert(_top_places(key, passed))
    _insert(_top_hazards(key, passed))
    _insert(_curves(key, passed))
    with unit():
        row = Assessment(
            id=key, root=passed.root, as_of=passed.as_of, made_at=at, position=passed.position,
            manifest_hash=passed.manifest_hash, folder=passed.folder, engine=passed.engine, places=places,
        )  # fmt: skip
        row.save(force_insert=True)
        record(
            "risk.assessed", actor=actor, at=at, subject=("assessment", row.pk),
            data={
                "as_of": passed.as_of.isoformat(), "position": passed.position, "manifest": passed.manifest_hash,
                "engine": passed.engine, "places": places,
            },
            wrote=[row],
        )  # fmt: skip
    _thin_out(passed.root)
    return row


def publish_simulation(*, actor: Actor, at: datetime, result: Mapping[str, Any]) -> Simulation:
    """Publish a comparison of policies, for people to read: nothing acts on it.

    Raises: risk.simulation_unsound where a closed form or an A/A test does not hold.
    """
    level = A_A_LEVEL / max(1, len(result["comparisons"]))
    same = all(each["same_p_value"] >= level for each in result["comparisons"])
    if not same or not all(each["holds"] for each in result["closed_forms"]):
        raise Refusal("risk.simulation_unsound")
    body = canonical_bytes(result)
    with unit():
        row = Simulation(root=actor.root, made_at=at, result=body.decode(), result_hash=sha256(body).hexdigest())
        row.save(force_insert=True)
        record(
            "simulation.published", actor=actor, at=at, subject=("simulation", row.pk),
            data={"result": row.result_hash}, wrote=[row],
        )  # fmt: skip
        return row


def _insert(rows: Iterable[models.Model]) -> None:
    for batch in _in_batches(rows):
        ready = prepared(batch)
        with transaction.atomic():
            insert(ready)


def _in_batches(rows: Iterable[models.Model]) -> Iterator[list[models.Model]]:
    batch: list[models.Model] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _top_places(key: UUID, passed: Passed) -> Iterator[TopPlace]:
    for row in passed.top_places:
        facts = {name: row[name] for name in FACTS}
        for name in ("last_day", "oldest_due"):
            facts[name] = row[name].isoformat() if row[name] else ""
        if row["reasons"] is not None:
            facts["told"] = orjson.loads(row["reasons"])
        yield TopPlace(
            assessment_id=key, root=passed.root, place_id=UUID(row["id"]), area_path=row["area_path"], kind=row["kind"],
            index_value=row["index_value"], chance=row["chance"], facts=canonical_bytes(facts).decode(),
        )  # fmt: skip


def _top_hazards(key: UUID, passed: Passed) -> Iterator[TopHazard]:
    for which, rows, weight, on in (
        (TopHazard.List.DEBT, passed.debts, "days_overdue", "due_on"),
        (TopHazard.List.WATCH, passed.watches, "no", "watch_until"),
    ):
        for row in rows:
            yield TopHazard(
                assessment_id=key,
                root=passed.root,
                list=which,
                hazard_id=UUID(row["id"]),
                weight=row[weight],
                on=row[on],
            )


def _curves(key: UUID, passed: Passed) -> Iterator[Curve]:
    """Yield the curves by group; those of persons stay in the result files and are published nowhere."""

    def group(row: Mapping[str, Any]) -> tuple[str, str, str, bool]:
        return row["curve"], row["what"], row["name"], row["inferred"]

    for (curve, what, name, inferred), points in groupby(
        sorted(
            (row for row in passed.curves if row["what"] != "inspector"), key=lambda row: (*group(row), row["days"])
        ),
        group,
    ):
        rows = list(points)
        # A step curve changes only where something happened.
        shown = [row for row in rows if row["events"]] or rows[-1:]
        every = max(1, len(shown) // POINTS_KEPT)
        kept = [row for n, row in enumerate(shown) if n % every == 0 or n == len(shown) - 1]
        if kept[-1] is not rows[-1]:
            kept.append(rows[-1])
        yield Curve(
            assessment_id=key, root=passed.root, curve=curve, what=what, name=name, inferred=inferred,
            episodes=rows[0]["at_risk"], events=sum(row["events"] for row in rows),
            points=canonical_bytes(
                [[row["days"], round(row["share"] * 1e6), round(row["error"] * 1e6), row["at_risk"]] for row in kept]
            ).decode(),
        )  # fmt: skip


def _sweep(root: str) -> None:
    """Take away the rows of publications that never came to their end."""
    known = set(Assessment.objects.filter(root=root).values_list("pk", flat=True))
    _remove(root, known, PARTS)


def _thin_out(root: str) -> None:
    """Keep lists and curves of the last assessments, figures for longer; the files and the entries keep everything."""
    newest = list(Assessment.objects.filter(root=root).order_by("-as_of", "-made_at").values_list("pk", flat=True))
    made = list(Assessment.objects.filter(root=root).order_by("-made_at").values_list("pk", flat=True))
    _remove(root, {*newest[:FULL_KEPT], *made[:FULL_KEPT]}, (TopPlace, TopHazard, Curve))
    _remove(root, {*newest[:CELLS_KEPT], *made[:CELLS_KEPT]}, (Cell,))


def _remove(root: str, but: set[UUID], parts: Sequence[type[Part]]) -> None:
    for part in parts:
        while True:
            ids = list(
                part._default_manager.filter(root=root)
                .exclude(assessment_id__in=but)
                .values_list("pk", flat=True)[:BATCH]
            )
            if not ids:
                break
            with transaction.atomic():
                part._default_manager.filter(pk__in=ids).delete()


def draw_up(
    *,
    actor: Actor,
    at: datetime,
    area_code: str,
    sector: str = "",
    assessment_id: UUID | None = None,
    earlier_id: UUID | None = None,
) -> Report:
    """Draw up the assessment of an area (in a sector): the figures of the day, and those of an earlier one beside them.

    Raises: risk.no_assessment, risk.area_unknown, risk.not_allowed, risk.sector_needed, risk.earlier_not_earlier.
    """
    with unit():
        area = Area.objects.filter(root_id=actor.root, code=area_code).first()
        if area is None:
            raise Refusal("risk.area_unknown", field="area", area=area_code)
        policies.require_may_draw_up(actor, area.path)
        if not queries.reads_whole(actor, area.path, sector):
            raise Refusal("risk.sector_needed", field="sector")
        of = queries.assessment(actor, assessment_id) if assessment_id else queries.current(actor)
        if of is None or actor.person_id is None:
            raise Refusal("risk.no_assessment")
        earlier = queries.assessment(actor, earlier_id) if earlier_id else None
        if earlier is not None and earlier.as_of >= of.as_of:
            raise Refusal("risk.earlier_not_earlier", field="earlier")
        kinds = queries.kinds_of_sector(actor.root, sector, of.as_of) if sector else None
        whole = area.path if area.parent_id else ""
        facts: dict[str, Any] = {
            "now": queries.figures(actor, of, area=whole, kinds=kinds),
            "before": queries.figures(actor, earlier, area=whole, kinds=kinds) if earlier else {},
            "areas": queries.by_area(actor, of, parts=area.path.count("/") + 1, area=whole, kinds=kinds),
            "places": [
                {
                    "id": one.place_id.hex, "name": one.name, "chance": round(one.chance, 4),
                    "reasons": [[why.fact, why.number] for why in one.reasons], "high_risk": bool(one.facts["high_risk"]),
                    **({} if one.told is None else {"told": one.told}),
                }
                for one in chain(*queries.first_places(actor, of, area=whole, kinds=kinds, limit=10, never=3))
            ],
        }  # fmt: skip
        year = city_date(at, actor.root).year
        row = Report(
            root=actor.root, number=next_numbers(actor=actor, at=at, root=actor.root, series=SERIES, year=year)[0],
            area=area, area_path=area.path, sector=sector, assessment=of, earlier=earlier,
            figures=canonical_bytes(facts).decode(), made_by_id=actor.person_id, made_at=at,
        )  # fmt: skip
        row.save(force_insert=True)
        record(
            "risk_report.drawn_up", actor=actor, at=at, subject=("risk_report", row.pk),
            data={"number": row.number, "area": area.path, "sector": sector, "assessment": str(of.pk)}, wrote=[row],
        )  # fmt: skip
        return row


def sign(*, actor: Actor, at: datetime, report_id: UUID, opinion: str) -> Report:
    """Sign a report with one's opinion; from then on it never changes.

    Raises: risk.report_unknown, risk.signing_not_allowed, risk.report_signed, risk.opinion_missing.
    """
    with unit():
        row = _locked(actor, report_id)
        policies.require_may_sign(actor, row.area_path)
        if row.state != Report.State.DRAFT:
            raise Refusal("risk.report_signed")
        if not opinion.strip():
            raise Refusal("risk.opinion_missing", field="opinion")
        row.opinion, row.state = opinion.strip()[:4000], Report.State.SIGNED
        row.signed_by_id, row.signed_at = actor.person_id, at
        return _saved(row, actor, at, "risk_report.signed")


def withdraw(*, actor: Actor, at: datetime, report_id: UUID) -> Report:
    """Withdraw a report, drafted or signed; it stays readable as withdrawn. Raises: risk.report_unknown, risk.signing_not_allowed, risk.report_signed."""
    with unit():
        row = _locked(actor, report_id)
        policies.require_may_sign(actor, row.area_path)
        if row.state == Report.State.WITHDRAWN:
            raise Refusal("risk.report_signed")
        row.state = Report.State.WITHDRAWN
        return _saved(row, actor, at, "risk_report.withdrawn")


def _locked(actor: Actor, report_id: UUID) -> Report:
    if queries.report(actor, report_id) is None:
        raise Refusal("risk.report_unknown")
    return Report.objects.select_for_update().get(pk=report_id)


def _saved(row: Report, actor: Actor, at: datetime, verb: str) -> Report:
    row.version += 1
    row.save()
    record(verb, actor=actor, at=at, subject=("risk_report", row.pk), data={"number": row.number}, wrote=[row])
    return row


# Early warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One dated event of a source: its number there, kind, day, area, and position (WGS-84) where known."""

    source_key: str
    kind: str
    on: date
    area_path: str
    lng_wgs84: float | None = None
    lat_wgs84: float | None = None


def take_events(*, actor: Actor, at: datetime, events: Sequence[Happened]) -> list[Event]:
    """Take dated events in; one that is known by its number gets what the source says now."""
    with unit():
        there = {
            row.source_key: row
            for row in Event.objects.select_for_update().filter(
                root=actor.root, source_key__in=[one.source_key for one in events]
            )
        }
        rows = []
        for one in events:
            row = there.get(one.source_key) or Event(root=actor.root, source_key=one.source_key)
            row.kind, row.on, row.area_path = one.kind[:40], one.on, one.area_path
            row.lng_wgs84, row.lat_wgs84 = one.lng_wgs84, one.lat_wgs84
            rows.append(row)
        Event.objects.bulk_create([row for row in rows if row.source_key not in there])
        Event.objects.bulk_update(
            [row for row in rows if row.source_key in there], ["kind", "on", "area_path", "lng_wgs84", "lat_wgs84"]
        )
        record("events.taken", actor=actor, at=at, subject=("events", new_id()), data={"count": len(rows)})
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One finding of a look: by which method, for which kind and area, how sure, in words."""

    method: str
    kind: str
    area_path: str
    level: str
    p_value: float | None
    zh: str
    en: str
    counted: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One look: at how many events in how many streams, how many false findings to expect, and what it found."""

    as_of: date
    events: int
    streams: int
    expected_false_watches: float
    expected_false_chart_alarms: float
    found: tuple[Seen, ...]
    kinds: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def publish_look(*, actor: Actor, at: datetime, looked: Looked) -> Look:
    """Publish a look: new findings become warnings, known ones go on, those not found any more have passed.

    A warning that a person has answered stays answered, unless what was a watch has become an alarm. Nothing else follows from it.
    """
    with unit():
        there = {
            (row.method, row.kind, row.area_path): row
            for row in EarlyWarning.objects.select_for_update()
            .filter(root=actor.root)
            .exclude(state=EarlyWarning.State.PASSED)
        }
        wrote: list[EarlyWarning] = []
        for one in looked.found:
            row = there.pop((one.method, one.kind, one.area_path), None) or EarlyWarning(
                root=actor.root, method=one.method, kind=one.kind, area_path=one.area_path, first_on=looked.as_of
            )
            if row.state == EarlyWarning.State.ANSWERED and (row.level, one.level) == ("watch", "alarm"):
                row.state = EarlyWarning.State.OPEN
            row.level, row.p_value, row.zh, row.en, row.last_on = one.level, one.p_value, one.zh, one.en, looked.as_of
            row.counted = canonical_bytes(list(one.counted)).decode() if one.counted else ""
            wrote.append(_kept(row))
        for row in there.values():
            row.state = EarlyWarning.State.PASSED
            wrote.append(_kept(row))
        made = Look(
            root=actor.root, as_of=looked.as_of, made_at=at, events=looked.events, streams=looked.streams,
            expected_false_watches=looked.expected_false_watches,
            expected_false_chart_alarms=looked.expected_false_chart_alarms,
            kinds=canonical_bytes(dict(looked.kinds)).decode() if looked.kinds else "", left_out=",".join(looked.left_out),
        )  # fmt: skip
        made.save(force_insert=True)
        record(
            "warnings.looked", actor=actor, at=at, subject=("look", made.pk),
            data={"as_of": looked.as_of.isoformat(), "found": len(looked.found), "passed": len(there)},
            wrote=[made, *wrote],
        )  # fmt: skip
        return made


def _kept(row: EarlyWarning) -> EarlyWarning:
    if not row._state.adding:
        row.version += 1
    row.save()
    return row


def answer_warning(*, actor: Actor, at: datetime, warning_id: UUID, answer: str, reason: str) -> EarlyWarning:
    """Answer a warning with one's name: act, go on watching, or take it for chance, and why.

    Raises: risk.warning_unknown, risk.answering_not_allowed, risk.warning_answered, risk.answer_missing.
    """
    with unit():
        if queries.warning(actor, warning_id) is None:
            raise Refusal("risk.warning_unknown")
        row = EarlyWarning.objects.select_for_update().get(pk=warning_id)
        policies.require_may_answer(actor, row.area_path)
        if row.state != EarlyWarning.State.OPEN:
            raise Refusal("risk.warning_answered")
        if answer not in EarlyWarning.Answer.values or not reason.strip():
            raise Refusal("risk.answer_missing", field="reason" if answer else "answer")
        row.state, row.answer, row.reason = EarlyWarning.State.ANSWERED, answer, reason.strip()[:1000]
        row.answered_by_id, row.answered_at = actor.person_id, at
        row.version += 1
        row.save()
        record(
            "warning.answered", actor=actor, at=at, subject=("early_warning", row.pk), data={"answer": answer},
            wrote=[row],
        )  # fmt: skip
        return row
