"""Words of the risk pages: what each figure is called, why a place is on the list, and curves as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from anban.contexts.risk.queries import Survival
from anban.web.desk.wording import proof_name
from anban.web.shell.wording import in_english

FIGURES: Final[Mapping[str, tuple[Any, Any]]] = {
    "places": (gettext_lazy("单位"), gettext_lazy("评估范围内在册、未关闭的单位")),
    "never_seen": (gettext_lazy("从未检查"), gettext_lazy("没有任何检查记录的单位")),
    "stale": (gettext_lazy("超过一年未检"), gettext_lazy("最近一次检查在 365 天以前")),
    "overdue": (gettext_lazy("有逾期隐患"), gettext_lazy("至少一条在账隐患已过整改期限")),
    "rebound": (gettext_lazy("一年内反弹"), gettext_lazy("销号后又被发现的隐患，365 天内")),
    "repeated": (gettext_lazy("同项重复"), gettext_lazy("同一检查项销号后 180 天内再次发现")),
    "failing": (gettext_lazy("连续三次不合格"), gettext_lazy("最近三次有结论的检查都不合格")),
    "burdened": (gettext_lazy("一年内检查五次以上"), gettext_lazy("365 天内行政检查或例行检查不少于 5 次")),
    "unled": (gettext_lazy("没有行业主管"), gettext_lazy("职责清单里没有部门主管这类场所")),
    "unsettled": (
        gettext_lazy("职责未界定"),
        gettext_lazy("所在范围有还没界定的职责空白或交叉（监管责任网里的责任界面）"),
    ),
}
"""What each figure is called, and exactly what it counts."""

SHARES: Final[Mapping[str, tuple[Any, Any]]] = {
    "first_tenth": (gettext_lazy("排在全市前一成"), gettext_lazy("按一次检查能避免多少，排在全市前十分之一的单位")),
    "drawn": (gettext_lazy("随机抽查（双随机）"), gettext_lazy("本次抽签抽中的单位，按抽签号从小到大")),
}
"""How visits fall on the areas, in words as the figures."""

HAZARDS: Final[Mapping[str, tuple[Any, Any]]] = {
    "hazards_open": (gettext_lazy("在账隐患"), gettext_lazy("评估日还没销号的隐患，按单位列出各有几条")),
    "hazards_overdue": (gettext_lazy("逾期隐患"), gettext_lazy("评估日在账、已过整改期限的隐患，按单位列出各有几条")),
    "hazards_major": (
        gettext_lazy("重大（含疑似、待判）"),
        gettext_lazy("评估日在账的重大、疑似重大和待判隐患，按单位列出各有几条"),
    ),
    "hazards_found": (
        gettext_lazy("一年内发现的隐患"),
        gettext_lazy("评估日前 365 天内发现的隐患，按单位列出各有几条"),
    ),
    "visits": (gettext_lazy("一年内到场次数"), gettext_lazy("评估日前 365 天内的到场，按单位列出各有几次")),
    "checks": (
        gettext_lazy("一年内行政检查次数"),
        gettext_lazy("评估日前 365 天内的行政检查或例行检查，按单位列出各有几次"),
    ),
}
"""Further figures of a report; each opens the places that it is made of."""

LISTS: Final[Mapping[str, tuple[Any, Any]]] = {**FIGURES, **SHARES, **HAZARDS}

SHORT: Final = {
    "stale": gettext_lazy("一年未检"),
    "failing": gettext_lazy("三次不合格"),
    "burdened": gettext_lazy("检查频繁"),
    "unled": gettext_lazy("无主管"),
    "unsettled": gettext_lazy("未界定"),
}
"""What figures are called at the head of a table."""

NEVER: Final = "never_seen"
DAYS_A_MONTH: Final = 30.44
TWO_MONTHS: Final = 60
WIDTH, HEIGHT, LEFT, TOP = 560, 200, 44, 8
LONGEST: Final = 365
MOST_REASONS: Final = 3
LONG_UNSEEN: Final = 182
"""From half a year on the time unseen is said beside the learned reasons."""
SHOWN: Final = 4
READ_AT: Final = (90, 180, 365)


def reason_words(fact: str, number: int) -> str:
    """Return one reason as a sentence that a shopkeeper understands."""
    match fact:
        case "failing":
            return _("最近三次检查都不合格")
        case "fails_730":
            return _("两年内 %(n)s 次检查不合格") % {"n": number}
        case "rebounds_365":
            return _("一年内有 %(n)s 条隐患改了又犯") % {"n": number}
        case "calls_90":
            return _("近三个月被反映或报警 %(n)s 次") % {"n": number}
        case _ if fact == NEVER:
            return _("从来没有检查过")
        case _ if number < TWO_MONTHS:
            return _("已有 %(n)s 天没有检查") % {"n": number}
        case _:
            return _("已有 %(n)s 个月没有检查") % {"n": int(number / DAYS_A_MONTH)}


def reason_list(
    reasons: Sequence[tuple[str, int]], told: Sequence[Sequence[str]] | None = None, *, high_risk: bool = False
) -> list[str]:
    """Return the weightiest reasons in words: those of the learned order where it stands (``told``: fact, Chinese, English).

    The list stands in the order of the index, which always grows with the time since a visit: that is said beside the learned
    reasons where nobody has been there for half a year or ever, and where there is no other reason; and what weighs thrice is said last.
    """
    grave = [_("属于高风险类型，出了事后果重")] if high_risk else []
    if told is None:
        return [reason_words(fact, number) for fact, number in reasons[:MOST_REASONS]] + grave
    side = 2 if in_english() else 1
    fact, number = next(((fact, number) for fact, number in reasons if fact in (NEVER, "days_unseen")), ("", 0))
    is_long = fact == NEVER or number >= LONG_UNSEEN
    said = [one[side] for one in told if not (is_long and one[0] == "waited")]
    if fact and (is_long or not said):
        said.insert(0 if fact == NEVER else 1, reason_words(fact, number))
    return said[:MOST_REASONS] + grave


def percent(share: float) -> str:
    """Return a share without false precision."""
    if 0 < share < 0.01:
        return "<1%"
    return f"{share * 100:.0f}%"


MOST_SURE: Final = 0.95
"""Above this a chance is not told further: nobody knows it so well."""


def likelihood(chance: float, *, never_seen: bool) -> str:
    """Return how likely something serious is hidden; of a place that nobody has ever seen nobody knows."""
    if never_seen:
        return _("未知")
    return f"≥{percent(MOST_SURE)}" if chance >= MOST_SURE else percent(chance)


def group_name(what: str, name: str, names: Mapping[str, str]) -> str:
    """Return what a group of a curve is called."""
    if what == "proof":
        return proof_name(name)
    return names.get(name, "") or name or _("未填")


@dataclass(frozen=True, slots=True)
class Line:
    """One curve as a page draws it: its name, the polyline's points, and what is read off it."""

    name: str
    number: int
    points: str
    episodes: int
    href: str
    back: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves in one frame: the share that has not come back, over the days since the close."""

    lines: tuple[Line, ...]
    grid: tuple[tuple[int, str], ...]
    ticks: tuple[tuple[int, int], ...]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def left(self) -> int:
        """Return where the frame begins."""
        return LEFT

    @property
    def bottom(self) -> int:
        """Return where the frame ends."""
        return HEIGHT - 24


def chart(curves: Sequence[Survival], named: Sequence[tuple[str, str]]) -> Chart | None:
    """Return the largest groups in one frame, each with its name and the list of its rounds; None where nothing was closed yet.

    The frame begins at the lowest tenth reached.
    """
    shown = [(curve, *name) for curve, name in zip(curves, named, strict=True) if curve.points][:SHOWN]
    if not shown:
        return None
    low = min(share for curve, _name, _href in shown for _d, share, _e, _n in curve.points)
    floor = max(0.0, min(0.9, int(low * 10) / 10))
    bottom = HEIGHT - 24

    def x(days: float) -> float:
        return LEFT + (WIDTH - LEFT - 16) * days / LONGEST

    def y(share: float) -> float:
        return TOP + (bottom - TOP) * (1 - (share - floor) / (1 - floor))

    lines = []
    for number, (curve, name, href) in enumerate(shown, start=1):
        points = [(x(0), y(1.0))]
        for days, share, _error, _left in curve.points:
            points += [(x(days), points[-1][1]), (x(days), y(share))]
        reads = tuple("—" if (at := curve.share_at(days)) is None else percent(1 - at) for days in READ_AT)
        lines.append(Line(name, number, " ".join(f"{a:.1f},{b:.1f}" for a, b in points), curve.episodes, href, reads))
    steps = [floor + (1 - floor) * n / 4 for n in range(5)]
    return Chart(
        tuple(lines),
        tuple((round(y(step)), f"{step * 100:.0f}%") for step in steps),
        tuple((round(x(days)), days) for days in (0, *READ_AT)),
    )
