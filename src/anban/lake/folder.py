"""The lake's folder: snapshots and results side by side, each published whole or not at all, one writer at a time."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from anban.rules.errors import Refusal, register

register(
    "lake.busy",
    zh="另一次评估正在进行，请等它结束。",
    en="Another assessment is under way; wait until it has finished.",
)
register(
    "lake.no_snapshot",
    zh="还没有数据快照，请先运行一次完整的评估（不带 --no-snapshot）。",
    en="There is no snapshot yet; run a whole assessment first (without --no-snapshot).",
)
register(
    "lake.damaged",
    zh="快照文件与清单不符：{file}。请重新运行完整的评估。",
    en="A file of the snapshot is not what its manifest says: {file}. Run a whole assessment again.",
)

MANIFEST: Final = "manifest.json"
DRAFT: Final = ".draft-"
KEPT: Final = {"snapshots": 2, "models": 30, "results": 30}
"""How many of each are kept: snapshots are large and can be made again, models and results are small and are compared."""


@dataclass(frozen=True, slots=True)
class Lake:
    """The folder and what is in it."""

    home: Path

    def kept(self, series: str) -> list[Path]:
        """Return the published folders of a series (``snapshots``, ``results/CODE``), oldest first."""
        folder = self.home / series
        if not folder.is_dir():
            return []
        return sorted(one for one in folder.iterdir() if (one / MANIFEST).is_file() and not one.name.startswith("."))

    def newest(self, series: str) -> Path | None:
        """Return the newest published folder of a series."""
        found = self.kept(series)
        return found[-1] if found else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lake for one writer and sweep away what a killed one left. Raises: lake.busy."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            try:
                # The kernel lets go of it when the process dies, however it dies.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refusal("lake.busy") from None
            for draft in self.home.rglob(f"{DRAFT}*"):
                shutil.rmtree(draft, ignore_errors=True)
            yield

    def draft(self, series: str) -> Path:
        """Return a new empty folder beside the published ones, invisible to readers."""
        made = self.home / series / f"{DRAFT}{uuid.uuid4().hex}"
        made.mkdir(mode=0o700, parents=True)
        return made

    def publish(self, draft: Path, name: str, manifest: Mapping[str, Any], keep: frozenset[str] = frozenset()) -> Path:
        """Publish a draft under a name that sorts by time, in one step; older ones beyond what is kept are removed.

        Those named in ``keep`` stay, however old: somebody's numbers open their lists there.
        """
        series = draft.parent
        text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1)
        with (draft / MANIFEST).open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # A night that failed after this step and is tried again publishes beside what it has published already.
        again = (series / f"{name}.{number:03d}" for number in count(1))
        target = next(path for path in chain([series / name], again) if not path.exists())
        draft.rename(target)
        limit = KEPT[series.relative_to(self.home).parts[0]]
        for old in self.kept(str(series.relative_to(self.home)))[:-limit]:
            if old.name in keep:
                continue
            # First out of sight, then away: a reader never finds half of one.
            gone = old.with_name(f"{DRAFT}{uuid.uuid4().hex}")
            old.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        return target


def stamp(at: datetime) -> str:
    """Return the name of what was made at an instant; names sort as the instants do."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}"


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return what a published folder says of itself."""
    found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return found


def manifest_hash(folder: Path) -> str:
    """Return the SHA-256 of a published manifest, which names the hash of every file: what the journal keeps."""
    return file_hash(folder / MANIFEST)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: Path) -> int:
    """Compare every file with the manifest; return how many there are. Raises: lake.damaged."""
    files = manifest_of(folder)["files"]
    for one in files:
        path = folder / one["path"]
        if not path.is_file() or file_hash(path) != one["sha256"]:
            raise Refusal("lake.damaged", file=one["path"])
    return len(files)
