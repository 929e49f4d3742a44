"""What the command line says, Chinese or English by the terminal's language, and troubles that are one clear line."""

from __future__ import annotations

import errno
import os
import sys


class Trouble(Exception):
    """Something is wrong that the person at the terminal can mend: one line in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en


def in_chinese() -> bool:
    """Tell whether the terminal's language is Chinese."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return value.lower().startswith("zh")
    return False


def pick(zh: str, en: str) -> str:
    """Return the text in the terminal's language."""
    return zh if in_chinese() else en


def say(zh: str, en: str) -> None:
    """Say a line on standard output in the terminal's language."""
    put(pick(zh, en))


def put(line: str) -> None:
    """Write a line on standard output as it is."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def complain(trouble: Trouble) -> None:
    """Write a trouble on standard error: one line, both languages."""
    sys.stderr.write(f"anban: {trouble.zh}  |  {trouble.en}\n")


def trouble_of(problem: BaseException) -> Trouble | None:
    """Return the line that a fault of the machine deserves: disk, rights, database; None for a fault of the program."""
    if isinstance(problem, Trouble):
        return problem
    if isinstance(problem, OSError):
        return _of_system(problem)
    module = type(problem).__module__
    if module.startswith(("django.db", "sqlite3", "psycopg")):
        return _of_database(problem)
    return None


def _of_system(problem: OSError) -> Trouble | None:
    where = problem.filename or ""
    if problem.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Trouble(f"不能写入 {where}：没有权限", f"{where} cannot be written: no permission")
    if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Trouble("磁盘已满", "the disk is full")
    if problem.errno in {errno.ENOTDIR, errno.EEXIST}:
        return Trouble(f"{where} 不是文件夹", f"{where} is not a folder")
    return None


def _of_database(problem: BaseException) -> Trouble | None:
    text = " ".join(str(problem).split())
    small = text.lower()
    if "disk is full" in small or "no space left" in small:
        return Trouble("磁盘已满，数据库不能写入", "the disk is full and the database cannot write")
    if "readonly" in small or "read-only" in small:
        return Trouble("数据库是只读的，请检查文件权限", "the database is read-only; check the rights of its file")
    if "locked" in small:
        return Trouble("数据库被另一个进程占用", "the database is locked by another process")
    if "no such table" in small or "undefinedtable" in small or ("relation" in small and "does not exist" in small):
        return Trouble("数据库还没有建好，请先运行 anban migrate", "the database is not set up yet: run anban migrate")
    if "role" in small and "does not exist" in small:
        return Trouble(
            "数据库没有应用角色，请先由所有者运行 anban migrate",
            "the database lacks the application's role: its owner runs anban migrate",
        )
    if "permission denied" in small:
        return Trouble(f"数据库权限不足：{text}", f"not enough rights in the database: {text}")
    if "file is not a database" in small or "malformed" in small:
        return Trouble("数据库文件已损坏，请从备份恢复", "the database file is damaged; restore a backup")
    if type(problem).__name__ in {"OperationalError", "InterfaceError"}:
        return Trouble(f"数据库连不上：{text}", f"the database cannot be reached: {text}")
    return None
