"""Datums: the known vector, the way back, distances."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.kit.geo import (
    Datum,
    Position,
    bd09_to_gcj02,
    distance_m,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_shifted_area,
    wgs84_to_gcj02,
)

TIANANMEN = Position(116.397499, 39.908722, Datum.WGS84)
LNG, LAT = st.floats(74, 134), st.floats(4, 53)


def test_the_known_vector() -> None:
    lng, lat = wgs84_to_gcj02(TIANANMEN.lng, TIANANMEN.lat)
    assert (round(lng, 7), round(lat, 7)) == (116.4037426, 39.9101255)
    shifted = Position(lng, lat, Datum.WGS84)
    assert 550 < distance_m(TIANANMEN, shifted) < 560


def test_bd09_of_the_known_vector() -> None:
    lng, lat = gcj02_to_bd09(116.404, 39.915)
    assert (round(lng, 6), round(lat, 6)) == (116.410369, 39.921337)


@given(LNG, LAT)
def test_the_way_back_returns_within_a_metre(lng: float, lat: float) -> None:
    start = Position(lng, lat, Datum.WGS84)
    for datum in (Datum.GCJ02, Datum.BD09):
        back = start.to(datum).to(Datum.WGS84)
        assert distance_m(start, back) < 0.01
    gcj = gcj02_to_wgs84(lng, lat)
    assert wgs84_to_gcj02(*gcj) == pytest.approx((lng, lat), abs=1e-8)
    assert bd09_to_gcj02(*gcj02_to_bd09(lng, lat)) == pytest.approx((lng, lat), abs=1e-8)


@given(LNG, LAT)
def test_the_shift_is_never_nothing_and_never_a_kilometre(lng: float, lat: float) -> None:
    start = Position(lng, lat, Datum.WGS84)
    assert distance_m(start, Position(*wgs84_to_gcj02(lng, lat), Datum.WGS84)) < 1000


def test_nothing_moves_outside_the_shifted_area() -> None:
    chicago = Position(-87.65, 41.85, Datum.WGS84)
    assert not in_shifted_area(chicago.lng, chicago.lat)
    assert chicago.to(Datum.GCJ02) == Position(-87.65, 41.85, Datum.GCJ02)
    assert gcj02_to_wgs84(-87.65, 41.85) == (-87.65, 41.85)


def test_distance() -> None:
    a, b = Position(116.0, 39.0, Datum.WGS84), Position(116.0, 40.0, Datum.WGS84)
    assert distance_m(a, b) == pytest.approx(111_195, rel=1e-4)
    assert distance_m(a, a) == 0.0
    assert distance_m(a, b) == distance_m(b, a)
    assert distance_m(TIANANMEN, TIANANMEN.to(Datum.BD09)) < 0.01


@pytest.mark.parametrize(("lng", "lat"), [(181.0, 0.0), (0.0, 91.0), (float("nan"), 0.0)])
def test_a_point_off_the_globe_is_refused(lng: float, lat: float) -> None:
    with pytest.raises(ValueError, match="no such point"):
        Position(lng, lat, Datum.WGS84)
