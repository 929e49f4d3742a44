"""Processes forked from the warm test process, each with database connections of its own, started together by a gate."""

from __future__ import annotations

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections

PATIENCE_S = 120.0
Work = Callable[[Callable[[], None]], Any]
"""Gets a gate, which lets all through once every process has reached it; gives what is to be handed back as JSON."""


def together(works: Sequence[Work]) -> list[Any]:
    """Run each work in a process of its own, let all pass their gates at the same moment; return what they gave back.

    Raises: AssertionError with the traceback of a work that failed.
    """
    connections.close_all()
    arrived_in, arrived_out = os.pipe()
    open_in, open_out = os.pipe()
    pids, answers = [], []
    try:
        for work in works:
            answer_in, answer_out = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(open_out)
                _be(work, arrived_out, open_in, answer_out)
            os.close(answer_out)
            pids.append(pid)
            answers.append(answer_in)
        until = time.monotonic() + PATIENCE_S
        arrived = 0
        while arrived < len(works):
            assert time.monotonic() < until, "not every process reached its gate"
            if select.select([arrived_in], [], [], 1)[0]:
                arrived += len(os.read(arrived_in, len(works)))
        os.close(open_out)
        open_out = -1
        return [_answer(pipe, until) for pipe in answers]
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                continue
        for pipe in (arrived_in, arrived_out, open_in, *answers, *([open_out] if open_out >= 0 else [])):
            os.close(pipe)


def _be(work: Work, arrived: int, gate: int, answer: int) -> None:
    said = {"trace": "ended without a word"}
    passed = []

    def wait() -> None:
        if not passed:
            passed.append(1)
            os.write(arrived, b"x")
            os.read(gate, 1)

    try:
        said = {"answer": work(wait)}
    except BaseException:  # noqa: BLE001 - told to the parent, which fails by it
        said = {"trace": traceback.format_exc()}
    finally:
        wait()
        data = json.dumps(said, default=str).encode()
        while data:
            data = data[os.write(answer, data) :]
        os._exit(0)


def _answer(pipe: int, until: float) -> Any:
    text = b""
    while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
        chunk = os.read(pipe, 65536)
        if not chunk:
            said = json.loads(text)
            assert "trace" not in said, said["trace"]
            return said["answer"]
        text += chunk
    raise AssertionError("a process does not end")
