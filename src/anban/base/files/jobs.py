"""Housekeeping of the folder of files: bytes that no row names are swept after a week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from anban.base.files.disk import derived_place, sweeping
from anban.base.files.models import StoredFile
from anban.base.files.pictures import WIDTHS
from anban.base.jobs.registry import Handle, job

KEPT = timedelta(days=7)


@job("files.sweep", every=timedelta(days=1), offset=timedelta(hours=4))
def sweep(slot: datetime, handle: Handle) -> dict[str, int]:
    """Remove what a crash has left: bytes without a row and temporary files, once they are older than seven days."""
    root = Path(settings.FILES_ROOT)
    removed = 0
    folders = sorted(folder for folder in root.iterdir() if folder.is_dir() and folder.name != "derived")
    for number, folder in enumerate(folders, start=1):
        old = [path for path in folder.iterdir() if _is_older(path, slot)]
        named = set(StoredFile.objects.filter(sha256__in=[path.name for path in old]).values_list("sha256", flat=True))
        for path in old:
            if path.name not in named:
                removed += _remove(path, slot)
        handle.progress(number, len(folders))
    return {"removed": removed}


def _is_older(path: Path, slot: datetime) -> bool:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < slot - KEPT
    except FileNotFoundError:
        return False


def _remove(path: Path, slot: datetime) -> bool:
    """Remove a file unless it was brought again in this moment: storing renews its age under the same lock."""
    with sweeping(alone=True):
        if not _is_older(path, slot):
            return False
        path.unlink(missing_ok=True)
        if len(path.name) == 64:
            for width in WIDTHS:
                derived_place(path.name, width).unlink(missing_ok=True)
    return True
