"""The command `rule`: one question to a computable rule, a batch of them, or the list of all rules."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from anban.config.speaking import Trouble, complain, pick
from anban.kit.workdays import Calendar, CalendarFileRefused
from anban.rules.answering import LARGEST_BYTES, reply, reply_line, written
from anban.rules.describing import described
from anban.rules.errors import Refusal
from anban.rules.every import all_rules
from anban.rules.loaded import Loaded, packaged
from anban.rules.major_criteria import Criteria, parse, with_loaded

READ_BYTES: Final = 1 << 18


def add_arguments(subparsers: Any) -> None:
    """Add the command `rule`."""
    asking = subparsers.add_parser(
        "rule", help=pick("试算一条规则", "compute one rule"),
        description=pick("从标准输入或 --json 读一个 JSON 对象，输出一个 JSON 对象。", "Read one JSON object from standard input or --json and print one JSON object."),
    )  # fmt: skip
    what = asking.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", metavar="NAME", help=pick("规则名", "the rule's name"))
    what.add_argument(
        "--batch",
        action="store_true",
        help=pick("逐行读 {“rule”、“in”}，逐行输出", "read lines {rule, in}, print a line for each"),
    )
    what.add_argument("--list", action="store_true", help=pick("逐行列出全部规则", "list every rule, a line each"))
    asking.add_argument(
        "--json", metavar="OBJECT", help=pick("以此为输入，不读标准输入", "the input, instead of standard input")
    )
    asking.add_argument("--root", metavar="CODE", help=pick("按此地区根已录入的工作日历和判定标准（读数据库）", "judge by the calendar and the standards loaded for this root (reads the database)"))  # fmt: skip
    asking.add_argument("--calendar", action="append", default=[], type=Path, metavar="FILE", help=pick("另加一年的工作日历文件，可重复", "add a file of the working-day calendar; may be repeated"))  # fmt: skip
    asking.add_argument("--criteria", action="append", default=[], type=Path, metavar="FILE", help=pick("另加判定标准文件，可重复", "add a file of a judgement standard; may be repeated"))  # fmt: skip
    asking.set_defaults(run=_rule)


def _rule(options: argparse.Namespace) -> int:
    """Answer ``anban rule``: 0 when it was answered or the batch ran, 2 for a single refusal or a wrong call."""
    try:
        loaded = _loaded(options)
    except Trouble as trouble:
        complain(trouble)
        return 2
    try:
        if options.list:
            for each in all_rules():
                _put(written(described(each)))
            return 0
        if options.batch:
            if options.json is not None:
                complain(Trouble("--batch 不与 --json 同用", "--batch does not go with --json"))
                return 2
            return _batch(sys.stdin.buffer, sys.stdout.buffer, loaded)
        text = sys.stdin.buffer.read(LARGEST_BYTES + 1) if options.json is None else options.json
        answered, good = reply(options.name, text, loaded)
        _put(answered)
        return 0 if good else 2
    except BrokenPipeError:
        # Whoever read has gone; Python's own flush at the end must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _loaded(options: argparse.Namespace) -> Loaded:
    """Gather what the rules judge by: the package's data or a root's, and on top the files given. Raises: Trouble."""
    found = _of_root(options.root) if options.root is not None else packaged()
    calendar = found.calendar
    for path in options.calendar:
        calendar = _with_calendar(calendar, path, _text(path))
    return Loaded(calendar, with_loaded([_criteria(path, _text(path)) for path in options.criteria], found.criteria))


def _of_root(code: str) -> Loaded:
    """Read what a root of the installation has loaded; only this needs the database and its framework. Raises: Trouble."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    import_module("django").setup()
    territory = import_module("anban.contexts.territory.queries")
    known = list(territory.roots().values_list("code", flat=True))
    if code not in known:
        listed = known or ["—"]
        raise Trouble(
            f"没有地区根 {code}。现有：{'、'.join(listed)}", f"there is no root {code}. There are: {', '.join(listed)}"
        )
    loaded: Loaded = territory.loaded(code)
    return loaded


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise Trouble(f"不能读 {path}：须是 UTF-8 文本文件", f"{path} cannot be read: it must be a text file in UTF-8") from problem  # fmt: skip


def _with_calendar(calendar: Calendar, path: Path, text: str) -> Calendar:
    try:
        return calendar.with_text(text)
    except CalendarFileRefused as refused:
        raise Trouble(f"{path} 第 {refused.row} 行有误：须为 date,kind,name，kind 为 off 或 work，同一天只写一次", f"{path}, row {refused.row}: {refused.reason}") from refused  # fmt: skip


def _criteria(path: Path, text: str) -> Criteria:
    try:
        return parse(text)
    except Refusal as refusal:
        raise Trouble(f"{path}：{refusal.zh}", f"{path}: {refusal.en}") from refusal


def _put(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _batch(source: BinaryIO, sink: BinaryIO, loaded: Loaded) -> int:
    """Answer what has arrived before waiting for more, so that another program can hold a conversation."""
    for lines in _arriving(source):
        sink.write(b"".join([reply_line(line, loaded)[0] + b"\n" for line in lines]))
        sink.flush()
    return 0


def _arriving(source: BinaryIO) -> Iterator[list[bytes]]:
    rest: list[bytes] = []
    held = 0
    while chunk := os.read(source.fileno(), READ_BYTES):
        first, *others = chunk.split(b"\n")
        if held <= LARGEST_BYTES:
            rest.append(first)
            held += len(first)
        if others:
            yield [b"".join(rest), *others[:-1]]
            rest, held = [others[-1]], len(others[-1])
    if last := b"".join(rest):
        yield [last]
