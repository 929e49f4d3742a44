"""What ``anban rank`` does with a folder: read, rank, and, on the benchmark's track A alone, add who will visit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anban.lake.ranking import folder as folders
from anban.lake.ranking.engine import Ranking, rank, separated
from anban.lake.ranking.history import Floats
from anban.lake.ranking.training import Setting


@dataclass(frozen=True, slots=True)
class RankedFolder:
    """Ids in the order of the test table, a score for each, what was left out, and the ranking behind it."""

    ids: tuple[str, ...]
    scores: list[float]
    notes: list[tuple[str, str]]
    ranking: Ranking

    def reason_rows(self) -> list[tuple[str, ...]]:
        """Return id, place, rank, probability, index and the reasons in both languages, best first."""
        return [
            ("inspection_id", "establishment_id", "rank", "probability", "index", "reasons_zh", "reasons_en"),
            *self._told(),
        ]

    def _told(self) -> Iterator[tuple[str, ...]]:
        ranking = self.ranking
        said = ranking.reasons(ranking.place_ids)
        for number, each in enumerate(np.argsort(-np.array(self.scores), kind="stable").tolist(), start=1):
            reasons = said[each]
            yield (
                self.ids[each], ranking.place_ids[each], str(number), f"{ranking.probabilities[each]:.4f}",
                f"{ranking.index[each]:.2f}", "；".join(reason.zh for reason in reasons), "; ".join(reason.en for reason in reasons),
            )  # fmt: skip


def rank_folder(path: Path, inspectors: Path | None = None, setting: Setting | None = None) -> RankedFolder:
    """Return the order of a folder's test rows."""
    folder = folders.read(path)
    tests = folder.tables["test"]
    ids = tuple(each.strip() for each in tests["inspection_id"].to_pylist())
    wanted = [each.strip() for each in tests["establishment_id"].to_pylist()]
    tables = {name: table for name, table in folder.tables.items() if name != "test"}
    ranking = rank(
        tables,
        folder.as_of,
        folder.label,
        wanted=wanted,
        setting=setting or Setting(window_days=folder.window_days),
        data_position=path.name,
    )
    scores = ranking.scores
    if inspectors is not None:
        scores = scores + _strictness(ranking, ids, folders.inspectors(inspectors))
    return RankedFolder(ids, separated(scores, ids).tolist(), folder.notes + ranking.book.city.notes, ranking)


def _strictness(ranking: Ranking, ids: tuple[str, ...], who: dict[str, str]) -> Floats:
    """Return the log-odds that who visits adds; the middle of all groups where that is not known."""
    strict = ranking.model.strictness
    middle = float(np.mean(list(strict.values()))) if strict else 0.0
    return np.array([strict.get(who.get(each, ""), middle) for each in ids])
