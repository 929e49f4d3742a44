"""The columns of the offices' own tables, mandates and bodies, and the words that stand in their cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anban.contexts.establishments.columns import Column

MANDATE_COLUMNS: Final = (
    Column("body", "机构", "Body", ("单位", "部门", "责任部门", "机构代码", "责任单位"), required=True, max_chars=120),
    Column("role", "职责", "Role", ("职责类型", "监管角色", "角色"), required=True),
    Column("place_kind", "场所类型", "Place kind", ("场所类别", "类型", "Kind")),
    Column("industry", "行业代码", "Industry", ("行业", "国民经济行业"), max_chars=20),
    Column("hazard_class", "隐患类别", "Hazard class", ("类别", "Class")),
    Column("area", "地区代码", "Area code", ("地区", "区划代码", "Area"), required=True),
    Column("phase", "环节", "Phase", ("阶段",)),
    Column("from", "起", "From", ("起始日期", "生效日期", "自"), kind="date"),
    Column("until", "止（不含）", "Until", ("止", "终止日期", "至", "失效日期"), kind="date"),
    Column("basis", "依据", "Basis", ("法律依据", "文件依据"), max_chars=300),
)

TEMPLATE_COLUMNS: Final = (
    Column("matter", "事项", "Matter", ("事项类型",), max_chars=20),
    Column("hazard_class", "隐患类别", "Hazard class", ("类别", "Class"), max_chars=40),
    Column("place_kind", "场所类型", "Place kind", ("场所类别", "Kind"), max_chars=40),
    Column("work", "作业（检查表）", "Work", ("作业", "作业类型", "检查表"), max_chars=20),
    Column("grade", "等级", "Grade", ("隐患等级",), max_chars=20),
    Column("role", "环节", "Link", ("责任环节",), required=True, max_chars=24),
    Column("named_by", "由谁指定", "Named by", ("指定单位",), required=True, max_chars=20),
    Column("from", "起", "From", ("起始日期", "生效日期", "自"), kind="date", required=True),
    Column("until", "止（不含）", "Until", ("止", "终止日期", "至", "失效日期"), kind="date"),
    Column("basis", "依据", "Basis", ("法律依据", "文件依据"), required=True, max_chars=300),
    Column("source", "出处", "Source", ("来源",), max_chars=120),
    Column("certainty", "可靠程度", "Certainty", ("可靠性",), max_chars=12),
)

BODY_COLUMNS: Final = (
    Column("code", "机构代码", "Code", ("代码",), required=True, max_chars=60),
    Column("kind", "机构类型", "Kind", ("类型",), required=True, max_chars=40),
    Column("name", "名称", "Name", ("机构名称", "单位名称"), required=True, max_chars=120),
    Column("name_en", "英文名", "English name", ("英文名称",), max_chars=160),
    Column("area", "地区代码", "Area code", ("地区", "区划代码", "Area"), required=True),
    Column("superior", "上级机构", "Superior", ("上级", "主管机构"), max_chars=120),
    Column("from", "起", "From", ("设立日期", "成立日期"), kind="date"),
)

ROLE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sector_lead": ("行业主管", "sector lead"),
    "special": ("专业监管", "special regulator"),
    "enforcer": ("执法主体", "enforcer"),
    "territory": ("属地", "territory"),
}
PHASE_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "before": ("事前", "before"),
    "during": ("事中", "during"),
    "after": ("事后", "after"),
}
