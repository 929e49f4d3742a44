"""Decode the packed Beijing outlines of the echarts 4.9.0 package into plain GeoJSON.

Run once, by hand, when the source changes: python tools/decode_outlines.py beijing.json beijing-districts.geojson
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCALE = 1024.0
"""The package stores degrees as whole 1/1024 steps."""


def decode_ring(packed: str, offset: tuple[int, int]) -> list[list[float]]:
    """This function will unpack one ring: zigzag differences of longitude and latitude in turn, in 1/1024 degree."""
    x, y = offset
    ring: list[list[float]] = []
    for at in range(0, len(packed), 2):
        dx, dy = ord(packed[at]) - 64, ord(packed[at + 1]) - 64
        x += (dx >> 1) ^ -(dx & 1)
        y += (dy >> 1) ^ -(dy & 1)
        ring.append([round(x / SCALE, 5), round(y / SCALE, 5)])
    if ring[0] != ring[-1]:
        ring.append(list(ring[0]))
    return ring


def decode(packed: dict[str, Any]) -> dict[str, Any]:
    """This function will turn the packed collection into GeoJSON with `adcode`, `name` and `label` on each district."""
    features = []
    for source in sorted(packed["features"], key=lambda item: str(item["id"])):
        geometry = source["geometry"]
        shapes, offsets = geometry["coordinates"], geometry["encodeOffsets"]
        if geometry["type"] == "Polygon":
            shapes, offsets = [shapes], [offsets]
        polygons = [
            [decode_ring(ring, (start[0], start[1])) for ring, start in zip(shape, starts, strict=True)]
            for shape, starts in zip(shapes, offsets, strict=True)
        ]
        properties = source["properties"]
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "adcode": str(source["id"]),
                    "name": properties["name"],
                    "label": [round(value, 5) for value in properties["cp"]],
                },
                "geometry": {"type": "MultiPolygon", "coordinates": polygons},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def main(arguments: list[str]) -> int:
    """This function will read the packed file, write the plain one, and exit 2 when called wrongly."""
    if len(arguments) != 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    packed = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    plain = json.dumps(decode(packed), ensure_ascii=False, separators=(",", ":"))
    Path(arguments[1]).write_text(plain + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
