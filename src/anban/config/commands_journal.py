"""The commands of the journal: its head, its verification, proofs, backup and restore."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from anban.base.journal import checkpoints, verification
from anban.base.people.actor import Actor
from anban.base.people.queries import unreadable_factors
from anban.config import backups
from anban.config.installation import migrate
from anban.config.speaking import Trouble, complain, pick, put, say
from anban.contexts.hazards.models import Hazard
from anban.kit.clock import now

PASSPHRASE: Final = "ANBAN_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable
DETAIL: Final = 100


def add_arguments(subparsers: Any) -> None:
    """Add the commands `journal`, `backup` and `restore`."""
    _add_journal(subparsers)
    backup = subparsers.add_parser("backup", help=pick("备份", "back everything up"))
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.add_argument(
        "--with-keys", action="store_true", help=pick("连同密钥（用口令加密）", "with the keys, encrypted")
    )
    backup.set_defaults(run=_backup)
    restore = subparsers.add_parser("restore", help=pick("从备份恢复", "restore a backup"))
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--into", metavar="URL|FOLDER", help=pick("恢复到另一处", "restore into another place"))
    restore.add_argument("--with-keys", action="store_true", help=pick("连同密钥", "with the keys"))
    restore.add_argument(
        "--despite-findings", action="store_true", help=pick("核验不通过也恢复", "even if the journal does not verify")
    )
    restore.set_defaults(run=_restore)


def _add_journal(subparsers: Any) -> None:
    parser = subparsers.add_parser("journal", help=pick("存证", "the sealed journal"))
    words = parser.add_subparsers(dest="word", metavar=pick("命令", "COMMAND"), required=True)
    head = words.add_parser("head", help=pick("打印签名的日志头", "print the signed head"))
    head.add_argument("--out", type=Path, metavar="FILE", help=pick("写入文件", "write it to a file"))
    head.set_defaults(run=_head)
    verify = words.add_parser("verify", help=pick("核验日志和台账", "verify the journal and the ledger"))
    verify.add_argument("--journal-only", action="store_true", help=pick("不核对台账", "leave the ledger rows out"))
    verify.add_argument(
        "--against", type=Path, metavar="FILE", help=pick("与保存的日志头对照", "compare with a saved head")
    )
    verify.add_argument(
        "--key", type=Path, metavar="FILE", help=pick("保存的日志头所用的公钥", "the public key of that head")
    )
    verify.add_argument("--json", action="store_true", help=pick("输出一个 JSON 对象", "print one JSON object"))
    verify.set_defaults(run=_verify)
    prove = words.add_parser("prove", help=pick("出具一条记录的证明", "prove one entry"))
    prove.add_argument("what", metavar="POSITION|HZ-…", help=pick("位置或隐患编号", "a position or a hazard's number"))
    prove.add_argument(
        "--root", default="", help=pick("地区根（编号不唯一时）", "area root, where a number is not unique")
    )
    prove.set_defaults(run=_prove)
    check = words.add_parser("check", help=pick("检查一份证明，不需要数据库", "check a proof; needs no database"))
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--key", type=Path, metavar="FILE", help=pick("公钥文件", "the public key"))
    check.set_defaults(run=_check)


def _head(options: argparse.Namespace) -> int:
    note = checkpoints.head().note
    if options.out is None:
        sys.stdout.write(note)
        return 0
    options.out.write_text(note, encoding="utf-8")
    return 0


def _verify(options: argparse.Namespace) -> int:
    against, before = None, []
    if options.against is not None:
        try:
            against = checkpoints.parse(_text(options.against))
        except checkpoints.NotANote as error:
            complain(Trouble(f"{options.against} 不是日志头：{error}", f"{options.against} is no head: {error}"))
            return 2
        if not checkpoints.verify_signature(against, _key(options.key)):
            before.append(verification.Finding("head.foreign", detail=str(options.against)))
    progress = _progress if sys.stderr.isatty() and not options.json else None
    report = verification.verify(journal_only=options.journal_only, against=against, progress=progress)
    report.findings[:0] = before
    if options.json:
        put(json.dumps(_as_json(report), ensure_ascii=False))
    else:
        _tell(report)
    return 0 if report.ok else 1


def _as_json(report: verification.Report) -> dict[str, Any]:
    return {
        "ok": report.ok, "entries": report.entries, "root": report.root, "rows": report.rows, "words": report.words,
        "journal_only": report.journal_only, "seconds": round(report.seconds, 3), "more": report.more,
        "findings": [
            {
                "code": f.code, "position": f.position, "table": f.table, "id": f.row_id, "number": f.number,
                "detail": f.detail, "zh": f.zh, "en": f.en,
            }
            for f in report.findings
        ],
    }  # fmt: skip


def _tell(report: verification.Report) -> None:
    for line in backups.lines_of(report.findings[:DETAIL]):
        put(line)
    left = len(report.findings) + report.more - min(DETAIL, len(report.findings))
    if left:
        say(f"……另有 {left} 处", f"… and {left} more")
    say(f"记录 {report.entries} 条，根 {report.root}", f"{report.entries} entries, root {report.root}")
    if not report.journal_only:
        say(f"台账 {report.rows} 行", f"{report.rows} ledger rows")
    total = len(report.findings) + report.more
    if total:
        say(
            f"核验不通过：{total} 处（{report.seconds:.1f} 秒）",
            f"NOT verified: {total} findings ({report.seconds:.1f} s)",
        )
    else:
        say(f"核验通过（{report.seconds:.1f} 秒）", f"verified ({report.seconds:.1f} s)")


def _progress(done: int, total: int) -> None:
    sys.stderr.write(f"\r{done:,} / {total:,}" + ("\n" if done >= total else ""))
    sys.stderr.flush()


def _prove(options: argparse.Namespace) -> int:
    try:
        if options.what.isascii() and options.what.isdigit():
            proof = checkpoints.prove(int(options.what))
        else:
            proof = prove_hazard(options.what, root=options.root)
    except LookupError as error:
        raise Trouble(f"没有这条记录：{error}", str(error)) from error
    put(json.dumps(proof, ensure_ascii=False, indent=1))
    return 0


def prove_hazard(number: str, *, root: str = "") -> dict[str, Any]:
    """Return the proof of the last entry about the hazard with this number.

    Raises: LookupError when there is none, Trouble when several roots have one.
    """
    found = Hazard.objects.filter(number=number)
    ids = list((found.filter(root=root) if root else found).values_list("pk", flat=True)[:2])
    if not ids:
        raise LookupError(f"no hazard {number}")
    if len(ids) > 1:
        raise Trouble(
            f"{number} 在多个地区根中都有，请用 --root 指明", f"{number} stands in several roots; name one with --root"
        )
    return checkpoints.prove_matter(f"hazard:{ids[0].hex}")


def _check(options: argparse.Namespace) -> int:
    try:
        proof = json.loads(_text(options.file))
    except ValueError as error:
        complain(Trouble(f"{options.file} 不是证明", f"{options.file} is no proof: {error}"))
        return 2
    found = checkpoints.check_proof(proof if isinstance(proof, dict) else {}, _key(options.key))
    for line in found:
        put(f"✕ {line}")
    if not found:
        say("证明成立。", "The proof holds.")
        if options.key is None:
            say(
                "公钥取自证明本身，请与公布的公钥对照。",
                "Its own public key was taken: compare it with the published one.",
            )
    return 1 if found else 0


def _backup(options: argparse.Namespace) -> int:
    passphrase = _passphrase(again=True) if options.with_keys else None
    summary = backups.write(options.file.resolve(), at=now(), passphrase=passphrase)
    for digest in summary.absent:
        complain(Trouble(f"附件缺失或已损坏：{digest}", f"a file is absent or damaged: {digest}"))
    say(
        f"已备份：{summary.rows} 行，{summary.files} 个附件，日志 {summary.size} 条 → {options.file}",
        f"backed up: {summary.rows} rows, {summary.files} files, {summary.size} entries → {options.file}",
    )
    return 1 if summary.absent else 0


def _restore(options: argparse.Namespace) -> int:
    if options.into:
        return _restore_elsewhere(options)
    backups.read_manifest(options.file)
    passphrase = _passphrase(again=False) if options.with_keys else None
    migrate()
    actor = Actor(person_id=None, root="", job="console", channel="cli")
    summary = backups.restore(
        options.file, actor=actor, at=now(), passphrase=passphrase, despite_findings=options.despite_findings
    )
    for line in backups.lines_of(summary.findings[:DETAIL]):
        put(line)
    say(
        f"已恢复：{summary.rows} 行，{summary.files} 个附件，日志 {summary.size} 条，核验{'通过' if not summary.findings else '不通过'}",
        f"restored: {summary.rows} rows, {summary.files} files, {summary.size} entries, "
        f"{'verified' if not summary.findings else 'NOT verified'}",
    )
    unread = unreadable_factors()
    if unread:
        say(
            f"没有带来验证器密钥：{unread} 个账号须重新绑定验证器（安全管理员在人员页重置；第一个人用 "
            "anban set-up-link --login 账号 --reset-factor），或把 keys/factors.key 放回来",
            f"the key of the authenticators did not come along: {unread} accounts have to bind theirs again (the security "
            "administrator resets them; the first one by anban set-up-link --login NAME --reset-factor), or bring back "
            "keys/factors.key",
        )
    return 1 if summary.findings else 0


def _restore_elsewhere(options: argparse.Namespace) -> int:
    """Run the restore again as a program of its own whose database or folder is the one named."""
    environment = dict(os.environ)
    if options.into.startswith(("postgresql://", "postgres://")):
        environment["DATABASE_URL"] = options.into
    else:
        environment.pop("DATABASE_URL", None)
        environment["ANBAN_HOME"] = str(Path(options.into).resolve())
    words = [sys.executable, "-m", "anban.config.cli", "restore", str(options.file)]
    words += ["--with-keys"] if options.with_keys else []
    words += ["--despite-findings"] if options.despite_findings else []
    return subprocess.run(words, env=environment, check=False).returncode


def _passphrase(*, again: bool) -> str:
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise Trouble(
            f"请在终端输入口令，或设置 {PASSPHRASE}", f"type the passphrase at a terminal, or set {PASSPHRASE}"
        )
    first = getpass.getpass(pick("口令：", "Passphrase: "))
    if again and getpass.getpass(pick("再输一遍：", "Once more: ")) != first:
        raise Trouble("两次输入不同", "the two are different")
    return first


def _key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        key = bytes.fromhex(_text(path).strip())
    except ValueError as error:
        raise Trouble(f"{path} 不是公钥", f"{path} is no public key") from error
    if len(key) != 32:
        raise Trouble(f"{path} 不是公钥", f"{path} is no public key")
    return key


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise Trouble(f"没有文件 {path}", f"there is no file {path}") from error
    except UnicodeDecodeError as error:
        raise Trouble(f"{path} 不是文本", f"{path} is no text") from error
