"""Policies side by side at equal effort: paired differences with intervals, an A/A test, and the map of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
from scipy.special import stdtr, stdtrit

from anban.lab.policies import POLICIES
from anban.lab.setting import Setting, scenario
from anban.lab.world import Outcome, World
from anban.rules.errors import Refusal

YEAR_DAYS = 365
A_A_LEVEL = 0.01
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over paired runs with its 95 % interval (Student's t)."""

    mean: float
    low95: float
    high95: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """This function will return mean and interval of values from independent seeds; one value alone has no interval."""
        sample = np.asarray(values, dtype=np.float64)
        mean = float(sample.mean())
        if sample.size < 2:
            return cls(mean, float("-inf"), float("inf"))
        half = float(stdtrit(sample.size - 1, 0.975) * sample.std(ddof=1) / np.sqrt(sample.size))
        return cls(mean, mean - half, mean + half)

    @property
    def tells(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low95 > 0 or self.high95 < 0


@dataclass(frozen=True, slots=True)
class Row:
    """One policy: its mean outcome, and its differences to random visits on the same cities with the same luck."""

    policy: str
    outcome: Outcome
    averted_per_visit: Interval
    """Weighted hidden hazard-days averted by a visit, against no visits at all."""
    averted_vs_random_pct: Interval
    """How much more it averts than random visits do, in per cent of what those avert."""
    hidden_vs_random_pct: Interval
    """Change of weighted hidden hazard-days against random visits, in per cent; below zero is better."""
    hidden_vs_index: Interval
    """Difference of the primary measure to the index policy; below zero is better."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All policies in one scenario and setting."""

    scenario: str
    setting: Mapping[str, float]
    seeds: int
    rows: tuple[Row, ...]
    same_against_same: Interval
    """A/A test: random visits against random visits with other luck."""
    same_p_value: float
    """How likely so large an A/A difference is where there is none (paired t test, two-sided)."""


def _one(task: tuple[Setting, str, str, int, int]) -> Outcome:
    setting, world, policy, seed, noise = task
    return World(setting, scenario(world), POLICIES[policy], seed).run(noise=noise)


def _all(
    tasks: Sequence[tuple[Setting, str, str, int, int]], jobs: int, progress: Progress | None
) -> Iterator[Outcome]:
    if jobs <= 1:
        for done, task in enumerate(tasks, 1):
            yield _one(task)
            if progress:
                progress(done, len(tasks))
        return
    with ProcessPoolExecutor(jobs) as pool:
        for done, outcome in enumerate(pool.map(_one, tasks, chunksize=1), 1):
            yield outcome
            if progress:
                progress(done, len(tasks))


def compare(
    setting: Setting, *, world: str = "base", policies: Sequence[str] = tuple(POLICIES), seeds: int = 8, jobs: int = 1,
    progress: Progress | None = None,
) -> Comparison:  # fmt: skip
    """This function will run every policy on the same cities with the same luck and compare them.

    ``none``, ``random`` and ``index`` are always run: they are what the others are measured against.
    Raises: Refusal for a policy, scenario or number of seeds that there cannot be.
    """
    scenario_setting = setting.with_values(scenario(world).changes)
    unknown = next((name for name in policies if name not in POLICIES), None)
    if unknown is not None:
        raise Refusal("simulation.unknown", "policies", name=unknown, known="、".join(POLICIES))
    if not 2 <= seeds <= 1000:
        raise Refusal("simulation.value", "seeds", name="seeds", least=2, most=1000, value=seeds)
    wanted = [name for name in POLICIES if name in {"none", "random", "index", *policies}]
    tasks = [(scenario_setting, world, name, seed, 0) for name in wanted for seed in range(seeds)]
    tasks += [(scenario_setting, world, "random", seed, 1) for seed in range(seeds)]
    outcomes = list(_all(tasks, jobs, progress))
    runs = {name: outcomes[at * seeds : (at + 1) * seeds] for at, name in enumerate(wanted)}
    other = outcomes[len(wanted) * seeds :]
    differences = [a.hidden_per_site_year - b.hidden_per_site_year for a, b in zip(runs["random"], other, strict=True)]
    rows = tuple(_row(name, runs, scenario_setting) for name in wanted)
    return Comparison(world, asdict(scenario_setting), seeds, rows, Interval.of(differences), _p_value(differences))


def _p_value(differences: Sequence[float]) -> float:
    sample = np.asarray(differences, dtype=np.float64)
    spread = float(sample.std(ddof=1))
    if spread == 0.0:
        return 1.0 if float(sample.mean()) == 0.0 else 0.0
    return float(2 * stdtr(sample.size - 1, -abs(sample.mean()) / (spread / np.sqrt(sample.size))))


def is_sound(p_values: Sequence[float]) -> bool:
    """This function will say whether A/A tests hold: with many of them one may look odd by chance (Bonferroni, 1 % in all)."""
    return all(p >= A_A_LEVEL / len(p_values) for p in p_values)


def _row(name: str, runs: Mapping[str, list[Outcome]], setting: Setting) -> Row:
    own = [each.hidden_per_site_year for each in runs[name]]
    nothing, chance, index = (
        [each.hidden_per_site_year for each in runs[base]] for base in ("none", "random", "index")
    )
    visits_per_site_year = setting.visits_a_day * YEAR_DAYS / setting.sites
    triples = list(zip(own, nothing, chance, strict=True))
    return Row(
        policy=name,
        outcome=_mean(runs[name]),
        averted_per_visit=Interval.of(
            [(b - a) / visits_per_site_year if visits_per_site_year else 0.0 for a, b, _ in triples]
        ),
        averted_vs_random_pct=Interval.of([100 * ((b - a) / (b - c) - 1) if b != c else 0.0 for a, b, c in triples]),
        hidden_vs_random_pct=Interval.of([100 * (a / c - 1) if c else 0.0 for a, _, c in triples]),
        hidden_vs_index=Interval.of([a - i for a, i in zip(own, index, strict=True)]),
    )


def _mean(runs: Sequence[Outcome]) -> Outcome:
    columns = {name: np.mean([np.asarray(getattr(each, name)) for each in runs], axis=0) for name in Outcome.__slots__}
    values = {
        name: tuple(float(v) for v in value) if np.ndim(value) else float(value) for name, value in columns.items()
    }
    whole = {name: round(values[name]) for name in ("visits", "finds", "backlog")}  # type: ignore[arg-type]
    return Outcome(**{**values, **whole})  # type: ignore[arg-type]


GRID: Mapping[str, tuple[float, ...]] = {
    "detection": (0.4, 0.7, 0.9),
    "rebound": (0.05, 0.2, 0.4),
    "visits_a_day": (10.0, 20.0, 40.0),
}
MAPPED = ("oldest", "myopic", "index", "ours")


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the map: what each policy averts above random visits, in per cent, and whether ours is best."""

    changes: Mapping[str, float]
    averted_vs_random_pct: Mapping[str, Interval]
    best: str
    ours_to_index: Interval


def settings_map(
    setting: Setting, *, seeds: int = 4, jobs: int = 1, progress: Progress | None = None
) -> tuple[Cell, ...]:
    """This function will compare the serious policies over a grid of detection, rebound and effort: where which one wins."""
    cells = []
    grid = list(product(*GRID.values()))
    for at, values in enumerate(grid, 1):
        changes = dict(zip(GRID, values, strict=True))
        made = compare(setting.with_values(changes), policies=MAPPED, seeds=seeds, jobs=jobs)
        rows = {row.policy: row for row in made.rows}
        best = min(MAPPED, key=lambda name: rows[name].outcome.hidden_per_site_year)
        averted = {name: rows[name].averted_vs_random_pct for name in MAPPED}
        cells.append(Cell(changes, averted, best, rows["ours"].hidden_vs_index))
        if progress:
            progress(at, len(grid))
    return tuple(cells)
