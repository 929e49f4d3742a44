"""The lake's columns, made of what a database gives: whole batches at once, on arrays, not row by row."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from anban.base.exports import Export, Kind

if TYPE_CHECKING:
    import pyarrow as pa

BATCH: Final = 65_536
KEY_BITS: Final = (1 << 60) - 1
ID_BYTES: Final = 16
SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
YEARS: Final = (1900, 2100)
"""Between these, the offsets of zones are known exactly; before and after, as at the nearer end."""
_STREET: Final = re.compile(r"([^/]+/){1,3}")
_OFFSET: Final = r"(Z|\+00(:?00)?)$"


def schema_of(export: Export) -> pa.Schema:
    """Return the columns of a table of the lake, with the root before and the year (``period``) after the declared ones."""
    import pyarrow as pa

    types = {
        "key": pa.int64(), "id": pa.string(), "text": pa.string(), "street": pa.string(), "int": pa.int32(),
        "float": pa.float64(), "bool": pa.bool_(), "date": pa.date32(), "instant_day": pa.date32(),
    }  # fmt: skip
    own = [pa.field(column.name, types[column.kind]) for column in export.columns]
    return pa.schema([pa.field("root", pa.string()), *own, pa.field("period", pa.int32())])


def fetched(cursor: sqlite3.Cursor, kinds: Sequence[Kind]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of SQLite's cursor as batches; days, instants and ids are texts there."""
    import pyarrow as pa

    plain = {"int": pa.int64(), "bool": pa.int64(), "float": pa.float64()}
    types = [plain.get(kind, pa.string()) for kind in kinds]
    names = [f"c{number}" for number in range(len(kinds))]
    while rows := cursor.fetchmany(BATCH):
        columns = zip(*rows, strict=True)
        yield pa.record_batch([pa.array(c, kind) for c, kind in zip(columns, types, strict=True)], names=names)


def in_lake_form(
    given: Iterable[pa.RecordBatch], export: Export, sources: Sequence[str], zones: Mapping[str, str]
) -> pa.RecordBatchReader:
    """Return batches of the database's columns (one for each source) as a stream of the lake's."""
    import pyarrow as pa

    schema = schema_of(export)
    at = {source: number for number, source in enumerate(sources)}

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in given:
            root = _text(batch.column(at[export.root]))
            made = {c.name: _made(batch.column(at[c.source]), c.kind, root, zones) for c in export.columns}
            period = _years(made[export.period]) if export.period else pa.array(np.zeros(len(batch), np.int32))
            yield pa.record_batch([root, *made.values(), period], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _made(given: pa.Array, kind: Kind, root: pa.Array, zones: Mapping[str, str]) -> pa.Array:
    import pyarrow as pa

    match kind:
        case "key":
            return _keys(given)
        case "id":
            return _digits(given)
        case "text":
            return _text(given)
        case "street":
            return _streets(given)
        case "int":
            return given.cast(pa.int32())
        case "float":
            return given.cast(pa.float64())
        case "bool":
            return given.cast(pa.bool_())
        case "date":
            return given.cast(pa.date32())
        case "instant_day":
            return _days(given, root, zones)


def _text(given: pa.Array) -> pa.Array:
    import pyarrow as pa

    return (given if pa.types.is_string(given.type) else given.cast(pa.string())).fill_null("")


def _raw(ids: pa.Array) -> tuple[bytes, Any]:
    """Return the sixteen bytes of each id, one after the other, and which ids are none."""
    import pyarrow as pa

    none = None if ids.null_count == 0 else np.asarray(ids.is_null())
    if pa.types.is_string(ids.type):
        return bytes.fromhex("".join("0" * 2 * ID_BYTES if one is None else one for one in ids.to_pylist())), none
    begin = ids.offset * ID_BYTES
    return memoryview(ids.storage.buffers()[1])[begin : begin + len(ids) * ID_BYTES].tobytes(), none


def _keys(ids: pa.Array) -> pa.Array:
    """Return the last 60 bits of ids."""
    import pyarrow as pa

    raw, none = _raw(ids)
    return pa.array((np.frombuffer(raw, ">u8")[1::2] & np.uint64(KEY_BITS)).astype(np.int64), mask=none)


def _digits(ids: pa.Array) -> pa.Array:
    """Return ids as 32 hexadecimal digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    raw, none = _raw(ids)
    width = 2 * ID_BYTES
    begins = np.arange(0, (len(ids) + 1) * width, width, dtype=np.int32)
    made = pa.StringArray.from_buffers(len(ids), pa.py_buffer(begins), pa.py_buffer(raw.hex().encode()))
    return made if none is None else pc.if_else(none, None, made)


def _streets(paths: pa.Array) -> pa.Array:
    """Return paths cut at the street: each different path is looked at once."""
    import pyarrow as pa

    found = paths.cast(pa.string()).dictionary_encode()
    streets = [(_STREET.match(one) or [""])[0] for one in found.dictionary.to_pylist()]
    return pa.array(streets, pa.string()).take(found.indices)


def _years(days: pa.Array) -> pa.Array:
    """Return the year of each day, nought where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.year(days).cast(pa.int32()).fill_null(0)


def _days(instants: pa.Array, root: pa.Array, zones: Mapping[str, str]) -> pa.Array:
    """Return the day of instants in each root's own zone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(instants.type):
        # SQLite holds them as Django writes them, without the offset of UTC, or with it where something else wrote them.
        instants = pc.replace_substring_regex(instants, _OFFSET, "").cast(pa.timestamp("us"))
    none = None if instants.null_count == 0 else np.asarray(instants.is_null())
    at = instants.cast(pa.timestamp("us", instants.type.tz)).cast(pa.int64()).fill_null(0).to_numpy()
    roots = root.dictionary_encode()
    named = [zones.get(one, "UTC") for one in roots.dictionary.to_pylist()]
    days = np.empty(len(at), np.int32)
    for zone in set(named):
        mine = (
            slice(None) if len(set(named)) == 1 else np.array([one == zone for one in named])[roots.indices.to_numpy()]
        )
        days[mine] = _local(at[mine], zone) // DAY
    return pa.array(days, mask=none).cast(pa.date32())


def _local(at: Any, zone: str) -> Any:
    """Return instants (microseconds of UTC) as what the clocks of a zone showed."""
    if not len(at):
        return at
    years = [min(max(_year(int(edge)), YEARS[0]), YEARS[1]) for edge in (at.min(), at.max())]
    since, offsets = offsets_of(zone, years[0], years[1])
    if len(offsets) == 1:
        return at + offsets[0]
    return at + offsets[np.maximum(np.searchsorted(since, at, side="right") - 1, 0)]


def _year(at: int) -> int:
    return int(np.datetime64(at, "us").astype("datetime64[Y]").astype(int)) + 1970


@cache
def offsets_of(zone: str, first: int, last: int) -> tuple[Any, Any]:
    """Return from which instants on (microseconds of UTC) a zone's clocks were how far ahead, over whole years."""
    own = ZoneInfo(zone)

    def ahead(second: int) -> int:
        return round((datetime.fromtimestamp(second, UTC).astimezone(own).utcoffset() or timedelta()).total_seconds())

    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (first, last + 1))
    day = DAY // SECOND
    since, offsets = [begin], [ahead(begin)]
    for second in range(begin + day, end + day + 1, day):
        if ahead(second) == offsets[-1]:
            continue
        low, high = second - day, second
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if ahead(middle) == offsets[-1] else (low, middle)
        since.append(high)
        offsets.append(ahead(high))
    return np.array(since, np.int64) * SECOND, np.array(offsets, np.int64) * SECOND
