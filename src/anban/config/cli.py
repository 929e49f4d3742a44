"""The command ``anban``: one parser, no framework until a command needs it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from anban.config.speaking import Trouble, complain, pick, trouble_of

Handler = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the command line: who answers it, and whether the answer needs the database's framework.

    ``entry`` is ``module:function``. An entry without a function names a module whose ``add_arguments(subparsers)`` adds the
    command's parser and sets ``run`` on it; it is loaded only when its word is given.
    """

    name: str
    entry: str
    zh: str
    en: str
    framework: bool = True


COMMANDS: Final = (
    Command("up", "anban.config.running:up", "创建并启动全部：网页、后台进程", "create everything and start it: web server and worker", framework=False),
    Command("init", "anban.config.installation:init_command", "建立正式地区和数据管理员", "create the real areas and a steward"),
    Command("migrate", "anban.config.installation:migrate_command", "升级数据库并重建防护", "bring the database up to date and its guards with it"),
    Command("web", "anban.config.running:web", "只启动网页服务", "start the web server alone", framework=False),
    Command("worker", "anban.config.running:worker", "只启动后台进程", "start the worker alone", framework=False),
    Command("token", "anban.config.installation:token_command", "发放接口令牌", "issue a key for programs"),
    Command("set-up-link", "anban.config.installation:link_command", "为账号重新生成一次性设置链接", "make a new one-time set-up link for an account"),
    Command("status", "anban.config.installation:status_command", "检查运行状况", "look whether everything is in order"),
    Command("journal", "anban.config.commands_journal", "存证：head、verify、prove", "the sealed journal: head, verify, prove"),
    Command("backup", "anban.config.commands_journal", "备份", "back everything up"),
    Command("restore", "anban.config.commands_journal", "从备份恢复", "restore a backup"),
    Command("import", "anban.config.commands_tables", "导入表格", "take in tables"),
    Command("export", "anban.config.commands_tables", "导出表格", "give out tables"),
    Command("net", "anban.config.commands_net", "责任网：空白、交叉、查询一处", "the responsibility net: gaps, overlaps, one place"),
    Command("assess", "anban.config.commands_assess", "全市评估：覆盖、欠账、反弹、风险排序", "assess the whole city: coverage, debts, rebounds, risk order"),
    Command("rule", "anban.config.commands_rules", "试算一条规则", "compute one rule", framework=False),
    Command("simulate", "anban.config.commands_simulate", "模拟城市，比较检查策略", "compare supervision policies in a simulated city", framework=False),
    Command("rank", "anban.config.commands_rank", "为一个文件夹中的单位排出检查次序", "rank the places of a folder: whom to visit first", framework=False),
)  # fmt: skip


def _present(command: Command) -> bool:
    return find_spec(command.entry.partition(":")[0]) is not None


