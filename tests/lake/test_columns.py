"""The lake's columns and parts, against what Python says of one value at a time."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anban.base.exports import Column, Export
from anban.lake.columns import in_lake_form
from anban.lake.parts import GROUP, Parts, part_path

SEEN = Export(
    "seen", 1, "seen s", "s.root",
    (
        Column("key", "key", "s.id"), Column("id", "id", "s.id"), Column("other", "key", "s.other"), Column("said", "text", "s.said"),
        Column("street", "street", "s.path"), Column("n", "int", "s.n"), Column("yes", "bool", "s.yes"), Column("at", "instant_day", "s.at"),
    ), period="at",
)  # fmt: skip
SOURCES = ["s.root", "s.id", "s.other", "s.said", "s.path", "s.n", "s.yes", "s.at"]
ZONES = {"bj": "Asia/Shanghai", "ny": "America/New_York", "ld": "Europe/London"}


def given(count: int = 2_000) -> list[dict[str, object]]:
    """Rows from 1986 (summer time in China) on, some of them at the very turn of a zone's clocks."""
    luck = random.Random(7)
    turns = [
        datetime(2025, 3, 9, 7, tzinfo=UTC),
        datetime(2025, 10, 26, 1, tzinfo=UTC),
        datetime(1986, 5, 3, 18, tzinfo=UTC),
    ]
    rows: list[dict[str, object]] = []
    for number in range(count):
        near = turns[number % 3].timestamp() + luck.choice((-1, 0, 1, -3600, 3600, -25200, -14400))
        second = near if luck.random() < 0.5 else luck.uniform(5e8, 1.8e9)
        rows.append(
            {
                "root": luck.choice(tuple(ZONES)), "id": UUID(int=luck.getrandbits(128)),
                "other": UUID(int=luck.getrandbits(128)) if number % 5 else None, "said": luck.choice(("x", "", None)),
                "path": luck.choice(("1/05/026/", "1/05/026/003/", "1/05/", "1/", "")), "n": luck.randrange(-9, 9), "yes": luck.choice((True, False, None)),
                "at": datetime.fromtimestamp(int(second), UTC) if number % 7 else None,
            }
        )  # fmt: skip
    return rows


def batch(rows: list[dict[str, object]], *, as_texts: bool) -> pa.RecordBatch:
    """The rows as PostgreSQL's driver gives them, or as SQLite does."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    if as_texts:
        at = [one and one.replace(tzinfo=None).isoformat(" ") for one in columns["at"]]  # type: ignore[attr-defined]
        # Something that isn't Django writes the offset as well.
        columns["at"] = [one and one + ("+00:00" if number % 2 else ".000000") for number, one in enumerate(at)]
        for name in ("id", "other"):
            columns[name] = [one and one.hex for one in columns[name]]  # type: ignore[attr-defined]
        columns["yes"] = [None if one is None else int(one) for one in columns["yes"]]  # type: ignore[call-overload]
        return pa.record_batch([pa.array(each) for each in columns.values()], names=list(columns))
    made = {name: pa.array(each) for name, each in columns.items() if name not in ("id", "other", "at")}
    for name in ("id", "other"):
        made[name] = pa.array([one and one.bytes for one in columns[name]], pa.uuid())  # type: ignore[attr-defined]
    made["at"] = pa.array(columns["at"], pa.timestamp("us", "UTC"))
    return pa.record_batch([made[name] for name in columns], names=list(columns))


def expected(row: dict[str, object]) -> dict[str, object]:
    identity, other, at, path = row["id"], row["other"], row["at"], str(row["path"])
    assert isinstance(identity, UUID)
    day = at.astimezone(ZoneInfo(ZONES[str(row["root"])])).date() if isinstance(at, datetime) else None
    return {
        "root": row["root"], "key": int(identity.hex[-15:], 16), "id": identity.hex,
        "other": int(other.hex[-15:], 16) if isinstance(other, UUID) else None, "said": row["said"] or "",
        "street": "".join(part + "/" for part in path.split("/")[:-1][:3]), "n": row["n"], "yes": row["yes"], "at": day,
        "period": day.year if day else 0,
    }  # fmt: skip


@pytest.mark.parametrize("as_texts", [False, True])
def test_every_column_is_what_python_says_of_each_value(as_texts: bool) -> None:
    rows = given()
    whole = batch(rows, as_texts=as_texts)
    # A slice does not begin at its buffers' beginning.
    pieces = [whole.slice(0, 700), whole.slice(700, 1), whole.slice(701)]
    made = [row for one in in_lake_form(pieces, SEEN, SOURCES, ZONES) for row in one.to_pylist()]
    assert made == [expected(row) for row in rows]


def test_parts_hold_every_row_once_in_its_own_file(tmp_path: Path) -> None:
    rows = given(3_000)
    for row in rows[:20]:
        row["root"] = "a/b c"
    zones = {**ZONES, "a/b c": "UTC"}
    with Parts(tmp_path / "seen", SEEN) as parts:
        for number in range(80):
            for one in in_lake_form([batch(rows[number:], as_texts=False)], SEEN, SOURCES, zones):
                parts.add(one)
    files = sorted((tmp_path / "seen").rglob("*.parquet"))
    found = 0
    for path in files:
        table = pq.read_table(path, partitioning=None)
        (part,) = set(zip(table["root"].to_pylist(), table["period"].to_pylist(), strict=True))
        assert path == part_path(tmp_path / "seen", *part)
        found += table.num_rows
    assert found == sum(3_000 - number for number in range(80)) > GROUP
    assert part_path(tmp_path / "seen", "a/b c", 0) in files
