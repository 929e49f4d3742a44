"""``anban rank DIR --out FILE``: rank the places of a folder in the generic shape, without a database."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any, Final

from anban.config.speaking import Trouble, pick, say
from anban.lake.ranking import Unrankable
from anban.lake.ranking.ranked_folder import rank_folder

MOST_NOTES: Final = 20


def add_arguments(subparsers: Any) -> None:
    """Add the parser of ``anban rank``."""
    text = pick("为一个文件夹中的单位排出检查次序", "rank the places of a folder: whom to visit first")
    parser = subparsers.add_parser("rank", help=text, description=text)
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help=pick("通用格式的文件夹", "a folder in the generic shape")
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=pick("结果：inspection_id,score", "the result: inspection_id,score"),
    )
    parser.add_argument(
        "--inspectors",
        type=Path,
        metavar="FILE",
        help=pick("当日由谁检查（仅用于基准的 A 组）", "who will visit (for track A of the benchmark alone)"),
    )
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help=pick("另写模型卡片（JSON）", "write the model's card as well (JSON)")
    )
    parser.add_argument(
        "--reasons",
        type=Path,
        metavar="FILE",
        help=pick("另写每个单位的理由（CSV）", "write the reasons of every place as well (CSV)"),
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Rank and write."""
    try:
        result = rank_folder(options.folder, options.inspectors)
    except Unrankable as problem:
        raise Trouble(problem.zh, problem.en) from problem
    for zh, en in result.notes[:MOST_NOTES]:
        sys.stderr.write(f"anban: {zh}  |  {en}\n")
    if len(result.notes) > MOST_NOTES:
        rest = len(result.notes) - MOST_NOTES
        sys.stderr.write(f"anban: 另有 {rest} 条提示  |  {rest} more notes\n")
    _write(
        options.out,
        [
            ("inspection_id", "score"),
            *((each, repr(score)) for each, score in zip(result.ids, result.scores, strict=True)),
        ],
    )
    if options.card:
        _write_text(options.card, json.dumps(result.ranking.card, ensure_ascii=False, indent=1) + "\n")
    if options.reasons:
        _write(options.reasons, result.reason_rows())
    say(
        f"已排序 {len(result.ids)} 行，写入 {options.out}（{'学习所得' if result.ranking.model.way == 'learned' else '透明评分：数据太少'}）",
        f"ranked {len(result.ids)} rows into {options.out} "
        f"({'learned' if result.ranking.model.way == 'learned' else 'transparent score: ' + result.ranking.model.told.get('why_transparent', '')})",
    )
    return 0


def _write(path: Path, rows: list[tuple[str, ...]]) -> None:
    lines: list[str] = []

    class Sink:
        def write(self, text: str) -> None:
            lines.append(text)

    csv.writer(Sink(), lineterminator="\n").writerows(rows)
    _write_text(path, "".join(lines))


def _write_text(path: Path, text: str) -> None:
    """Write whole or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except FileNotFoundError as problem:
        raise Trouble(f"没有文件夹 {path.parent}", f"there is no folder {path.parent}") from problem
