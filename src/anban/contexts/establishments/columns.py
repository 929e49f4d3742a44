"""The columns of tables that go in and out: their fields, Chinese and English names, and what their cells hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from anban.kit.tabular import Wanted

CellKind = Literal["text", "date", "number", "integer"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a target knows: its field, its Chinese and English name, other names it goes by."""

    field: str
    zh: str
    en: str
    names: tuple[str, ...] = ()
    required: bool = False
    kind: CellKind = "text"
    max_chars: int = 0
    personal: bool = False
    """Kept out of the observation's payload: names of persons live in erasable rows."""

    @property
    def wanted(self) -> Wanted:
        """This property will give the column as header matching wants it."""
        return Wanted(self.field, (self.zh, self.en, *self.names), self.required)


PLACE_COLUMNS = (
    Column("number", "编号", "Number", ("台账编号", "对象编号"), max_chars=30),
    Column("name", "名称", "Name", ("单位名称", "企业名称", "场所名称", "对象名称", "字号", "商户名称"), max_chars=200),
    Column("address", "地址", "Address", ("经营地址", "单位地址", "详细地址", "住所", "场所地址"), max_chars=300),
    Column(
        "credit_code", "统一社会信用代码", "Credit code", ("信用代码", "社会信用代码", "统一代码", "USCC"), max_chars=60
    ),
    Column("kind", "场所类型", "Kind", ("类型", "场所类别", "类别", "Place kind", "Category")),
    Column("industry", "行业代码", "Industry", ("行业", "国民经济行业"), max_chars=20),
    Column("form", "形态", "Form", ("对象形态",)),
    Column("area", "地区代码", "Area code", ("地区", "区划代码", "Area")),
    Column("district", "区", "District", ("所属区", "行政区")),
    Column("street", "街道", "Street", ("街道（乡镇）", "街道乡镇", "乡镇街道", "所属街道", "属地")),
    Column("lng", "经度", "Longitude", ("lon", "long", "x"), kind="number"),
    Column("lat", "纬度", "Latitude", ("y",), kind="number"),
    Column("datum", "坐标系", "Datum", ("坐标基准",)),
    Column("status", "状态", "Status", ("经营状态", "登记状态")),
    Column("status_on", "状态日期", "Status since", (), kind="date"),
    Column("affiliation", "隶属关系", "Affiliation", ("隶属",)),
    Column("owner_unit", "产权单位", "Owner", ("产权人",), max_chars=200),
    Column("managing_unit", "管理使用单位", "Manager", ("管理单位", "使用单位", "物业单位"), max_chars=200),
    Column("tenant", "承租单位", "Tenant", ("承租方",), max_chars=200),
    Column("principal", "主要负责人", "Principal", ("负责人", "单位负责人"), max_chars=80, personal=True),
    Column("safety_manager", "安全管理人", "Safety manager", ("安全管理员", "安全负责人"), max_chars=80, personal=True),
    Column("building", "所在建筑", "Building", ("建筑编号", "所在楼宇")),
    Column("version", "版本", "Version", (), kind="integer"),
)
