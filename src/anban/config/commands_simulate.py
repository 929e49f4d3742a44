"""The command `simulate`: supervision policies compared in a simulated city, and the city written out with its truth beside it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from anban.config.speaking import Trouble, complain, pick, put
from anban.kit.clock import now
from anban.lab.closed_forms import Check, checks
from anban.lab.comparison import Cell, Comparison, Interval, compare, is_sound, settings_map
from anban.lab.ledger import write_city
from anban.lab.policies import POLICIES
from anban.lab.setting import SCENARIOS, Setting, scenario
from anban.lab.world import Log, World
from anban.rules.errors import Refusal

EVERY_S = 1.0


def add_arguments(subparsers: Any) -> None:
    """Add the command `simulate`."""
    own = subparsers.add_parser(
        "simulate", help=pick("模拟城市，比较检查策略", "compare supervision policies in a simulated city"),
        description=pick("同等检查量下比较各种策略；数字只说明模型，不说明任何真实城市。", "Policies at equal effort. The figures speak of the model, not of any real city."),
    )  # fmt: skip
    own.add_argument("--scenario", default="base", metavar="NAME", help=f"{'、'.join(SCENARIOS)}、all")
    own.add_argument("--policies", default="", metavar="A,B", help=f"{'、'.join(POLICIES)}")
    own.add_argument(
        "--seeds", type=int, default=8, metavar="N", help=pick("每种策略模拟的城市数", "cities for each policy")
    )
    own.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help=pick("同时运行的进程数", "processes at once"))  # fmt: skip
    own.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="values", help=pick("更改一个参数，可重复", "change a parameter, may be repeated"))  # fmt: skip
    own.add_argument(
        "--map", action="store_true", help=pick("另算各种设定下谁最好", "also say where which policy wins")
    )
    own.add_argument("--city", type=Path, metavar="DIR", help=pick("把一座城市写成可导入的文件，真相放在 DIR/truth", "write one city as files to import, its truth in DIR/truth"))  # fmt: skip
    own.add_argument("--seed", type=int, default=0, metavar="N", help=pick("这座城市的种子", "the seed of that city"))
    own.add_argument(
        "--out", type=Path, metavar="FILE", help=pick("结果写入此 JSON 文件", "write the result into this JSON file")
    )
    own.add_argument(
        "--publish",
        default="",
        metavar="ROOT",
        help=pick("发布到此地区根的“策略模拟”页面", "publish on the page of this area root"),
    )
    own.add_argument("--json", action="store_true", help=pick("输出一个 JSON 对象", "print one JSON object"))
    own.set_defaults(run=_simulate)


def _simulate(options: argparse.Namespace) -> int:
    """Answer ``anban simulate``: 0 when closed forms and A/A test hold, 1 when the simulator is not to be believed, 2 when called wrongly."""
    try:
        setting = Setting().with_values(dict(_value(text) for text in options.values))
        worlds = list(SCENARIOS) if options.scenario == "all" else [options.scenario]
        for name in worlds:
            scenario(name)
        policies = [name for name in options.policies.split(",") if name] or list(POLICIES)
        if options.city:
            return _write(setting, worlds[0], policies[0] if options.policies else "random", options)
        made = [
            compare(
                setting, world=name, policies=policies, seeds=options.seeds, jobs=options.jobs, progress=_Saying(name)
            )
            for name in worlds
        ]
    except Refusal as refusal:
        complain(Trouble(refusal.zh, refusal.en))
        return 2
    cells = settings_map(setting, jobs=options.jobs, progress=_Saying("map")) if options.map else ()
    held = checks()
    result = {
        "closed_forms": [{**asdict(each), "holds": each.holds} for each in held],
        "comparisons": [asdict(each) for each in made],
        "map": [asdict(each) for each in cells],
    }
    if options.out:
        options.out.write_text(json.dumps(result, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
    if options.json:
        put(json.dumps(result, ensure_ascii=False, default=str))
    else:
        _show(held, made, cells)
    sound = all(each.holds for each in held) and is_sound([each.same_p_value for each in made])
    if options.publish and sound:
        _publish(options.publish, result)
    if not sound:
        complain(
            Trouble(
                "模拟器没有通过闭式解或 A/A 检验，结果不可信",
                "a closed form or the A/A test does not hold: do not believe this result",
            )
        )
    return 0 if sound else 1


def _value(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as error:
        raise Refusal("simulation.value", name, name=name, least="0", most="…", value=value or "—") from error


def _write(setting: Setting, world: str, policy: str, options: argparse.Namespace) -> int:
    if policy not in POLICIES:
        raise Refusal("simulation.unknown", "policies", name=policy, known="、".join(POLICIES))
    one = World(
        setting.with_values(scenario(world).changes), scenario(world), POLICIES[policy], options.seed, log=Log()
    )
    one.run()
    counts = write_city(one, options.city)
    put(json.dumps(counts) if options.json else "\n".join(f"{name}: {count}" for name, count in counts.items()))
    return 0


def _publish(root: str, result: dict[str, Any]) -> None:
    """Put the result on the root's page; only this needs the database and its framework."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    import_module("django").setup()
    installation, risk = (
        import_module(f"anban.{name}") for name in ("config.installation", "contexts.risk.operations")
    )
    installation.migrate()
    if not import_module("anban.contexts.territory.queries").roots().filter(pk=root).exists():
        raise Trouble(f"没有地区根 {root}", f"there is no root {root}")
    risk.publish_simulation(actor=installation.console(root), at=now(), result=result)


def _show(held: Sequence[Check], made: Sequence[Comparison], cells: Sequence[Cell]) -> None:
    for each in held:
        mark = pick("相符", "holds") if each.holds else pick("不符", "DOES NOT HOLD")
        put(f"{each.name}: {each.expected:.4f} / {each.found:.4f}  {mark}")
    for comparison in made:
        name = SCENARIOS[comparison.scenario]
        put("")
        put(pick(f"情景：{name.zh}（{comparison.seeds} 座城市）", f"scenario: {name.en} ({comparison.seeds} cities)"))
        put(pick("策略 | 加权隐患日（每场所每年） | 每次检查避免 | 比随机多避免 % | 与指数法之差", "policy | weighted hidden days per site and year | averted per visit | averted against random % | against index"))  # fmt: skip
        for row in comparison.rows:
            policy = POLICIES[row.policy]
            put(
                f"{pick(policy.zh, policy.en)} | {row.outcome.hidden_per_site_year:.1f} | {_told(row.averted_per_visit)}"
                f" | {_told(row.averted_vs_random_pct)} | {_told(row.hidden_vs_index)}"
            )
        put(f"A/A: {_told(comparison.same_against_same)} (p = {comparison.same_p_value:.2f})")
    for cell in cells:
        where = ", ".join(f"{name}={value:g}" for name, value in cell.changes.items())
        put(f"{where}: {cell.best}  ({pick('与指数法之差', 'ours against index')} {_told(cell.ours_to_index)})")


def _told(interval: Interval) -> str:
    return f"{interval.mean:.1f} [{interval.low95:.1f}, {interval.high95:.1f}]"


class _Saying:
    """Says on standard error how far a comparison is, at most once a second."""

    def __init__(self, name: str) -> None:
        self._name, self._said = name, 0.0

    def __call__(self, done: int, total: int) -> None:
        """Say how far it is."""
        if time.monotonic() - self._said >= EVERY_S or done == total:
            self._said = time.monotonic()
            sys.stderr.write(f"{self._name} {done}/{total}\n")
