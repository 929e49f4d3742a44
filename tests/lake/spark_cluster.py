"""A real Spark: a master and two workers of one core each, on ports of their own, gone with the test that started them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
WAIT_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """The processes of a standalone cluster; each writes its log into a folder."""

    def __init__(self, folder: Path, memory: str = "1g") -> None:
        self.folder = folder
        self.memory = memory
        self.port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """The master's address."""
        return f"spark://127.0.0.1:{self.port}"

    def _start(self, name: str, *arguments: str) -> None:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SPARK_")},
            "SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOG_DIR": str(self.folder),
            "SPARK_WORKER_DIR": str(self.folder / f"work-{name}"), "SPARK_DAEMON_MEMORY": "256m",
        }  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            # A session of its own: a worker's executors are ended with it.
            self._processes[name] = subprocess.Popen(
                [str(HOME / "bin" / "spark-class"), *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def start(self) -> None:
        """Start master and workers and wait until both workers are known to the master."""
        self._start(
            "master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(self.port),
            "--webui-port", str(free_port()),
        )  # fmt: skip
        self._until("master", "I have been elected leader", 1)
        for number in (1, 2):
            self._start(
                f"worker{number}", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "1",
                "--memory", self.memory, "--webui-port", str(free_port()), self.url,
            )  # fmt: skip
        self._until("master", "Registering worker", 2)

    def said(self, name: str, text: str) -> int:
        """Return how often a process has said something."""
        return len(re.findall(re.escape(text), (self.folder / f"{name}.log").read_text(errors="replace")))

    def _until(self, name: str, text: str, times: int) -> None:
        until = time.monotonic() + WAIT_S
        while self.said(name, text) < times:
            if time.monotonic() > until or self._processes[name].poll() is not None:
                raise RuntimeError((self.folder / f"{name}.log").read_text(errors="replace")[-2000:])
            time.sleep(0.1)

    def kill_worker(self) -> None:
        """Kill a worker and its executors with SIGKILL, as a machine that falls over takes them with it."""
        self._end("worker1")

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=WAIT_S)

    def stop(self) -> None:
        """End whatever still runs."""
        for name in list(self._processes):
            self._end(name)


@contextlib.contextmanager
def running(folder: Path, memory: str = "1g") -> Iterator[Cluster]:
    """Yield a running cluster and leave nothing of it behind; ``memory`` is what each worker may give away."""
    cluster = Cluster(folder, memory)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