def parser_of(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; a command that lives in a module of its own is parsed in full only when it is the one given."""
    parser = argparse.ArgumentParser(
        prog="anban", description=pick("安办：安全隐患一本账", "Anban: one ledger for every hazard of a city")
    )
    subparsers = parser.add_subparsers(dest="command", metavar=pick("命令", "COMMAND"), required=True)
    given = next((word for word in words if not word.startswith("-")), "")
    for command in COMMANDS:
        if not _present(command):
            continue
        text = pick(command.zh, command.en)
        if ":" in command.entry:
            own = subparsers.add_parser(command.name, help=text, description=text)
            for flags, options in ARGUMENTS.get(command.name, ()):
                own.add_argument(*flags, **{**options, "help": pick(*options["help"])})
        elif command.name == given:
            _needs(command)
            names = {each.name for each in COMMANDS if each.entry == command.entry}
            import_module(command.entry).add_arguments(_Only(subparsers, names - {given}))
        else:
            subparsers.add_parser(command.name, help=text)
    return parser


class _Only:
    """Subparsers that pass over the sisters of the command given: those are already listed."""

    def __init__(self, subparsers: Any, listed: set[str]) -> None:
        self._subparsers = subparsers
        self._listed = listed

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser:
        """Add a parser, or a blind one for a command that stands in the list in short."""
        if name in self._listed:
            return argparse.ArgumentParser(prog=name)
        parser: argparse.ArgumentParser = self._subparsers.add_parser(name, **options)
        return parser


def _needs(command: Command) -> None:
    """Make Django ready when the command needs it."""
    if not command.framework:
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    try:
        import_module("django").setup()
    except ValueError as problem:
        raise Trouble(f"设置有误：{problem}", f"a setting is wrong: {problem}") from problem


def _run(words: Sequence[str]) -> int:
    options = parser_of(words).parse_args(words)
    command = next(each for each in COMMANDS if each.name == options.command)
    if ":" not in command.entry:
        handler: Handler = options.run
        return handler(options)
    _needs(command)
    module, _, function = command.entry.partition(":")
    answer: Handler = getattr(import_module(module), function)
    return answer(options)


def main(words: Sequence[str] | None = None) -> int:
    """Answer one command: 0 when all is well, 1 when something is wrong, 2 when it was called wrongly."""
    try:
        return _run(list(sys.argv[1:] if words is None else words))
    except KeyboardInterrupt:
        return 1
    except Exception as problem:
        trouble = trouble_of(problem)
        refusal = getattr(problem, "code", None)
        if trouble is None and isinstance(refusal, str) and hasattr(problem, "zh"):
            trouble = Trouble(problem.zh, getattr(problem, "en", ""))
        if trouble is None:
            raise
        complain(trouble)
        return 1


_HOST = (("--host",), {"default": "127.0.0.1", "help": ("监听地址", "address to listen on")})
_PORT = (("--port",), {"type": int, "default": 8000, "help": ("端口", "port")})
_WORKERS = (("--workers",), {"type": int, "default": 1, "choices": range(1, 17), "metavar": "N", "help": ("网页进程数", "number of web processes")})  # fmt: skip
_THREADS = (("--threads",), {"type": int, "default": 2, "choices": range(1, 65), "metavar": "N", "help": ("每个进程的线程数", "threads of each process")})  # fmt: skip
_JSON = (("--json",), {"action": "store_true", "help": ("输出一个 JSON 对象", "print one JSON object")})
ARGUMENTS: Final[dict[str, tuple[tuple[tuple[str, ...], dict[str, Any]], ...]]] = {
    "up": (
        _HOST, _PORT, _WORKERS, _THREADS,
        (("--no-demo",), {"action": "store_true", "help": ("首次启动时不建演示城市", "no demonstration city at the first start")}),
        (("--fill",), {"type": int, "default": 20000, "metavar": "N", "help": ("演示隐患总数", "hazards of the demonstration")}),
    ),
    "init": (
        (("--demo",), {"action": "store_true", "help": ("另建演示城市，随机密码", "a demonstration city as well, with random passwords")}),
        (("--fill",), {"type": int, "default": 20000, "metavar": "N", "help": ("演示隐患总数", "hazards of the demonstration")}),
        _JSON,
    ),
    "migrate": (),
    "web": (_HOST, _PORT, _WORKERS, _THREADS),
    "worker": ((("--once",), {"action": "store_true", "help": ("做完到期的任务就退出", "do what is due and stop")}),),
    "token": (
        (("--login",), {"required": True, "help": ("账号", "whose key")}),
        (("--scope",), {"default": "read", "help": ("范围：read，或 read,write", "what it may do: read, or read,write")}),
        (("--days",), {"type": int, "default": 90, "help": ("有效天数", "for how many days")}),
        _JSON,
    ),
    "set-up-link": (
        (("--login",), {"required": True, "help": ("账号", "whose link")}),
        (("--reset-factor",), {"action": "store_true", "help": ("同时解除第二因素", "unbind the second factor as well")}),
    ),
    "status": (_JSON,),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
