"""Where the public data sets lie that tests marked ``real_data`` read: ANBAN_DATA, or ``../shared/data`` beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def data_folder() -> Path | None:
    """Return the folder of the data sets, or None where it is absent."""
    named = os.environ.get("ANBAN_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def real_data(name: str) -> Path:
    """Return the folder or file ``name`` of the public data sets.

    Raises: FileNotFoundError where it is absent (tests that ask are marked ``real_data`` and do not run then).
    """
    folder = data_folder()
    if folder is None or not (folder / name).exists():
        raise FileNotFoundError(f"no {name} in the public data sets at {folder}")
    return folder / name
