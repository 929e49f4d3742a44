"""Training: what a place's past says about the next visit, with the inspectors' strictness and the season set aside.

Two models are averaged, a regularized logistic one and gradient boosting. Both are told who visited and in which season, in terms
that cannot mix with the place's own; the ranking then leaves these terms out, so that a place is not ranked by who visits it.
Windows before the day of ranking, each predicted by what came before it, choose the penalty and the mixture and calibrate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from anban.lake.ranking.city import City, date_of
from anban.lake.ranking.facts import facts_of, neutral_values
from anban.lake.ranking.features import Book, Features
from anban.lake.ranking.forest import Forest, Matrix, grown
from anban.lake.ranking.history import Bools, Floats, Ints

SEASON_DAYS: Final = 61
MOST_ROWS: Final = 45_000
FOLD_ROWS: Final = (
    20_000  # from which the trees of an earlier window are grown: they choose and calibrate, they do not rank
)
FEWEST: Final = 40  # outcomes of each sort below which nothing is learned
PENALTIES: Final = (0.0003, 0.001, 0.004)
# How freely the logistic model may use a family of features: many weak ones are held shorter than a few strong ones.
FREEDOM: Final = {"code.": 0.3, "near.": 0.5, "signal.": 0.5, "like.": 0.5, "own.": 1.5, "kind.": 1.5, "is.": 1.5}
# What a place's visits found as such is told in reasons but not learned from: it would carry the strictness of who came. What
# is learned from is the same against expectation (own.ratio, own.last_over).
TOLD_ONLY: Final = ("own.rate.", "own.last.", "own.found", "own.streak")
ASIDE: Final = 10.0  # how freely inspectors and seasons take what is theirs before places do
FOLDS: Final = 3
_AT_ONCE: Final = 16_384  # rows whose column stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Setting:
    """What a training run may be told; the same for every city."""

    window_days: int = 60
    seed: int = 20
    most_rows: int = MOST_ROWS


@dataclass(frozen=True, slots=True)
class Rows:
    """Training rows: a visit with a known outcome, seen from the first day of a window in which it lies."""

    visit: Ints
    origin: Ints
    found: Floats


@dataclass(frozen=True, slots=True)
class Linear:
    """A regularized logistic model over standardized features."""

    mean: Floats
    scale: Floats
    weight: Floats
    aside: Floats

    def score(self, matrix: Matrix) -> Floats:
        """Return the log-odds of each row, up to a constant."""
        out = np.zeros(len(matrix))
        used = np.flatnonzero(self.weight).tolist()
        for begin in range(0, len(matrix), _AT_ONCE):
            some, total = matrix[begin : begin + _AT_ONCE], out[begin : begin + _AT_ONCE]
            for number in used:
                total += self.weight[number] * self._standard(some[:, number], number)
        return out

    def standard(self, matrix: Matrix) -> Floats:
        """Return features in units of their spread; what is missing stands at the middle."""
        return np.column_stack([self._standard(matrix[:, number], number) for number in range(len(self.mean))])

    def _standard(self, column: Matrix, number: int) -> Floats:
        value = (column - self.mean[number]) / self.scale[number]
        value[np.isnan(value)] = 0.0
        return np.asarray(np.clip(value, -5.0, 5.0, out=value))


@dataclass(frozen=True, slots=True)
class Fold:
    """One earlier window, predicted by what came before it."""

    start: int
    found: Floats
    scores: Floats
    group: Ints


@dataclass(frozen=True, slots=True)
class Model:
    """A trained order: parts, mixture, calibration, and what the earlier windows said about it."""

    names: tuple[str, ...]
    way: str  # "learned" or "transparent"
    linear: Linear | None
    trees: Forest | None
    share: float  # of the trees in the mixture
    spread: tuple[float, float]
    slope: float
    intercept: float
    base: float
    strictness: dict[str, float]
    folds: tuple[Fold, ...]
    neutral: dict[str, tuple[tuple[str, float], ...]]
    told: dict[str, Any]

    def score(self, features: Features) -> Floats:
        """Return the log-odds that the next visit finds, whoever makes it."""
        return self.intercept + self.slope * self.raw(features.aligned(self.names).matrix)

    def raw(self, matrix: Matrix) -> Floats:
        """Return the mixture before calibration."""
        if self.linear is None or self.trees is None:
            return transparent(matrix, self.names)
        first, second = self.linear.score(matrix), self.trees.score(matrix)
        return (1 - self.share) * first / self.spread[0] + self.share * second / self.spread[1]


def transparent(matrix: Matrix, names: tuple[str, ...]) -> Floats:
    """Return the score for too little data, which can be computed by hand: the place's own shrunken log ratio, half of its likes'."""
    out = np.zeros(len(matrix))
    for name, weight in (("own.ratio.1095", 1.0), ("own.streak", 0.2), ("like.category", 0.5), ("around.40", 0.3)):
        if name in names:
            out += weight * np.nan_to_num(matrix[:, names.index(name)].astype(np.float64))
    return out


def set_aside(city: City, which: Ints) -> tuple[Floats, int]:
    """Return the columns that are modeled and left out when ranking: who visited, and in which season; and how many are who."""
    group = city.visit_group.code[which]
    season = city.visit_day[which] // SEASON_DAYS
    season = season - (city.visit_day[city.labeled].min() // SEASON_DAYS if city.labeled.any() else 0)
    seasons = int(season.max()) + 1 if len(season) else 1
    count = len(city.visit_group)
    who = np.eye(count + 1)[group] if count else np.zeros((len(which), 0))
    return np.hstack((who, np.eye(seasons)[season])), count


def strict_of(city: City) -> tuple[Floats, dict[str, float], Floats]:
    """Return the chance of a find by inspectors and season alone, each group's strictness in log-odds, and the chance's log-odds."""
    from sklearn.linear_model import LogisticRegression

    labeled = np.flatnonzero(city.labeled)
    found = city.visit_found[labeled]
    if not _both(found):
        mean = float(found.mean()) if len(found) else 0.0
        return np.full(len(labeled), min(max(mean, 0.01), 0.99)), {}, np.zeros(len(labeled))
    # Visits of one group in one season are alike here: a row for each such cell, once with finds and once without.
    season = city.visit_day[labeled] // SEASON_DAYS
    cell = (city.visit_group.code[labeled] + 1) * (int(season.max()) + 1) + season
    _, first, back = np.unique(cell, return_index=True, return_inverse=True)
    finds = np.bincount(back, found)
    others = np.bincount(back) - finds
    columns, count = set_aside(city, labeled[first])
    answer = np.repeat([1.0, 0.0], len(first))
    model = LogisticRegression(C=1.0, max_iter=200, tol=1e-4)
    model.fit(np.vstack((columns, columns)), answer, sample_weight=np.concatenate((finds, others)))
    odds = np.asarray(model.decision_function(columns))[back]
    strict = dict(zip(city.visit_group.levels, model.coef_[0][:count].tolist(), strict=True))
    return 1 / (1 + np.exp(-odds)), strict, odds


def _both(found: Floats, least: int = 1) -> bool:
    return bool((found == 1).sum() >= least and (found == 0).sum() >= least)


def rows_of(city: City, setting: Setting) -> Rows:
    """Return training rows: every visit seen from the starts of the windows, half a window apart, in which it lies."""
    labeled = np.flatnonzero(city.labeled)
    day = city.visit_day[labeled]
    step = max(setting.window_days // 2, 1)
    visits, origins = [], []
    earliest = int(day.min()) + 120 if len(day) else city.as_of
    for origin in range(city.as_of - step, earliest - 1, -step):
        inside = (day >= origin) & (day < origin + setting.window_days)
        visits.append(labeled[inside])
        origins.append(np.full(int(inside.sum()), origin))
        if sum(map(len, visits)) >= 4 * setting.most_rows:
            break
    visit = np.concatenate(visits) if visits else np.zeros(0, dtype=np.int64)
    origin_of = np.concatenate(origins) if origins else np.zeros(0, dtype=np.int64)
    if len(visit) > setting.most_rows:
        kept = np.sort(np.random.default_rng(setting.seed).permutation(len(visit))[: setting.most_rows])
        visit, origin_of = visit[kept], origin_of[kept]
    return Rows(visit, origin_of, city.visit_found[visit])


def _freedom(name: str) -> float:
    return (
        0.0
        if name.startswith(TOLD_ONLY)
        else next((value for head, value in FREEDOM.items() if name.startswith(head)), 1.0)
    )


def fit_linear(features: Features, aside: Floats, found: Floats, penalty: float) -> Linear:
    """Fit the logistic model; inspectors and season are held less short than the rest."""
    from sklearn.linear_model import LogisticRegression

    matrix = features.matrix.astype(np.float64, order="C")
    with np.errstate(invalid="ignore"):
        known = np.isfinite(matrix)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, matrix, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (matrix - mean) ** 2, 0.0).sum(axis=0) / count)
    free = np.array([_freedom(each) for each in features.names])
    scale = np.where(spread > 1e-9, spread, np.inf)
    start = Linear(mean, scale, np.zeros(0), np.zeros(0))
    standard = start.standard(features.matrix) * free
    model = LogisticRegression(C=penalty, max_iter=300, tol=1e-3).fit(np.hstack((standard, ASIDE * aside)), found)
    weight = model.coef_[0]
    width = standard.shape[1]
    return Linear(mean, scale, weight[:width] * free, ASIDE * weight[width:])


def fit_trees(features: Features, odds: Floats, found: Floats, seed: int) -> Forest:
    """Fit gradient boosting; the log-odds by inspectors and season are a term that may not interact with any other.

    In the forest that is kept this term is set to its middle.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns = np.array(
        [n for n, each in enumerate(features.names) if not each.startswith(("code.", *TOLD_ONLY))], dtype=np.int64
    )
    own = features.matrix[:, columns]
    small = len(found) < 4000
    model = HistGradientBoostingClassifier(
        max_iter=60 if small else 120,
        learning_rate=0.04,
        max_leaf_nodes=4 if small else 8,
        min_samples_leaf=40 if small else 60,
        l2_regularization=10.0,
        max_features=0.3,
        early_stopping=False,
        interaction_cst=[set(range(own.shape[1])), {own.shape[1]}],
        random_state=seed,
    )
    model.fit(np.column_stack((own, odds)), found)
    return grown(model, columns, float(np.median(odds)))


