"""Small labelled pictures of the demonstration: a drawn scene before and after, stored and attached like any photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from random import Random
from uuid import UUID

from PIL import Image, ImageDraw

from anban.base.files.models import StoredFile
from anban.base.files.operations import attach, store
from anban.config.demonstration.bodies import ROOT, City
from anban.contexts.hazards.models import Hazard

SIZE = (480, 360)
COLOURS = {"before": ((120, 92, 78), (186, 70, 52)), "after": ((96, 112, 104), (62, 128, 92))}
SCENES = 24
"""Different pictures of each purpose; hazards share them, as files are kept by their content."""

LABELS = {"before": "BEFORE / DEMO", "after": "AFTER / DEMO"}


def store_pictures(city: City) -> dict[str, tuple[UUID, ...]]:
    """Store the pictures before and after, once; returns their ids by purpose."""
    return {purpose: tuple(_stored(city, purpose, scene).pk for scene in range(SCENES)) for purpose in COLOURS}


def show_before(city: City, hazards: Sequence[Hazard], photos: Mapping[str, Sequence[UUID]], *, most: int) -> int:
    """Attach a picture to so many of the open hazards, as whoever found them would have; returns how many got one."""
    rows = [row for row in hazards if row.is_open][:most]
    for number, row in enumerate(rows):
        attach(
            actor=city.job, at=row.entered_at, file=photos["before"][number % SCENES], matter_kind="hazard",
            matter_id=row.pk, purpose="before", cycle_no=row.cycle_no,
        )  # fmt: skip
    return len(rows)


def _stored(city: City, purpose: str, scene: int) -> StoredFile:
    stream = BytesIO(picture(purpose, scene))
    name = f"演示图片-{'整改前' if purpose == 'before' else '整改后'}-{scene + 1:02d}.jpg"
    return store(actor=city.job, at=city.began, root=ROOT, stream=stream, name=name)


def picture(purpose: str, scene: int) -> bytes:
    """Return one small JPEG: a corridor with things standing in it before, and cleared after, labelled as a demonstration."""
    rng = Random(scene)  # noqa: S311 - a drawing
    wall, mark = COLOURS[purpose]
    image = Image.new("RGB", SIZE, tuple(min(255, c + 90) for c in wall))
    pen = ImageDraw.Draw(image)
    width, height = SIZE
    pen.polygon([(0, height), (width, height), (width * 0.62, height * 0.55), (width * 0.38, height * 0.55)], fill=wall)
    pen.rectangle((width * 0.40, height * 0.22, width * 0.60, height * 0.55), fill=(70, 74, 80))
    if purpose == "before":
        for _ in range(rng.randint(3, 6)):
            left, top = rng.randint(40, 380), rng.randint(210, 300)
            size = rng.randint(24, 62)
            pen.rectangle((left, top - size, left + size, top), fill=(rng.randint(120, 200), rng.randint(90, 140), 70))
    else:
        pen.line((width * 0.42, height * 0.52, 90, height - 30), fill=(230, 210, 90), width=4)
        pen.line((width * 0.58, height * 0.52, width - 90, height - 30), fill=(230, 210, 90), width=4)
    pen.rectangle((0, 0, width, 30), fill=mark)
    pen.text((10, 9), f"{LABELS[purpose]} {scene + 1:02d}", fill=(255, 255, 255))
    out = BytesIO()
    image.save(out, "JPEG", quality=72)
    return out.getvalue()
