"""What a rule says: reasons carry the figures they rest on, in both languages, and mark what nobody has checked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from anban.rules.answering import ask
from anban.rules.registry import rule_named
from anban.rules.supervision import ReboundFacts

SAID: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("investigating_body", {"grade": "general", "casualties": False}, "区政府可以委托事故单位组织调查", "may be left to the unit"),
    ("scan_cluster", {"count": 4, "window_days": 20, "annual_rate": 26}, "单凭偶然就有 0.9 的概率；应当关注，还不能说是异常", "with probability 0.9: worth watching"),
    ("scan_cluster", {"count": 9, "window_days": 20, "annual_rate": 26}, "单凭偶然只有 0.0021 的概率", "with probability 0.0021 only"),
    ("kappa", {"both_yes": 20, "first_only": 5, "second_only": 10, "both_no": 15}, "50 件中 35 件判定一致", "35 of 50 were rated alike"),
    ("kappa", {"both_yes": 7, "first_only": 0, "second_only": 0, "both_no": 0}, "两人始终给出同一个答案，κ 没有意义", "both always gave one answer"),
    ("accident_grade", {"deaths": 0, "serious_injuries": 6, "acute_poisonings": 5, "direct_loss_yuan": 0}, "重伤（含急性工业中毒） 11 人，达到较大事故起点 10 人", "11 seriously injured: larger from 10"),
    ("closure_proposal", {"major_hazard": True, "penalty_dates": ["2024-07-07", "2024-01-10", "2024-04-01"]}, "2024-01-10 至 2024-07-07 受到 3 次处罚（180日内三次处罚）", "3 penalties from 2024-01-10 to 2024-07-07"),
    ("closure_proposal", {"major_hazard": True, "penalty_dates": []}, "任一 180 日内不足 3 次，任一年内不足 4 次", "Fewer than 3 in any 180 days and than 4 in any year"),
    ("gas_alarm_penalty", {"overdue": True}, "单位 50,000 至 200,000 元，责任人员 10,000 至 20,000 元", "unit 50,000 to 200,000 yuan, persons 10,000 to 20,000"),
    ("gas_alarm_penalty", {"overdue": False}, "可以处 50,000 元以下罚款", "a fine of up to 50,000 yuan"),
    ("safety_staffing", {"sector": "other", "employees": 100, "staffing": "part_time"}, "从业人员在 100 人以下，应配专职或兼职人员", "Up to 100 employees"),
    ("safety_staffing", {"sector": "other", "employees": 101, "staffing": "part_time"}, "从业人员超过 100 人，应设机构或配专职人员", "More than 100 employees"),
    ("safety_staffing", {"sector": "high_risk", "employees": 5, "staffing": "full_time"}, "高危行业不论人数", "High-risk sectors whatever their size"),
    ("investigation_clock", {"accident_on": "2024-03-01", "grade": "larger", "extension_days": 5, "appraisal_days": 20}, "自事故发生之日起 60 日，批准延长 5 日，技术鉴定 20 日不计入，至 2024-05-25", "extended by 5, 20 of appraisal not counted"),
    ("investigation_clock", {"accident_on": "2024-03-01", "grade": "larger"}, "自事故发生之日起 60 日，至 2024-04-30", "60 days from the accident, to 2024-04-30"),
    ("investigation_clock", {"accident_on": "2024-03-01", "grade": "extra_major", "report_received_on": "2024-04-30", "approval_extension_days": 30}, "起 30 日，延长 30 日，至 2024-06-29", "extended by 30, to 2024-06-29"),
    ("supplementary_window", {"accident_on": "2023-04-18", "kind": "fire", "changed_on": "2023-04-26"}, "7 日内（至 2023-04-25）的伤亡变化应补报、计入等级；本次变化在外", "this one is outside"),
    ("report_chain", {"grade": "general", "informed_at": "2023-04-18T13:00:00"}, "未给接报时刻，自上一级时限起 2 小时内", "within 2 h of the deadline before it"),
    ("unit_accident_fine", {"grade": "major", "aggravated": True}, "2 倍以上 5 倍以下，为 4,000,000 至 50,000,000 元", "2 to 5 times, 4,000,000 to 50,000,000 yuan"),
    ("principal_fine", {"grade": "larger", "last_year_income_yuan": 1}, "上一年年收入的 60%", "60% of last year's income"),
    ("principal_fine", {"grade": "larger", "last_year_income_yuan": 1, "report_offence": True}, "60%–100%", "60%–100%"),
    ("daily_penalty", {"fine_yuan": 50000, "ordered_on": "2024-03-01", "refusal_found_on": "2024-03-11", "fined": True, "corrected": False}, "共 10 日，每日 50,000 元", "10 days"),
    ("late_payment", {"fine_yuan": 100, "days_late": 34}, "每日 3%，34 日，以罚款数额为限", "capped at the fine"),
    ("penalty_case_clock", {"filed_on": "2024-05-02", "act_ended_on": "2022-05-01"}, "2024-05-01 后不再给予处罚；立案时已超过", "it was over at filing"),
    ("reinspection_due", {"expires_on": "2024-03-01", "applied_on": "2024-03-01"}, "自申请之日（2024-03-01）起 10 日内复查", "of the application"),
    ("reinspection_due", {"expires_on": "2024-03-01", "applied_on": "2024-03-02"}, "自期满之日（2024-03-01）起 10 日内复查", "of the expiry"),
    ("reinspection_due", {"expires_on": "2024-03-01", "applied_on": "2024-02-20"}, "自申请之日（2024-02-20）起 10 日内复查", "of the application"),
    ("criminal_transfer_clock", {"accepted_at": "2024-05-09"}, "至 2024-05-16，重大、疑难、复杂的经批准至 2024-06-08", "To 2024-05-16"),
    ("dishonesty_listing", {"events": [{"on": "2023-11-01", "kind": "accident", "grade": "larger"}, {"on": "2024-10-31", "kind": "accident", "grade": "larger", "fine_multiple": 2}]}, "12 个月内（2023-11-01 至 2024-10-31）发生 2 起以上较大事故（第六条第二项）", "(article 6, item 2)"),
    ("cylinder_store", {"cylinders": [{"kg": "14.5", "count": 8}]}, "总量 116 千克：专用瓶组间", "116 kg in all"),
    ("high_frequency", {"checks": [{"on": "2024-01-10", "found": True, "reinspection": "failed"}]}, "复查不合格 1 次（1 次起），最长连续 1 次", "1 failed re-inspections (from 1)"),
    ("rebound", {"closed_on": "2024-01-10", "found_on": "2025-01-11", "same_place": True, "same_code": True}, "销号后第 367 日发现，窗口至 2025-01-10 为止", "Found 367 days after closing"),
    ("fire_key_unit", {"place": "mall", "area_m2": 1000, "underground": True}, "地下、半地下商场 1,000 平方米，达到 1,000 平方米", "Mall below ground: 1000 m², at least 1,000"),
    ("risk_lec", {"likelihood": 10, "exposure": 1, "consequence": 7}, "分值 70，为黄色（320 起红，160 起橙，70 起黄，其余蓝）", "Score 70 is yellow"),
    ("drill_due", {"who": "government", "last_on": "2023-03-01"}, "每 24 个月至少一次", "every 24 months"),
    ("warning_issuer", {"level": 3}, "三级预警为黄色", "Level 3 is yellow"),
    ("penalty_publicity", {"decided_on": "2024-06-17"}, "7 个工作日", "7 working days"),
    ("hotline_due", {"kind": "utility", "received_at": "2024-03-01T10:00:00"}, "24 小时内反馈", "within 24 hours"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "given", "zh", "en"), SAID, ids=lambda value: value if isinstance(value, str) else "")
def test_a_reason_carries_its_figures_in_both_languages(name: str, given: dict[str, Any], zh: str, en: str) -> None:
    reasons = ask(name, given).ruling.reasons
    assert any(zh in reason.zh and en in reason.en for reason in reasons), [(each.zh, each.en) for each in reasons]


def test_only_what_is_not_checked_is_marked() -> None:
    checked = ask("accident_grade", {"deaths": 1, "serious_injuries": 0, "direct_loss_yuan": 0}).ruling
    assert not any(reason.code.startswith("law.") for reason in checked.reasons)
    doubtful = ask("reinspection_due", {"expires_on": "2026-03-01"}).ruling
    assert [reason.code for reason in doubtful.reasons] == ["reinspection_due.from_expiry", "law.unconfirmed"]
    assert "令第18号" in doubtful.reasons[1].zh
    own = ask("risk_ls", {"likelihood": 5, "severity": 5}).ruling
    assert {reason.code for reason in own.reasons} >= {"law.estimate"}


def test_a_ruling_rests_on_what_it_read_and_nothing_more() -> None:
    small = ask("accident_crime_threshold", {"deaths": 1, "serious_injuries": 0, "direct_loss_yuan": 0, "main_responsibility": True})  # fmt: skip
    assert [each.article for each in small.ruling.sources] == ["第六条"]
    large = ask("accident_crime_threshold", {"deaths": 0, "serious_injuries": 0, "direct_loss_yuan": 5_000_000, "main_responsibility": True})  # fmt: skip
    assert [(each.article, each.certainty) for each in large.ruling.sources] == [("第七条", "unconfirmed")]
    dangerous = {"real_danger": True, "ordered": True, "refused": True}
    assert len(ask("dangerous_operation", {"case": 1, **dangerous}).ruling.sources) == 1
    assert len(ask("dangerous_operation", {"case": 2, **dangerous}).ruling.sources) == 2
    older = ask("report_lateness", {"due_at": "2024-02-29T10:00:00", "sent_at": "2024-02-29T10:00:00"})
    newer = ask("report_lateness", {"due_at": "2024-03-01T10:00:00", "sent_at": "2024-03-01T10:00:00"})
    assert (len(older.ruling.sources), len(newer.ruling.sources)) == (1, 2)


def test_the_function_can_be_called_without_any_reader() -> None:
    found = rule_named("rebound")
    facts = ReboundFacts(closed_on=date(2024, 1, 10), found_on=date(2024, 12, 31), same_place=True, same_code=True)
    assert found.function(facts, date(2024, 12, 31)).outcome == {"rebound": True}
    assert found.day_for(facts, None) == date(2024, 12, 31)
    assert found.day_for(facts, date(2020, 1, 1)) == date(2020, 1, 1)
