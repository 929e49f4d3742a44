"""The house rules hold in every module, and each check finds the fault planted for it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.checks import CHECKS, PLANTED, REPOSITORY, SOUND, UNRECORDED, Check, Module, Seen, modules

CODE = modules()
# Written in pieces, so that this file does not hold what it looks for.
MACHINE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:wo" r"rk|fa" r"rm|ro" r"ot)/\w",
            r"/tmp/(?:rese" r"arch|st" r"ack|bash" r"_jobs|an" r"ban)/",
            r"/home/(?!anban\b)\w+/",
            r"files\.python"
            r"hosted|py"
            r"pi\.org/simple|registry\.npm|npm"
            r"mirror|extra-index"
            r"-url|--find"
            r"-links",
        ]
    )
)


@pytest.mark.parametrize("check", [row[0] for row in CHECKS], ids=lambda check: check.__name__)
def test_house_rule_holds(check: Check) -> None:
    seen = Seen()
    faults = [fault for module in CODE for fault in check(module, seen)]
    least = next(row[1] for row in CHECKS if row[0] is check)
    assert faults == [], "\n".join(faults)
    assert seen.count >= least, f"{check.__name__} looked at {seen.count} places only"


@pytest.mark.parametrize(
    ("check", "path", "source"),
    [(check, path, source) for check, _, path, source in CHECKS] + list(PLANTED),
    ids=lambda value: getattr(value, "__name__", None),
)
def test_planted_fault_is_found(check: Check, path: str, source: str) -> None:
    assert check(Module.of(path, source), Seen()) != []


@pytest.mark.parametrize(("check", "path", "source"), SOUND, ids=lambda value: getattr(value, "__name__", None))
def test_sound_module_passes(check: Check, path: str, source: str) -> None:
    assert check(Module.of(path, source), Seen()) == []


def test_every_exemption_is_still_needed() -> None:
    known = {
        (module.path, getattr(node, "name", None))
        for module in CODE
        if module.is_room("operations")
        for node in module.tree.body
    }
    assert set(UNRECORDED) <= known


def tracked_files() -> list[Path]:
    """Every file of the repository that git knows, or would on the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    ).stdout
    return [
        REPOSITORY / name.decode() for name in listed.split(b"\0") if name and (REPOSITORY / name.decode()).is_file()
    ]


def test_no_path_of_a_machine_and_no_registry_in_any_file() -> None:
    looked = 0
    faults = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content[:4096] or path == Path(__file__).resolve():
            continue
        looked += 1
        for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
            found = MACHINE.search(line)
            # The options of the pin command name what they leave out.
            if found and not (path.name == "Makefile" and "--no-emit" in line):
                faults.append(f"{path.relative_to(REPOSITORY)}:{number}: {found.group(0)}")
    assert faults == [], "\n".join(faults[:20])
    assert looked > 100


@pytest.mark.parametrize("line", ["see /wo" + "rk/main/x", "cd /ro" + "ot/x", "https://files.python" + "hosted.org/a"])
def test_planted_path_of_a_machine_is_found(line: str) -> None:
    assert MACHINE.search(line)


@pytest.mark.parametrize("line", ["/api/v1/network/x", "docs/workshop/x", "/desk/places/", "the root/path"])
def test_ordinary_path_is_no_path_of_a_machine(line: str) -> None:
    assert not MACHINE.search(line)
