"""The setting of a simulated city: every parameter with its unit and where the number comes from, and the named scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from anban.rules.errors import Refusal, register

Origin = Literal["data", "expert", "guess"]

register(
    "simulation.value",
    zh="“{name}”须在 {least} 与 {most} 之间，收到的是 {value}",
    en="{name} must lie between {least} and {most}, not {value}",
)
register("simulation.unknown", zh="没有“{name}”。可用：{known}", en="there is no {name}. There are: {known}")


def _figure(default: float, least: float, most: float, origin: Origin, zh: str, en: str) -> float:
    told = {"least": least, "most": most, "origin": origin, "zh": zh, "en": en}
    value: float = field(default=default, metadata=told)
    return value


@dataclass(frozen=True, slots=True)
class Setting:
    """What a simulated city is made of.

    Source: the parameters and their tags are those of the simulator's specification (design reference, standards C.12, C.12b);
    ``origin`` says whether a number is from data, from experts or a guess. None of them is a fact about a real city.
    """

    sites: float = _figure(5000, 20, 1_000_000, "guess", "场所数", "sites")
    streets: float = _figure(60, 1, 10_000, "data", "街道数", "streets")
    days: float = _figure(1095, 60, 20_000, "guess", "模拟天数", "simulated days")
    burn_in_days: float = _figure(365, 0, 10_000, "guess", "不计入结果的前期天数", "first days that are not counted")
    visits_a_day: float = _figure(20, 0, 100_000, "guess", "每日检查量", "visits a day")
    rate_mean_a_day: float = _figure(
        1 / 300, 1e-6, 1, "guess", "隐患产生率均值（每日）", "mean rate of new hazards a day"
    )
    rate_shape: float = _figure(0.8, 0.05, 1000, "data", "产生率的伽马形状", "gamma shape of the rates")
    street_spread: float = _figure(
        1 / 3, 0, 2, "guess", "街道之间的差异（变异系数）", "spread of rates among streets (coefficient of variation)"
    )
    heavy_share: float = _figure(0.1, 0, 1, "guess", "后果严重的场所占比", "share of sites with heavy consequence")
    heavy_weight: float = _figure(10, 1, 1000, "guess", "严重后果的权重", "weight of a heavy consequence")
    detection: float = _figure(0.7, 0.01, 1, "expert", "检查发现概率", "probability that a visit finds a hidden hazard")
    detection_spread: float = _figure(
        0, 0, 0.5, "expert", "检查人员发现能力差异", "spread of detection among inspectors"
    )
    rebound: float = _figure(
        0.2, 0, 1, "expert", "整改后反弹概率", "probability that a put-right hazard comes back at once"
    )
    rectification_mean_days: float = _figure(15, 1, 400, "expert", "整改平均天数", "mean days to put right")
    inspectors: float = _figure(40, 1, 10_000, "guess", "检查人员数", "inspectors")
    faking_share: float = _figure(0, 0, 1, "guess", "走过场人员占比", "share of inspectors who fake visits")
    faked_visits: float = _figure(0.8, 0, 1, "guess", "这些人员的虚假检查占比", "share of their visits that are faked")
    public_share: float = _figure(0, 0, 1, "guess", "公众看得见的隐患占比", "share of hazards that the public can see")
    call_rate_a_day: float = _figure(0, 0, 1, "guess", "看得见的隐患每日来电率", "calls a day about a visible hazard")
    alarm_coverage: float = _figure(0, 0, 1, "guess", "报警器覆盖率", "share of sites with an alarm")
    alarm_rate_a_day: float = _figure(0, 0, 1, "guess", "报警器每日发现率", "finds a day by a working alarm")
    alarm_fault_a_day: float = _figure(0.02 / 30, 0, 1, "expert", "报警器每日故障率", "faults a day of an alarm")
    alarm_repair_mean_days: float = _figure(
        60, 1, 2000, "guess", "报警器平均修复天数", "mean days until an alarm is repaired"
    )
    acceptances_a_day: float = _figure(
        0, 0, 1e6, "guess", "每日验收能力（0 为不限）", "acceptances a day (0: no limit)"
    )
    false_closing: float = _figure(0, 0, 1, "guess", "未整改先销号的占比", "share closed without being put right")
    believed_detection: float = _figure(
        0,
        0,
        1,
        "guess",
        "主管部门以为的发现概率（0 为与实际相同）",
        "detection that the office believes in (0: as it is)",
    )
    believed_rebound: float = _figure(
        0,
        0,
        1,
        "guess",
        "主管部门以为的反弹概率（0 为与实际相同）",
        "rebound that the office believes in (0: as it is)",
    )
    recheck_days: float = _figure(
        0, 0, 400, "expert", "销号后复查间隔（0 为不复查）", "days until a closed one is seen again (0: not)"
    )
    rebound_rechecked: float = _figure(
        0.05, 0, 1, "expert", "知道要复查时的反弹概率", "rebound where a recheck is known to follow"
    )

    led_share: float = _figure(
        0, 0, 1, "guess", "只随批示走的检查占比", "share of visits that are made only where an instruction points"
    )
    news_every_days: float = _figure(
        30, 1, 2000, "guess", "平均几天出一件上新闻的事", "mean days between events in the news"
    )
    instruction_days: float = _figure(
        14, 1, 365, "guess", "一次批示管几天", "days for which an instruction moves anybody"
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            value, told = getattr(self, one.name), one.metadata
            if not isinstance(value, int | float) or not told["least"] <= value <= told["most"]:
                raise Refusal(
                    "simulation.value", one.name, name=one.name, least=told["least"], most=told["most"], value=value
                )
        if self.burn_in_days >= self.days:
            raise Refusal(
                "simulation.value", "burn_in_days", name="burn_in_days", least=0, most=self.days - 1, value=self.burn_in_days
            )  # fmt: skip

    @property
    def counted_days(self) -> float:
        """This property will give the number of days that count."""
        return self.days - self.burn_in_days

    def with_values(self, given: Mapping[str, float]) -> Setting:
        """This function will return the setting with some values replaced. Raises: Refusal for an unknown name or a value out of bounds."""
        known = {one.name for one in fields(self)}
        for name in given:
            if name not in known:
                raise Refusal("simulation.unknown", name, name=name, known="、".join(sorted(known)))
        return replace(self, **given)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named world: what differs from the base setting, and how visits are spread over the year."""

    zh: str
    en: str
    changes: Mapping[str, float] = field(default_factory=dict)
    campaign: bool = False
    """The year's visits are spent in its first quarter; afterwards nobody comes (运动式检查)."""
    count_target: bool = False
    """Inspectors are judged by the number of finds: a find is easiest where one was found before."""


