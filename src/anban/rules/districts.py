"""The sixteen districts of Beijing (区) by code, which of them are central, and the two merged in 2010."""

from __future__ import annotations

from dataclasses import dataclass

from anban.rules.errors import Refusal, register


@dataclass(frozen=True, slots=True)
class District:
    """A district with its code of GB/T 2260; `central` marks those whose larger events the city commands."""

    code: str
    zh: str
    en: str
    central: bool = False


DISTRICTS: dict[str, District] = {
    each.code: each
    for each in (
        District("110101", "东城区", "Dongcheng", central=True),
        District("110102", "西城区", "Xicheng", central=True),
        District("110103", "原崇文区（2010年并入东城区）", "former Chongwen", central=True),
        District("110104", "原宣武区（2010年并入西城区）", "former Xuanwu", central=True),
        District("110105", "朝阳区", "Chaoyang", central=True),
        District("110106", "丰台区", "Fengtai", central=True),
        District("110107", "石景山区", "Shijingshan", central=True),
        District("110108", "海淀区", "Haidian", central=True),
        District("110109", "门头沟区", "Mentougou"),
        District("110111", "房山区", "Fangshan"),
        District("110112", "通州区", "Tongzhou"),
        District("110113", "顺义区", "Shunyi"),
        District("110114", "昌平区", "Changping"),
        District("110115", "大兴区", "Daxing"),
        District("110116", "怀柔区", "Huairou"),
        District("110117", "平谷区", "Pinggu"),
        District("110118", "密云区", "Miyun"),
        District("110119", "延庆区", "Yanqing"),
    )
}
"""Source: GB/T 2260; central: 北京市实施《突发事件应对法》办法 第四十六条, read with the merger of 2010."""


def district_named(code: str, *, field: str) -> District:
    """This function will find a district by its code.

    Raises: Refusal `rules.unknown_district`.
    """
    found = DISTRICTS.get(code)
    if found is None:
        raise Refusal("rules.unknown_district", field=field, value=code[:20])
    return found


register(
    "rules.unknown_district", zh="没有代码为“{value}”的北京市区", en="Beijing has no district with the code {value}"
)
