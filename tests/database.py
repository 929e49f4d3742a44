"""One PostgreSQL cluster in a directory of its own, started for a run of tests and gone with it, also after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

START_TRIES = 5
START_SECONDS = 60.0


def binaries() -> Path:
    """Find the folder with initdb and postgres: what pg_config names, else the newest one of Debian's layout."""
    pg_config = shutil.which("pg_config")
    if pg_config:
        named = Path(subprocess.run([pg_config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip())
        if (named / "initdb").exists():
            return named
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        raise RuntimeError(
            "PostgreSQL is not installed here; `make setup-dev` installs it, or: apt-get install postgresql"
        )
    return max(found, key=lambda path: [int(part) for part in path.parent.name.split(".") if part.isdigit()])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port


class Cluster:
    """A PostgreSQL server of its own; ``durable`` keeps fsync and full_page_writes on, as a city's server has them.

    Used as a context manager. `kill` and `start` are for tests that let the server itself die.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.port = 0
        # initdb refuses root, and the folder must be enterable for the account that runs the server.
        self._as_root = os.geteuid() == 0
        self.folder = Path(tempfile.mkdtemp(prefix="anban-pg-"))
        self._data = self.folder / "data"
        self._server: subprocess.Popen[bytes] | None = None
        if self._as_root:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.folder.chmod(0o755)

    @property
    def url(self) -> str:
        """The address of the database `anban`, as DATABASE_URL takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/anban"

    @property
    def pid(self) -> int:
        """The process id of the running postmaster."""
        return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])

    def _command(self, name: str, *arguments: str) -> list[str]:
        command = [str(binaries() / name), *arguments]
        return ["runuser", "-u", "postgres", "--", *command] if self._as_root else command

    def _run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        return subprocess.run(
            self._command(name, *arguments), cwd="/", env=environment, check=False, capture_output=True, text=True
        )

    def create(self) -> None:
        """Make the cluster and the empty database, and leave the server running."""
        made = self._run(
            "initdb", "--pgdata", str(self._data), "--username=postgres", "--auth=trust", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
        self.start()
        created = self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "anban")
        if created.returncode:
            raise RuntimeError(f"createdb failed: {created.stderr.strip()}")

    def start(self) -> None:
        """Start the server and wait until it answers; after `kill` this is its crash recovery, on the same port."""
        last = ""
        for _ in range(START_TRIES):
            port = self.port or _free_port()
            settings = {
                "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder),
                "max_connections": 60, "shared_buffers": "64MB", "logging_collector": "off",
            }  # fmt: skip
            if not self.durable:
                settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            with (self.folder / "server.log").open("ab") as log:
                self._server = subprocess.Popen(
                    self._command("postgres", "-D", str(self._data), *options),
                    cwd="/", env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            until = time.monotonic() + START_SECONDS
            while time.monotonic() < until and self._server.poll() is None:
                if self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)).returncode == 0:
                    self.port = port
                    return
                time.sleep(0.05)
            last = (self.folder / "server.log").read_text(errors="replace")[-2000:]
            self._end_server()
        raise RuntimeError(f"PostgreSQL did not start:\n{last}")

    def kill(self) -> None:
        """Kill the server's main process with SIGKILL; its children see that and leave by themselves."""
        os.kill(self.pid, signal.SIGKILL)
        if self._server is not None:
            self._server.wait(timeout=START_SECONDS)
            self._server = None

    def _end_server(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        with contextlib.suppress(OSError, ValueError):
            os.kill(self.pid, signal.SIGINT)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError, ValueError):
                os.kill(self.pid, signal.SIGKILL)
            server.kill()
            server.wait()

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self._end_server()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Cluster:
        try:
            self.create()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


@contextlib.contextmanager
def guarded_cluster(*, durable: bool = False) -> Iterator[str]:
    """Yield the address of a cluster kept by a process apart, which removes it when this process ends in whatever way."""
    arguments = [sys.executable, str(Path(__file__).resolve()), *(["--durable"] if durable else [])]
    keeper = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        line = keeper.stdout.readline()
        if not line:
            raise RuntimeError("the PostgreSQL of the tests did not start; its reason stands above")
        yield json.loads(line)["url"]
    finally:
        with contextlib.suppress(BrokenPipeError):
            keeper.stdin.close()
        keeper.wait(timeout=60)
        keeper.stdout.close()


def main() -> None:
    """Keep a cluster until standard input ends, as it does when the parent dies."""
    with Cluster(durable="--durable" in sys.argv[1:]) as cluster:
        print(json.dumps({"url": cluster.url, "pid": cluster.pid, "folder": str(cluster.folder)}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
