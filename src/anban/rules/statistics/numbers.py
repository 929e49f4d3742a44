"""Exact distribution tails with mpmath, which is imported when the first one is asked for; and how figures are shown."""

from __future__ import annotations

import threading
from decimal import Context, Decimal
from typing import Any

DIGITS = 40
"""Working digits: enough that fifteen are left where two nearly equal numbers are subtracted."""

_SHOWN = Context(prec=15)
_LIKELIER = 1 + Decimal("1e-7")
"""How much likelier an outcome may look and still count as no likelier, against rounding."""

_local = threading.local()


def arithmetic() -> Any:
    """This function will give this thread's own mpmath context: its precision is set once and shared with nobody."""
    if not hasattr(_local, "context"):
        import mpmath

        context = mpmath.MPContext()
        context.dps = DIGITS
        _local.context = context
    return _local.context


def shown(value: Any) -> Decimal:
    """This function will give a float or an mpmath number as a decimal of fifteen digits."""
    text = repr(value) if isinstance(value, float) else arithmetic().nstr(value, 17, strip_zeros=False)
    rounded = _SHOWN.create_decimal(text)
    return Decimal(0) if rounded == 0 else rounded


def beta_tails(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """This function will give the lower and upper tail of the beta distribution at x; the smaller one is computed directly."""
    mp = arithmetic()
    if x <= 0:
        return mp.zero, mp.one
    if x >= 1:
        return mp.one, mp.zero
    if x * (a + b + 2) > a + 1:
        upper = _beta_fraction(mp, b, a, 1 - x)
        return 1 - upper, upper
    lower = _beta_fraction(mp, a, b, x)
    return lower, 1 - lower


def _beta_fraction(mp: Any, a: Any, b: Any, x: Any) -> Any:
    """The regularised incomplete beta function by its continued fraction (Lentz), for x below the mean."""
    tiny, close = mp.mpf(10) ** -1000, mp.mpf(10) ** -(DIGITS - 6)
    c, d = mp.one, 1 - (a + b) * x / (a + 1)
    d = 1 / (d or tiny)
    result = d
    m = 0
    change = mp.inf
    while abs(change - 1) > close:
        m += 1
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + factor * d or tiny)
            c = 1 + factor / c or tiny
            change = c * d
            result *= change
    front = a * mp.log(x) + b * mp.log1p(-x) + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)
    return mp.exp(front) * result / a


def beta_quantile(a: int, b: int, share: Any) -> Any:
    """This function will give the point below which the beta distribution has this share: Newton kept between bounds."""
    mp = arithmetic()
    low, high = mp.zero, mp.one
    x = mp.mpf(a) / (a + b)
    norm = mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b)
    for _ in range(200):
        lower, upper = beta_tails(a, b, x)
        off = lower - share if share < 0.5 else (1 - share) - upper
        low, high = (x, high) if off < 0 else (low, x)
        density = mp.exp((a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x) + norm)
        step = x - off / density if density else low
        new = step if low < step < high else (low + high) / 2
        if abs(new - x) <= x * mp.mpf(10) ** -(DIGITS // 2):
            return new
        x = new
    return x


def binomial_p(k: int, n: int, p: Any) -> Any:
    """This function will give the exact two-sided p-value of k among n at chance p: all outcomes no likelier than k."""
    mp = arithmetic()
    odds = mp.log(p), mp.log1p(-p)

    def weight(j: int) -> Any:
        return j * odds[0] + (n - j) * odds[1] - mp.loggamma(j + 1) - mp.loggamma(n - j + 1)

    seen = weight(k) + mp.log(mp.mpf(str(_LIKELIER)))
    mode = int(mp.floor((n + 1) * p))
    if k == mode or (weight(mode) <= seen):
        return mp.one
    if k < mode:
        # The first outcome above the mode that is no likelier than k.
        low, high = mode, n + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if weight(middle) > seen else (low, middle)
        above = at_least(high, n, p)
        return min(mp.one, at_most(k, n, p) + above)
    low, high = -1, mode
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if weight(middle) > seen else (middle, high)
    return min(mp.one, at_least(k, n, p) + at_most(low, n, p))


def at_least(k: int, n: int, p: Any) -> Any:
    """This function will give the chance of k or more among n."""
    if k <= 0:
        return arithmetic().one
    return beta_tails(k, n - k + 1, p)[0] if k <= n else arithmetic().zero


def at_most(k: int, n: int, p: Any) -> Any:
    """This function will give the chance of k or fewer among n."""
    if k >= n:
        return arithmetic().one
    return beta_tails(k + 1, n - k, p)[1] if k >= 0 else arithmetic().zero
