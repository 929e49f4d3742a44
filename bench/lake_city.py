"""A made-up city straight in the lake's form: places, visits, findings, hazards and rounds by the million, the same for a seed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from anban.base.exports import Column, exports
from anban.lake.duck import connected
from anban.lake.folder import Lake, file_hash
from anban.lake.snapshot import EMPTY, FORMAT, Snapshot

ROOT = "bench"
AS_OF = "2026-03-02"
KINDS = (
    "catering",
    "warehouse",
    "school",
    "hotel",
    "workshop",
    "shop",
    "office",
    "hospital",
    "site",
    "rental",
    "gas",
    "mall",
)
STREETS_IN_DISTRICT = 20
DISTRICTS = 17
TYPES = {
    "key": "BIGINT", "id": "VARCHAR", "text": "VARCHAR", "int": "INTEGER", "float": "DOUBLE", "bool": "BOOLEAN",
    "date": "DATE", "instant_day": "DATE", "street": "VARCHAR",
}  # fmt: skip


def make(lake: Lake, places: int, *, seed: int = 1, visits: int = 9, rounds: int = 6) -> Snapshot:
    """Publish a snapshot of a made-up city: so many visits and rounds of hazards per place on the average."""
    draft = lake.draft("snapshots")
    with connected(scratch=draft / ".scratch") as duck:
        duck.execute(
            # 53 bits: fewer would draw the same million places again and again.
            f"CREATE MACRO luck(i, salt) AS (hash(i * 1000003 + salt + {seed} * 7919) >> 11) / 9007199254740992e0"
        )  # the same for a seed on any machine with this DuckDB
        for name, text in _texts(places, visits, rounds).items():
            duck.execute(f"CREATE TEMP VIEW made_{name} AS {text}")
        files = [one for export in exports() for one in _write(duck, draft, export.name, export.columns, export.period)]
    for path in sorted((draft / ".scratch").glob("*")):
        path.unlink()
    (draft / ".scratch").rmdir()
    manifest = {
        "format": FORMAT, "position": places, "chain": "", "made_at": datetime(2026, 3, 2, tzinfo=UTC).isoformat(),
        "since": None, "zones": {ROOT: "Asia/Shanghai"}, "ways": {}, "tables": {e.name: "" for e in exports()}, "files": files,
    }  # fmt: skip
    return Snapshot.at(lake.publish(draft, f"made-{places:012d}-{seed}", manifest))


def _write(
    duck: duckdb.DuckDBPyConnection, draft: Path, name: str, columns: tuple[Column, ...], period: str
) -> list[dict[str, object]]:
    folder = draft / name
    folder.mkdir()
    have = {
        row[0] for row in duck.execute("SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'made_%'").fetchall()
    }
    empty = ", ".join(f"CAST(NULL AS {TYPES[c.kind]}) AS {c.name}" for c in columns)
    if f"made_{name}" not in have:
        duck.execute(f"CREATE TEMP VIEW made_{name} AS SELECT {empty} WHERE 1 = 0")
    chosen = ", ".join(f"CAST({c.name} AS {TYPES[c.kind]}) AS {c.name}" for c in columns)
    year = f"CAST(COALESCE(year({period}), 0) AS INTEGER)" if period else "0"
    text = f"SELECT '{ROOT}' AS root, {chosen}, {year} AS period FROM made_{name}"
    duck.execute(f"COPY (SELECT * FROM ({text}) WHERE 1 = 0) TO '{folder / EMPTY}' (FORMAT parquet)")
    duck.execute(
        f"COPY ({text}) TO '{folder}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (root, period), "
        "WRITE_PARTITION_COLUMNS true, OVERWRITE_OR_IGNORE true)"
    )
    found: list[dict[str, object]] = []
    for path in sorted(folder.rglob("*.parquet")):
        rows = duck.execute("SELECT sum(num_rows) FROM parquet_file_metadata(?)", [str(path)]).fetchall()[0][0]
        inside = path.name != EMPTY
        found.append(
            {
                "path": path.relative_to(draft).as_posix(), "table": name, "root": ROOT if inside else "",
                "period": int(path.parent.name.partition("=")[2] or 0), "rows": int(rows), "bytes": path.stat().st_size,
                "sha256": file_hash(path),
            }
        )  # fmt: skip
    return found


def _texts(places: int, visits: int, rounds: int) -> dict[str, str]:
    """Return how each table is made; tables that aren't here are empty."""
    kind = "(" + str(list(KINDS)) + ")[1 + CAST(floor(luck(i, 11) * 12) AS INTEGER)]"
    area = f"lpad(CAST(1 + i % {DISTRICTS} AS VARCHAR), 2, '0')"
    street = (
        f"'1/' || {area} || '/' || lpad(CAST(1 + (i // {DISTRICTS}) % {STREETS_IN_DISTRICT} AS VARCHAR), 3, '0') || '/'"
    )
    # A place's own danger: most are safe, a few are not; visits find by it, hazards come back by it.
    risk = "(0.02 + 0.6 * pow(luck({0}, 5), 4))"
    day = "DATE '2021-03-02' + CAST(floor(pow(luck(j, {0}), 0.8) * 1820) AS INTEGER)"
    place_of = "CAST(floor(luck(j, {0}) * {1}) AS BIGINT)"
    # Some places were never visited.
    visited = place_of.format(21, places * 0.97)
    hurt = f"CAST(floor(pow(luck(j, 31), 1.5) * {places}) AS BIGINT)"
    return {
        "areas": f"""
            SELECT '1/' AS path, 'C' AS code, 'city' AS level, FALSE AS in_overview
            UNION ALL SELECT '1/' || lpad(CAST(d AS VARCHAR), 2, '0') || '/', 'D' || d, 'district', TRUE FROM range(1, {DISTRICTS + 1}) t(d)
            UNION ALL SELECT '1/' || lpad(CAST(d AS VARCHAR), 2, '0') || '/' || lpad(CAST(s AS VARCHAR), 3, '0') || '/', 'S' || d || '-' || s, 'street', FALSE
            FROM range(1, {DISTRICTS + 1}) t(d), range(1, {STREETS_IN_DISTRICT + 1}) u(s)""",
        "place_kinds": f"SELECT unnest({list(KINDS)}) AS code, unnest([true, true, false, false, true, false, false, true, true, false, true, false]) AS high_risk, NULL AS from_on, NULL AS until_on",
        "mandates": f"SELECT 1 AS body, 'sector_lead' AS role, unnest({list(KINDS[:9])}) AS place_kind, '' AS industry, '' AS hazard_class, '1/' AS area_path, NULL AS from_on, NULL AS until_on",
        "places": f"""
            SELECT i AS place, lpad(printf('%x', i), 32, '0') AS id,
                CASE WHEN i % 200 = 7 AND i > 7 THEN i - 1 END AS survivor,
                'unit' AS form, {kind} AS kind, '' AS industry, {street} AS area_path, {street} AS street,
                'D' || (1 + i % {DISTRICTS}) AS overview_code, 'district' AS affiliation,
                CASE WHEN luck(i, 3) < 0.03 THEN 'closed' ELSE 'operating' END AS status,
                CASE WHEN luck(i, 3) < 0.03 THEN DATE '2025-01-01' END AS status_on, 116.1 + 0.03 * (i % {DISTRICTS}) + 0.05 * luck(i, 8) AS lng_wgs84,
                39.7 + 0.02 * ((i // {DISTRICTS}) % {STREETS_IN_DISTRICT}) + 0.03 * luck(i, 9) AS lat_wgs84, FALSE AS historical,
                DATE '2020-01-01' + CAST(floor(luck(i, 4) * 2200) AS INTEGER) AS registered_on
            FROM range({places}) t(i)""",
        "visits": f"""
            SELECT j AS visit, {visited} AS place, {day.format(22)} AS day,
                ['routine', 'patrol', 'enforcement', 'guidance', 'review'][1 + CAST(floor(luck(j, 23) * 5) AS INTEGER)] AS kind,
                CASE WHEN luck(j, 24) < 0.1 THEN 'unknown' WHEN luck(j, 24) < 0.1 + {risk.format(visited)} THEN 'fail' ELSE 'pass' END AS result,
                CAST(floor(luck(j, 25) * 400) AS BIGINT) AS body, FALSE AS historical
            FROM range({places * visits}) t(j)""",
        "hazards": f"""
            SELECT j AS hazard, lpad(printf('%x', j), 32, '0') AS id, {hurt} AS place, 'catering' AS place_kind,
                {street} AS street, 'GAS' AS class_code, 'rectifying' AS state, 'inspection' AS origin, {day.format(32)} AS found_on,
                FALSE AS historical
            FROM (SELECT j, {hurt} AS i FROM range({places * rounds}) t(j))""",
        "cycles": f"""
            WITH first AS (
                SELECT j, i, {day.format(32)} AS found_on,
                    CASE WHEN luck(j, 34) < 0.94 THEN {day.format(32)} + 1 + CAST(floor(luck(j, 35) * 60) AS INTEGER) END AS ended_on
                FROM (SELECT j, {hurt} AS i FROM range({places * rounds}) t(j))
            ),
            rounds AS (
                SELECT j, i, 1 AS no, found_on, ended_on FROM first
                UNION ALL
                SELECT j, i, 2, ended_on + 5 + CAST(floor(luck(j, 37) * 200) AS INTEGER), NULL FROM first
                WHERE ended_on IS NOT NULL AND luck(j, 36) < 0.12
            )
            SELECT j * 4 + no AS cycle, j AS hazard, i AS place, {kind} AS place_kind, {street} AS street,
                ['GAS', 'FIRE', 'POWER', 'EXIT'][1 + CAST(floor(luck(j, 38) * 4) AS INTEGER)] AS class_code, 'C' || (j % 40) AS code,
                CASE WHEN luck(j, 39) < 0.02 THEN 'major' ELSE 'general' END AS grade,
                ['inspection', 'patrol', 'report', 'ticket'][1 + CAST(floor(luck(j, 40) * 4) AS INTEGER)] AS origin,
                CASE WHEN luck(j, 41) < 0.01 THEN 'not_founded' ELSE 'closed' END AS state, no, found_on, found_on + 30 AS due_on, ended_on,
                CASE WHEN ended_on IS NULL THEN '' ELSE ['on_site', 'photo', 'declared'][1 + CAST(floor(luck(j, 42) * 3) AS INTEGER)] END AS proof,
                CASE WHEN ended_on IS NOT NULL THEN CAST(floor(luck(j, 43) * 30) AS BIGINT) END AS acceptor, FALSE AS inferred,
                1 AS last_no, found_on + 90 AS watch_until
            FROM rounds""",
        "findings": f"""
            SELECT j AS visit, hazard, {visited} AS place, {day.format(22)} AS day, 'C' || (hazard % 40) AS code,
                CASE WHEN luck(hazard, 39) < 0.02 THEN 'major' ELSE 'general' END AS severity, 1 AS times
            FROM (SELECT k AS hazard, k % {places * visits} AS j FROM range({places * rounds}) t(k))""",
        "obligations": f"""
            SELECT j AS obligation, 'rectify' AS kind, 'hazard' AS subject_kind, j AS matter, i AS place,
                CAST(floor(luck(j, 51) * 5000) AS BIGINT) AS person, 1 AS body, {street} AS street, 'territory' AS ladder, 'general' AS grade,
                {day.format(32)} AS opened_on, {day.format(32)} + 30 AS due_on,
                CASE WHEN luck(j, 52) < 0.9 THEN {day.format(32)} + 20 END AS ended_on, 'open' AS state
            FROM (SELECT j, {hurt} AS i FROM range({places}) t(j))""",
    }  # fmt: skip
