"""The outlines of Beijing's sixteen districts as SVG paths, with a square for 经开区, which has no outline of its own."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parent / "static" / "vendor" / "outlines" / "beijing-districts.geojson"
WIDTH: Final = 640
MARGIN: Final = 6
ETDZ_CODE: Final = "110115403"
"""经济技术开发区 (经开区) in the list of areas: a managing area, drawn as a square beside 大兴."""
ETDZ_CENTRE: Final = (116.93, 39.66)
ETDZ_HALF: Final = 13

# Where the centre of a district is no good place for its name: shifts in drawing units, found by looking.
LABEL_SHIFTS: Final[dict[str, tuple[int, int]]] = {
    "110101": (9, -11),
    "110102": (-10, 9),
    "110105": (16, -14),
    "110106": (-8, 6),
    "110107": (-12, 14),
    "110108": (-14, -18),
    "110109": (-62, -10),
    "110111": (-70, 0),
    "110112": (14, 20),
    "110114": (-8, -4),
    "110115": (18, 26),
    "110116": (-18, -38),
    "110118": (24, -8),
    "110119": (20, -22),
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


@dataclass(frozen=True, slots=True)
class OutlineMap:
    """The drawing: width and height of the view box, and the seventeen areas in the order of their codes."""

    width: int
    height: int
    areas: tuple[Outline, ...]


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
        rings: list[str] = []
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                line = simplified([projection.at(lng, lat) for lng, lat in ring])
                if len(line) > 3:
                    rings.append(_path(line))
        code = feature["properties"]["adcode"]
        x, y = projection.at(*feature["properties"]["label"])
        dx, dy = LABEL_SHIFTS.get(code, (0, 0))
        short = feature["properties"]["name"].removesuffix("区")
        areas.append(Outline(code, short, ENGLISH[code], "".join(rings), x + dx, y + dy))
    x, y = projection.at(*ETDZ_CENTRE)
    side = 2 * ETDZ_HALF
    square = f"M{x - ETDZ_HALF} {y - ETDZ_HALF}h{side}v{side}h-{side}z"
    areas.append(Outline(ETDZ_CODE, "经开区", ENGLISH[ETDZ_CODE], square, x, y + ETDZ_HALF + 13, own_outline=False))
    height = round((north - south) * per_lat) + 2 * MARGIN
    return OutlineMap(WIDTH, height, tuple(areas))
