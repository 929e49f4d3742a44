"""Storing and attaching files: the bytes first, the row after, the camera's claims apart."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import resource
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connections
from PIL import Image

from anban.base.files import jobs, operations, queries
from anban.base.files.disk import place
from anban.base.files.models import Attachment, FileClaim, StoredFile
from anban.base.files.sniffing import CSV, GZIP, JPEG, PDF, PICTURES, PNG, WEBP, XLSX
from anban.base.journal.models import Entry
from anban.base.people.actor import Actor, job_actor
from anban.rules.errors import Refusal

AT = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
ACTOR = Actor(person_id=uuid4(), root="bj")


class SilentHandle:
    """A handle for calling a job's function directly."""

    args: dict[str, object] = {}
    root = ""
    asked_by = None

    def progress(self, done: int, total: int = 0, stage: str = "") -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def folder(settings: object, tmp_path: Path) -> Path:
    settings.FILES_ROOT = tmp_path / "files"  # type: ignore[attr-defined]
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def picture(size: tuple[int, int] = (400, 300), kind: str = "JPEG", *, exif: Image.Exif | None = None) -> bytes:
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.save(out, kind, **({"exif": exif} if exif is not None else {}))
    return out.getvalue()


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Huawei", "P60", 6
    exif.get_ifd(0x8769)[0x9003] = "2026:05:03 09:08:07"
    exif.get_ifd(0x8769)[0x9011] = "+08:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (39.0, 54.0, 30.0), "E", (116.0, 24.0, 0.0)
    return exif


