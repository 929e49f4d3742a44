"""Exact numbers as they are written: without exponent, without idle zeros, grouped for people."""

from __future__ import annotations

from decimal import Decimal


def plain(number: int | Decimal) -> str:
    """This function will write an exact number without exponent and without idle zeros: 12.480 is 12.48."""
    return _trimmed(format(number, "f" if isinstance(number, Decimal) else ""))


def grouped(number: int | Decimal) -> str:
    """This function will write an exact number with its thousands parted: 49999999.90 is 49,999,999.9."""
    return _trimmed(format(number, ",f" if isinstance(number, Decimal) else ","))


def _trimmed(text: str) -> str:
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
