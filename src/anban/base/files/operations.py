"""Writes of files: storing content once per root, and putting a stored file to a matter."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from uuid import UUID

from django.db import IntegrityError, transaction

from anban.base.files.disk import Readable, Taken, place, settle, taken_in
from anban.base.files.models import Attachment, FileClaim, StoredFile
from anban.base.files.pictures import Picture, read_picture
from anban.base.files.sniffing import ANYTHING, PICTURES, mime_of
from anban.base.journal.births import add, born_of
from anban.base.journal.operations import record, unit
from anban.base.people.actor import Actor
from anban.rules.errors import Refusal, register

register(
    "file.other_root",
    zh="文件属于另一个辖区，不能用在这里。",
    en="The file belongs to another area root and cannot be used here.",
)

DOCUMENT_LIMIT = 50 * 1024**2
IMPORT_LIMIT = 1024**3 + 1


def store(
    *,
    actor: Actor,
    at: datetime,
    root: str,
    stream: Readable,
    name: str,
    limit: int = DOCUMENT_LIMIT,
    accept: frozenset[str] = ANYTHING,
) -> StoredFile:
    """Keep a file's original bytes under their SHA-256 and return its row; the same bytes in one root are one row.

    Call it before opening a unit of work: reading, hashing and the checks of the content need no transaction. The bytes
    are durable and in their place before the row is written, so a crash leaves at most bytes without a row (swept later),
    never a row without bytes. ``accept`` names the media types that are welcome here.

    Raises: file.too_large (above ``limit`` bytes), file.empty, file.type_unknown, file.type_not_here, file.heic,
    file.broken, file.bomb, file.picture_too_large, file.no_space.
    """
    with taken_in(stream, limit) as taken:
        mime = mime_of(taken.path)
        if mime not in accept:
            raise Refusal("file.type_not_here", "file", mime=mime)
        picture = read_picture(taken.path, mime) if mime in PICTURES else None
        settle(taken.path, place(taken.sha256))
    with unit():
        present = StoredFile.objects.filter(root=root, sha256=taken.sha256).first()
        if present is not None:
            return present
        try:
            with transaction.atomic():
                row = _write(actor, at, root, taken, mime, _plain_name(name), picture)
        except IntegrityError:
            # Somebody else stored the same bytes in this moment.
            return StoredFile.objects.get(root=root, sha256=taken.sha256)
        record(
            "file.stored", actor=actor, at=at, subject=("file", row.pk),
            data={"sha256": row.sha256, "size": row.size, "mime": row.mime},
        )  # fmt: skip
        return row


def attach(
    *,
    actor: Actor,
    at: datetime,
    file: StoredFile | UUID,
    matter_kind: str,
    matter_id: UUID,
    purpose: str,
    cycle_no: int = 0,
) -> Attachment:
    """Put a stored file to a matter with a purpose (before, after, paper, source); doing it again changes nothing.

    The caller has checked that the actor may write to the matter. Raises: file.other_root.
    """
    with unit(savepoint=False):
        row = file if isinstance(file, StoredFile) else StoredFile.objects.get(pk=file)
        if row.root != actor.root:
            raise Refusal("file.other_root", "file")
        attachment, made = _attached(
            Attachment(
                file=row, matter_id=matter_id, cycle_no=cycle_no, purpose=purpose, matter_kind=matter_kind, attached_at=at,
                attached_by=actor.reference,
            )
        )  # fmt: skip
        if made:
            record(
                "file.attached", actor=actor, at=at, subject=("file", row.pk), matter=(matter_kind, matter_id),
                data={"sha256": row.sha256, "purpose": purpose, "cycle_no": cycle_no},
            )  # fmt: skip
        return attachment


def _attached(wanted: Attachment) -> tuple[Attachment, bool]:
    """Return the attachment and whether it is new."""
    same = {"file_id": wanted.file_id, "cycle_no": wanted.cycle_no, "purpose": wanted.purpose}
    fresh = born_of(Attachment, wanted.matter_id)
    if fresh is None:
        more = {
            "matter_kind": wanted.matter_kind,
            "attached_at": wanted.attached_at,
            "attached_by": wanted.attached_by,
        }
        return Attachment.objects.get_or_create(**same, matter_id=wanted.matter_id, defaults=more)
    known = [one for one in fresh if all(getattr(one, name) == value for name, value in same.items())]
    return (known[0], False) if known else (add(wanted, matter=wanted.matter_id), True)


def erase_claim(*, actor: Actor, at: datetime, file_id: UUID, reason: str) -> None:
    """Erase what the camera claimed about time, place and device; the picture and its hash stay as they are.

    Source: 个人信息保护法 第47条.
    """
    with unit():
        removed, _ = FileClaim.objects.filter(file_id=file_id).delete()
        if removed:
            record("file_claim.erased", actor=actor, at=at, subject=("file", file_id), words={"reason": reason})


def _write(
    actor: Actor, at: datetime, root: str, taken: Taken, mime: str, name: str, picture: Picture | None
) -> StoredFile:
    row = StoredFile.objects.create(
        root=root, sha256=taken.sha256, size=taken.size, mime=mime, name=name,
        width=picture.width if picture else None, height=picture.height if picture else None,
        stored_at=at, stored_by=actor.reference,
    )  # fmt: skip
    if picture is not None and not picture.claim.is_empty:
        claim = picture.claim
        FileClaim.objects.create(
            file=row, taken_at_text=claim.taken_at_text, lng_wgs84=claim.lng_wgs84, lat_wgs84=claim.lat_wgs84,
            device=claim.device,
        )  # fmt: skip
    return row


def _plain_name(name: str) -> str:
    """Return the last part of a name as the sender's machine wrote it, without folders and control characters."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(char for char in last if char.isprintable())[-200:]
