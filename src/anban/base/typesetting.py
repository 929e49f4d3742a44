"""Sheets of paper as PDF: a template and what it tells; words come from whoever asks, nothing is computed on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from anban.rules.errors import Refusal, register

register(
    "pdf.no_font",
    zh="这台服务器上没有中文字体，不能生成 PDF。请管理员安装 fonts-noto-cjk。",
    en="This server has no Chinese font, so no PDF can be made. Ask the administrator to install fonts-noto-cjk.",
)

FONTS: Final = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Serif CJK SC",
    "WenQuanYi Zen Hei",
    "SimSun",
    "Microsoft YaHei",
)
"""Families that hold Chinese, the best first."""


@cache
def chinese_font() -> str:
    """Return the first family present that holds Chinese. Raises: pdf.no_font."""
    import typst

    present = set(typst.Fonts(include_system_fonts=True).families())
    for family in FONTS:
        if family in present:
            return family
    raise Refusal("pdf.no_font")


def pdf(template: bytes, told: Mapping[str, Any]) -> bytes:
    """Return a template filled with what it tells as a PDF. Raises: pdf.no_font."""
    import typst

    given = {"told": json.dumps(dict(told), ensure_ascii=False), "font": chinese_font()}
    made: bytes = typst.compile(template, format="pdf", sys_inputs=given)
    return made
