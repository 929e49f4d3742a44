"""Every fault that can be planted in a journal or in the ledger beside it is found, named and placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models

from anban.base.journal import checkpoints, stored
from anban.base.journal.digests import row_digest, sealed_models
from anban.base.journal.models import Entry, Head, Words
from anban.base.journal.verification import SHOWN, verify
from anban.kit.canonical import canonical_bytes
from anban.kit.merkle import Frontier, leaf_hash
from tests.base.journal.tampering import codes, flip_everything, run, unguarded
from tests.factories.journals import ledger, plain, small

pytestmark = pytest.mark.django_db


def found(**options: Any) -> list[tuple[str, int | None]]:
    return [(f.code, f.position) for f in verify(**options).findings]


def reseal(bodies: list[bytes]) -> None:
    """Write the journal anew over other bodies, with right hashes: what someone with all rights could do."""
    chain, frontier = bytes(32), Frontier()
    run("DELETE FROM journal_entry")
    for position, body in enumerate(bodies):
        chain = sha256(chain + leaf_hash(body)).digest()
        frontier.append(leaf_hash(body))
        matter = body.decode().rpartition('"matter":"')[2].partition('"')[0]
        run(
            "INSERT INTO journal_entry (position, matter, body, hash) VALUES (%s, %s, %s, %s)",
            position,
            matter,
            body.decode(),
            chain,
        )
    Head.objects.filter(pk=1).update(size=frontier.size, hash=chain, frontier=frontier.to_bytes())


def test_an_empty_journal_verifies():
    report = verify()
    assert (report.ok, report.entries, report.root) == (True, 0, sha256(b"").hexdigest())


def test_a_sound_journal_verifies_with_words_erasures_and_tiles():
    small()
    plain(300, first=100)
    report = verify()
    assert [f.en for f in report.findings] == []
    assert (report.entries, report.words) == (310, 2)
    assert report.root == checkpoints.head().root.hex()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE journal_entry SET body = replace(body, 'RG07', 'RG08') WHERE position = 3"], ("entry.altered", 3)),
        (["DELETE FROM journal_entry WHERE position = 3"], ("entry.missing", 3)),
        (["DELETE FROM journal_entry WHERE position = 0"], ("entry.missing", 0)),
        (["DELETE FROM journal_entry WHERE position = 9"], ("entry.missing", 9)),
        (["INSERT INTO journal_entry SELECT 10, matter, body, hash FROM journal_entry WHERE position = 9"], ("entry.stray", None)),
        (["INSERT INTO journal_entry SELECT -1, matter, body, hash FROM journal_entry WHERE position = 9"], ("entry.stray", None)),
        (
            [
                "UPDATE journal_entry SET position = 99 WHERE position = 2",
                "UPDATE journal_entry SET position = 2 WHERE position = 3",
                "UPDATE journal_entry SET position = 3 WHERE position = 99",
            ],
            ("entry.altered", 2),
        ),
        (["UPDATE journal_entry SET matter = 'test:00000000000000000000000000000000' WHERE position = 1"], ("entry.column", 1)),
        (["UPDATE journal_entry SET position = 4611686018427387904 WHERE position = 9"], ("entry.missing", 9)),
        (["UPDATE journal_head SET size = 9"], ("entry.stray", None)),
        (["UPDATE journal_head SET size = 4611686018427387904"], ("head.altered", None)),
        (["DELETE FROM journal_head"], ("head.missing", None)),
        (["DELETE FROM journal_words WHERE text <> ''"], ("words.missing", 4)),
        (["UPDATE journal_words SET text = 'x' WHERE text <> ''"], ("words.altered", 4)),
        (["UPDATE journal_words SET salt = 'x' WHERE text <> ''"], ("words.altered", 4)),
        (["UPDATE journal_words SET kind = 'x' WHERE text <> ''"], ("words.altered", 4)),
        (["UPDATE journal_words SET text = 'back again' WHERE text = ''"], ("words.altered", 5)),
        (["UPDATE journal_words SET erased_at = NULL WHERE text = ''"], ("words.altered", 5)),
        (["UPDATE journal_words SET erased_at = written_at, text = '', salt = '' WHERE text <> ''"], ("words.altered", 4)),
    ],
)  # fmt: skip
def test_each_planted_fault_is_found(statements: list[str], expected: tuple[str, int | None]):
    small()
    with unguarded():
        for statement in statements:
            run(statement)
        assert expected in found(journal_only=True)
        assert expected in found()


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE journal_tile SET level = 2", "tile.altered"),
        ('UPDATE journal_tile SET "index" = 7', "tile.altered"),
        ("UPDATE journal_tile SET id = id + 1", "tile.stray"),
        ("DELETE FROM journal_tile", "tile.missing"),
        ('INSERT INTO journal_tile (id, level, "index", hash) SELECT 9, 3, 3, hash FROM journal_tile', "tile.stray"),
    ],
)
def test_each_fault_of_a_tile_is_found(statement: str, code: str):
    plain(257)
    with unguarded():
        run(statement)
        assert code in codes(journal_only=True)


def test_a_saved_head_finds_truncation_and_fork_that_nothing_else_can():
    plain(300)
    saved = checkpoints.head()
    bodies = [body.encode() for body in Entry.objects.order_by("position").values_list("body", flat=True)]
    with unguarded():
        run("DELETE FROM journal_tile")
        reseal(bodies[:200])
        assert found(against=saved) == [("head.truncated", None)]
        forged = [body.replace(b"RG07", b"RG08") if number == 5 else body for number, body in enumerate(bodies[:250])]
        reseal(forged)
        later = checkpoints.head()
        assert verify().ok, "without an anchor outside nothing can tell"
        assert found(against=saved) == [("head.truncated", None)]
        reseal(bodies[:250])
        assert found(against=later) == [("head.fork", None)]


def test_an_earlier_head_of_the_same_journal_is_its_prefix_at_every_size():
    heads = []
    for number in range(9):
        heads.append(checkpoints.head())
        plain(37, first=number)
    assert [found(against=head) for head in heads] == [[]] * 9


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace(b'"v":1', b'"v":2'),
        lambda body: body.replace(b'"v":1', b'"v":true'),
        lambda body: body.replace(b'"position":3', b'"position":4'),
        lambda body: body.replace(b'"actor"', b' "actor"', 1),
        lambda body: body.replace(b'{"actor"', b'{"Actor":1,"actor"', 1),
        lambda body: body.replace(b'"ok":true', b'"ok":true,"ok":true'),
        lambda body: body.replace(b'"n":3', b'"n":3.0'),
        lambda body: body.replace(b'"rows":{}', b'"rows":{"hazards_hazard:1":"zz"}'),
        lambda body: b"[]",
        lambda body: b"5",
        lambda body: b"not json",
        lambda body: b'{"a":1',
    ],
)  # fmt: skip
def test_a_body_in_another_form_is_found_though_every_hash_was_made_anew(spoil: Callable[[bytes], bytes]):
    plain(6)
    bodies = [body.encode() for body in Entry.objects.order_by("position").values_list("body", flat=True)]
    assert spoil(bodies[3]) != bodies[3]
    with unguarded():
        reseal([*bodies[:3], spoil(bodies[3]), *bodies[4:]])
        assert {(c, p) for c, p in found() if c in {"entry.form", "entry.undecodable"}} == {
            (next(c for c, p in found() if p == 3 and c != "entry.column"), 3)
        }


@pytest.fixture
def sqlite_only() -> bool:
    return connection.vendor == "sqlite"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entry SET body = CAST(x'FFFE80' AS TEXT) WHERE position = 3",
        "UPDATE journal_entry SET body = CAST(body AS BLOB) WHERE position = 3",
        "UPDATE journal_entry SET hash = 'text' WHERE position = 3",
        "UPDATE journal_entry SET hash = 17 WHERE position = 3",
        "UPDATE journal_entry SET body = x'' WHERE position = 3",
        "UPDATE journal_entry SET matter = x'00FF' WHERE position = 3",
    ],
)
def test_what_cannot_be_decoded_is_a_finding_with_its_position(statement: str, sqlite_only: bool):
    small()
    if not sqlite_only:
        # PostgreSQL keeps the kinds of its columns: such a value cannot come in.
        with unguarded():
            run("UPDATE journal_entry SET hash = '\\x00'::bytea WHERE position = 3")
            assert ("entry.altered", 3) in found()
        return
    with unguarded():
        run(statement)
        assert 3 in {position for _, position in found(journal_only=True)}
        assert 3 in {position for _, position in found()}


CHANGES: dict[str, tuple[str, str]] = {
    "establishments_place": ("name", "'另一家'"),
    "obligations_obligation": ("state", "'void', ended_at = opened_at"),
    "responsibility_link": ("unit_name", "'别的单位'"),
    "hazards_hazard": ("fact", "'没有隐患'"),
    "hazards_cycle": ("reviews", "9"),
    "inspections_visit": ("result", "'pass'"),
}


def test_the_tables_of_the_ledger_have_their_planted_change():
    spine = {"establishments", "obligations", "hazards", "inspections"}
    sealed = {m._meta.db_table: m._meta.app_label for m in sealed_models()}
    assert {table for table, app in sealed.items() if app in spine} | {"responsibility_link"} == set(CHANGES)


OTHER_VALUES: dict[type[models.Field[Any, Any]], tuple[Any, Any]] = {
    models.CharField: ("甲", "乙"), models.TextField: ("甲", "乙"), models.UUIDField: (UUID(int=1), UUID(int=2)),
    models.ForeignKey: (UUID(int=1), UUID(int=2)), models.BooleanField: (True, False), models.IntegerField: (1, 2),
    models.FloatField: (0.0, 0.5), models.DateField: (date(2026, 1, 1), date(2026, 1, 2)),
    models.DateTimeField: (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
    models.DecimalField: (Decimal(1), Decimal(2)),
}  # fmt: skip


def other_values(field: Any) -> tuple[Any, Any]:
    return next(OTHER_VALUES[kind] for kind in type(field).__mro__ if kind in OTHER_VALUES)


@pytest.mark.parametrize("model", sealed_models(), ids=lambda model: model._meta.db_table)
def test_a_change_of_any_column_of_a_sealed_row_changes_its_digest(model: type[models.Model]):
    fields = [f for f in model._meta.concrete_fields if not f.generated]
    row = model(**{f.attname: other_values(f)[0] for f in fields})
    before = row_digest(row)
    left_out = {f.attname for f in fields if f.name in getattr(model, "undigested", ())}
    changed = set()
    for field in fields:
        first, second = other_values(field)
        setattr(row, field.attname, second)
        if row_digest(row) != before:
            changed.add(field.attname)
        setattr(row, field.attname, first)
    assert changed == {f.attname for f in fields} - left_out
    assert left_out <= {"search", "match_key", "findings_count"}, "only what is made of other columns may stay out"


@pytest.mark.parametrize("table", sorted(CHANGES))
def test_a_changed_a_removed_and_an_added_ledger_row_are_named(table: str):
    ledger()
    assert [f.en for f in verify().findings] == []
    model = next(m for m in apps.get_models() if m._meta.db_table == table)
    row = model._base_manager.order_by("pk").first()
    column, value = CHANGES[table]
    names = [f.column for f in model._meta.concrete_fields]
    with unguarded():
        run(f"UPDATE {table} SET {column} = {value} WHERE id = %s", row.pk.hex)
        (one,) = verify().findings
        assert (one.code, one.table, one.row_id) == ("row.changed", table, row.pk.hex)
        # A row without a number of its own goes by the number of its matter.
        assert one.number == getattr(row, "number", one.number)
        assert one.position is not None
        assert table in one.zh
        assert row.pk.hex in one.en
        assert verify(journal_only=True).ok
        added = "f" * 32
        columns = ", ".join(f'"{n}"' for n in names)
        taken = {"id": f"'{added}'", "number": "'X-1'", "no": "77"}
        values = ", ".join(taken.get(n, f'"{n}"') for n in names)
        if connection.vendor == "postgresql":
            values = values.replace(f"'{added}'", f"'{added}'::uuid")
        run(f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE id = %s", row.pk.hex)
        assert {(f.code, f.row_id) for f in verify().findings} == {("row.changed", row.pk.hex), ("row.added", added)}


def test_a_removed_ledger_row_is_named():
    ledger()
    link = (
        next(m for m in sealed_models() if m._meta.db_table == "responsibility_link")
        ._base_manager.order_by("pk")
        .first()
    )
    run("DELETE FROM responsibility_link WHERE id = %s", link.pk.hex)
    (one,) = verify().findings
    assert (one.code, one.row_id) == ("row.removed", link.pk.hex)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("lng_wgs84", "0.0"),
        ("historical", "1"),
        ("status_on", "'2026-13-45'"),
        ("name", "CAST(x'FF' AS TEXT)"),
        ("version", "'x'"),
    ],
)
def test_a_ledger_value_of_another_kind_is_a_finding(column: str, value: str, sqlite_only: bool):
    ledger()
    if not sqlite_only and column != "lng_wgs84":
        value = {"historical": "true", "status_on": "'2026-01-01'", "name": "'y'", "version": "9"}[column]
    with unguarded():
        run(f"UPDATE establishments_place SET {column} = {value}")
        assert {f.code for f in verify().findings} & {"row.changed", "row.undecodable"}


def test_findings_beyond_a_thousand_are_counted():
    plain(1100)
    with unguarded():
        run("UPDATE journal_entry SET matter = 'x'")
        report = verify(journal_only=True)
    assert (len(report.findings), report.more) == (SHOWN, 100)


def test_flipping_every_byte_misses_nothing(soak: bool):
    small()
    tally = flip_everything(1 if soak else 7)
    assert tally.missed == []
    assert tally.flipped > (4000 if soak else 600)


def test_flipping_the_bytes_of_tiles_and_head_misses_nothing():
    plain(257)
    tally = flip_everything(1, ("journal_tile", "journal_head"))
    assert tally.missed == []
    assert tally.flipped > 60


def test_the_harness_sees_a_verification_that_skips_a_row(monkeypatch: pytest.MonkeyPatch):
    """Planted fault: the third entry is answered from memory instead of the database."""
    small()
    kept = next(stored.source_of(connection).texts(2, 3))
    for source in (stored.SqliteSource, stored.PostgresSource):
        plain_texts = source.texts

        def texts(self: Any, start: int, end: int, _plain: Any = plain_texts) -> Iterator[Any]:
            for entry in _plain(self, start, end):
                yield kept if entry[0] == kept[0] else entry

        monkeypatch.setattr(source, "texts", texts)
    tally = flip_everything(29, ("journal_entry",))
    assert {place.rpartition(" of ")[2].partition(",")[0] for place in tally.missed} == {"2"}


def test_canonical_floats_and_nested_facts_pass():
    from_words = {"b": [1, 2.5, {"z": None, "a": 1e21}], "中": 1}
    assert canonical_bytes(from_words)
    plain(1)
    body = Entry.objects.get(pk=0).body
    data = canonical_bytes(from_words).decode()
    changed = body.replace(body[body.index('"data":') + 7 : body.index(',"matter"')], data)
    with unguarded():
        reseal([changed.encode()])
    assert verify().ok


def test_erased_words_leave_a_journal_that_verifies():
    small()
    assert Words.objects.filter(text="").count() == 1
    assert verify().ok
