"""Unseen hazards as a range (未发现隐患): capture–recapture between visits, calls, alarms, blind checks, with its assumptions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from anban.rules.statistics.methods import Z95
from anban.rules.statistics.unseen_hazards import chapman

MOST_LISTS = 4
COMPARABLE_AIC = 10.0
"""Models within so much of the best AIC are told apart by the data hardly; their intervals make the range."""
SILENT = 1e-6
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """One assumption on which sources are tied, and what follows from it."""

    tied: tuple[tuple[str, str], ...]
    estimate: float
    low95: float
    high95: float
    deviance: float
    aic: float


@dataclass(frozen=True, slots=True)
class Hidden:
    """All hazards, seen and unseen: a range over the assumptions that the data don't rule out.

    `estimate` is that of the assumption the data like best; `low95` and `high95` span all that are kept in `models`.
    """

    seen: int
    estimate: float
    low95: float
    high95: float
    models: tuple[Model, ...]

    @property
    def unseen_low(self) -> float:
        """The least that stays unseen by the range."""
        return max(0.0, self.low95 - self.seen)


def histories(found_by: Iterable[Iterable[str]], sources: Sequence[str]) -> dict[tuple[bool, ...], int]:
    """This function will count hazards by which sources found them; those found by none of the sources are left out."""
    counted: dict[tuple[bool, ...], int] = {}
    for each in found_by:
        names = frozenset(each)
        history = tuple(source in names for source in sources)
        if any(history):
            counted[history] = counted.get(history, 0) + 1
    return counted


def hidden(counted: Mapping[tuple[bool, ...], int], sources: Sequence[str]) -> Hidden | None:
    """This function will give the range of all hazards from counts by history (True: this source found it).

    Two sources: Chapman, whose one assumption can't be tested. Three or four: log-linear models with every set of tied
    pairs that leaves the total identifiable. Returns None where nothing can be said: fewer than two sources found
    anything, or no hazard was found by two.
    """
    width = len(sources)
    if not 2 <= width <= MOST_LISTS or len(set(sources)) != width:
        raise ValueError(f"two to {MOST_LISTS} different sources")
    if any(len(history) != width or not any(history) or count < 0 for history, count in counted.items()):
        raise ValueError("a history has a mark for each source and at least one is set; a count isn't negative")
    totals = [sum(count for history, count in counted.items() if history[i]) for i in range(width)]
    live = [i for i, total in enumerate(totals) if total]
    if len(live) < 2:
        return None
    if len(live) < width:
        # A source that found nothing says nothing: without it.
        kept: dict[tuple[bool, ...], int] = {}
        for history, count in counted.items():
            short = tuple(history[i] for i in live)
            kept[short] = kept.get(short, 0) + count
        return hidden(kept, [sources[i] for i in live])
    seen = sum(counted.values())
    if not any(count for history, count in counted.items() if sum(history) > 1):
        return None
    if width == 2:
        both = counted.get((True, True), 0)
        found = chapman(totals[0], totals[1], both)
        model = Model((), found.estimate, found.low95, found.high95, 0.0, 0.0)
        return Hidden(seen, found.estimate, found.low95, found.high95, (model,))
    models = sorted(_models(counted, sources), key=lambda each: each.aic)
    kept_models = tuple(each for each in models if each.aic <= models[0].aic + COMPARABLE_AIC)
    return Hidden(
        seen,
        models[0].estimate,
        min(each.low95 for each in kept_models),
        max(each.high95 for each in kept_models),
        kept_models,
    )


def _models(counted: Mapping[tuple[bool, ...], int], sources: Sequence[str]) -> list[Model]:
    width = len(sources)
    cells = [tuple(bool(code >> i & 1) for i in range(width)) for code in range(1, 2**width)]
    seen = np.array([counted.get(cell, 0) for cell in cells], dtype=float)
    pairs = list(combinations(range(width), 2))
    made = []
    for size in range(len(pairs) + 1):
        for tied in combinations(pairs, size):
            columns = [np.ones(len(cells))]
            columns += [np.array([float(cell[i]) for cell in cells]) for i in range(width)]
            columns += [np.array([float(cell[i] and cell[j]) for cell in cells]) for i, j in tied]
            model = _fitted(np.column_stack(columns), seen, tuple((sources[i], sources[j]) for i, j in tied))
            if model is not None:
                made.append(model)
    return made


def _fitted(design: Floats, seen: Floats, tied: tuple[tuple[str, str], ...]) -> Model | None:
    """Fit one log-linear model by Newton's method; None where the data leave the unseen cell without bound."""
    from scipy import stats

    beta = np.zeros(design.shape[1])
    beta[0] = math.log(max(seen.mean(), 0.5))
    for _ in range(200):
        mean = np.exp(design @ beta)
        information = design.T @ (design * mean[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (seen - mean))
        except np.linalg.LinAlgError:
            return None
        beta = beta + step * min(1.0, 4 / max(float(np.abs(step).max()), 1e-12))
        if not np.isfinite(beta).all() or np.abs(beta).max() > 40:
            return None
        if np.abs(step).max() < 1e-10:
            break
    else:
        return None
    mean = np.exp(design @ beta)
    if (mean < SILENT).any():
        return None
    # The cell of those that nobody saw has none of the effects: it is the intercept alone.
    unseen = math.exp(beta[0])
    variance = unseen + unseen**2 * float(np.linalg.inv(information)[0, 0])
    spread = math.exp(Z95 * math.sqrt(math.log1p(variance / unseen**2)))
    total = float(seen.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = 2 * float(np.where(seen > 0, seen * np.log(seen / mean), 0.0).sum() - (seen - mean).sum())
    aic = 2 * design.shape[1] - 2 * float(stats.poisson.logpmf(seen, mean).sum())
    return Model(tied, total + unseen, total + unseen / spread, total + unseen * spread, deviance, aic)
