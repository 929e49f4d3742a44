"""The words that sources use for statuses, affiliations, forms, kinds and areas, and how they are understood."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from anban.contexts.establishments.search import fold
from anban.contexts.territory.models import Area

# Code → the Chinese and the English word that exports write, then other words that are read.
STATUSES: dict[str, tuple[str, ...]] = {
    "operating": ("在营", "Operating", "营业", "营业中", "正常营业", "开业", "在业", "存续", "正常", "open", "active"),
    "stopped": ("停业", "Stopped", "歇业", "停产", "停产停业", "暂停营业", "suspended", "inactive"),
    "closed": (
        "已关闭",
        "Closed",
        "关闭",
        "关停",
        "注销",
        "已注销",
        "吊销",
        "拆除",
        "迁出",
        "cancelled",
        "out of business",
    ),
    "awaiting_demolition": ("待拆迁", "Awaiting demolition", "待拆", "拟拆迁", "待腾退"),
}
AFFILIATIONS: dict[str, tuple[str, ...]] = {
    "district": ("区属及社会单位", "District and private", "区属", "社会单位", "民营", "私营", "个体", "区属单位"),
    "city": ("市属", "Municipal", "市属单位", "市管"),
    "central": ("央企、中央单位", "Central", "央企", "中央单位", "中央企业", "中央在京"),
    "ministry": ("部属（医院、高校）", "Ministry", "部属", "部委", "部属单位"),
    "military": ("部队房产", "Military", "部队", "军产"),
    "village": ("村集体", "Village", "集体", "村属"),
}
FORMS: dict[str, tuple[str, ...]] = {
    "unit": ("单位", "Unit", "单位或商户", "企业", "个体户"),
    "building": ("建筑", "Building", "楼宇", "建筑物"),
    "facility": ("设施", "Facility"),
    "compound": ("院落（区域）", "Compound", "院落", "区域", "园区"),
}
DATUMS: dict[str, tuple[str, ...]] = {
    "wgs84": ("WGS-84", "WGS84", "CGCS2000", "大地2000", "国家2000"),
    "gcj02": ("GCJ-02", "GCJ02", "火星坐标", "高德", "腾讯"),
    "bd09": ("BD-09", "BD09", "百度"),
}
CHOICES = {"status": STATUSES, "affiliation": AFFILIATIONS, "form": FORMS, "datum": DATUMS}
_SUFFIXES = ("地区办事处", "街道办事处", "街道", "地区", "镇", "乡", "区", "市", "县", "社区", "村")
_READ = {
    name: {fold(word): code for code, words in table.items() for word in (code, *words)}
    for name, table in CHOICES.items()
}


def code_of(name: str, text: str) -> str:
    """This function will give the code that a word of a closed list means, empty for a word nobody knows."""
    return _READ[name].get(fold(text), "")


def word_of(name: str, code: str, *, english: bool) -> str:
    """This function will give the word that exports write for a code."""
    words = CHOICES[name].get(code)
    return words[1 if english else 0] if words else code


@dataclass(slots=True)
class Terms:
    """Dated terms of the catalog, found by code, name or a word that a source uses for them."""

    exact: dict[str, str] = field(default_factory=dict)
    parts: list[tuple[str, str]] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, str, str]]) -> Terms:
        """This method will index (code, Chinese name, English name, aliases separated by semicolons)."""
        made = cls()
        for code, zh, en, aliases in rows:
            words = [fold(word) for word in aliases.split(";")]
            for word in (fold(code), fold(zh), fold(en), *words):
                if word:
                    made.exact.setdefault(word, code)
            made.parts.extend((word, code) for word in words if len(word) > 1)
        # The longest word decides: 快餐店 is a restaurant before it is a shop.
        made.parts.sort(key=lambda pair: -len(pair[0]))
        return made

    def find(self, text: str) -> str:
        """This method will give the code that a text means, empty when no word of it is known."""
        known = self.asked.get(text)
        if known is None:
            folded = fold(text)
            known = self.exact.get(folded) or next((code for word, code in self.parts if word in folded), "")
            self.asked[text] = known
        return known


class AreaAmbiguous(Exception):
    """A name belongs to several areas of the root."""


@dataclass(slots=True)
class Areas:
    """The areas of a root, found by code or by the names that sources write for them."""

    by_code: dict[str, Area] = field(default_factory=dict)
    by_name: dict[str, list[Area]] = field(default_factory=dict)
    districts: list[tuple[str, Area]] = field(default_factory=list)
    asked: dict[tuple[str, str], Area | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Area]) -> Areas:
        """This method will index the areas; managing areas hold no places of their own and are left out."""
        made = cls()
        for area in rows:
            if area.level == Area.Level.MANAGEMENT:
                continue
            made.by_code[area.code] = area
            for name in {fold(area.name), _short(fold(area.name)), fold(area.name_en)}:
                if name:
                    made.by_name.setdefault(name, []).append(area)
            if area.level == Area.Level.DISTRICT:
                made.districts.append((fold(area.name), area))
        return made

    def find(self, text: str, district: str = "") -> Area | None:
        """This method will give the area that a code or a name means; a district's name may stand before the street's.

        Raises: AreaAmbiguous.
        """
        asked = (text, district)
        if asked not in self.asked:
            self.asked[asked] = self.by_code.get(text.strip()) or self._by_name(fold(text), fold(district))
        return self.asked[asked]

    def _by_name(self, name: str, district: str) -> Area | None:
        found = self.by_name.get(name) or self.by_name.get(_short(name)) or []
        if not found and not district:
            for head, area in self.districts:
                if name.startswith(head) and name != head:
                    return self._by_name(name[len(head) :], head) or area
        if district:
            above = next((area for head, area in self.districts if district in (head, _short(head))), None)
            found = [area for area in found if above and area.path.startswith(above.path)]
        if not found:
            return None
        highest = min(area.path.count("/") for area in found)
        top = [area for area in found if area.path.count("/") == highest]
        if len(top) > 1:
            raise AreaAmbiguous
        return top[0]


def _short(name: str) -> str:
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            return name[: -len(suffix)]
    return name
