"""Opening a file of any kind that importers take."""

from collections.abc import Iterator
from pathlib import Path

from .csv_files import read_csv
from .problems import FileRefused
from .tables import Limits, Table
from .xlsx_files import read_xlsx

_DEFAULT = Limits()
_MAGIC = ((b"PK\x03\x04", "xlsx"), (b"\xd0\xcf\x11\xe0", "xls"), (b"\x1f\x8b", "gzip"), (b"%PDF", "pdf"))


def read_tables(path: Path, *, limits: Limits = _DEFAULT, name: str | None = None) -> Iterator[Table]:
    """This function will read the tables of a ``.csv``, ``.csv.gz`` or ``.xlsx`` file, streaming.

    ``name`` is the name the user gave the file, where ``path`` is a stored copy. The rows of a table must be walked before
    the next table is asked for. Blank rows are passed over but counted.

    Raises: FileRefused, also while rows are walked.
    """
    file = name or path.name
    lower = file.lower()
    suffix = ".csv.gz" if lower.endswith(".csv.gz") else Path(lower).suffix
    if suffix not in (".csv", ".csv.gz", ".xlsx"):
        raise FileRefused("kind_unknown", suffix=suffix)
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise FileRefused("file_missing") from error
    if not head:
        raise FileRefused("file_empty")
    found = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "text")
    if suffix == ".xlsx":
        yield from read_xlsx(path, file=file, limits=limits)
    elif found == ("gzip" if suffix == ".csv.gz" else "text"):
        yield from read_csv(path, file=file, gzipped=suffix == ".csv.gz", limits=limits)
    else:
        raise FileRefused("kind_differs", suffix=suffix, found=found)
