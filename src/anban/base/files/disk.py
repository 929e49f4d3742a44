"""Bytes on disk under their SHA-256: written beside, made durable, then renamed into place, so that nothing is ever half there."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from anban.kit.ids import new_id
from anban.rules.errors import Refusal, register

register("file.too_large", zh="文件太大，最多 {limit_mb} MB。", en="The file is too large; the limit is {limit_mb} MB.")
register("file.empty", zh="文件是空的。", en="The file is empty.")
register(
    "file.no_space",
    zh="服务器磁盘已满，文件没有保存，请联系系统管理员。",
    en="The server's disk is full and the file was not kept; please tell the system administrator.",
)
CHUNK = 1024 * 1024
# A file size beyond what the system or a quota allows is, to the person who sends it, the same as a full disk.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Readable(Protocol):
    """Something that hands out bytes piece by piece: an upload, an open file."""

    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """Content that has arrived in a temporary file: durable, hashed, not yet in its place."""

    path: Path
    sha256: str
    size: int


def place(digest: str) -> Path:
    """Return where content with this SHA-256 lies, whether or not it is there."""
    return Path(settings.FILES_ROOT) / digest[:2] / digest


def derived_place(digest: str, width: int) -> Path:
    """Return where a smaller copy of a picture lies, whether or not it was made."""
    return Path(settings.FILES_ROOT) / "derived" / digest[:2] / f"{digest}-{width}.jpg"


@contextmanager
def taken_in(stream: Readable, limit: int) -> Iterator[Taken]:
    """Write a stream to a temporary file while hashing it; the file is gone at the end unless it was settled.

    Raises: file.too_large above ``limit`` bytes, file.empty, file.no_space.
    """
    with draft() as path:
        digest = sha256()
        size = 0
        with room(), path.open("wb") as out:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise Refusal("file.too_large", "file", limit_mb=limit // (1024 * 1024))
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if not size:
            raise Refusal("file.empty", "file")
        yield Taken(path, digest.hexdigest(), size)


@contextmanager
def draft() -> Iterator[Path]:
    """Name a temporary file beside the stored ones and remove it when it was not moved away."""
    with room():
        folder = _folder(Path(settings.FILES_ROOT) / "incoming")
    path = folder / new_id().hex
    try:
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def settle(draft_path: Path, target: Path) -> None:
    """Move a durable temporary file to its place and make the move itself durable. Raises: file.no_space."""
    with room(), sweeping(alone=False):
        _folder(target.parent)
        draft_path.chmod(0o400)
        # Also over the same content: its age then says that somebody has just brought it again.
        os.utime(draft_path)
        draft_path.replace(target)
        _sync_folder(target.parent)


@contextmanager
def room() -> Iterator[None]:
    """Turn a full disk into a refusal. Raises: file.no_space."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise Refusal("file.no_space", "file") from error
        raise


@contextmanager
def sweeping(*, alone: bool) -> Iterator[None]:
    """Hold the folder's lock: files being put in place share it, the sweeper has it alone."""
    path = Path(settings.FILES_ROOT) / ".lock"
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def digest_of(file: BinaryIO) -> str:
    """Return the SHA-256 of an open file's content."""
    digest = sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)
    return folder


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
