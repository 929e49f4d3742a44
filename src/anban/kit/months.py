"""Months and years after a day, kept to the month's end."""

from __future__ import annotations

from calendar import monthrange
from datetime import date


def add_months(day: date, months: int) -> date:
    """This function will give the same day of a later (or earlier) month, or that month's last day where it is shorter.

    Source: 民法典 art. 202: a term of months or years ends on the corresponding day, else on the last day of the month.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_years(day: date, years: int) -> date:
    """This function will give the same day of a later (or earlier) year; 29 February becomes the 28th."""
    return add_months(day, 12 * years)
