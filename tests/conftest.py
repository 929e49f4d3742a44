"""Fixtures for every test: fixed randomness, and a database that can be emptied although its guards refuse deletion."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import hypothesis
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.utils import translation

from tests.chromium import chromium  # noqa: F401 - a fixture of every folder
from tests.schema import migrated_once

# No luck: every run draws the same cases; no clock: a slow machine is not a failure.
hypothesis.settings.register_profile(
    "test", derandomize=True, deadline=None, database=None, max_examples=100,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)  # fmt: skip
hypothesis.settings.register_profile("soak", parent=hypothesis.settings.get_profile("test"), max_examples=5000)
hypothesis.settings.load_profile("soak" if os.environ.get("ANBAN_SOAK") else "test")


@pytest.fixture(scope="session")
def soak() -> bool:
    """Whether the full counts were asked for (`make soak`)."""
    return bool(os.environ.get("ANBAN_SOAK"))


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Let no test read in the language of a page that another one opened."""
    yield
    translation.deactivate()


COST = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
FULL_COST = {name: getattr(Argon2PasswordHasher, name) for name in COST}
"""What a password costs in the house; its own test hashes with it, every other with as little as argon2 allows."""


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Let the passwords of thousands of invented persons cost nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in COST.items():
            patch.setattr(Argon2PasswordHasher, name, value)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, pytestconfig: pytest.Config
) -> Iterator[None]:
    """Come before the test database is made: its tables are copied where no migration has changed."""
    del django_db_modify_db_settings_parallel_suffix
    with migrated_once(pytestconfig.rootpath / ".pytest_cache"):
        yield


@pytest.fixture(scope="session", autouse=True)
def emptying_past_the_guards() -> Iterator[None]:
    """Let Django empty tables between tests that commit: the guards of the journal would rightly refuse.

    Only the emptying itself steps past them; every test runs with the guards in place.
    """
    operations = type(connection.ops)
    plain: Callable[..., None] = operations.execute_sql_flush

    def past_the_guards(self: object, sql_list: list[str]) -> None:
        if not sql_list:
            return
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET session_replication_role = replica")
                try:
                    plain(self, sql_list)
                finally:
                    cursor.execute("SET session_replication_role = origin")
                return
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            try:
                plain(self, sql_list)
            finally:
                for _, sql in triggers:
                    cursor.execute(sql)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", past_the_guards)
        yield
