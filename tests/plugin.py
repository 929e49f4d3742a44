"""Chooses the database and the home folder of a test run before Django reads its settings (loaded by ``-p tests.plugin``)."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.data_location import data_folder
from tests.database import guarded_cluster

_ABSENT = pytest.StashKey[int]()


def _is_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the house."""
    group = parser.getgroup("anban")
    group.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help="the database to test on")
    group.addoption("--durable", action="store_true", help="PostgreSQL with fsync on, as a city runs it")
    group.addoption("--soak", action="store_true", help="the full counts of the reliability tests")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Point this run at a home of its own and at a database of its own, whatever the caller's environment says."""
    options = early_config.known_args_namespace
    if _is_worker():
        # The controller's folder and cluster are inherited; each worker has a home inside.
        home = Path(os.environ["ANBAN_TESTS_HOME"]) / os.environ["PYTEST_XDIST_WORKER"]
        home.mkdir(mode=0o700, exist_ok=True)
        os.environ["ANBAN_HOME"] = str(home)
        return
    stack = contextlib.ExitStack()
    early_config.add_cleanup(stack.close)
    home = Path(tempfile.mkdtemp(prefix="anban-tests-"))
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    os.environ["ANBAN_TESTS_HOME"] = str(home)
    os.environ["ANBAN_HOME"] = str(home)
    os.environ["ANBAN_SOAK"] = "1" if options.soak else ""
    for name in ("DATABASE_URL", "ANBAN_DATABASE_ROLE", "ANBAN_HOSTS", "ANBAN_HTTPS"):
        os.environ.pop(name, None)
    if options.database == "postgresql" and not (options.help or options.version):
        os.environ["DATABASE_URL"] = stack.enter_context(guarded_cluster(durable=options.durable))


def pytest_report_header(config: pytest.Config) -> str:
    """Say which database the run is on."""
    return f"database: {config.getoption('database')}"


def pytest_configure() -> None:
    """Refuse a run under CI without the public data sets: a gate that leaves tests out is no gate."""
    if os.environ.get("CI", "").lower() in {"1", "true"} and data_folder() is None:
        raise pytest.UsageError("the public data sets are absent; set ANBAN_DATA to their folder (required under CI)")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out tests on the public data sets where those are absent."""
    wanted = [item for item in items if item.get_closest_marker("real_data")]
    if not wanted or data_folder() is not None:
        return
    items[:] = [item for item in items if item not in wanted]
    config.hook.pytest_deselected(items=wanted)
    config.stash[_ABSENT] = len(wanted)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Carry the number of left-out tests from the workers, which each count the same, to the controller."""
    output = getattr(node, "workeroutput", {})
    config = getattr(node, "config", None)
    if isinstance(config, pytest.Config) and output.get("absent"):
        config.stash[_ABSENT] = output["absent"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the number of left-out tests to the controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["absent"] = session.config.stash.get(_ABSENT, 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say loudly that the public data sets were not there."""
    absent = config.stash.get(_ABSENT, 0)
    if absent:
        terminalreporter.write_line(
            f"WARNING: {absent} tests on the public data sets did NOT run: no folder at ANBAN_DATA or ../shared/data",
            red=True,
            bold=True,
        )
