"""`anban assess` itself: killed anywhere it leaves the last results, two at once don't mix, ten places of one outcome get an honest answer."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from anban.lake.folder import file_hash, manifest_hash, manifest_of
from tests.config.test_cli import WAIT_S, anban, environment

ROOT = "beijing"
STREET = "110105026"
PARTS = ("risk_cell", "risk_topplace", "risk_tophazard", "risk_curve")
KILLED_AT = ("visits", "风险评分", "优先检查", "published")
"""In the snapshot, before and among the texts, and when the result files stand but the database knows nothing of them yet."""


def table(path: Path, rows: list[dict[str, str]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def entered(home: Path, numbers: range) -> None:
    """Put places on the register, each visited twice without a finding: one sort of outcome alone."""
    places = [{"来源编号": f"P{n}", "名称": f"小店{n}", "地区代码": STREET, "场所类型": "catering"} for n in numbers]
    visits = [
        {"来源编号": f"V{n}-{m}", "单位名称": f"小店{n}", "检查日期": f"2025-0{m}-1{n % 10}", "检查类型": "巡查", "检查结果": "合格"}
        for n in numbers
        for m in (3, 8)
    ]  # fmt: skip
    for name, rows in (("places", places), ("visits", visits)):
        run = anban(home, "import", name, table(home / f"{name}-{numbers.start}.csv", rows), "--root", ROOT, "--json")
        assert (json.loads(run.stdout)["new"], json.loads(run.stdout)["refused"]) == (len(rows), 0), run.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with ten places."""
    folder = tmp_path_factory.mktemp("ten")
    assert anban(folder, "init", "--json").returncode == 0
    entered(folder, range(10))
    return folder


def rows(home: Path, text: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(home / "anban.sqlite3")) as database:
        return database.execute(text).fetchall()


def published(home: Path) -> list[tuple[str, int]]:
    """Return day and places of all assessments, the oldest first; each is whole, in the files and in the database."""
    found = rows(home, "SELECT id, as_of, places, folder, manifest_hash FROM risk_assessment ORDER BY made_at")
    for at, (key, as_of, places, folder, told) in enumerate(found, 1):
        result = home / "lake" / "results" / ROOT / folder
        manifest = manifest_of(result)
        assert manifest_hash(result) == told
        assert manifest["as_of"] == as_of
        assert [file_hash(result / one["path"]) for one in manifest["files"]] == [
            one["sha256"] for one in manifest["files"]
        ]
        cells = rows(home, f"SELECT COALESCE(sum(places), 0) FROM risk_cell WHERE assessment_id = '{key}'")
        assert cells == [(places,)]
        if at == len(found):  # Lists of older ones are thinned out.
            listed = rows(home, f"SELECT count(*) FROM risk_topplace WHERE assessment_id = '{key}'")
            assert listed == [(places,)]
    return [(as_of, places) for _, as_of, places, _, _ in found]


def started(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "anban.config.cli", "assess", *words], env=environment(home), cwd="/",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def reaches(run: subprocess.Popen[str], home: Path, stage: str) -> None:
    """Wait until a pass says that it has reached a stage, or until its result files stand."""
    results = home / "lake" / "results" / ROOT
    before = {one.name for one in results.iterdir()} if results.is_dir() else set()
    assert run.stderr is not None
    for line in run.stderr:
        if line.rstrip().endswith(f" {stage}"):
            return
        if stage == "published" and line.rstrip().endswith(" 反弹曲线"):
            while run.poll() is None and not {o.name for o in results.iterdir() if o.name[0] != "."} - before:
                pass
            return
    raise AssertionError(f"the pass never came to {stage}: {run.wait()}")


def test_ten_places_of_one_outcome_are_assessed_and_the_answer_says_what_it_is(home: Path) -> None:
    run = anban(home, "assess", "--train", "--json")
    said = json.loads(run.stdout)
    assert (run.returncode, said["places"], said["order"]["way"]) == (0, 10, "transparent")
    assert said["order"]["why"] == "no model was trained for this day or before it"
    assert [places for _, places in published(home)] == [10]


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("--as-of", "2099-01-01"), 1, "2099-01-01"),
        (("--as-of", "31.12.2025"), 2, "31.12.2025: YYYY-MM-DD"),
        (("--root", "atlantis"), 1, "atlantis"),
    ],
)
def test_what_cannot_be_assessed_is_refused_in_one_line(
    home: Path, words: tuple[str, ...], code: int, line: str
) -> None:
    run = anban(home, "assess", *words)
    assert run.returncode == code
    assert line in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr


def test_a_killed_pass_leaves_the_last_results_and_the_next_one_is_whole(home: Path) -> None:
    assert anban(home, "assess").returncode == 0
    before = published(home)
    entered(home, range(10, 11))
    for stage in KILLED_AT:
        run = started(home)
        reaches(run, home, stage)
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=WAIT_S)
        assert run.returncode == -signal.SIGKILL
        assert published(home) == before, f"killed at {stage}"
    assert anban(home, "assess").returncode == 0
    assert published(home) == [*before, (before[-1][0], 11)]
    for part in PARTS:
        strays = f"SELECT count(*) FROM {part} WHERE assessment_id NOT IN (SELECT id FROM risk_assessment)"
        assert rows(home, strays) == [(0,)]
    assert not list((home / "lake").rglob(".draft-*"))


def test_a_second_pass_meanwhile_is_refused_and_the_first_is_whole(home: Path) -> None:
    assert anban(home, "assess").returncode == 0
    before = published(home)
    first = started(home, "--as-of", "2025-12-31")
    reaches(first, home, "风险评分")
    first.send_signal(signal.SIGSTOP)
    second = anban(home, "assess")
    assert second.returncode == 1
    assert "Another assessment is under way" in second.stderr.splitlines()[-1]
    assert published(home) == before
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=WAIT_S)
    assert first.returncode == 0
    assert published(home) == [*before, ("2025-12-31", before[-1][1])]
