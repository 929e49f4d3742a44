"""The outlines of Beijing's sixteen districts as SVG paths, with a square for 经开区, which has no outline of its own."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

SOURCE: Final = Path(__file__).parent / "static" / "vendor" / "outlines" / "beijing-districts.geojson"
WIDTH: Final = 640
MARGIN: Final = 6
ETDZ_CODE: Final = "110115403"
"""经济技术开发区 (经开区) in the list of areas: a managing area, drawn as a square beside 大兴."""
ETDZ_CENTRE: Final = (116.98, 39.62)
ETDZ_HALF: Final = 13
TIGHT_CODE: Final = "110107"
"""石景山: its name fits on a wide map only."""

CORE: Final = ("110101", "110102")
"""东城 and 西城: too small for their names on the map, so they are drawn again, larger, in the corner it leaves free."""
CORE_SCALE: Final = 3
CORE_CORNER: Final = (12, 12)
CORE_ASIDE: Final = 15
"""How far the two names stand above and below the middle, so that large letters do not meet."""

# Where the centre of a district is no good place for its name: shifts in drawing units, found by looking.
LABEL_SHIFTS: Final[dict[str, tuple[int, int]]] = {
    "110105": (20, -14),
    "110106": (-16, 10),
    "110107": (-8, 4),
    "110108": (-22, -28),
    "110109": (-66, -4),
    "110111": (-70, 0),
    "110112": (14, 24),
    "110114": (-4, -4),
    "110115": (14, 30),
    "110116": (-18, -38),
    "110118": (24, -8),
    "110119": (20, -16),
}
ENGLISH: Final[dict[str, str]] = {
    "110101": "Dongcheng",
    "110102": "Xicheng",
    "110105": "Chaoyang",
    "110106": "Fengtai",
    "110107": "Shijingshan",
    "110108": "Haidian",
    "110109": "Mentougou",
    "110111": "Fangshan",
    "110112": "Tongzhou",
    "110113": "Shunyi",
    "110114": "Changping",
    "110115": "Daxing",
    "110116": "Huairou",
    "110117": "Pinggu",
    "110118": "Miyun",
    "110119": "Yanqing",
    ETDZ_CODE: "BDA",
}


@dataclass(frozen=True, slots=True)
class Outline:
    """One district: its code, short names, path in drawing units, and where its name stands."""

    code: str
    short: str
    english: str
    path: str
    label_x: int
    label_y: int
    own_outline: bool = True
    core: bool = False
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in drawing units."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class OutlineMap:
    """The drawing: width and height of the view box, and the seventeen areas in the order of their codes."""

    width: int
    height: int
    areas: tuple[Outline, ...]
    core: tuple[Outline, ...]
    core_box: Box
    core_place: Box


@dataclass(frozen=True, slots=True)
class _Projection:
    """Equirectangular, true to scale on the middle parallel."""

    west: float
    north: float
    per_lng: float
    per_lat: float

    def at(self, lng: float, lat: float) -> tuple[int, int]:
        """This function will place a point on the grid of whole drawing units, so that neighbours keep sharing a line."""
        return round((lng - self.west) * self.per_lng) + MARGIN, round((self.north - lat) * self.per_lat) + MARGIN


def simplified(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """This function will drop repeated points and points that lie on the straight line between their neighbours."""
    kept: list[tuple[int, int]] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        while len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2], kept[-1]
            across = (bx - ax) * (point[1] - by) - (by - ay) * (point[0] - bx)
            along = (bx - ax) * (point[0] - bx) + (by - ay) * (point[1] - by)
            if across != 0 or along < 0:
                break
            kept.pop()
        kept.append(point)
    return kept


def _path(points: list[tuple[int, int]]) -> str:
    """This function will write a closed ring as relative line steps."""
    (x, y), steps = points[0], []
    for nx, ny in points[1:-1]:
        steps.append(f"{nx - x} {ny - y}")
        x, y = nx, ny
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}z"


def _rings(feature: dict[str, Any], projection: _Projection) -> list[list[tuple[int, int]]]:
    """This function will project and simplify the rings of a district, leaving out those too small to draw."""
    rings = (ring for polygon in feature["geometry"]["coordinates"] for ring in polygon)
    lines = (simplified([projection.at(lng, lat) for lng, lat in ring]) for ring in rings)
    return [line for line in lines if len(line) > 3]


def _short(feature: dict[str, Any]) -> str:
    return str(feature["properties"]["name"]).removesuffix("区")


def _core(features: list[dict[str, Any]], projection: _Projection) -> tuple[tuple[Outline, ...], Box, Box]:
    """This function will draw the core again, enlarged in the corner, with the box around it there and in its place."""
    chosen = [feature for feature in features if feature["properties"]["adcode"] in CORE]
    small = [point for feature in chosen for ring in _rings(feature, projection) for point in ring]
    left, top = min(x for x, _ in small) - 4, min(y for _, y in small) - 4
    right, bottom = max(x for x, _ in small) + 4, max(y for _, y in small) + 4
    place = Box(left, top, right - left, bottom - top)
    box = Box(*CORE_CORNER, place.width * CORE_SCALE, place.height * CORE_SCALE)
    large = _Projection(
        projection.west + (left - MARGIN - (box.x - MARGIN) / CORE_SCALE) / projection.per_lng,
        projection.north - (top - MARGIN - (box.y - MARGIN) / CORE_SCALE) / projection.per_lat,
        projection.per_lng * CORE_SCALE,
        projection.per_lat * CORE_SCALE,
    )
    drawn = []
    for feature in chosen:
        rings = _rings(feature, large)
        xs, ys = [x for ring in rings for x, _ in ring], [y for ring in rings for _, y in ring]
        code = feature["properties"]["adcode"]
        centre = ((min(xs) + max(xs)) // 2, (min(ys) + max(ys)) // 2)
        path = "".join(_path(ring) for ring in rings)
        aside = -1 if code == CORE[1] else 1
        drawn.append(
            Outline(code, _short(feature), ENGLISH[code], path, centre[0] - 5 * aside, centre[1] - CORE_ASIDE * aside)
        )
    return tuple(drawn), box, place


@lru_cache(maxsize=1)
def outline_map() -> OutlineMap:
    """This function will return the map of the 17 areas (16 districts and 经开区), about 640 by 650 drawing units."""
    features = json.loads(SOURCE.read_text(encoding="utf-8"))["features"]
    points = [p for f in features for polygon in f["geometry"]["coordinates"] for ring in polygon for p in ring]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    per_lng = (WIDTH - 2 * MARGIN) / (east - west)
    per_lat = per_lng / math.cos(math.radians((north + south) / 2))
    projection = _Projection(west, north, per_lng, per_lat)
    areas: list[Outline] = []
    for feature in features:
        code = feature["properties"]["adcode"]
        x, y = projection.at(*feature["properties"]["label"])
        dx, dy = LABEL_SHIFTS.get(code, (0, 0))
        path = "".join(_path(ring) for ring in _rings(feature, projection))
        areas.append(
            Outline(
                code, _short(feature), ENGLISH[code], path, x + dx, y + dy, core=code in CORE, tight=code == TIGHT_CODE
            )
        )
    x, y = projection.at(*ETDZ_CENTRE)
    side = 2 * ETDZ_HALF
    square = f"M{x - ETDZ_HALF} {y - ETDZ_HALF}h{side}v{side}h-{side}z"
    areas.append(Outline(ETDZ_CODE, "经开区", ENGLISH[ETDZ_CODE], square, x, y + ETDZ_HALF + 15, own_outline=False))
    height = round((north - south) * per_lat) + 2 * MARGIN
    return OutlineMap(WIDTH, height, tuple(areas), *_core(features, projection))
