"""A report as a PDF, and what signed reports hand on; the words come from the page, so that both say the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from anban.rules.errors import Refusal, register

register(
    "risk.no_font",
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
    """Return the first family present that holds Chinese. Raises: risk.no_font."""
    import typst

    present = set(typst.Fonts(include_system_fonts=True).families())
    for family in FONTS:
        if family in present:
            return family
    raise Refusal("risk.no_font")


def report_pdf(told: Mapping[str, Any]) -> bytes:
    """Return a report as a PDF; ``told`` is what its page says. Raises: risk.no_font."""
    import typst

    template = files("anban.contexts.risk").joinpath("report.typ").read_bytes()
    given = {"told": json.dumps(dict(told), ensure_ascii=False), "font": chinese_font()}
    made: bytes = typst.compile(template, format="pdf", sys_inputs=given)
    return made
