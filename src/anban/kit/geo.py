"""Positions and their datums: WGS-84, the shifted GCJ-02 (火星坐标) and BD-09 of Chinese maps, and distances."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_AXIS_M = 6378245.0
_ECCENTRICITY_SQ = 0.00669342162296594323
_BD = math.pi * 3000.0 / 180.0
_EARTH_RADIUS_M = 6371008.8
_SETTLED_DEG = 1e-10


class Datum(StrEnum):
    """What the numbers of a coordinate refer to."""

    WGS84 = "wgs84"
    """The satellites' datum; CGCS2000 (国家大地坐标系) equals it to within a decimetre."""
    GCJ02 = "gcj02"
    """国测局坐标: maps published in China."""
    BD09 = "bd09"
    """百度坐标: Baidu's maps."""


@dataclass(frozen=True, slots=True)
class Position:
    """A point in degrees, with its datum. Raises ValueError for a point that is not on the globe."""

    lng: float
    lat: float
    datum: Datum

    def __post_init__(self) -> None:
        if not (-180.0 <= self.lng <= 180.0 and -90.0 <= self.lat <= 90.0):
            raise ValueError(f"no such point: lng {self.lng}, lat {self.lat}")

    def to(self, datum: Datum) -> Self:
        """This function will express the same point in another datum."""
        if datum is self.datum:
            return self
        lng, lat = self.lng, self.lat
        if self.datum is Datum.BD09:
            lng, lat = bd09_to_gcj02(lng, lat)
        if self.datum is not Datum.WGS84 and datum is Datum.WGS84:
            lng, lat = gcj02_to_wgs84(lng, lat)
        if self.datum is Datum.WGS84:
            lng, lat = wgs84_to_gcj02(lng, lat)
        if datum is Datum.BD09:
            lng, lat = gcj02_to_bd09(lng, lat)
        return type(self)(lng, lat, datum)


def in_shifted_area(lng: float, lat: float) -> bool:
    """This function will tell whether GCJ-02 differs from WGS-84 here: the rectangle around China of the usual algorithm."""
    return 72.004 <= lng <= 137.8347 and 0.8293 <= lat <= 55.8271


def wgs84_to_gcj02(lng: float, lat: float) -> tuple[float, float]:
    """This function will shift a WGS-84 point (degrees) to GCJ-02; outside the shifted area it stays."""
    if not in_shifted_area(lng, lat):
        return lng, lat
    d_lng, d_lat = _shift(lng, lat)
    return lng + d_lng, lat + d_lat


def gcj02_to_wgs84(lng: float, lat: float) -> tuple[float, float]:
    """This function will find the WGS-84 point (degrees) whose shift is the given GCJ-02 point, to well under a metre."""
    if not in_shifted_area(lng, lat):
        return lng, lat
    wgs_lng, wgs_lat = lng, lat
    for _ in range(30):
        d_lng, d_lat = _shift(wgs_lng, wgs_lat)
        miss_lng, miss_lat = lng - d_lng - wgs_lng, lat - d_lat - wgs_lat
        wgs_lng, wgs_lat = wgs_lng + miss_lng, wgs_lat + miss_lat
        if abs(miss_lng) < _SETTLED_DEG and abs(miss_lat) < _SETTLED_DEG:
            break
    return wgs_lng, wgs_lat


def gcj02_to_bd09(lng: float, lat: float) -> tuple[float, float]:
    """This function will turn a GCJ-02 point (degrees) into BD-09."""
    radius = math.hypot(lng, lat) + 0.00002 * math.sin(lat * _BD)
    angle = math.atan2(lat, lng) + 0.000003 * math.cos(lng * _BD)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def bd09_to_gcj02(lng: float, lat: float) -> tuple[float, float]:
    """This function will turn a BD-09 point (degrees) into GCJ-02, iterating until the way back returns it."""
    gcj_lng, gcj_lat = lng - 0.0065, lat - 0.006
    for _ in range(30):
        back_lng, back_lat = gcj02_to_bd09(gcj_lng, gcj_lat)
        miss_lng, miss_lat = lng - back_lng, lat - back_lat
        gcj_lng, gcj_lat = gcj_lng + miss_lng, gcj_lat + miss_lat
        if abs(miss_lng) < _SETTLED_DEG and abs(miss_lat) < _SETTLED_DEG:
            break
    return gcj_lng, gcj_lat


def distance_m(a: Position, b: Position) -> float:
    """This function will give the great-circle distance in metres on a mean sphere (error below 0.6 %)."""
    p, q = a.to(Datum.WGS84), b.to(Datum.WGS84)
    lat1, lat2 = math.radians(p.lat), math.radians(q.lat)
    half_lat, half_lng = (lat2 - lat1) / 2, math.radians(q.lng - p.lng) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lng) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def _shift(lng: float, lat: float) -> tuple[float, float]:
    x, y = lng - 105.0, lat - 35.0
    root_x = math.sqrt(abs(x))
    waves = (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root_x + waves
    north += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root_x + waves
    east += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    rad = math.radians(lat)
    magic = 1.0 - _ECCENTRICITY_SQ * math.sin(rad) ** 2
    d_lat = math.degrees(north / (_AXIS_M * (1.0 - _ECCENTRICITY_SQ) / (magic * math.sqrt(magic))))
    d_lng = math.degrees(east / (_AXIS_M / math.sqrt(magic) * math.cos(rad)))
    return d_lng, d_lat
