"""The installation's own keys: files beside the database, made at random once and readable by their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings


def key_file(name: str) -> Path:
    """Return where the key ``name`` stands or will stand."""
    return Path(settings.KEYS_ROOT) / name


def put_once(path: Path, text: str, mode: int) -> None:
    """Write a key whole, unless there is one: of two processes starting together the first one's key is everybody's."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