_OPEN = {"public_share": 0.4, "call_rate_a_day": 0.001, "alarm_coverage": 0.4, "alarm_rate_a_day": 0.02}

SCENARIOS: Mapping[str, Scenario] = {
    "base": Scenario("基准", "base"),
    "open_city": Scenario("加上热线与报警器", "with calls and alarms", _OPEN),
    "campaign": Scenario("运动式检查", "campaign", campaign=True),
    "recheck": Scenario("销号后复查", "rechecks after closing", {"recheck_days": 30.0}),
    "faking_5": Scenario("5% 人员走过场", "5 % of inspectors fake visits", {"faking_share": 0.05}),
    "faking_20": Scenario("20% 人员走过场", "20 % of inspectors fake visits", {"faking_share": 0.2}),
    "calls_collapse": Scenario("举报人有顾虑，来电减至两成", "callers fear leaks: a fifth of the calls", {**_OPEN, "call_rate_a_day": 0.0002}),
    "acceptor_shortage": Scenario("验收能力不足", "too few acceptors", {"acceptances_a_day": 2.0}),
    "false_closing": Scenario("三成未整改先销号", "30 % closed without being put right", {"false_closing": 0.3}),
    "misjudged": Scenario(
        "检查比以为的更差、反弹比以为的更多", "visits find less and more comes back than the office believes",
        {"detection": 0.4, "rebound": 0.4, "believed_detection": 0.7, "believed_rebound": 0.2},
    ),
    "instructed": Scenario("批示到哪里，查到哪里", "visits only follow instructions", {"led_share": 1.0}),
    "count_target": Scenario("以发现数量为考核目标", "a target on counts", count_target=True),
}  # fmt: skip


def scenario(name: str) -> Scenario:
    """This function will return a scenario by name. Raises: Refusal when there is none."""
    if name not in SCENARIOS:
        raise Refusal("simulation.unknown", "scenario", name=name, known="、".join(SCENARIOS))
    return SCENARIOS[name]
