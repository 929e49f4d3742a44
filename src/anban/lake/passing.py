"""The pass over one snapshot: every text in its order on an engine, results as versioned Parquet with a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from anban.lake import texts
from anban.lake.engine import Engine
from anban.lake.folder import Lake, file_hash, manifest_hash, manifest_of, stamp
from anban.lake.ordering import Kept, kept, write_learned
from anban.lake.snapshot import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT: Final = 1
LEARNED: Final = ("learned.parquet", "card.json")
"""What the city's own order left beside the results: its rows, and the card that says how it was made."""
RESULTS: Final = tuple(step.name for step in texts.STEPS if step.kind == "result")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Result:
    """A published pass over one root: its folder and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the manifest, which names every file's."""
        return manifest_hash(self.folder)

    def table(self, name: str) -> pa.Table:
        """Return a whole result; for those that are small."""
        import pyarrow.parquet as pq

        return pq.read_table(self.folder / f"{name}.parquet")


def seed_of(snapshot: Snapshot, root: str) -> str:
    """Return what the lots of a pass are drawn with: the journal's hash at the position read, which nobody can choose."""
    return f"{root}@{snapshot.position}:{snapshot.manifest['chain']}"


def compute(
    engine: Engine,
    snapshot: Snapshot,
    root: str,
    as_of: date,
    folder: Path,
    *,
    model: Kept | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Run every text over one root of a snapshot and write the results into a folder; return their rows."""
    given = texts.values(as_of, seed_of(snapshot, root))
    if progress:
        progress("风险评分", 0, len(texts.STEPS))
    write_learned(snapshot, root, as_of, folder, model)
    engine.load("learned", [folder / "learned.parquet"])
    for table in snapshot.tables:
        engine.load(table, snapshot.files(table, root))
    rows: dict[str, int] = {}
    for number, step in enumerate(texts.STEPS):
        if progress:
            progress(step.zh, number, len(texts.STEPS))
        text = texts.text(step.name)
        if step.kind == "result":
            rows[step.name] = engine.save(step.name, text, folder / f"{step.name}.parquet", given)
            # Later texts read results as they were written.
            engine.load(step.name, [folder / f"{step.name}.parquet"])
        else:
            engine.make(step.name, text, given, keep=step.kind == "table")
    return rows


def run(
    lake: Lake,
    engine: Engine,
    snapshot: Snapshot,
    *,
    root: str,
    as_of: date,
    at: datetime,
    progress: Progress | None = None,
    keep: frozenset[str] = frozenset(),
) -> Result:
    """Publish the results of one root for a day; the caller holds ``lake.writing()``.

    Places are scored by the newest kept model that knows nothing of later days; without one, by the transparent score.
    """
    series = f"results/{root}"
    draft = lake.draft(series)
    model = kept(lake, root, as_of + timedelta(days=1))
    rows = compute(engine, snapshot, root, as_of, draft, model=model, progress=progress)
    order = json.loads((draft / "card.json").read_text(encoding="utf-8"))
    manifest = {
        "format": FORMAT, "root": root, "as_of": as_of.isoformat(), "position": snapshot.position,
        "chain": snapshot.manifest["chain"], "snapshot": snapshot.folder.name,
        "made_at": at.astimezone(UTC).isoformat(timespec="microseconds"), "engine": engine.name.partition(":")[0],
        "texts": sha256("".join(texts.text(step.name) for step in texts.STEPS).encode()).hexdigest(),
        "order": {
            "way": order["way"], "why": order.get("why", ""), "why_zh": order.get("why_zh", ""),
            "card": file_hash(draft / "card.json"),
            "model": order["model"]["hash"] if "model" in order else None,
        },
        "seed": seed_of(snapshot, root),
        "files": [
            *({"path": name, "sha256": file_hash(draft / name)} for name in LEARNED),
            *({"path": f"{name}.parquet", "rows": rows[name], "sha256": file_hash(draft / f"{name}.parquet")} for name in RESULTS),
        ],
    }  # fmt: skip
    folder = lake.publish(draft, stamp(at), manifest, keep)
    return Result(folder, manifest_of(folder))
