"""Work in the background: looking at and taking in the files that somebody sent through the browser."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from anban.base.files.disk import place
from anban.base.files.models import StoredFile
from anban.base.files.operations import IMPORT_LIMIT, store
from anban.base.jobs.registry import Handle, job
from anban.base.journal.operations import unit
from anban.base.notices.operations import tell
from anban.base.people.actor import Actor, job_actor
from anban.contexts.establishments.importers import SourceFile, load_targets, read_mapping
from anban.contexts.establishments.importers.mapping import Mapping as ImportMapping
from anban.contexts.inspections.importers import keeper, mappings_named, take_in
from anban.contexts.inspections.importers.running import Taken
from anban.contexts.territory.queries import actor_for, city_date, root
from anban.rules.errors import Refusal

SHOWN = 200


@job("import.apply", lane="long")
def apply_files(slot: datetime, handle: Handle) -> dict[str, Any]:
    """Take in the stored files of an import; result: counts, what each mapping did, the file of refused rows.

    ``args``: ``mapping`` (a shipped name or the TOML itself), ``files`` (``id`` and ``name`` each), ``at`` (when the person
    pressed; the default is the slot). Killed in the middle it is claimed again and goes on: rows taken in are the same.
    """
    try:
        result = _run(slot, handle, dry=False)
    except Refusal as refusal:
        _tell(slot, handle, f"导入没有完成：{refusal.zh}", f"The import was not finished: {refusal.en}")
        raise
    counts = result["counts"]
    said = (counts["new"], counts["changed"], counts["same"], counts["refused"])
    _tell(
        slot, handle, "导入完成：新增 {}，变更 {}，未变 {}，退回 {}".format(*said),
        "Import finished: {} new, {} changed, {} the same, {} refused".format(*said),
    )  # fmt: skip
    return result


def _tell(slot: datetime, handle: Handle, zh: str, en: str) -> None:
    """Tell whoever asked that the import is over: nobody has to stay and watch it. A second run of the job tells nothing new."""
    if handle.asked_by is None:
        return
    person = UUID(str(handle.asked_by))
    with unit():
        tell(
            actor=job_actor("import.apply", handle.root), at=_instant(handle.args.get("at"), slot), person_id=person,
            kind="import.finished", key=f"import:{handle.job_id}", link=f"/import/{handle.job_id}/",
            title=zh, title_en=en,
        )  # fmt: skip


@job("import.preview", lane="long")
def preview_files(slot: datetime, handle: Handle) -> dict[str, Any]:
    """Say what ``import.apply`` would do with the same ``args``; nothing is written."""
    return _run(slot, handle, dry=True)


def _run(slot: datetime, handle: Handle, *, dry: bool) -> dict[str, Any]:
    load_targets()
    args = handle.args
    at = _instant(args.get("at"), slot)
    mappings = _mappings(str(args["mapping"]))
    own = _actor(handle, at)
    actor = own
    if mappings[0].root and mappings[0].root != own.root:
        # A sample has a root of its own, which the steward of another one may fill.
        if not own.has("steward"):
            raise Refusal("import.not_allowed")
        zone = str(mappings[0].prepare.get("root", {}).get("zone", "Asia/Shanghai"))
        actor = keeper(own.person_id, mappings[0].root, zone=zone, channel="job")
    files = [_file(own, one) for one in args["files"]]
    with tempfile.TemporaryDirectory() as folder:
        refused = Path(folder) / "refused.csv"
        taken = take_in(
            files, mappings, actor=actor, at=at, refused=None if dry else refused, dry=dry, progress=_progress(handle)
        )
        handed_back = [_stored(own, at, path) for path in taken.refused_files]
    return _result(taken, handed_back)


def _progress(handle: Handle) -> Any:
    def tell(done: int, total: int, stage: str) -> None:
        handle.progress(done, total, stage)

    return tell


def _result(taken: Taken, handed_back: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "counts": taken.counts,
        "refused_file_id": handed_back[0]["id"] if handed_back else None,
        "refused_files": handed_back,
        "unknown_files": taken.unknown,
        "mappings": {
            name: {
                "counts": one.counts, "flags": dict(one.flags), "problem_count": one.problem_count,
                "problems": [asdict(problem) for problem in one.problems[:SHOWN]],
                "tables": [asdict(table) for table in one.tables],
                "samples": [asdict(sample) for sample in getattr(one, "samples", [])],
                "notes": [asdict(note) for note in one.notes],
                "effects": [asdict(effect) for effect in getattr(one, "effects", [])],
            }
            for name, one in taken.results.items()
        },
        "derived": {name: asdict(one) for name, one in taken.derived.items()},
    }  # fmt: skip


def _instant(text: Any, slot: datetime) -> datetime:
    return datetime.fromisoformat(text) if text else slot


def _mappings(text: str) -> list[ImportMapping]:
    return [read_mapping(text)] if "\n" in text else mappings_named(text)


def _actor(handle: Handle, at: datetime) -> Actor:
    """Return the person who asked, with the rights of the day: what may not be done by hand may not be done by a job."""
    if handle.asked_by is None:
        return keeper(None, handle.root, zone=root(handle.root).zone, channel="job")
    on = city_date(at, handle.root)
    return actor_for(UUID(str(handle.asked_by)), handle.root, on, channel="job")


def _file(actor: Actor, given: Mapping[str, str]) -> SourceFile:
    row = StoredFile.objects.filter(pk=given["id"], root=actor.root).first()
    if row is None:
        raise Refusal("file.not_found")
    return SourceFile(place(row.sha256), given.get("name") or row.name)


def _stored(actor: Actor, at: datetime, path: Path) -> dict[str, str]:
    with path.open("rb") as stream:
        row = store(actor=actor, at=at, root=actor.root, stream=stream, name=path.name, limit=IMPORT_LIMIT)
    return {"id": str(row.pk), "name": path.name}
