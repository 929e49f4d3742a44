"""Days, moments, spans and terms in words, Chinese or English, always in the time zone of the area root."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import get_language, gettext

from anban.web.shell.components import Deadline

WEEKDAYS_ZH: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
WEEKDAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS_EN: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class TermWords:
    """A term in words: its class (`due`, `soon`, `overdue`, `in-time`, `late`, `none`), the text, and the full date."""

    kind: str
    text: str
    title: str


def in_english() -> bool:
    """This function will tell whether the page is written in English; every other language reads Chinese."""
    return (get_language() or "").startswith("en")


def enumerated(names: Iterable[str]) -> str:
    """This function will write names one after another, as the language does."""
    return (", " if in_english() else "、").join(names)


def local_day(value: date | datetime) -> date:
    """This function will return the calendar day of an instant where the page is read; a date stays itself."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


def day_words(value: date | datetime, today: date, *, weekday: bool = True) -> str:
    """This function will write `11月21日 周六` or `21 Nov, Sat`, with the year where it is not the year of `today`."""
    day = local_day(value)
    if in_english():
        year = "" if day.year == today.year else f" {day.year}"
        return f"{day.day} {MONTHS_EN[day.month - 1]}{year}" + (f", {WEEKDAYS_EN[day.weekday()]}" if weekday else "")
    year = "" if day.year == today.year else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日" + (f" {WEEKDAYS_ZH[day.weekday()]}" if weekday else "")


def moment_words(value: datetime, today: date) -> str:
    """This function will write `11月21日 09:12` or `21 Nov, 09:12`."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    gap = ", " if in_english() else " "
    return f"{day_words(local.date(), today, weekday=False)}{gap}{local:%H:%M}"


def full_words(value: date | datetime) -> str:
    """This function will write the whole date with year and weekday, and the time where there is one."""
    day = local_day(value)
    words = day_words(day, date(day.year - 1 if day.year > 1 else 2, 1, 1))
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return f"{words} {local:%H:%M}"
    return words


def days_text(count: int) -> str:
    """This function will write a number of days with its unit."""
    return gettext("1 天") if count == 1 else gettext("%(count)s 天") % {"count": count}


def span_text(seconds: float) -> str:
    """This function will write a span in its largest unit: minutes, hours or days, rounded down."""
    seconds = abs(seconds)
    if seconds < HOUR:
        minutes = max(1, int(seconds // MINUTE))
        return gettext("1 分钟") if minutes == 1 else gettext("%(count)s 分钟") % {"count": minutes}
    if seconds < DAY:
        hours = int(seconds // HOUR)
        return gettext("1 小时") if hours == 1 else gettext("%(count)s 小时") % {"count": hours}
    return days_text(int(seconds // DAY))


def ago_text(value: datetime, now: datetime) -> str:
    """This function will write how long ago, or in how long, an instant lies."""
    seconds = (now - value).total_seconds()
    if abs(seconds) < MINUTE:
        return gettext("刚刚")
    if seconds > 0:
        return gettext("%(span)s前") % {"span": span_text(seconds)}
    return gettext("%(span)s后") % {"span": span_text(seconds)}


def term_words(term: Deadline) -> TermWords:
    """This function will put a term in words. Overdue is `due < now`; days between are days of the calendar."""
    if term.due_at is None:
        return TermWords("none", gettext("无期限"), "")
    title = gettext("期限 %(day)s") % {"day": full_words(term.due_at)}
    if term.done_at is not None:
        title += gettext("，完成于 %(day)s") % {"day": full_words(term.done_at)}
        if term.done_at <= term.due_at:
            return TermWords("in-time", gettext("按期完成"), title)
        late = (local_day(term.done_at) - local_day(term.due_at)).days
        span = days_text(late) if late else span_text((term.done_at - term.due_at).total_seconds())
        return TermWords("late", gettext("逾期 %(span)s完成") % {"span": span}, title)
    days = (local_day(term.due_at) - local_day(term.now)).days
    if term.due_at < term.now:
        span = days_text(-days) if days else span_text((term.now - term.due_at).total_seconds())
        return TermWords("overdue", gettext("逾期 %(span)s") % {"span": span}, title)
    if days == 0:
        return TermWords("soon", gettext("今天到期"), title)
    if days == 1:
        return TermWords("soon", gettext("明天到期"), title)
    return TermWords(
        "soon" if days <= term.soon_days else "due", gettext("还有 %(span)s") % {"span": days_text(days)}, title
    )
