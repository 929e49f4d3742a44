"""Measure `anban rule --batch` on the arithmetic rules against the plain functions called directly: ``python -m bench.rules``."""

from __future__ import annotations

import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from anban.rules.answering import reply_line
from anban.rules.every import rule_named
from anban.rules.loaded import packaged
from anban.rules.reading import parse_object, read

LINES = 48_000
ARITHMETIC = (
    "accident_grade", "unit_accident_fine", "principal_fine", "daily_penalty", "late_payment", "reinspection_due",
    "risk_lec", "risk_ls", "accident_crime_threshold", "cylinder_store", "safety_staffing", "hotline_due",
)  # fmt: skip


def questions(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Draw questions to the arithmetic rules by a fixed seed."""
    rng = random.Random(20261125)
    grades = ("general", "larger", "major", "extra_major")
    for number in range(count):
        name = ARITHMETIC[number % len(ARITHMETIC)]
        day = f"2024-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        loss = rng.randint(0, 12_000_000_000) / 100
        given: dict[str, dict[str, Any]] = {
            "accident_grade": {"deaths": rng.randint(0, 35), "serious_injuries": rng.randint(0, 120), "direct_loss_yuan": loss},
            "unit_accident_fine": {"grade": rng.choice(grades), "aggravated": rng.random() < 0.2},
            "principal_fine": {"grade": rng.choice(grades), "last_year_income_yuan": rng.randint(50_000, 900_000)},
            "daily_penalty": {"fine_yuan": 50_000, "ordered_on": day, "refusal_found_on": "2025-01-10", "fined": True, "corrected": False},
            "late_payment": {"fine_yuan": rng.randint(100, 900_000), "days_late": rng.randint(0, 60)},
            "reinspection_due": {"expires_on": day},
            "risk_lec": {"likelihood": rng.choice((10, 6, 3, 1, 0.5)), "exposure": rng.choice((10, 6, 3)), "consequence": rng.choice((100, 40, 15))},
            "risk_ls": {"likelihood": rng.randint(1, 5), "severity": rng.randint(1, 5)},
            "accident_crime_threshold": {"deaths": rng.randint(0, 4), "serious_injuries": rng.randint(0, 12), "direct_loss_yuan": loss, "main_responsibility": rng.random() < 0.5},
            "cylinder_store": {"cylinders": [{"kg": 15, "count": rng.randint(0, 30)}, {"kg": 50, "count": rng.randint(0, 3)}]},
            "safety_staffing": {"sector": rng.choice(("high_risk", "other")), "employees": rng.randint(1, 300), "staffing": "part_time"},
            "hotline_due": {"kind": rng.choice(("emergency", "utility", "ordinary")), "received_at": f"{day}T10:00:00+08:00"},
        }  # fmt: skip
        yield name, given[name]


def main() -> None:
    """Run the batch in a process of its own, then the same questions step by step in this one."""
    asked = list(questions(LINES))
    lines = [json.dumps({"rule": name, "in": given}).encode() for name, given in asked]
    typed = [(rule_named(name), *read(rule_named(name).facts, given)) for name, given in asked]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {LINES:,} questions")
    print("| what | CPU s | a second on one core | times the plain function |\n|---|---|---|---|")

    def plain() -> None:
        for rule, facts, on in typed:
            rule.decide(facts, rule.day_for(facts, on), packaged())

    def here() -> None:
        for line in lines:
            reply_line(line)

    def parsed() -> None:
        for line in lines:
            parse_object(line)

    floor = spent(plain)
    row("plain functions, typed facts at hand (the optimum)", floor, floor)
    row("reading the JSON alone", spent(parsed), floor)
    row("read, decide, write, in the process", spent(here), floor)
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as sink:
        source.write(b"\n".join(lines) + b"\n")
        source.seek(0)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "anban.config.cli", "rule", "--batch"], stdin=source, stdout=sink, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        sink.seek(0)
        written = sink.read()
    if written.count(b"\n") != LINES or b'"error"' in written:
        raise SystemExit("the batch did not answer every question")
    row(
        "anban rule --batch, with its start", after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, floor
    )


def spent(work: Any) -> float:
    """Return the CPU seconds of the best of three runs."""
    times = []
    for _ in range(3):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def row(what: str, seconds: float, floor: float) -> None:
    """Print one line of the table."""
    print(f"| {what} | {seconds:.2f} | {LINES / seconds:,.0f} | {seconds / floor:.2f} |")


if __name__ == "__main__":
    main()
