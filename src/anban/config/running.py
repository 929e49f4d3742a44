"""Starts web server and worker, keeps them alive, and ends them together."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.error import URLError

from anban.config.home import home
from anban.config.speaking import Trouble, say

NEXT_PORTS: Final = 20
ANSWER_S: Final = 60.0
STOP_S: Final = 15.0
MOST_STARTS: Final = 5
WITHIN_S: Final = 60.0
APPLICATION_ROLE: Final = "anban_app"


def up(options: argparse.Namespace) -> int:
    """Answer ``anban up``: create what is missing, start web server and worker, say where and who, stay until stopped."""
    folder = home()
    with _alone(folder):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
        _setup()
        installation = import_module("anban.config.installation")
        clock = import_module("anban.kit.clock")
        say("正在准备数据库……", "Preparing the database …")
        installation.migrate()
        made = installation.init(at=clock.now(), demo=not options.no_demo, fill=options.fill)
        installation.close()
        port = free_port(options.host, options.port)
        if port != options.port:
            say(
                f"端口 {options.port} 已被占用，改用 {port}。", f"Port {options.port} is taken; {port} is used instead."
            )
        environment = _application_environment()
        pages = Child("web", web_command(options.host, port, options.workers, options.threads), environment)
        work = Child("worker", [sys.executable, "-m", "anban.config.cli", "worker"], environment)
        address = f"http://{_shown(options.host)}:{port}"
        keeper = Keeper([pages, work])
        with keeper.listening():
            pages.start()
            if not keeper.wait_for(f"{address}/healthz"):
                keeper.end()
                return 1 if keeper.failed else 0
            # Only now, so that loading itself doesn't take a core from the first page.
            work.start()
            say(f"安办已启动：{address}", f"Anban is up: {address}")
            installation.tell(made, address)
            say("按 Ctrl+C 停止。", "Ctrl+C stops it.")
            return keeper.keep()


def web(options: argparse.Namespace) -> int:
    """Answer ``anban web``: become the web server."""
    home()
    if free_port(options.host, options.port, tries=1) != options.port:
        raise Trouble(f"端口 {options.port} 已被占用", f"port {options.port} is taken")
    say(
        f"网页服务：http://{_shown(options.host)}:{options.port}",
        f"Web server: http://{_shown(options.host)}:{options.port}",
    )
    command = web_command(options.host, options.port, options.workers, options.threads)
    os.execve(command[0], command, _application_environment())  # noqa: S606 - a list, no shell


def worker(options: argparse.Namespace) -> int:
    """Answer ``anban worker``: work until stopped, or with ``--once`` until nothing is due."""
    os.environ.update(_application_environment())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    _setup()
    # The demonstration is no app, so its job is made known here.
    import_module("anban.config.demonstration.jobs")
    module = import_module("anban.base.jobs.worker")
    return int(module.main(once=options.once))


def web_command(host: str, port: int, workers: int, threads: int) -> list[str]:
    """Return the command of the web server: WSGI, few processes, few threads, no access log."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(threads), "--no-ws", "--http", "1",
        "--respawn-failed-workers", "--log-level", "warning", "anban.config.wsgi:application",
    ]  # fmt: skip


def free_port(host: str, wanted: int, tries: int = NEXT_PORTS) -> int:
    """Return the wanted port or the next free one; with ``tries=1`` a number that is not the wanted one when it is taken.

    Raises: Trouble when none of the next ports is free or the address is not one of this machine.
    """
    for port in range(wanted, min(wanted + tries, 65536)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except PermissionError as problem:
                raise Trouble(f"没有权限使用端口 {port}", f"no permission to use port {port}") from problem
            except socket.gaierror as problem:
                raise Trouble(f"地址 {host} 无效", f"{host} is no address") from problem
            except OSError as problem:
                if problem.errno == 99:  # EADDRNOTAVAIL
                    raise Trouble(f"本机没有地址 {host}", f"this machine has no address {host}") from problem
                continue
            return port
    if tries == 1:
        return -1
    raise Trouble(
        f"端口 {wanted} 到 {wanted + tries - 1} 都被占用", f"ports {wanted} to {wanted + tries - 1} are all taken"
    )


@dataclass
class Child:
    """One child process, and when it was started lately."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start the process in a group of its own: signals come from its keeper alone."""
        self.starts = [at for at in self.starts if at > time.monotonic() - WITHIN_S] + [time.monotonic()]
        self.process = subprocess.Popen(self.command, env=self.environment, start_new_session=True)

    def code(self) -> int | None:
        """Return how the process ended, or None while it runs."""
        return self.process.poll() if self.process is not None else None


class Keeper:
    """Keeps children alive until it is told to stop."""

    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.stopping = False
        self.failed = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear the signals that mean stop, and end the children whatever happens."""

        def stop(number: int, frame: FrameType | None) -> None:
            del number, frame
            self.stopping = True

        former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            self.end()
            for number, handler in former.items():
                signal.signal(number, handler)

    def wait_for(self, address: str) -> bool:
        """Wait until the web server answers; False when it was stopped or did not come up."""
        until = time.monotonic() + ANSWER_S
        while time.monotonic() < until and not self.stopping:
            self._look()
            if self.failed:
                return False
            try:
                with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own address
                    return True
            except (URLError, OSError):
                time.sleep(0.1)
        self.failed = not self.stopping
        if self.failed:
            say("网页服务没有应答。", "The web server did not answer.")
        return False

    def keep(self) -> int:
        """Start again whatever dies, until told to stop; 1 when something dies again and again."""
        while not self.stopping and not self.failed:
            self._look()
            time.sleep(0.3)
        self.end()
        return 1 if self.failed else 0

    def _look(self) -> None:
        for child in self.children:
            code = child.code()
            if code is None or self.stopping:
                continue
            if len(child.starts) >= MOST_STARTS:
                self.failed = True
                say(
                    f"{child.name} 反复退出（{code}），已停止。",
                    f"{child.name} ends again and again ({code}); giving up.",
                )
                return
            say(f"{child.name} 已退出（{code}），重新启动。", f"{child.name} ended ({code}) and is started again.")
            child.start()

    def end(self) -> None:
        """Ask every child to stop, and stop those that do not within a while."""
        running = [
            child.process for child in self.children if child.process is not None and child.process.poll() is None
        ]
        for process in running:
            process.terminate()
        until = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the home folder's lock: two at once would start two workers and two web servers."""
    with (folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise Trouble(f"安办已在运行（{folder}）", f"Anban is already running in {folder}") from problem
        yield


def _application_environment() -> dict[str, str]:
    """Return the environment of web server and worker: on PostgreSQL they act as a role that owns nothing."""
    environment = dict(os.environ)
    if environment.get("DATABASE_URL", "").startswith("postgres"):
        environment.setdefault("ANBAN_DATABASE_ROLE", APPLICATION_ROLE)
    return environment


def _setup() -> None:
    try:
        import_module("django").setup()
    except ValueError as problem:
        raise Trouble(f"设置有误：{problem}", f"a setting is wrong: {problem}") from problem


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - only asked, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
