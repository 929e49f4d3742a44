"""The command `rule`: one question to a computable rule, a batch of them, or the list of all rules."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from anban.config.speaking import Trouble, complain, pick
from anban.rules.answering import LARGEST_BYTES, reply, reply_line, written
from anban.rules.describing import described
from anban.rules.every import all_rules

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
    asking.set_defaults(run=_rule)


def _rule(options: argparse.Namespace) -> int:
    """Answer ``anban rule``: 0 when it was answered or the batch ran, 2 for a single refusal or a wrong call."""
    try:
        if options.list:
            for each in all_rules():
                _put(written(described(each)))
            return 0
        if options.batch:
            if options.json is not None:
                complain(Trouble("--batch 不与 --json 同用", "--batch does not go with --json"))
                return 2
            return _batch(sys.stdin.buffer, sys.stdout.buffer)
        text = sys.stdin.buffer.read(LARGEST_BYTES + 1) if options.json is None else options.json
        answered, good = reply(options.name, text)
        _put(answered)
        return 0 if good else 2
    except BrokenPipeError:
        # Whoever read has gone; Python's own flush at the end must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _put(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _batch(source: BinaryIO, sink: BinaryIO) -> int:
    """Answer what has arrived before waiting for more, so that another program can hold a conversation."""
    for lines in _arriving(source):
        sink.write(b"".join([reply_line(line)[0] + b"\n" for line in lines]))
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