def auc(scores: Floats, found: Floats) -> float:
    """Return the chance that a find ranks above a place without one; not a number where there is only one sort."""
    if not _both(found):
        return float("nan")
    ordered = np.sort(scores)
    rank = (np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right") + 1) / 2
    bad = found == 1
    return float((rank[bad].sum() - bad.sum() * (bad.sum() + 1) / 2) / (bad.sum() * (~bad).sum()))


def within_auc(scores: Floats, found: Floats, group: Ints) -> float:
    """Return the AUC inside each inspector group, weighted by its pairs; not a number where groups are not recorded."""
    total = pairs = 0.0
    for each in np.unique(group[group >= 0]):
        mine = group == each
        count = float(found[mine].sum() * (1 - found[mine]).sum())
        if count:
            total += auc(scores[mine], found[mine]) * count
            pairs += count
    return total / pairs if pairs else float("nan")


def calibrate(scores: Floats, found: Floats) -> tuple[float, float]:
    """Return slope and intercept that turn scores into log-odds: Platt's two numbers, held so that the order never turns over."""
    from sklearn.linear_model import LogisticRegression

    scale = float(scores.std()) or 1.0
    model = LogisticRegression(C=10.0).fit((scores / scale)[:, None], found)
    slope = max(float(model.coef_[0][0]) / scale, 1e-3)
    intercept = float(model.intercept_[0])
    for _ in range(50):  # the mean of the probabilities meets the share of finds
        chance = 1 / (1 + np.exp(-(intercept + slope * scores)))
        intercept -= float((chance.mean() - found.mean()) / max((chance * (1 - chance)).mean(), 1e-6))
    return slope, intercept


def train(city: City, setting: Setting | None = None, model: Model | None = None) -> tuple[Model, Book]:
    """Return the order learned from all that lies before the city's day (or the one given), and the book that answers for its places."""
    setting = setting or Setting()
    expected, strict, odds = strict_of(city)
    found = city.visit_found[city.labeled]
    base = float((found.sum() + 1.0) / (len(found) + 2.0))
    book = Book(city, expected, base)
    if model is not None:
        return model, book
    rows = rows_of(city, setting)
    told: dict[str, Any] = {
        "seed": setting.seed,
        "window_days": setting.window_days,
        "rows": len(rows.visit),
        "finds": int(rows.found.sum()),
    }
    if not _both(rows.found, FEWEST):
        now = book.features(np.arange(min(city.size, 2000)), np.full(min(city.size, 2000), city.as_of))
        told["why_transparent"] = "too few known outcomes to learn from"
        return _plain(now, city, base, told), book
    features = book.features(city.visit_place[rows.visit], rows.origin)
    place_in_labeled = np.full(len(city.visit_day), -1)
    place_in_labeled[np.flatnonzero(city.labeled)] = np.arange(len(found))
    row_odds = odds[place_in_labeled[rows.visit]]
    aside, _ = set_aside(city, rows.visit)
    penalty, share, folds, tried = _tune(city, setting, rows, features, aside, row_odds)
    told["tried"] = tried
    if share < 0:
        told["why_transparent"] = "the transparent score was better on the earlier windows"
        model = _plain(features, city, base, told, folds)
        return _calibrated(model, folds), book
    linear = fit_linear(features, aside, rows.found, penalty)
    trees = fit_trees(features, row_odds, rows.found, setting.seed)
    spread = (_spread(linear.score(features.matrix)), _spread(trees.score(features.matrix)))
    told |= {"penalty": penalty, "share_of_trees": share}
    model = Model(
        features.names, "learned", linear, trees, share, spread, 1.0, float(np.log(base / (1 - base))), base,
        strict, folds, neutral_values(facts_of(features.names, city.label.kind), features), told,
    )  # fmt: skip
    return _calibrated(model, folds), book


def _spread(scores: Floats) -> float:
    return max(float(scores.std()), 1e-6)


def _plain(features: Features, city: City, base: float, told: dict[str, Any], folds: tuple[Fold, ...] = ()) -> Model:
    start = float(np.log(base / (1 - base)))
    neutral = neutral_values(facts_of(features.names, city.label.kind), features)
    return Model(features.names, "transparent", None, None, 0.0, (1.0, 1.0), 0.5, start, base, {}, folds, neutral, told)


def _calibrated(model: Model, folds: tuple[Fold, ...]) -> Model:
    if not folds:
        return model
    scores = np.concatenate([each.scores for each in folds])
    found = np.concatenate([each.found for each in folds])
    if not _both(found, 20):
        return model
    slope, intercept = calibrate(scores, found)
    return _replaced(model, slope=slope, intercept=intercept)


def _replaced(model: Model, **changes: Any) -> Model:
    values = {name: getattr(model, name) for name in Model.__slots__}
    return Model(**{**values, **changes})


def _tune(
    city: City, setting: Setting, rows: Rows, features: Features, aside: Floats, odds: Floats
) -> tuple[float, float, tuple[Fold, ...], dict[str, float]]:
    """Predict each of the last windows by what came before it; choose penalty and mixture by all of them together."""
    kept: list[tuple[Bools, Bools, int]] = []
    for number in range(1, FOLDS + 1):
        start = city.as_of - number * 2 * max(setting.window_days // 2, 1)
        test = rows.origin == start
        before = city.visit_day[rows.visit] < start
        if _both(rows.found[test], 5) and _both(rows.found[before], FEWEST):
            kept.append((test, before, start))
    if not kept:
        return PENALTIES[1], 0.5, (), {}
    ways: dict[str, list[Floats]] = {}
    for test, before, _ in kept:
        past = features.rows(before)
        matrix = features.rows(test).matrix
        some = np.sort(np.random.default_rng(setting.seed).permutation(int(before.sum()))[:FOLD_ROWS])
        fewer = past.rows(some)
        ways.setdefault("transparent", []).append(transparent(matrix, features.names))
        trees = fit_trees(fewer, odds[before][some], rows.found[before][some], setting.seed)
        wood = trees.score(matrix) / _spread(trees.score(fewer.matrix))
        for penalty in PENALTIES:
            linear = fit_linear(past, aside[before], rows.found[before], penalty)
            line = linear.score(matrix) / _spread(linear.score(past.matrix))
            for share in (0.0, 0.5):
                ways.setdefault(f"{penalty} {share}", []).append((1 - share) * line + share * wood)
    found = [rows.found[test] for test, _, _ in kept]
    weight = [float((each == 1).sum()) for each in found]
    value = {
        name: float(np.average([auc(s, y) for s, y in zip(scores, found, strict=True)], weights=weight))
        for name, scores in ways.items()
    }
    # The default is kept unless another is better by more than the luck of so few finds allows.
    luck = 0.25 / np.sqrt(max(sum(weight), 1.0))
    usual = f"{PENALTIES[1]} 0.5"
    best = max(value, key=lambda name: (value[name], name))
    chosen = best if value[best] > value[usual] + luck else usual
    folds = tuple(
        Fold(start, y, s, city.visit_group.code[rows.visit[test]])
        for (test, _, start), y, s in zip(kept, found, ways[chosen], strict=True)
    )
    if chosen == "transparent":
        return PENALTIES[1], -1.0, folds, value
    penalty_text, _, share_text = chosen.partition(" ")
    return float(penalty_text), float(share_text), folds, value


def described(model: Model) -> dict[str, Any]:
    """Return what the card says of the earlier windows."""
    return {
        "windows": [
            {
                "from": date_of(each.start).isoformat(),
                "visits": len(each.found),
                "finds": int(each.found.sum()),
                "auc": round(auc(each.scores, each.found), 4),
                "within_group_auc": _rounded(within_auc(each.scores, each.found, each.group)),
            }
            for each in model.folds
        ]
    }


def _rounded(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 4)
