"""A town with visits and hazards on a committed database, its lake, and a look into a snapshot's tables."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from anban.contexts.inspections.operations import record_visit
from anban.lake.folder import Lake
from anban.lake.snapshot import Snapshot, take
from tests.factories.inspections import seen
from tests.factories.town import Town, town

NOW = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake."""
    return Lake(tmp_path / "lake")


def built() -> Town:
    """Build a town with three places, one of them with a hazard found by a visit."""
    made = town()
    shop = made.place()
    made.place("和平饭店", area="呼家楼街道", manager=None)
    made.place("中关村仓库", area="中关村街道", kind="warehouse", manager=None)
    record_visit(actor=made.actor("王敏"), at=datetime(2026, 3, 2, 17, 30, tzinfo=UTC), visit=seen(shop))
    return made


@pytest.fixture
def a_town(transactional_db: None) -> Town:
    """The town, committed, so that another connection sees it."""
    return built()


def snap(lake: Lake, at: datetime = NOW, **more: Any) -> Snapshot:
    """Take a snapshot of the test's database."""
    with lake.writing():
        return take(lake, connection.settings_dict, at=at, **more)


def rows(snapshot: Snapshot, table: str, root: str = "town") -> list[dict[str, Any]]:
    """Return the rows of one root's table, in one order."""
    import duckdb

    paths = [str(path) for path in snapshot.files(table, root)]
    with duckdb.connect() as duck:
        found = duck.sql(f"SELECT * FROM read_parquet({paths!r}) ORDER BY ALL").to_arrow_table().to_pylist()
    return [row for row in found if row["root"] == root]
