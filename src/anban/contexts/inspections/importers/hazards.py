"""Rows of hazards that name their visit: place and day are the visit's, and a finding ties the two together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from anban.contexts.establishments.importers import Fate, Item, Run
from anban.contexts.establishments.models import Observation
from anban.contexts.hazards.importers import HAZARD_ROWS, allowed
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.models import Finding, Visit


def plan(run: Run, items: list[Item]) -> None:
    """This function will look up the visits that rows name, then plan them as hazards."""
    named = {item.row.text("visit") for item in items} - {""}
    visits = _visits(run, named) if named else {}
    expected = run.mapping.options.get("expected", {}).get("visits", ())
    coming: set[int] = set()
    for item in items:
        text = item.row.text("visit")
        if not text:
            continue
        visit = visits.get(text)
        if visit is None:
            if item.row.text("number"):
                continue
            if run.dry and text in expected:
                coming.add(id(item))
                continue
            item.refuse("visit", "visit_unknown", f"没有编号为“{text}”的检查，请先导入检查",
                        f"there is no visit “{text}”; import the visits first")  # fmt: skip
            continue
        if not allowed(run, item, visit.place):
            continue
        item.place_id, item.area_path = visit.place_id, visit.area_path
        item.matched_by = f"visit:{visit.pk.hex}"
        item.row.values["found_on"] = visit.on
        item.plan = visit.place.survivor or visit.place
    HAZARD_ROWS.plan(run, [item for item in items if item.fate is not Fate.REFUSED and id(item) not in coming])


def _visits(run: Run, named: set[str]) -> dict[str, Visit]:
    """Return visits by the name a row has for them: the register's number, or the key under which a source brought them."""
    rows = Visit.objects.filter(root=run.root).select_related("place", "place__survivor")
    found = {row.number: row for row in rows.filter(number__in=named)}
    source = run.mapping.options.get("visits", "")
    wanted: dict[UUID, str] = {}
    keys = {f"{prefix}{name}": name for name in named - set(found) for prefix in ("", "k:", "n:")}
    observed = Observation.objects.filter(source__root=run.root, kind="visit", key__in=keys, subject_id__isnull=False)
    if source:
        observed = observed.filter(source__code=source)
    for key, subject_id in observed.values_list("key", "subject_id"):
        if subject_id is not None:
            wanted[subject_id] = keys[key]
    for row in rows.filter(pk__in=wanted):
        found[wanted[row.pk]] = row
    return found


def write(run: Run, items: list[Item]) -> None:
    """This function will write the hazards and, for those that name a visit, its findings."""
    HAZARD_ROWS.write(run, items)
    if run.mapping.historical:
        return
    tied: dict[tuple[UUID, UUID, str], Finding] = {}
    for item in items:
        if item.subject_id is None or not item.matched_by.startswith("visit:"):
            continue
        visit_id, code = UUID(item.matched_by.removeprefix("visit:")), item.row.text("code")
        tied.setdefault((visit_id, item.subject_id, code), Finding(
            visit_id=visit_id, hazard_id=item.subject_id, code=code, severity=item.row.text("severity"),
            times=times_of(item.row.values.get("times", "")),
        ))  # fmt: skip
    if not tied:
        return
    cycles = dict(Hazard.objects.filter(pk__in={h for _, h, _ in tied}).values_list("pk", "cycle_no"))
    for (_, hazard_id, _), finding in tied.items():
        finding.cycle_no = cycles[hazard_id]
    Finding.objects.bulk_create(tied.values(), ignore_conflicts=True)
    count_findings({visit for visit, _, _ in tied})


def count_findings(visit_ids: set[UUID]) -> None:
    """This function will count the findings of visits again (``findings_count`` is derived, and not sealed)."""
    counts: dict[UUID, int] = dict.fromkeys(visit_ids, 0)
    for visit_id in Finding.objects.filter(visit_id__in=visit_ids).values_list("visit_id", flat=True):
        counts[visit_id] += 1
    by_count: dict[int, list[UUID]] = {}
    for visit_id, count in counts.items():
        by_count.setdefault(count, []).append(visit_id)
    for count, ids in by_count.items():
        Visit.objects.filter(pk__in=ids).exclude(findings_count=count).update(findings_count=count)


def times_of(value: Any) -> int:
    """This function will give how often a code was cited at a visit: at least once, at most what the column holds."""
    return min(max(value, 1), 32_767) if isinstance(value, int) else 1


HAZARDS = replace(HAZARD_ROWS, plan=plan, write=write)
