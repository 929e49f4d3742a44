"""Writes a stream of batches as Parquet files parted by root and year, while the next batch is read."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

import numpy as np

from anban.base.exports import Export
from anban.lake.columns import schema_of

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP: Final = 122_880
"""Rows of a row group: what DuckDB reads as one."""
MOST_WAITING: Final = 2_000_000
"""So many rows wait for their row group to fill, all parts together."""
MOST_COMING: Final = 4
Part = tuple[str, int]


def part_path(folder: Path, root: str, period: int) -> Path:
    """Return the file of one part; its folder is there afterwards."""
    own = folder / f"root={quote(root, safe='')}" / f"period={period}"
    own.mkdir(parents=True, exist_ok=True)
    return own / "data_0.parquet"


class Parts:
    """The files of one table; closing it writes what still waits."""

    def __init__(self, folder: Path, export: Export) -> None:
        self._folder = folder
        self._schema = schema_of(export)
        # Ids are all different: a dictionary of them is larger than they are, and their least and greatest tell nothing.
        self._repeated = [
            name
            for name in self._schema.names
            if name not in {c.name for c in export.columns if c.kind in ("id", "key")}
        ]
        self._writers: dict[Part, pq.ParquetWriter] = {}
        self._waiting: dict[Part, list[pa.RecordBatch]] = {}
        self._rows: dict[Part, int] = {}
        self._coming: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1, "parts")

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch over; what fills a row group is written."""
        for part, piece in _pieces(batch):
            self._waiting.setdefault(part, []).append(piece)
            self._rows[part] = self._rows.get(part, 0) + len(piece)
            if self._rows[part] >= GROUP:
                self._write(part)
        if sum(self._rows.values()) > MOST_WAITING:
            self._write_all()

    def _write_all(self) -> None:
        for part in list(self._waiting):
            self._write(part)

    def _write(self, part: Part) -> None:
        import pyarrow as pa

        table = pa.Table.from_batches(self._waiting.pop(part))
        del self._rows[part]
        while len(self._coming) >= MOST_COMING:
            self._coming.popleft().result()
        self._coming.append(self._pool.submit(self._written, part, table))

    def _written(self, part: Part, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        if part not in self._writers:
            self._writers[part] = pq.ParquetWriter(
                part_path(self._folder, *part), self._schema, compression="zstd", use_dictionary=self._repeated,
                write_statistics=self._repeated,
            )  # fmt: skip
        self._writers[part].write_table(table, row_group_size=len(table))

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._write_all()
            while self._coming:
                self._coming.popleft().result()
        finally:
            self._pool.shutdown(cancel_futures=True)
            for writer in self._writers.values():
                writer.close()


def _pieces(batch: pa.RecordBatch) -> list[tuple[Part, pa.RecordBatch]]:
    """Return the batch by parts; most batches of a table that grew by the day are of one part and stay as they are."""
    import pyarrow as pa

    if not len(batch):
        return []
    roots = batch.column("root").dictionary_encode()
    names = roots.dictionary.to_pylist()
    # Years have four digits.
    number = roots.indices.to_numpy().astype(np.int64) * 10_000 + batch.column("period").to_numpy()

    def of(one: int) -> Part:
        return names[one // 10_000], int(one % 10_000)

    if (number == number[0]).all():
        return [(of(int(number[0])), batch)]
    by_part = np.argsort(number, kind="stable")
    batch, number = batch.take(pa.array(by_part)), number[by_part]
    begins = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(number)]
    return [(of(int(number[begin])), batch.slice(begin, end - begin)) for begin, end in pairwise(begins)]
