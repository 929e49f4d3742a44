"""The command line: what it costs to ask for help, its exit codes, and one clear line for each trouble at the start."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from anban.config.running import free_port
from anban.config.speaking import Trouble, trouble_of

WAIT_S = 90.0


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a command in a home of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANBAN", "DATABASE", "LC_", "LANG"))}
    return {**kept, "ANBAN_HOME": str(home), "LANG": "C.UTF-8", **more}


def anban(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "anban.config.cli", *words], env=environment(home, **more), cwd="/", check=False,
        capture_output=True, text=True, timeout=WAIT_S,
    )  # fmt: skip


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the real areas and a steward whom nobody has set up."""
    home = tmp_path_factory.mktemp("home")
    made = anban(home, "init", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["new"] == ["beijing"]
    return home


def test_help_loads_no_framework_and_speaks_the_terminals_language(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom anban.config.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit as end:\n"
        "    print('exit', end.code, 'django' in sys.modules)\n"
    )
    for language, word in (("zh_CN.UTF-8", "启动"), ("en_US.UTF-8", "start it")):
        run = subprocess.run(
            [sys.executable, "-c", script], env=environment(tmp_path, LANG=language), check=True, capture_output=True,
            text=True,
        )  # fmt: skip
        assert word in run.stdout
        assert run.stdout.endswith("exit 0 False\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [(), ("nonsense",), ("token",), ("up", "--port", "x"), ("init", "--nonsense")])
def test_a_wrong_call_is_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    run = anban(tmp_path, *words)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("words", "more", "line"),
    [
        (("migrate",), {"ANBAN_HOME": "/dev/null/home"}, "/dev/null"),
        (("up",), {"ANBAN_HOME": "/dev/null/home"}, "/dev/null"),
        (("migrate",), {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "cannot be reached"),
        (("up",), {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "cannot be reached"),
        (("migrate",), {"DATABASE_URL": "mysql://x/y"}, "a setting is wrong"),
        (("worker", "--once"), {"DATABASE_URL": "mysql://x/y"}, "a setting is wrong"),
        (("token", "--login", "x"), {}, "anban migrate"),
    ],
)
def test_a_trouble_at_the_start_is_one_line_in_both_languages(
    tmp_path: Path, words: tuple[str, ...], more: dict[str, str], line: str
) -> None:
    run = anban(tmp_path, *words, **more)
    assert run.returncode == 1
    assert run.stderr.startswith("anban: ")
    assert run.stderr.count("\n") == 1
    assert line in run.stderr
    assert "  |  " in run.stderr


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "anban.sqlite3").write_bytes(b"this is not a database" * 100)
    run = anban(tmp_path, "migrate")
    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "damaged" in run.stderr


@pytest.mark.parametrize(
    ("number", "word"), [(errno.ENOSPC, "full"), (errno.EACCES, "permission"), (errno.EROFS, "permission")]
)
def test_a_fault_of_the_machine_has_its_line(number: int, word: str) -> None:
    trouble = trouble_of(OSError(number, "x", "/somewhere"))
    assert trouble is not None
    assert word in trouble.en


def test_a_fault_of_the_program_is_not_hidden() -> None:
    assert trouble_of(KeyError("x")) is None
    assert trouble_of(OSError(errno.EBADF, "x")) is None


def test_a_second_init_makes_nothing_new_but_another_link(founded: Path) -> None:
    first, second = (json.loads(anban(founded, "init", "--json").stdout) for _ in range(2))
    assert first["new"] == second["new"] == []
    assert first["set_up"][0]["login"] == "steward"
    assert first["set_up"][0]["path"] != second["set_up"][0]["path"]


def test_a_token_stands_alone_on_its_line(founded: Path) -> None:
    run = anban(founded, "token", "--login", "steward", "--scope", "read,write", "--days", "3")
    assert run.returncode == 0
    assert run.stdout.startswith("anban_")
    assert run.stdout.count("\n") == 1
    for words in (("--login", "nobody"), ("--login", "steward", "--days", "0"), ("--login", "steward", "--scope", "x")):
        refused = anban(founded, "token", *words)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)


def test_status_is_1_until_the_worker_has_worked(founded: Path) -> None:
    before = anban(founded, "status", "--json")
    assert before.returncode == 1
    wrong = [name for name, check in json.loads(before.stdout).items() if not check["ok"]]
    assert wrong == ["worker"]
    assert anban(founded, "worker", "--once").returncode == 0
    after = anban(founded, "status")
    assert (after.returncode, after.stdout.count("✕")) == (0, 0)


def test_a_taken_port_gives_the_next_or_a_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) > port
        run = anban(tmp_path, "web", "--port", str(port))
        assert (run.returncode, run.stderr.count("\n")) == (1, 1)
        assert str(port) in run.stderr
    with pytest.raises(Trouble):
        free_port("192.0.2.1", 8000)


class Up:
    """A running `anban up`."""

    def __init__(self, home: Path) -> None:
        self.log = home / "up.log"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "anban.config.cli", "up", "--no-demo", "--port", str(free_port("127.0.0.1", 18000))],
                env=environment(home), cwd="/", stdout=out, stderr=out,
            )  # fmt: skip

    def line(self, words: str) -> str:
        """Wait for a line of its output."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            for line in self.log.read_text().splitlines():
                if words in line:
                    return line
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"never said {words!r}: {self.log.read_text()}")

    def children(self) -> dict[str, int]:
        """Return the process ids of its children by name."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found = {}
        for pid in path.read_text().split():
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            found["web" if b"granian" in command else "worker"] = int(pid)
        return found


@pytest.fixture
def up(founded: Path) -> Iterator[Up]:
    """Anban, up."""
    running = Up(founded)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_up_serves_restarts_a_dead_worker_is_alone_and_ends_cleanly(founded: Path, up: Up) -> None:
    address = up.line("Anban is up: ").split("Anban is up: ")[1]
    link = up.line("/set-up/").strip()
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.status == 200
        assert "steward" in answer.read().decode()
    second = anban(founded, "up")
    assert second.returncode == 1
    assert "already running" in second.stderr
    former = up.children()
    os.kill(former["worker"], signal.SIGKILL)
    up.line("worker ended")
    until = time.monotonic() + WAIT_S
    while up.children().get("worker") in {None, former["worker"]}:
        assert time.monotonic() < until
        time.sleep(0.05)
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        assert answer.read() == b"ok\n"
    children = up.children()
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(WAIT_S) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())
    assert "Traceback" not in up.log.read_text()
