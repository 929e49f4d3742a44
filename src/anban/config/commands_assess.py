"""The command `assess`: the whole city read at once, its results published."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime
from typing import Any

from anban.config.installation import REAL, console, migrate
from anban.config.speaking import pick, put, say
from anban.contexts.territory.queries import roots
from anban.kit.clock import now
from anban.lake.assessing import assess, train
from anban.lake.watching import watch
from anban.rules.errors import Refusal, register

register("assess.root_unknown", zh="没有地区根 {root}。", en="There is no area root {root}.")


def add_arguments(subparsers: Any) -> None:
    """Add the command `assess`."""
    own = subparsers.add_parser(
        "assess",
        help=pick("全市评估", "assess the whole city"),
        description=pick(
            "一次读完全市：覆盖与陈旧、欠账、反弹、风险排序、观察；结果入湖并发布。",
            "Read the whole city at once: coverage, debts, rebounds, risk order, watches; results are kept and published.",
        ),
    )
    own.add_argument("--root", default=REAL, metavar="CODE", help=pick("地区根", "the area root"))
    own.add_argument(
        "--as-of", type=_day, metavar="DATE", help=pick("评估哪一天（默认今天）", "the day to assess (default: today)")
    )
    own.add_argument(
        "--engine", default="", metavar="ENGINE",
        help=pick("duckdb 或 spark://主机:端口（默认 ANBAN_LAKE）", "duckdb or spark://HOST:PORT (default: ANBAN_LAKE)"),
    )  # fmt: skip
    own.add_argument(
        "--no-snapshot", action="store_true", help=pick("不再读数据库，用上次快照", "use the last snapshot as it is")
    )
    own.add_argument(
        "--train", action="store_true",
        help=pick("先训练风险顺序（平时由每周任务训练）", "train the risk order first (a weekly job does it otherwise)"),
    )  # fmt: skip
    own.add_argument("--json", action="store_true", help=pick("输出一个 JSON 对象", "print one JSON object"))
    own.set_defaults(run=_assess)


def _day(text: str) -> Any:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: YYYY-MM-DD") from error


def _assess(options: argparse.Namespace) -> int:
    """Answer ``anban assess``: 0 when the results are published, 1 when it was refused."""
    migrate()
    root = roots().filter(pk=options.root).first()
    if root is None:
        raise Refusal("assess.root_unknown", field="root", root=options.root)
    begun = time.monotonic()

    def progress(stage: str, done: int, total: int) -> None:
        sys.stderr.write(f"{time.monotonic() - begun:6.0f} s  {done}/{total} {stage}\n")

    actor, fresh = console(root.pk), not options.no_snapshot
    if options.train:
        train(actor=actor, at=now(), as_of=options.as_of, fresh=fresh, progress=progress)
        fresh = False
    made = assess(actor=actor, at=now(), as_of=options.as_of, engine=options.engine, fresh=fresh, progress=progress)
    row, scored = made.assessment, made.result.manifest["order"]
    watch(actor=console(root.pk), at=row.made_at, as_of=row.as_of, snapshot=made.snapshot)
    if options.json:
        put(
            json.dumps(
                {
                    "root": row.root, "as_of": row.as_of.isoformat(), "places": row.places, "position": row.position,
                    "manifest": row.manifest_hash, "engine": row.engine, "results": str(made.result.folder),
                    "snapshot": made.snapshot.manifest["ways"], "order": scored,
                }
            )
        )  # fmt: skip
    else:
        say(
            f"已评估 {row.root} {row.as_of}：{row.places} 家单位，存证位置 {row.position}，清单 {row.manifest_hash[:16]}…",
            f"assessed {row.root} for {row.as_of}: {row.places} places, journal position {row.position}, manifest {row.manifest_hash[:16]}…",
        )
        if scored["way"] != "learned":
            say(
                f"按透明评分排序（没有可用的训练模型：{scored['why_zh']}）",
                f"ordered by the transparent score ({scored['why']})",
            )
    return 0
