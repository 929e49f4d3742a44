"""How a boundary is called in one line, from the catalog's words."""

from __future__ import annotations

from anban.contexts.catalog import queries as catalog
from anban.contexts.responsibility.models import Boundary
from anban.kit.remember import remembered


@remembered
def terms(root: str) -> dict[str, tuple[str, str]]:
    """Return Chinese and English name by ``kind:code`` and ``class:code``."""
    kinds = catalog.place_kinds(root).values_list("code", "zh", "en")
    classes = catalog.hazard_classes(root).values_list("code", "zh", "en")
    return {f"kind:{code}": (zh, en) for code, zh, en in kinds} | {
        f"class:{code}": (zh, en) for code, zh, en in classes
    }


ROLE_NAMES = {
    "sector_lead": ("行业主管", "Sector lead"),
    "special": ("专业监管", "Special regulator"),
    "enforcer": ("执法主体", "Enforcer"),
    "territory": ("属地", "Territory"),
}
FAULT_NAMES = {"gap": ("责任空白", "Gap"), "overlap": ("职责交叉", "Overlap")}


def title_of(row: Boundary, *, english: bool = False) -> str:
    """Return a boundary's title: fault, role, what it covers, and where."""
    side = 1 if english else 0
    known = terms(row.root)
    parts = []
    if row.place_kind:
        parts.append(known.get(f"kind:{row.place_kind}", (row.place_kind,) * 2)[side])
    if row.industry:
        parts.append(f"industry {row.industry}" if english else f"行业 {row.industry}")
    if row.hazard_class:
        parts.append(known.get(f"class:{row.hazard_class}", (row.hazard_class,) * 2)[side])
    where = row.area.name_en if english else row.area.name
    what = " · ".join(parts) or ("everything" if english else "全部")
    return f"{FAULT_NAMES[row.fault][side]} · {ROLE_NAMES[row.role][side]} · {what} · {where}"
