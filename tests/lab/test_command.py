"""`anban simulate` needs no framework, says what is wrong, and writes a city that the product takes in without a refused row."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from anban.config.cli import main
from tests.config.test_cli import anban

TINY = (
    "--set",
    "sites=60",
    "--set",
    "visits_a_day=2",
    "--set",
    "days=120",
    "--set",
    "burn_in_days=30",
    "--set",
    "streets=6",
)


def test_simulation_loads_no_framework() -> None:
    script = "import sys, anban.config.commands_simulate\nprint('django' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout == "False\n"
    )


@pytest.mark.parametrize("words", [("--set", "sites=nan"), ("--set", "luck=1"), ("--set", "sites"), ("--scenario", "x"), ("--policies", "x"), ("--seeds", "0")])  # fmt: skip
def test_wrong_call_is_told_in_one_line(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert main(["simulate", *TINY, *words]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_result_is_one_object_with_intervals(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    run = anban(
        tmp_path, "simulate", *TINY, "--policies", "ours", "--seeds", "2", "--jobs", "1", "--json", "--out", str(out)
    )
    told = json.loads(run.stdout)
    assert told == json.loads(out.read_text())
    assert {row["policy"] for row in told["comparisons"][0]["rows"]} == {"none", "random", "index", "ours"}
    assert all({"mean", "low95", "high95"} == set(row["averted_per_visit"]) for row in told["comparisons"][0]["rows"])
    assert all(each["holds"] for each in told["closed_forms"])


def test_written_city_is_taken_in_whole_and_its_truth_stays_outside(tmp_path: Path) -> None:
    home, city = tmp_path / "home", tmp_path / "city"
    wrote = json.loads(
        anban(home, "simulate", *TINY, "--set", "public_share=0.5", "--set", "call_rate_a_day=0.01", "--set", "led_share=0.5", "--city", str(city), "--json").stdout
    )  # fmt: skip
    assert anban(home, "init", "--json").returncode == 0
    for name in ("places", "visits", "hazards", "events"):
        run = anban(home, "import", name, str(city / f"{name}.csv"), "--root", "beijing", "--json")
        counts = json.loads(run.stdout)
        assert (counts["new"], counts["refused"]) == (wrote[name], 0), run.stderr
    assert wrote["hazards"] > 0
    assert wrote["truth/hazards"] >= wrote["hazards"]
    assert wrote["events"] == wrote["truth/instructions"] > 0
