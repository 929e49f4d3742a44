"""The outlines: seventeen areas, inside the drawing, simplified without moving a corner."""

from __future__ import annotations

import hashlib
import json
import re

from anban.web.shell import outlines
from tools.decode_outlines import decode_ring


def test_map_has_sixteen_districts_and_the_managing_area() -> None:
    drawing = outlines.outline_map()
    codes = [area.code for area in drawing.areas]
    assert len(set(codes)) == 17
    assert [area.code for area in drawing.areas if not area.own_outline] == [outlines.ETDZ_CODE]
    assert drawing.areas[-1].short == "经开区"
    assert [area.short for area in drawing.core] == ["东城", "西城"]


def test_every_point_lies_inside_the_drawing() -> None:
    drawing = outlines.outline_map()
    for area in (*drawing.areas, *drawing.core):
        for ring in re.findall(r"M(-?\d+) (-?\d+)l([^z]+)z", area.path):
            x, y = int(ring[0]), int(ring[1])
            numbers = [int(number) for number in ring[2].split()]
            for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
                assert 0 <= x <= drawing.width
                assert 0 <= y <= drawing.height
                x, y = x + dx, y + dy
        assert 0 < area.label_x < drawing.width
        assert 0 < area.label_y < drawing.height


def test_map_stays_small_enough_for_every_page() -> None:
    assert 5_000 < sum(len(area.path) for area in outlines.outline_map().areas) < 40_000


def test_simplified_drops_repeats_and_straight_points_only() -> None:
    square = [(0, 0), (0, 0), (1, 0), (2, 0), (2, 2), (0, 2), (0, 0)]
    assert outlines.simplified(square) == [(0, 0), (2, 0), (2, 2), (0, 2), (0, 0)]
    back = [(0, 0), (4, 0), (2, 0), (2, 3)]
    assert outlines.simplified(back) == back


def test_source_is_plain_geojson_with_closed_rings() -> None:
    collection = json.loads(outlines.SOURCE.read_text(encoding="utf-8"))
    assert collection["type"] == "FeatureCollection"
    for feature in collection["features"]:
        assert re.fullmatch(r"1101\d\d", feature["properties"]["adcode"])
        for polygon in feature["geometry"]["coordinates"]:
            for ring in polygon:
                assert ring[0] == ring[-1]
                assert all(115.4 < lng < 117.6 and 39.4 < lat < 41.1 for lng, lat in ring)


def test_decode_ring_undoes_zigzag_differences() -> None:
    packed = "".join(chr(64 + value) for value in (2, 3, 1, 0))
    assert decode_ring(packed, (1024, 2048)) == [[1.00098, 1.99805], [1.0, 1.99805], [1.00098, 1.99805]]


def test_vendored_files_are_those_the_table_names() -> None:
    folder = outlines.SOURCE.parent.parent
    table = (folder / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", table, re.MULTILINE))
    present = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} - {"README.md"}
    assert set(named) == present
    for name, digest in named.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
