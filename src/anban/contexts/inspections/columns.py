"""The columns of visits in files, the words for their kinds and results, and what a visit says in each."""

from __future__ import annotations

from anban.contexts.establishments.columns import Column
from anban.contexts.inspections.models import Visit

VISIT_COLUMNS = (
    Column("source_key", "来源编号", "Source key", ("原编号",), max_chars=120),
    Column("number", "检查编号", "Visit number", ("检查记录编号", "编号"), max_chars=30),
    Column("place_number", "单位编号", "Place number", ("对象编号", "场所编号"), max_chars=30),
    Column("credit_code", "统一社会信用代码", "Credit code", ("信用代码", "社会信用代码", "USCC"), max_chars=60),
    Column("place_name", "单位名称", "Place", ("企业名称", "场所名称", "被检查单位", "受检单位"), max_chars=200),
    Column("address", "单位地址", "Address", ("地址",), max_chars=300),
    Column("on", "检查日期", "Date", ("日期", "检查时间"), kind="date"),
    Column("kind", "检查类型", "Kind", ("类型", "检查方式"), max_chars=60),
    Column("result", "检查结果", "Result", ("结果", "检查结论"), max_chars=60),
    Column("task_number", "检查码任务号", "Task number", ("任务号", "e码查任务号", "检查任务号"), max_chars=60),
    Column("group", "检查组", "Group", ("检查小组",), max_chars=40),
    Column("findings", "发现数", "Findings", ("不合格项数", "隐患数"), kind="integer"),
)

KINDS: dict[str, tuple[str, ...]] = {
    "enforcement": ("行政检查", "enforcement check", "执法检查"),
    "assisted": ("执法辅助", "assisted check"),
    "patrol": ("巡查", "patrol"),
    "guidance": ("访企", "guidance visit"),
    "report": ("发现报告", "report"),
    "review": ("复查", "re-inspection", "reinspection"),
    "oversight": ("督查", "supervision"),
    "routine": ("例行检查（历史）", "routine"),
    "complaint": ("投诉检查（历史）", "complaint"),
    "licence": ("许可检查（历史）", "licence"),
    "other": ("其他（历史）", "other"),
}
RESULTS: dict[str, tuple[str, ...]] = {
    "pass": ("合格", "pass"),
    "conditional": ("当场整改后合格", "conditional"),
    "fail": ("不合格", "fail"),
    "unknown": ("未知", "unknown"),
}
"""Code → Chinese and English word, then other words that files use."""

HISTORICAL_ONLY = frozenset({"routine", "complaint", "licence", "other"})


def group_of(visit: Visit) -> str:
    """This function will give the source's mask of the party (Visitor.group), empty where persons are known."""
    return next((one.group for one in visit.visitors.all() if one.group), "")


def said_by(visit: Visit) -> dict[str, str]:
    """This function will give what a visit says, as texts by field, to be written to a file and compared with a file's row."""
    return {
        "number": visit.number, "place_number": visit.place.number, "place_name": visit.place_title,
        "on": visit.on.isoformat(), "kind": visit.kind, "result": visit.result, "task_number": visit.task_number,
        "group": group_of(visit), "findings": str(visit.findings_count),
    }  # fmt: skip
