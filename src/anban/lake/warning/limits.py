"""What each method can and can't tell (能说明什么、不能说明什么), in both languages; shown beside every figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The two sides of a method in plain words, and the bound on its false alarms."""

    zh: str
    en: str
    can_zh: str
    can_en: str
    cannot_zh: str
    cannot_en: str
    bound_zh: str
    bound_en: str


LIMITS: dict[str, Limits] = {
    "change": Limits(
        "两期对比（精确泊松检验）",
        "Two periods compared (exact Poisson)",
        "两期的件数相差，是不是单凭偶然就会有。",
        "whether the two counts differ by more than chance makes them differ.",
        "不能说明原因：报告多了、检查多了、单位多了、政策起了作用，看起来都一样。件数少时，真实的变化多半看不出来："
        "一年二十几起的，降三成也只有两成多的机会被看出来。",
        "the cause: more reports, more checks, more firms and a policy that works look alike. With few events a true change mostly "
        "stays unseen: at some twenty-six a year a fall of 30 % is seen in 22 of 100 cases.",
        "若什么都没有变，一次看全部辖区和类别，出现任何一条提示的机会不超过 5%。",
        "if nothing has changed, a look at all areas and kinds shows any finding in at most 5 of 100 cases.",
    ),
    "scan": Limits(
        "时间聚集（扫描窗口）",
        "Cluster in time (scan windows)",
        "几起连着发生，是不是一年里本来就会碰上。",
        "whether events close together are what a year brings anyway.",
        "不能说明它们有没有共同的起因，也不能预报下一起。一年二十几起的，某个二十天里出现四起，十年里有九年会碰上。",
        "whether they have a common cause, nor when the next one comes. At some twenty-six a year, four in some twenty days happen "
        "in nine years of ten.",
        "平常年份出现提示的机会：单个类别不超过 5%；同时看多个类别时按多重比较校正。",
        "a calm year shows a finding in at most 5 of 100 cases for one kind; corrected when many are looked at together.",
    ),
    "cusum": Limits(
        "累积和控制图",
        "CUSUM chart",
        "发生率是不是升到了平常的若干倍，并且持续着；比等满一年早得多。",
        "whether the rate has risen to so many times the usual and stays there, long before a year is over.",
        "不能说明升了多少、为什么升。平常的发生率估计得不准时，误报会比写明的更多或更少。",
        "how much it rose, or why. Where the usual rate is known badly, false alarms come more or less often than stated.",
        "每张图写明平均隔多少起、多少天误报一次；同时看的图越多，误报越多，页面上写明一年预计几次。",
        "each chart states after how many events and days on average it alarms falsely; with more charts there are more, and the "
        "number expected in a year is shown.",
    ),
    "knox": Limits(
        "时空接近（Knox 检验）",
        "Close in space and time (Knox)",
        "离得近的几起，发生时间是不是也靠得比偶然更近。",
        "whether events near each other are also nearer in time than chance makes them.",
        "不能说明哪一起引起哪一起。人口、季节的变化也会造成接近。件数少时什么也证明不了。不同于盗窃，火灾之后一段时间附近也可能更少。",
        "which one caused which. Shifts of population and season make closeness too. Few events prove nothing. Unlike burglary, after "
        "a fire there may be fewer nearby for a while.",
        "若时间与地点无关，出现提示的机会不超过 5%（置换检验，精确）。",
        "if time has nothing to do with place, a finding shows in at most 5 of 100 cases (permutation test, exact).",
    ),
    "kulldorff": Limits(
        "时空聚集区（Kulldorff 扫描）",
        "Space-time cluster (Kulldorff scan)",
        "最近一段时间，哪几个相邻辖区的件数比应有的多，并已考虑到看了所有的地方。",
        "which neighbouring areas have had more of late than they should, with all places looked at taken into account.",
        "圈出的范围不是边界，圈内也未必处处都多。应有的件数估计错了，圈就错了；报告率高的街道看起来会像聚集区。",
        "the circle is no border, and not every place in it has more. Where the expected numbers are wrong, the circle is; streets "
        "that report more look like clusters.",
        "平常年份出现提示的机会不超过 5%（模拟检验，精确）。",
        "a calm period shows a finding in at most 5 of 100 cases (Monte-Carlo test, exact).",
    ),
    "hidden": Limits(
        "未发现隐患（捕获—再捕获）",
        "Unseen hazards (capture–recapture)",
        "几个来源各看到多少、共同看到多少，由此推算一个都没看到的有多少，给出范围。",
        "from what several sources saw alone and together, how much none of them saw: a range.",
        "来源之间有没有牵连，数据本身检验不出来。投诉引来检查时，范围会偏低；各处隐患被发现的难易不同时也偏低。"
        "比对错了（同一处没认出来）则偏高。不能指出在哪里。",
        "whether the sources are tied can't be tested by the data. Where a complaint brings an inspection the range is too low; so it "
        "is where hazards differ in how easily they are seen. Matches that were missed make it too high. It doesn't say where.",
        "来源相互独立时，400 次模拟中区间至少 93% 包含真值；有牵连时差多少，见文档中的表。",
        "with independent sources the interval holds the truth in at least 93 % of 400 simulated runs; how far it falls short under "
        "dependence is in the documents.",
    ),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of 400 simulated cities, in which share the range of unseen hazards holds the truth (%), and the middle estimate of 600."""

    zh: str
    en: str
    two_pct: float
    two_middle: int
    three_pct: float
    three_middle: int


COVERAGE = (
    Coverage("互不相干，处处同样容易看到", "independent, all equally visible", 94.5, 598, 100.0, 609),
    Coverage("一个看到的，10% 引来另一个", "tied: 10% of the first's finds bring the second", 40.8, 480, 99.0, 562),
    Coverage("一个看到的，20% 引来另一个", "tied: 20% of the first's finds bring the second", 2.8, 411, 98.8, 589),
    Coverage("一个看到的，30% 引来另一个", "tied: 30% of the first's finds bring the second", 0.0, 371, 99.0, 597),
    Coverage("一个看到的，50% 引来另一个", "tied: 50% of the first's finds bring the second", 0.0, 320, 98.8, 601),
    Coverage("有的容易看到、有的难", "unequally visible (gamma, shape 2)", 26.2, 442, 97.2, 469),
)
"""Measured by ``bench/unseen_coverage.py``, which prints the same again; shown beside every range."""
