"""Formula prefixes (公式注入): text that a spreadsheet would run is written with an apostrophe, and read back without it.

A text is risky when, after any apostrophes, it starts with ``= + - @``, their full-width forms, a tab or a line break.
A plain negative number such as ``-5`` or ``-3.25`` is not: it is data, and spreadsheets only show it. A number with a plus
sign such as ``+8613800000000`` is: a spreadsheet would drop the sign and so damage a telephone number.
"""

import re

_RISKY = re.compile(r"'*(?!-[0-9]+(?:\.[0-9]+)?\Z)[=+\-@＝＋－＠\t\r\n]")


def neutralise(text: str) -> str:
    """This function will put an apostrophe before a risky text, and before one that only looks neutralised already."""
    return "'" + text if _RISKY.match(text) else text


def restore(text: str) -> str:
    """This function will undo ``neutralise`` exactly."""
    return text[1:] if text.startswith("'") and _RISKY.match(text) else text
