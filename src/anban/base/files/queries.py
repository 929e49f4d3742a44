"""Reads of files: what is attached to a matter, and the bytes, whole or as a smaller copy.

A file has no scope of its own. It is read through its matter, whose context has asked `visible_to(actor)` before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from django.db.models import QuerySet

from anban.base.files.disk import derived_place, digest_of, place
from anban.base.files.models import Attachment, StoredFile
from anban.base.files.pictures import WIDTHS, derive
from anban.base.files.sniffing import EXTENSIONS, PICTURES
from anban.base.people.actor import Actor
from anban.kit.remember import remembered
from anban.rules.errors import Refusal, register

register("file.not_found", zh="没有这个文件，或它不归您查看。", en="There is no such file, or it is not yours to see.")
register("file.no_copy", zh="这个文件没有缩略图。", en="There is no smaller copy of this file.")
register(
    "file.lost",
    zh="文件内容不在服务器上，请联系系统管理员。",
    en="The content of this file is not on the server; please tell the system administrator.",
)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file at a matter, as pages show it; what the camera claims is claimed, never proof."""

    id: UUID
    file_id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    width: int | None
    height: int | None
    purpose: str
    cycle_no: int
    attached_at: datetime
    attached_by: str
    claims_taken_at: str
    claims_position: tuple[float, float] | None

    @property
    def is_picture(self) -> bool:
        """Tell whether there are smaller copies to show."""
        return self.mime in PICTURES


def visible_to(actor: Actor) -> QuerySet[StoredFile]:
    """Return the files of the actor's root: the outer bound; within it the matter decides (`matters_of`)."""
    return StoredFile.objects.filter(root=actor.root)


def attachments(matter_id: UUID, *, purposes: Iterable[str] = ()) -> tuple[Attached, ...]:
    """Return what is attached to a matter (with one of ``purposes``, or all), by cycle and time.

    The caller has found the matter within `visible_to(actor)`.
    """
    rows = Attachment.objects.filter(matter_id=matter_id).select_related("file", "file__claim")
    named = tuple(purposes)
    if named:
        rows = rows.filter(purpose__in=named)
    return tuple(_attached(row) for row in rows.order_by("cycle_no", "attached_at", "id"))


def matters_of(actor: Actor, file_id: UUID) -> tuple[tuple[str, UUID], ...]:
    """Return the matters to which a file of the actor's root is attached: it may be read by whoever may see one of them."""
    rows = Attachment.objects.filter(file__in=visible_to(actor), file_id=file_id)
    return tuple(rows.order_by("matter_id").values_list("matter_kind", "matter_id").distinct())


@remembered
def files_by_id(root: str, ids: tuple[UUID, ...]) -> tuple[StoredFile, ...]:
    """Return the stored files of a root with these ids, for operations that have checked who asks."""
    return tuple(StoredFile.objects.filter(pk__in=ids, root=root))


def file(actor: Actor, file_id: UUID) -> StoredFile:
    """Return one stored file of the actor's root. Raises: file.not_found."""
    row = visible_to(actor).filter(pk=file_id).first()
    if row is None:
        raise Refusal("file.not_found")
    return row


def open_original(row: StoredFile) -> BinaryIO:
    """Open the original bytes for reading. Raises: file.lost."""
    try:
        return place(row.sha256).open("rb")
    except FileNotFoundError as error:
        raise Refusal("file.lost") from error


def open_derived(row: StoredFile, width: int) -> BinaryIO:
    """Open a smaller copy of a picture (JPEG; ``width`` one of 160 and 1280), made when first asked for.

    Raises: file.no_copy, file.lost, file.broken, file.no_space.
    """
    if width not in WIDTHS or row.mime not in PICTURES:
        raise Refusal("file.no_copy")
    target = derived_place(row.sha256, width)
    for _ in range(2):
        try:
            return target.open("rb")
        except FileNotFoundError:
            open_original(row).close()
            derive(place(row.sha256), target, width)
    return target.open("rb")


def download_name(row: StoredFile) -> str:
    """Return a name to save the file under, whose ending tells what the file is."""
    ending = EXTENSIONS[row.mime]
    return row.name if row.name.lower().endswith(ending) else f"{row.name or row.sha256[:12]}{ending}"


def damaged() -> Iterator[tuple[UUID, str]]:
    """Yield (file id, ``lost`` or ``changed``) for every stored file whose bytes are no longer those of its hash."""
    known: dict[str, str] = {}
    for row_id, digest in StoredFile.objects.order_by("sha256").values_list("pk", "sha256").iterator():
        if digest not in known:
            known = {digest: _condition(digest)}
        if known[digest]:
            yield row_id, known[digest]


def _condition(digest: str) -> str:
    try:
        with place(digest).open("rb") as content:
            return "" if digest_of(content) == digest else "changed"
    except FileNotFoundError:
        return "lost"


def _attached(row: Attachment) -> Attached:
    stored = row.file
    claim = getattr(stored, "claim", None)
    has_position = claim is not None and claim.lng_wgs84 is not None and claim.lat_wgs84 is not None
    return Attached(
        id=row.pk,
        file_id=stored.pk,
        name=stored.name,
        mime=stored.mime,
        size=stored.size,
        sha256=stored.sha256,
        width=stored.width,
        height=stored.height,
        purpose=row.purpose,
        cycle_no=row.cycle_no,
        attached_at=row.attached_at,
        attached_by=row.attached_by,
        claims_taken_at=claim.taken_at_text if claim else "",
        claims_position=(claim.lng_wgs84, claim.lat_wgs84) if claim and has_position else None,
    )
