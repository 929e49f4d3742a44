"""The columns of hazards in files, by the headers that the ledger's export writes, and what a hazard says in each."""

from __future__ import annotations

from anban.contexts.establishments.columns import Column
from anban.contexts.hazards.models import Hazard
from anban.kit.clock import city_date

HAZARD_COLUMNS = (
    Column("source_key", "来源编号", "Source key", ("原编号", "隐患流水号", "工单号"), max_chars=120),
    Column("number", "隐患编号", "Hazard number", ("台账编号", "编号"), max_chars=30),
    Column("visit", "检查编号", "Visit number", ("检查记录编号",), max_chars=120),
    Column("place_number", "单位编号", "Place number", ("对象编号", "场所编号"), max_chars=30),
    Column("credit_code", "统一社会信用代码", "Credit code", ("信用代码", "社会信用代码", "USCC"), max_chars=60),
    Column("place_name", "单位名称", "Place", ("企业名称", "场所名称", "被检查单位", "受检单位"), max_chars=200),
    Column("address", "单位地址", "Address", ("地址",), max_chars=300),
    Column("code", "检查项", "Item", ("检查项代码", "隐患代码", "检查项编码"), max_chars=300),
    Column("class_code", "隐患类别", "Class", ("类别", "隐患类型"), max_chars=300),
    Column("part", "部位", "Part", ("隐患部位", "具体位置"), max_chars=120),
    Column("fact", "事实", "Fact", ("情况描述", "隐患描述", "隐患内容", "问题描述", "Description"), max_chars=4000),
    Column("basis", "依据", "Basis", ("法律依据",), max_chars=300),
    Column("found_on", "发现日期", "Found on", ("检查日期", "上报日期"), kind="date"),
    Column("origin", "来源", "Origin", ("隐患来源", "发现方式"), max_chars=60),
    Column("severity", "严重程度", "Severity", (), max_chars=20),
    Column("times", "处数", "Times", (), kind="integer"),
    Column("state", "状态", "State", ("整改状态",), max_chars=40),
    Column("grade", "等级", "Grade", ("隐患等级", "隐患级别"), max_chars=40),
    Column("track", "轨道", "Track", (), max_chars=40),
    Column("due_on", "整改期限", "Due on", ("期限",), kind="date"),
    Column("holder", "承办人", "Holder", (), max_chars=80, personal=True),
    Column("holder_body", "承办单位", "Holding body", (), max_chars=120),
    Column("cycle_no", "轮次", "Cycle", (), kind="integer"),
    Column("rebound_no", "反弹次数", "Rebounds", (), kind="integer"),
    Column("closed_on", "销号日期", "Closed on", (), kind="date"),
    Column("proof", "销号依据", "Proof", (), max_chars=40),
)

AMENDABLE = ("part", "fact", "basis")
"""What a file may correct in an open hazard: the description, never the course of its life."""


def said_by(row: Hazard, zone: str) -> dict[str, str]:
    """This function will give what the ledger says of a hazard, as texts by field, days in the city's ``zone``, to be compared with a file's row."""
    return {
        "code": row.code, "class_code": row.class_code, "part": row.part, "fact": row.fact, "basis": row.basis,
        "state": row.state, "grade": row.grade, "track": row.track, "origin": row.origin,
        "found_on": row.found_on.isoformat(),
        "due_on": city_date(row.due_at, zone).isoformat() if row.due_at else "",
        "cycle_no": str(row.cycle_no), "rebound_no": str(row.rebound_no),
        "closed_on": row.closed_on.isoformat() if row.closed_on else "", "proof": row.proof,
    }  # fmt: skip


ORIGINS: dict[str, tuple[str, ...]] = {
    "inspection": ("检查发现", "检查", "执法检查", "inspection"),
    "patrol": ("巡查发现", "巡查", "patrol"),
    "report": ("群众与网格上报", "社区上报", "网格上报", "report"),
    "self_check": ("单位自查", "企业自查", "自查", "self-check"),
    "ticket": ("接诉即办", "12345", "市民热线", "热线", "ticket"),
    "whistleblower": ("举报", "12350", "whistleblower"),
    "alarm": ("监测报警", "物联报警", "报警", "alarm"),
    "assigned": ("上级交办", "交办", "assigned"),
    "transferred": ("部门移交", "移交", "transferred"),
    "oversight": ("督查", "督查暗访", "暗访", "督导", "oversight"),
    "third_party": ("第三方检测", "检测不合格", "third party"),
    "accident": ("事故", "事故倒查", "accident"),
    "like_case": ("举一反三", "like case"),
    "campaign": ("专项行动", "campaign"),
    "import": ("文件导入", "import"),
    "history": ("历史记录", "history"),
}
"""Code → the words that files write for where a hazard came from; the first is the Chinese label."""
