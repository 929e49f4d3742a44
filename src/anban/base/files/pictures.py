"""Pictures: checked whole before they are kept, what the camera claims read apart, smaller copies without any of it."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from anban.base.files.disk import draft, room, settle
from anban.base.files.sniffing import JPEG
from anban.rules.errors import Refusal, register

register(
    "file.picture_too_large",
    zh="图片有 {megapixels} 百万像素，最多 {limit} 百万像素。",
    en="The picture has {megapixels} megapixels; the limit is {limit}.",
)
WIDTHS = (160, 1280)
QUALITY = 82
# A decoded picture takes three or four bytes a pixel; a JPEG is decoded at a fraction of its size.
MOST_JPEG_PIXELS = 65_000_000
MOST_PIXELS = 40_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError, IndexError, struct.error, EOFError)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the camera wrote into the file: a claim about time and place (WGS-84), never a proof."""

    taken_at_text: str = ""
    lng_wgs84: float | None = None
    lat_wgs84: float | None = None
    device: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether the file claims nothing."""
        return self == Claim()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was read to its end: its size in pixels as people see it, and what it claims."""

    width: int
    height: int
    claim: Claim


def read_picture(path: Path, mime: str) -> Picture:
    """Read a picture to its end. Raises: file.broken, file.picture_too_large."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = _size_within_limits(image, mime)
            claim = _claim(image)
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in {5, 6, 7, 8}
            image.draft("RGB", (WIDTHS[-1], WIDTHS[-1]))
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(int(Image.MAX_IMAGE_PIXELS or MOST_PIXELS), MOST_PIXELS) from error
    except UNREADABLE as error:
        raise Refusal("file.broken", "file") from error
    return Picture(height, width, claim) if turned else Picture(width, height, claim)


def derive(original: Path, target: Path, width: int) -> None:
    """Make a smaller copy: upright, without EXIF, at most ``width`` pixels wide and twice as high. Raises: file.broken, file.no_space."""
    try:
        with Image.open(original, formats=FORMATS) as image:
            image.draft("RGB", (width, width))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((width, 2 * width), Image.Resampling.LANCZOS)
            plain = _on_white(upright)
    except UNREADABLE as error:
        raise Refusal("file.broken", "file") from error
    with draft() as path:
        with room(), path.open("wb") as out:
            # A new picture of the pixels alone: nothing that stood in the original's header comes along.
            plain.save(out, "JPEG", quality=QUALITY, optimize=True)
            out.flush()
            os.fsync(out.fileno())
        settle(path, target)


def _on_white(image: Image.Image) -> Image.Image:
    with_alpha = image.convert("RGBA") if image.mode in {"RGBA", "LA", "PA", "P"} else None
    plain = Image.new("RGB", image.size, "white")
    if with_alpha is not None:
        plain.paste(with_alpha, mask=with_alpha.getchannel("A"))
    else:
        plain.paste(image.convert("RGB"))
    return plain


def _size_within_limits(image: Image.Image, mime: str) -> tuple[int, int]:
    width, height = image.size
    limit = MOST_JPEG_PIXELS if mime == JPEG else MOST_PIXELS
    if width * height > limit:
        raise _too_large(width * height, limit)
    return width, height


def _too_large(pixels: int, limit: int) -> Refusal:
    return Refusal("file.picture_too_large", "file", megapixels=round(pixels / 1e6), limit=limit // 1_000_000)


def _claim(image: Image.Image) -> Claim:
    """Read what the header claims; a header that can't be read claims nothing."""
    try:
        exif = image.getexif()
        taken = exif.get_ifd(ExifTags.IFD.Exif)
        position = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except (*UNREADABLE, TypeError, ZeroDivisionError):
        return Claim()
    at = _text(taken.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime))
    at = f"{at}{_text(taken.get(ExifTags.Base.OffsetTimeOriginal))}"
    lat = _degrees(position, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    lng = _degrees(position, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    if lat is None or lng is None or (lat == 0 and lng == 0):
        lat = lng = None
    device = f"{_text(exif.get(ExifTags.Base.Make))} {_text(exif.get(ExifTags.Base.Model))}".strip()
    return Claim(at[:40], lng, lat, device[:120])


def _text(value: object) -> str:
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value) if value else ""
    return "".join(char for char in text if char.isprintable()).strip()


def _degrees(position: Mapping[int, Any], value: int, side: int, negative: str, most: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in position[value])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    total = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(total) or not 0 <= total <= most:
        return None
    return -total if _text(position.get(side)).upper().startswith(negative) else total
