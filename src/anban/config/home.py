"""Where an installation keeps its things: ANBAN_HOME with the database, keys and files."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def home() -> Path:
    """Return the installation's folder (``ANBAN_HOME``, default ``./.anban``), made when missing, readable by its owner alone."""
    folder = Path(os.environ.get("ANBAN_HOME", ".anban")).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("keys", "files"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    return folder


def secret_key(folder: Path) -> str:
    """Return the key that signs sessions, made once at random; two processes starting together agree on one."""
    path = folder / "keys" / "secret_key"
    if not path.exists():
        draft = path.with_name(f"secret_key.{os.getpid()}")
        draft.write_text(secrets.token_urlsafe(48))
        draft.chmod(0o600)
        # When another process was first, its key is everybody's.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
