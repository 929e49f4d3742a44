"""Plants faults in the pure rules, one at a time in a copy, and lists those that no test of the rules catches."""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import random
import re
import resource
import runpy
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
OTHER: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def faults(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each place where a fault can be planted, with its kind; the options of a dataclass are none."""
    options = {id(part) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in node.decorator_list for part in ast.walk(each)}  # fmt: skip
    for node in ast.walk(tree):
        if id(node) in options:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
            yield node, "compare"
        elif isinstance(node, ast.BoolOp):
            yield node, "and/or"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            yield node, "plus/minus"
        elif isinstance(node, ast.If):
            yield node, "condition"
        elif isinstance(node, ast.Constant) and type(node.value) in {int, bool}:
            yield node, "constant"


def plant(node: ast.AST) -> None:
    """Turn one node into its neighbour."""
    if isinstance(node, ast.Compare):
        node.ops[0] = OTHER[type(node.ops[0])]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.BinOp):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    elif isinstance(node, ast.If):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        node.value += 1


COMPUTED = (
    "test_reasons.py",
    "test_worked_cases.py",
    "test_rule_properties.py",
    "test_reading.py",
    "test_documenting.py",
)
"""The tests that hold every computable rule, whatever module it is in."""


def tests_for(module: Path, copy: Path) -> list[str]:
    """Name the test files that a fault in a module may fail, the nearest first: they stop at the first failure."""
    folder = copy / "tests" / module.relative_to(copy / "src/anban").parts[0]
    name = module.parent.name if module.stem == "__init__" else module.stem
    imports = re.compile(rf"from anban\.\S*\b{name} import|import \(?[^)]*\b{name}\b|anban\.\S*\b{name}\b")
    near = [path for path in sorted(folder.rglob("test_*.py")) if imports.search(path.read_text(encoding="utf-8"))]
    if module.parent.name == "statistics":
        near.append(folder / "test_statistics.py")
    near = [path for path in dict.fromkeys(near) if path.name not in COMPUTED]
    # A word that most tests know finds everything: then the tests named after it come first.
    near.sort(key=lambda path: (name not in path.name, path.name))
    ordered = [
        *near,
        *(copy / "tests/rules" / each for each in COMPUTED),
        *sorted((copy / "tests/rules").glob("test_*.py")),
    ]
    return [str(path.relative_to(copy)) for path in dict.fromkeys(ordered)]


WARM = (
    "hypothesis",
    "pytest",
    "numpy",
    "scipy.stats",
    "statsmodels.api",
    "lifelines",
    "mpmath",
    "orjson",
    "chinese_calendar",
)
"""What the tests of the rules lean on, loaded once: each trial is a fork of this process and loads only the rules."""

LEFT_OUT = (
    "not batch_goes and not batch_of_all and not command_ends and not framework and not any_value_in and not any_line"
)
"""Whole processes of the command line are tried elsewhere; here they would cost more than all else."""

# A quarter of the draws: what a fault breaks shows early, and there are many faults.
CONFTEST = """
import hypothesis
import pytest


@pytest.fixture(scope="session")
def soak():
    return False



hypothesis.settings.register_profile(
    "test", derandomize=True, deadline=None, database=None, max_examples=25,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("test")
"""
SETTINGS = "[pytest]\naddopts = --import-mode=importlib\npythonpath = .\nxfail_strict = true\nfilterwarnings =\n    error\n    ignore:Module already imported\nmarkers =\n    real_data\n    soak\n"


def trial(work: Callable[[], int], cpu_seconds: int) -> bool:
    """Do work in a fork of this process, silently, and tell whether it came back with 0 in its time."""
    child = os.fork()
    if not child:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            code = int(work())
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def look() -> int:
    """Ask the worked cases without the test runner: most faults show in a third of a second."""
    runpy.run_module("tests.rules.worked_cases", run_name="__main__")
    return 0


def run(tests: list[str]) -> int:
    """Run the tests, the nearest first, without the framework of the web: the rules know none."""
    return int(
        pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:django", "-p", "no:xdist", "-k", LEFT_OUT, *tests])
    )


def prepare(copy: Path) -> None:
    """Fill the copy in which faults are planted, with the settings of a quick run."""
    for part in ("src", "tests/rules", "tests/kit", "tools", "bench", "docs"):
        shutil.copytree(REPOSITORY / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for part in ("tests/__init__.py", "pyproject.toml"):
        if (REPOSITORY / part).exists():
            shutil.copy(REPOSITORY / part, copy / part)
    (copy / "tests/conftest.py").write_text(CONFTEST, encoding="utf-8")
    (copy / "pytest.ini").write_text(SETTINGS, encoding="utf-8")
    os.chdir(copy)
    sys.path[:0] = [str(copy / "src"), str(copy)]
    sys.dont_write_bytecode = True
    os.environ["PYTHONPATH"] = str(copy / "src")
    for each in WARM:
        importlib.import_module(each)


def told(path: Path, tree: ast.Module, number: int) -> tuple[str, int, str]:
    """Plant one fault in a tree and say it: the file and kind, the line, and what became of the words there."""
    node, kind = list(faults(tree))[number]
    was = ast.unparse(node).splitlines()[0]
    plant(node)
    now = ast.unparse(node).splitlines()[0]
    return f"{path}: {kind}", getattr(node, "lineno", 0), f"{was[:90]}  ->  {now[:90]}"


def listed(file: Path, places: list[tuple[Path, int]], copy: Path) -> list[tuple[Path, int]]:
    """Find the faults again that an earlier run has listed, the nearest to their line; the code may have moved since."""
    known: dict[tuple[str, str], list[tuple[int, tuple[Path, int]]]] = {}
    for path, number in places:
        where, line, words = told(path.relative_to(copy), ast.parse(path.read_text(encoding="utf-8")), number)
        known.setdefault((where, words), []).append((line, (path, number)))
    found = []
    for row in file.read_text(encoding="utf-8").splitlines():
        head, _, words = row.partition(": ")
        path_name, _, line_number = head.rpartition(":")
        kind, _, words = words.partition(": ")
        same = known.get((f"{path_name}: {kind}", words))
        if same:
            found.append(min(same, key=lambda each: abs(each[0] - int(line_number)))[1])
        elif path_name:
            print(f"not there any more: {row}")
    return found


def main() -> int:
    """Plant a fixed sample of faults and report; exit 1 where more than the allowed share survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--allowed-pct", type=float, default=15.0)
    parser.add_argument("--only", default="", help="a part of the path of the modules, such as rules/penalties")
    parser.add_argument("--again", type=Path, help="plant those once more that an earlier run has listed in this file")
    options = parser.parse_args()
    again = options.again.resolve() if options.again else None
    with tempfile.TemporaryDirectory(prefix="anban-mutate-") as name:
        copy = Path(name)
        prepare(copy)
        if not trial(look, 60) or not trial(lambda: run(["tests/rules", "tests/kit"]), 600):
            print("the tests of the rules do not pass as they are", file=sys.stderr)
            return 2
        places: list[tuple[Path, int]] = []
        for path in sorted([*(copy / "src/anban/rules").rglob("*.py"), *(copy / "src/anban/kit").rglob("*.py")]):
            places += [(path, number) for number, _ in enumerate(faults(ast.parse(path.read_text(encoding="utf-8"))))]
        places = [place for place in places if options.only in str(place[0].relative_to(copy))]
        chosen = (
            listed(again, places, copy)
            if again
            else random.Random(options.seed).sample(places, min(options.count, len(places)))
        )
        survivors = 0
        for path, number in chosen:
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
            where, line, words = told(path.relative_to(copy), tree, number)
            path.write_text(ast.unparse(tree), encoding="utf-8")
            survived = trial(look, 10) and trial(lambda path=path: run(tests_for(path, copy)), 120)
            path.write_text(source, encoding="utf-8")
            if survived:
                survivors += 1
                file, _, kind = where.partition(": ")
                print(f"{file}:{line}: {kind}: {words}", flush=True)
        print(f"{len(chosen) - survivors} of {len(chosen)} planted faults caught ({len(places)} places)")
        os.chdir(REPOSITORY)
        return 1 if 100 * survivors > options.allowed_pct * len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
