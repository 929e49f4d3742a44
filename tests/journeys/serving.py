"""The web server of an installation of its own, as an office starts it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

from tests.data_location import REPOSITORY

PATIENCE_S = 120


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[str]:
    """Serve the installation of an environment; return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = subprocess.Popen(
        [sys.executable, "-m", "anban.config.cli", "web", "--port", str(port)], cwd=REPOSITORY, env=dict(environment),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}/healthz"):
                    break
            except (URLError, ConnectionError):
                assert time.monotonic() < until, "the server does not answer"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        served.terminate()
        served.wait(PATIENCE_S)