def workbook(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def store(content: bytes, *, root: str = "bj", name: str = "a", **options: object) -> StoredFile:
    return operations.store(actor=ACTOR, at=AT, root=root, stream=io.BytesIO(content), name=name, **options)  # type: ignore[arg-type]


def files_in(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != ".lock")


@pytest.mark.django_db
def test_store_keeps_the_original_bytes_under_their_hash_and_records_it(folder: Path) -> None:
    content = picture(exif=camera())
    row = store(content, name="C:\\照片\\灭火器.jpg")
    digest = hashlib.sha256(content).hexdigest()
    assert files_in(folder) == [f"{digest[:2]}/{digest}"]
    with queries.open_original(row) as original:
        assert original.read() == content
    assert (row.sha256, row.size, row.mime, row.name, row.root) == (digest, len(content), JPEG, "灭火器.jpg", "bj")
    # The picture lies on its side; people see it upright.
    assert (row.width, row.height) == (300, 400)
    body = json.loads(Entry.objects.get().body)
    assert (body["verb"], body["data"]) == ("file.stored", {"sha256": digest, "size": len(content), "mime": JPEG})


@pytest.mark.django_db
def test_store_reads_the_cameras_claims_apart_and_they_can_be_erased() -> None:
    row = store(picture(exif=camera()))
    claim = FileClaim.objects.get(file=row)
    assert claim.taken_at_text == "2026:05:03 09:08:07+08:00"
    assert claim.lat_wgs84 == pytest.approx(39.908333)
    assert claim.lng_wgs84 == pytest.approx(116.4)
    assert claim.device == "Huawei P60"
    assert "39.9" not in "".join(Entry.objects.values_list("body", flat=True))
    operations.erase_claim(actor=ACTOR, at=AT, file_id=row.pk, reason="本人要求")
    assert not FileClaim.objects.exists()
    with queries.open_original(row) as original:
        assert hashlib.sha256(original.read()).hexdigest() == row.sha256


@pytest.mark.django_db
def test_the_same_bytes_are_one_row_in_a_root_and_another_in_another_root(folder: Path) -> None:
    content = picture()
    assert store(content).pk == store(content).pk
    assert store(content, root="demo").pk != store(content).pk
    assert len(files_in(folder)) == 1
    assert Entry.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (picture(), JPEG),
        (picture(kind="PNG"), PNG),
        (picture(kind="WEBP"), WEBP),
        (b"%PDF-1.7\nbody\n%%EOF\n", PDF),
        (workbook(), XLSX),
        ("编号,名称\n1,仓库\n".encode(), CSV),
        ("编号,名称\r\n".encode("utf-8-sig"), CSV),
        ("编号,名称\n1,仓库\n".encode("gb18030"), CSV),
        (gzip.compress("编号,名称\n1,仓库\n".encode(), mtime=0), GZIP),
        # A long one whose 64 KiB end in the middle of a character.
        (b"a,b\n" + "隐患".encode() * 20_000, CSV),
    ],
)
def test_store_tells_the_type_by_content_whatever_the_name_says(content: bytes, mime: str) -> None:
    assert store(content, name="x.exe").mime == mime


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b"MZ\x90\x00 a program", "file.type_unknown"),
        (b"<html><script>alert(1),</script>", "file.type_unknown"),
        (b"<svg onload='a,b'/>", "file.type_unknown"),
        (b"#!/bin/sh\nrm a,b\n", "file.type_unknown"),
        (b"GIF89a,\x01\x02", "file.type_unknown"),
        (gzip.compress(b"\x7fELF\0\0,", mtime=0), "file.type_unknown"),
        (gzip.compress(b"a,b\n" * 5000, mtime=0)[:60], "file.broken"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "file.heic"),
        (b"%PDF-1.7\nbody cut off", "file.broken"),
        (picture()[:-200], "file.broken"),
        (picture(kind="PNG")[:-30], "file.broken"),
        (b"\xff\xd8\xff\xe0 no picture at all", "file.broken"),
        (workbook()[:-40], "file.broken"),
        (workbook(**{"xl/a.xml": bytes(300 * 1024**2)}), "file.bomb"),
    ],
)
def test_store_refuses_by_name_and_leaves_nothing(folder: Path, content: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        store(content)
    assert refusal.value.code == code
    assert files_in(folder) == []
    assert not StoredFile.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_store_refuses_a_zip_that_is_no_workbook() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(Refusal, match="不支持这种文件"):
        store(out.getvalue())


@pytest.mark.django_db
def test_store_refuses_a_picture_of_too_many_pixels_without_unpacking_it(folder: Path) -> None:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    assert len(out.getvalue()) < 1_000_000
    for size in ((8_000, 6_000), (10_000, 9_500)):
        small = io.BytesIO()
        Image.new("1", size).save(small, "PNG")
        with pytest.raises(Refusal) as refusal:
            store(small.getvalue())
        assert refusal.value.code == "file.picture_too_large"
    with pytest.raises(Refusal) as refusal:
        store(out.getvalue())
    assert refusal.value.code == "file.picture_too_large"
    assert files_in(folder) == []


@pytest.mark.django_db
def test_store_stops_reading_at_the_limit(folder: Path) -> None:
    class Endless:
        read_bytes = 0

        def read(self, size: int = -1, /) -> bytes:
            self.read_bytes += size
            return b"a,b\n" * (size // 4)

    stream = Endless()
    with pytest.raises(Refusal) as refusal:
        operations.store(actor=ACTOR, at=AT, root="bj", stream=stream, name="x", limit=5 * 1024**2)
    assert refusal.value.code == "file.too_large"
    assert refusal.value.params == {"limit_mb": 5}
    assert stream.read_bytes <= 7 * 1024**2
    assert files_in(folder) == []


@pytest.mark.django_db
def test_store_refuses_what_is_not_welcome_here() -> None:
    with pytest.raises(Refusal) as refusal:
        store(b"a,b\n1,2\n", accept=PICTURES)
    assert refusal.value.code == "file.type_not_here"


@pytest.mark.django_db
def test_a_disk_that_takes_no_more_leaves_no_half_file(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    content = b"a,b\n" * 1_000_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 1024**2, hard))
    try:
        with pytest.raises(Refusal) as refusal:
            store(content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refusal.value.code == "file.no_space"
    assert files_in(folder) == []
    assert store(content).size == len(content)


@pytest.mark.django_db
def test_attach_is_once_and_stands_on_the_matters_timeline() -> None:
    row = store(picture())
    matter = uuid4()
    for _ in range(2):
        operations.attach(
            actor=ACTOR, at=AT, file=row, matter_kind="hazard", matter_id=matter, cycle_no=1, purpose="before"
        )
    operations.attach(actor=ACTOR, at=AT, file=row.pk, matter_kind="hazard", matter_id=matter, purpose="paper")
    found = queries.attachments(matter)
    assert [(a.purpose, a.cycle_no, a.is_picture) for a in found] == [("paper", 0, True), ("before", 1, True)]
    assert [a.purpose for a in queries.attachments(matter, purposes=["before"])] == ["before"]
    verbs = [
        json.loads(b)["verb"]
        for b in Entry.objects.filter(matter=f"hazard:{matter.hex}").values_list("body", flat=True)
    ]
    assert verbs == ["file.attached", "file.attached"]
    assert queries.matters_of(ACTOR, row.pk) == (("hazard", matter),)


@pytest.mark.django_db
def test_attach_refuses_a_file_of_another_root() -> None:
    row = store(picture(), root="demo")
    with pytest.raises(Refusal) as refusal:
        operations.attach(actor=ACTOR, at=AT, file=row, matter_kind="hazard", matter_id=uuid4(), purpose="before")
    assert refusal.value.code == "file.other_root"
    assert not Attachment.objects.exists()
    with pytest.raises(Refusal):
        queries.file(ACTOR, row.pk)
    assert queries.matters_of(ACTOR, row.pk) == ()


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_attachments_take_one_query(count: int, django_assert_num_queries: object) -> None:
    matter = uuid4()
    for number in range(count):
        row = store(picture((40 + number, 30), exif=camera()))
        operations.attach(actor=ACTOR, at=AT, file=row, matter_kind="hazard", matter_id=matter, purpose="before")
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = queries.attachments(matter)
    assert len(found) == count
    assert found[0].claims_position == pytest.approx((116.4, 39.908333))


@pytest.mark.django_db
def test_derived_copies_are_upright_small_and_say_nothing_of_the_camera(folder: Path) -> None:
    row = store(picture((4000, 3000), exif=camera()))
    for width in (160, 1280):
        for _ in range(2):
            with queries.open_derived(row, width) as copy, Image.open(copy) as image:
                assert image.size == (width, round(width * 4 / 3))
                assert not image.getexif()
                assert "exif" not in image.info
                # Blue was on the left; turned by the camera's word it is at the top.
                red, _, blue = image.convert("RGB").getpixel((width // 2, 5))
                assert blue > red
    assert len([name for name in files_in(folder) if name.startswith("derived/")]) == 2
    with pytest.raises(Refusal) as refusal:
        queries.open_derived(row, 500)
    assert refusal.value.code == "file.no_copy"


@pytest.mark.django_db
def test_derived_copy_of_a_transparent_picture_lies_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(out, "PNG")
    with queries.open_derived(store(out.getvalue()), 160) as copy, Image.open(copy) as image:
        assert image.getpixel((80, 80)) == (255, 255, 255)


@pytest.mark.django_db
def test_damaged_names_lost_and_changed_content() -> None:
    sound, changed, lost = store(picture((50, 50))), store(picture((60, 60))), store(picture((70, 70)))
    assert list(queries.damaged()) == []
    path = place(changed.sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    place(lost.sha256).unlink()
    assert dict(queries.damaged()) == {changed.pk: "changed", lost.pk: "lost"}
    with pytest.raises(Refusal) as refusal:
        queries.open_original(lost)
    assert refusal.value.code == "file.lost"
    with queries.open_original(sound) as original:
        assert original.read(3) == b"\xff\xd8\xff"


@pytest.mark.django_db
def test_sweep_takes_only_old_bytes_without_a_row(folder: Path) -> None:
    kept = store(picture((50, 50)))
    orphan, fresh = store(picture((60, 60))), store(picture((70, 70)))
    queries.open_derived(orphan, 160).close()
    StoredFile.objects.filter(pk__in=[orphan.pk, fresh.pk]).delete()
    (folder / "incoming" / "left").write_bytes(b"half")
    old = (AT - timedelta(days=8)).timestamp()
    young = (AT - timedelta(days=6)).timestamp()
    for path, age in [
        (place(kept.sha256), old), (place(orphan.sha256), old), (place(fresh.sha256), young),
        (folder / "incoming" / "left", old),
    ]:  # fmt: skip
        os.utime(path, (age, age))
    assert jobs.sweep(AT, SilentHandle()) == {"removed": 2}
    assert files_in(folder) == sorted(f"{row.sha256[:2]}/{row.sha256}" for row in (kept, fresh))
    # The same bytes brought again are young again.
    os.utime(place(fresh.sha256), (old, old))
    again = store(picture((70, 70)))
    StoredFile.objects.filter(pk=again.pk).delete()
    assert jobs.sweep(AT, SilentHandle()) == {"removed": 0}


@pytest.mark.django_db(transaction=True)
def test_four_at_once_with_the_same_bytes_make_one_row(folder: Path) -> None:
    content = picture()
    start = threading.Barrier(4)
    rows: list[object] = []

    def one() -> None:
        try:
            start.wait()
            rows.append(
                operations.store(actor=job_actor("t", "bj"), at=AT, root="bj", stream=io.BytesIO(content), name="a").pk
            )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows) == 4
    assert len(set(rows)) == 1
    assert StoredFile.objects.count() == Entry.objects.count() == 1
    assert len(files_in(folder)) == 1
