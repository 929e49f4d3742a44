"""What the statistics share: the day their methods were settled, the 95 % interval, common refusals."""

from __future__ import annotations

from datetime import date
from typing import Any

from anban.rules.errors import register

METHODS_FROM = date(2026, 11, 21)
"""The day the formulas and worked examples were settled; it stands as the version of every statistic."""

Z95 = 1.959963984540054
"""The normal quantile of 97.5 %."""


def side95(mp: Any) -> Any:
    """This function will give the share left out on each side of a 95 % interval, exactly."""
    return mp.mpf(25) / 1000


register("statistics.not_positive", zh="“{name}”必须大于零", en="{name} must be greater than zero")
register(
    "statistics.exactly_one",
    zh="请只填“{one}”或“{other}”之一",
    en="Give either {one} or {other}, not both and not neither",
)
register("statistics.more_than", zh="“{name}”不能大于“{limit}”", en="{name} can't be greater than {limit}")
register("statistics.ratio", zh="“ratio”必须大于 1", en="ratio must be greater than 1")
register(
    "statistics.lengths",
    zh="“{one}”和“{other}”的项数必须相同",
    en="{one} and {other} must have the same number of items",
)
register("statistics.empty", zh="“{name}”至少要有一项", en="{name} needs at least one item")
register("statistics.which_sources", zh="请填 n1、n2、both（两来源），或 f1、f2、seen（单来源次数）", en="Give n1, n2 and both (two sources), or f1, f2 and seen (one source)")  # fmt: skip
register("statistics.too_many_seen", zh="“f1”与“f2”之和不能大于“seen”", en="f1 and f2 together can't be more than seen")
