"""From the outbox to the channel: each notice once, in order, capped, quiet at night, and no storm after an outage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from anban.base.jobs import registry, worker
from anban.base.journal.models import Entry
from anban.base.journal.operations import unit
from anban.base.notices import channels, jobs, operations, queries
from anban.base.notices.channels import file as file_channel
from anban.base.notices.channels.payload import Payload, Undelivered
from anban.base.notices.models import Address, Beat, Copy, Delivery, Notice
from anban.base.people.actor import Actor, Grant
from anban.base.people.models import Account, Person
from anban.base.people.operations import add_person
from anban.rules.errors import Refusal

# Ten in the morning in Beijing, a Monday.
AT = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SYSTEM = Actor(person_id=uuid4(), root="bj")
JOBS = ("notices.send", "notices.digest")


class SilentHandle:
    """A handle for calling a job's function directly."""

    args: dict[str, object] = {}
    root = "bj"
    asked_by = None

    def progress(self, done: int, total: int = 0, stage: str = "") -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def house(settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A home of its own, one root, the development channel alone."""
    settings.FILES_ROOT = tmp_path / "files"  # type: ignore[attr-defined]
    monkeypatch.setenv("ANBAN_CHANNELS", "file")
    roots = registry._roots[:]
    registry.roots_come_from(lambda: [("bj", "Asia/Shanghai")])
    yield
    registry._roots[:] = roots


def person(name: str = "王敏") -> Person:
    return add_person(actor=SYSTEM, at=AT, root="bj", name=name)


def acting(row: Person) -> Actor:
    return Actor(person_id=row.pk, root="bj")


def tell(row: Person, title: str, at: datetime = AT, **options: object) -> Notice:
    return operations.tell(
        actor=SYSTEM, at=at, person_id=row.pk, kind=str(options.pop("kind", "due")), title=title,
        key=str(options.pop("key", title)), **options,  # type: ignore[arg-type]
    )  # fmt: skip


def at_once(row: Person, kind: str = "*") -> None:
    operations.wish(actor=acting(row), at=AT, kind=kind, channel="file", cadence="now")


def run(at: datetime, names: tuple[str, ...] = JOBS) -> None:
    worker.run_once(names, at=at)


def outbox(tmp_path: Path) -> list[dict[str, str]]:
    """Every message that left the house, in order."""
    files = sorted((tmp_path / "outbox").glob("*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def titles(message: dict[str, str]) -> list[str]:
    return [line[2:].strip() for line in message["text"].splitlines()]


@pytest.mark.django_db
def test_telling_writes_once_in_the_callers_unit_and_sends_nothing(tmp_path: Path) -> None:
    row = person()
    assert tell(row, "a").pk == tell(row, "another text", key="a").pk

    def told_and_refused() -> None:
        with unit():
            tell(row, "b")
            raise Refusal("job.not_found")

    with pytest.raises(Refusal, match="没有"):
        told_and_refused()
    assert [n.title for n in Notice.objects.all()] == ["a"]
    assert not Delivery.objects.exists()
    assert outbox(tmp_path) == []
    assert queries.unread(acting(row)) == 1


@pytest.mark.django_db
def test_without_wishes_notices_go_in_the_mornings_digest_in_order(tmp_path: Path) -> None:
    row, other = person(), person("李强")
    for number in range(3):
        tell(row, f"第{number}件", AT + number * MINUTE)
    tell(other, "别人的")
    run(AT + HOUR)
    assert outbox(tmp_path) == []
    run(AT + DAY - 2 * HOUR)  # eight o'clock
    run(AT + DAY)
    sent = {message["person"]: titles(message) for message in outbox(tmp_path)}
    assert sent == {str(row.pk): ["第0件", "第1件", "第2件"], str(other.pk): ["别人的"]}
    assert {message["subject"] for message in outbox(tmp_path)} == {"安办：3 条通知", "安办：1 条通知"}


@pytest.mark.django_db
def test_after_48_hours_of_outage_everything_is_told_once_in_order_and_not_one_by_one(tmp_path: Path) -> None:
    quick, slow = person(), person("李强")
    at_once(quick)
    run(AT)
    for number in range(50):
        for row in (quick, slow):
            tell(row, f"第{number:02}件", AT + number * 50 * MINUTE)
    back = AT + 48 * HOUR
    for minute in range(5):
        run(back + minute * MINUTE)
    run(back + DAY)
    expected = [f"第{number:02}件" for number in range(50)]
    messages = outbox(tmp_path)
    assert [titles(message) for message in messages if message["person"] == str(quick.pk)] == [expected]
    slow_messages = [titles(message) for message in messages if message["person"] == str(slow.pk)]
    assert slow_messages == [expected]
    assert not Copy.objects.filter(delivery=None).exists()


@pytest.mark.django_db
def test_the_days_cap_holds_single_messages_for_the_digest_and_counts_them(tmp_path: Path) -> None:
    row = person()
    at_once(row)
    run(AT)
    for number in range(25):
        tell(row, f"第{number:02}件", AT + number * MINUTE)
    run(AT + 10 * MINUTE)
    run(AT + 30 * MINUTE)
    assert len(outbox(tmp_path)) == 20
    assert queries.held(acting(row)) == 5
    run(AT + DAY - 2 * HOUR)
    last = outbox(tmp_path)[-1]
    assert titles(last) == [f"第{number}件" for number in range(20, 25)]
    assert last["subject"] == "安办：5 条通知（其中 5 条超出当日单条上限）"
    assert queries.held(acting(row)) == 0
    tell(row, "新的一天", AT + DAY)
    run(AT + DAY)
    assert titles(outbox(tmp_path)[-1]) == ["新的一天"]


@pytest.mark.django_db
def test_quiet_hours_keep_all_but_urgent_notices_until_seven(tmp_path: Path) -> None:
    row = person()
    at_once(row)
    night = AT + 12 * HOUR  # 22:00
    run(night - MINUTE)
    tell(row, "普通", night)
    tell(row, "紧急", night, urgent=True)
    run(night)
    assert [titles(message) for message in outbox(tmp_path)] == [["紧急"]]
    assert outbox(tmp_path)[0]["text"].startswith("！")
    for late in (1, 8):
        run(night + late * HOUR, ("notices.send",))
        assert len(outbox(tmp_path)) == 1
    run(night + 9 * HOUR, ("notices.send",))
    assert [titles(message) for message in outbox(tmp_path)] == [["紧急"], ["普通"]]


@pytest.mark.django_db
def test_wishes_choose_per_kind_and_what_is_switched_off_is_still_on_the_page(tmp_path: Path) -> None:
    row = person()
    at_once(row, "due")
    operations.wish(actor=acting(row), at=AT, kind="gossip", channel="file", cadence="off")
    run(AT)
    tell(row, "马上", AT, kind="due")
    tell(row, "明早", AT, kind="step")
    tell(row, "不要", AT, kind="gossip", urgent=True)
    run(AT + MINUTE)
    run(AT + DAY)
    assert [titles(message) for message in outbox(tmp_path)] == [["马上"], ["明早"]]
    assert {notice.title for notice in queries.inbox(acting(row))} == {"马上", "明早", "不要"}
    assert queries.wishes(acting(row)) == {("due", "file"): "now", ("gossip", "file"): "off"}
    assert [json.loads(b)["verb"] for b in Entry.objects.values_list("body", flat=True)].count("wish.set") == 2


@pytest.mark.django_db
def test_wishes_refuse_unknown_channels_and_ways() -> None:
    row = acting(person())
    for options, code in (
        ({"channel": "pigeon", "cadence": "now"}, "notice.unknown_channel"),
        ({"channel": "file", "cadence": "hourly"}, "notice.unknown_cadence"),
    ):
        with pytest.raises(Refusal) as refusal:
            operations.wish(actor=row, at=AT, kind="due", **options)
        assert refusal.value.code == code
    with pytest.raises(Refusal) as refusal:
        operations.set_address(actor=Actor(person_id=None, root="bj"), at=AT, channel="smtp", value="a@b")
    assert refusal.value.code == "notice.not_a_person"


@pytest.mark.django_db
def test_what_came_to_nothing_is_taken_back_before_it_is_sent(tmp_path: Path) -> None:
    row = person()
    matter, other = uuid4(), uuid4()
    tell(row, "已销号", matter=("hazard", matter), kind="due")
    tell(row, "另一件", matter=("hazard", other), kind="due")
    assert operations.withdraw(actor=SYSTEM, at=AT, matter_id=matter, kinds=["due"]) == 1
    assert operations.withdraw(actor=SYSTEM, at=AT, matter_id=matter) == 0
    run(AT + DAY)
    assert [titles(message) for message in outbox(tmp_path)] == [["另一件"]]
    assert operations.withdraw(actor=SYSTEM, at=AT, matter_id=other) == 0
    assert [notice.title for notice in queries.inbox(acting(row))] == ["另一件"]


@pytest.mark.django_db
def test_a_channel_that_fails_is_tried_eight_times_with_rests_and_then_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = person()
    at_once(row)
    run(AT)
    # The outbox cannot be a folder where a file lies.
    (tmp_path / "outbox").write_text("in the way")
    tell(row, "a")
    tries = []
    for minute in range(1, 150):
        run(AT + minute * MINUTE, ("notices.send",))
        delivery = Delivery.objects.get()
        if not tries or tries[-1][1] != delivery.attempts:
            tries.append((minute, delivery.attempts))
    assert [attempts for _, attempts in tries] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [minute for minute, _ in tries] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert delivery.state == Delivery.State.FAILED
    assert delivery.problem.startswith("outbox: ")
    assert list(queries.failed(acting(row))) == [delivery]
    assert not queries.failed(acting(person("别人")))
    admin = Actor(person_id=uuid4(), root="bj", grants=(Grant("bj", "system_admin"),))
    assert list(queries.failed(admin)) == [delivery]
    (tmp_path / "outbox").unlink()
    operations.send_again(actor=admin, at=AT + 3 * HOUR, delivery_id=delivery.pk)
    run(AT + 3 * HOUR, ("notices.send",))
    assert [titles(message) for message in outbox(tmp_path)] == [["a"]]
    with pytest.raises(Refusal) as refusal:
        operations.send_again(actor=admin, at=AT, delivery_id=delivery.pk)
    assert refusal.value.code == "notice.not_failed"


@pytest.mark.django_db
def test_a_sender_that_dies_after_sending_does_not_tell_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = person()
    at_once(row)
    run(AT)
    tell(row, "a")
    plain = file_channel.sent

    class Killed(BaseException):
        """The process ends here."""

    def sent_and_killed(payload: Payload) -> None:
        plain(payload)
        raise Killed

    monkeypatch.setattr(file_channel, "sent", sent_and_killed)
    jobs.route(AT)
    jobs.make_singles(AT)
    with pytest.raises(Killed):
        jobs.deliver(AT)
    monkeypatch.undo()
    monkeypatch.setenv("ANBAN_CHANNELS", "file")
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("waiting", 1)
    jobs.deliver(AT + HOUR)
    assert Delivery.objects.get().state == "sent"
    assert [titles(message) for message in outbox(tmp_path)] == [["a"]]


@pytest.mark.django_db
def test_running_each_step_again_changes_nothing(tmp_path: Path) -> None:
    row, quick = person(), person("李强")
    at_once(quick)
    run(AT)
    for number in range(3):
        tell(row, f"{number}")
        tell(quick, f"{number}")
    slot = AT + DAY - 2 * HOUR
    handle = SilentHandle()
    for _ in range(2):
        jobs.send(AT, handle)
        jobs.digest(slot, handle)
        jobs.send(slot, handle)
    assert sorted(len(titles(message)) for message in outbox(tmp_path)) == [1, 1, 1, 3]
    assert Copy.objects.count() == 6


@pytest.mark.django_db
def test_silence_names_the_sender_that_does_not_run_and_jobs_that_have_stopped() -> None:
    assert queries.silence(AT) == (queries.Silent("notices.send", None),)
    run(AT)
    assert queries.silence(AT + 7 * MINUTE) == ()
    assert queries.silence(AT + 8 * MINUTE) == (queries.Silent("notices.send", AT),)
    Beat.objects.create(name="obligations.remind", at=AT - DAY, every_s=3600)
    assert [silent.name for silent in queries.silence(AT)] == ["obligations.remind"]


@pytest.mark.django_db
def test_the_simulation_counts_what_is_then_really_sent(tmp_path: Path) -> None:
    quick, slow, deaf = person("甲"), person("乙"), person("丙")
    at_once(quick)
    operations.wish(actor=acting(deaf), at=AT, kind="*", channel="file", cadence="off")
    run(AT - MINUTE)
    for number in range(60):
        at = AT + number * HOUR / 2
        for row in (quick, slow, deaf):
            tell(row, f"第{number:02}件", at)
    found = queries.simulate("bj", AT, AT + 2 * DAY)
    assert not Copy.objects.exists()
    at = AT
    while at < AT + 3 * DAY:
        run(at)
        at += 30 * MINUTE
    messages = outbox(tmp_path)
    per_person = [sum(m["person"] == str(row.pk) for m in messages) for row in (quick, slow, deaf)]
    assert per_person[2] == 0
    assert len(found) == 1
    assert (found[0].messages, found[0].persons, found[0].busiest) == (len(messages), 2, max(per_person))
    assert (found[0].notices, found[0].singles) == (120, 40)
    assert sum(len(titles(message)) for message in messages) == 120
    assert queries.simulate("demo", AT, AT + 2 * DAY)[0].messages == 0


@pytest.mark.django_db
def test_the_house_takes_a_given_number_of_queries_to_tell_one_or_three(
    django_assert_num_queries: object,
) -> None:
    for count in (1, 3):
        row = person(f"人{count}")
        for number in range(count):
            tell(row, f"{count}-{number}")
        with django_assert_num_queries(1):  # type: ignore[operator]
            assert len(list(queries.inbox(acting(row)))) == count


@pytest.mark.django_db
def test_reading_marks_only_ones_own() -> None:
    row, other = person(), person("李强")
    first = tell(row, "a")
    tell(row, "b")
    tell(other, "c")
    assert operations.mark_read(actor=acting(row), at=AT, notice_ids=[first.pk]) == 1
    assert operations.mark_read(actor=acting(row), at=AT) == 1
    assert (queries.unread(acting(row)), queries.unread(acting(other))) == (0, 1)


@pytest.mark.django_db
def test_the_journal_does_not_learn_an_address_and_mail_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANBAN_CHANNELS", "smtp")
    row, without = person(), person("李强")
    operations.set_address(actor=acting(row), at=AT, channel="smtp", value=" wang@example.org ")
    for each in (row, without):
        at_once(each)
        operations.wish(actor=acting(each), at=AT, kind="*", channel="smtp", cadence="now")
        tell(each, "a")
    jobs.route(AT)
    assert [copy.person_id for copy in Copy.objects.all()] == [row.pk]
    assert Address.objects.get().value == "wang@example.org"
    assert "example.org" not in "".join(Entry.objects.values_list("body", flat=True))
    operations.set_address(actor=acting(row), at=AT, channel="smtp", value="")
    assert not Address.objects.exists()


@pytest.mark.django_db
def test_no_half_digest_is_left_when_the_database_fails_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    row = person()
    tell(row, "a")
    jobs.route(AT)
    copies = list(Copy.objects.select_related("notice"))

    def same_digest_twice() -> None:
        with transaction.atomic():
            for _ in range(2):
                jobs._put_together(copies, AT, "digest:x")

    # The database refuses the second, and the first goes with it.
    with pytest.raises(IntegrityError):
        same_digest_twice()
    assert not Delivery.objects.exists()
    assert Copy.objects.get().delivery_id is None


def test_open_channels_are_the_named_ones_else_those_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANBAN_CHANNELS")
    assert channels.open_channels() == ("file",)
    monkeypatch.setenv("ANBAN_SMTP_URL", "smtp://mail.example.org?from=anban@example.org")
    assert channels.open_channels() == ("smtp",)
    monkeypatch.setenv("ANBAN_CHANNELS", "")
    assert channels.open_channels() == ()


def test_undelivered_says_nothing_secret() -> None:
    assert str(Undelivered("no address")) == "no address"


@pytest.mark.django_db
def test_each_person_reads_the_houses_own_words_in_the_language_chosen_and_peoples_words_as_they_are(
    tmp_path: Path,
) -> None:
    zh, en = person("王敏"), person("Ann")
    Account.objects.create(person=en, login="ann", language="en", created_at=AT)
    for row in (zh, en):
        tell(row, "待签收：软管老化", title_en="To sign for: 软管老化", key=f"h{row.pk}")
        tell(row, "软管老化 · 面馆", key=f"o{row.pk}")
    run(AT + DAY)
    found = {message["text"] for message in outbox(tmp_path)}
    assert len(found) == 2
    mine = next(text for text in found if "To sign for" in text)
    assert "待签收" not in mine
    assert "软管老化 · 面馆" in mine
    assert any("待签收：软管老化" in text and "To sign for" not in text for text in found)
    assert {row.title_in("en") for row in queries.inbox(acting(en))} == {"To sign for: 软管老化", "软管老化 · 面馆"}
    assert {row.title_in("zh-hans") for row in queries.inbox(acting(en))} == {"待签收：软管老化", "软管老化 · 面馆"}
