"""The pass over the whole net at two sizes, and the single question: ``python -m bench.net`` (200,000 places and a tenth)."""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path


def main() -> None:
    """Build two cities with 40 hazard classes and 2,000 mandates and measure the pass over each."""
    parser = argparse.ArgumentParser(prog="bench.net")
    parser.add_argument("--places", type=int, default=200_000)
    parser.add_argument("--mandates", type=int, default=2_000)
    options = parser.parse_args()
    os.environ["ANBAN_HOME"] = tempfile.mkdtemp(prefix="anban-bench-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anban.config.settings")
    import django

    django.setup()
    from anban.config.installation import migrate

    migrate()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("| places | mandates | figures s | lists s | rows | live median ms | live worst ms | memory MiB |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for places in (options.places // 10, options.places):
        measure(places, options.mandates)


def measure(places: int, mandates: int) -> None:
    """Build one city in a root of its own and print its line."""
    from django.db import connection

    from anban.base.people.actor import job_actor
    from anban.contexts.establishments.models import Place
    from anban.contexts.responsibility import net
    from anban.contexts.responsibility.queries import resolve

    root = f"n{places}"
    on = date(2026, 11, 1)
    build(root, places, mandates)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    actor = job_actor("bench", root)
    started = time.perf_counter()
    found = net.figures(actor, on)
    figures_s = time.perf_counter() - started
    out = Path(tempfile.mkdtemp(prefix="anban-net-"))
    started = time.perf_counter()
    assert net.write_lists(actor, on, out) == found
    lists_s = time.perf_counter() - started
    rows = sum(sum(1 for _ in (out / name).open()) - 1 for name in ("gaps.csv", "overlaps.csv"))
    times = []
    for place in Place.objects.filter(root=root)[:: max(1, places // 200)]:
        started = time.perf_counter()
        resolve(place, "GAS", on)
        times.append((time.perf_counter() - started) * 1000)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {found.places:,} | {mandates:,} | {figures_s:.1f} | {lists_s:.1f} | {rows:,} | {statistics.median(times):.1f} | "
        f"{max(times):.1f} | {memory:.0f} |",
        flush=True,
    )


def build(root: str, places: int, mandates: int) -> None:
    """Fill a root with Beijing's areas, 40 hazard classes, places and mandates of every sort."""
    from anban.base.journal.operations import unit
    from anban.base.people.actor import job_actor
    from anban.contexts.catalog.models import HazardClass
    from anban.contexts.catalog.operations import load_standard
    from anban.contexts.catalog.queries import hazard_classes, place_kinds
    from anban.contexts.establishments.models import Place
    from anban.contexts.responsibility.models import Mandate
    from anban.contexts.responsibility.operations import add_mandates
    from anban.contexts.territory.models import Area, Body
    from anban.contexts.territory.operations import add_bodies, add_root, load_beijing
    from bench import dataset

    actor, rng = job_actor("bench", root), random.Random(3)
    add_root(actor=actor, at=dataset.AT, code=root, name="测试城市", name_en="Bench City", kind="sample")
    load_beijing(actor=actor, at=dataset.AT, root=root)
    load_standard(actor=actor, at=dataset.AT, root=root)
    known = list(hazard_classes(root).values_list("code", flat=True))
    extra = [f"X{number:02d}" for number in range(40 - len(known))]
    HazardClass.objects.bulk_create(HazardClass(root=root, code=code, zh=code, en=code) for code in extra)
    classes = [*known, *extra]
    areas = list(Area.objects.filter(root_id=root).exclude(level="community"))
    districts = [area for area in areas if area.in_overview]
    root_area = next(area for area in areas if area.parent_id is None)
    kinds = list(place_kinds(root).values_list("code", flat=True))
    seats = [
        Body(
            root_id=root,
            code=f"b{n}",
            kind="district_fire",
            name=f"机构{n}",
            name_en=f"Body {n}",
            area=rng.choice(areas),
        )
        for n in range(400)
    ]
    bodies = add_bodies(actor=actor, at=dataset.AT, rows=seats)
    rows: dict[tuple[object, ...], Mandate] = {}

    def enter(
        role: str, area: Area, kind: str = "", industry: str = "", klass: str = "", since: date | None = None
    ) -> None:
        key = (role, area.pk, kind, industry, klass)
        rows.setdefault(key, Mandate(root=root, body=rng.choice(bodies), role=role, area=area, place_kind=kind, industry=industry, hazard_class=klass, from_on=since))  # fmt: skip

    for area in districts:
        for kind in rng.sample(kinds, 45):
            enter("sector_lead", area, kind=kind)
        for one in classes[:38]:
            enter("special", root_area if one in classes[20:] else area, klass=one)
            enter(
                "enforcer",
                root_area if one in classes[20:] else area,
                klass=one,
                since=date(2026, rng.randint(1, 9), 1),
            )
    for area in areas:
        if area.level == "street" and rng.random() < 0.95:
            enter("territory", area)
    while len(rows) < mandates:
        enter(rng.choice(("special", "enforcer", "sector_lead")), rng.choice(areas), industry=rng.choice(("52", "62", "84", "8")), klass=rng.choice(classes))  # fmt: skip
    with unit():
        add_mandates(actor=actor, at=dataset.AT, rows=list(rows.values())[:mandates])
    dataset.ROOT = root
    made = list(dataset._places(places))
    for one in made:
        one.industry = rng.choice(("5212", "6210", "8411", "8010", ""))
    for start in range(0, len(made), dataset.CHUNK):
        Place.objects.bulk_create(made[start : start + dataset.CHUNK])


if __name__ == "__main__":
    sys.exit(main())
