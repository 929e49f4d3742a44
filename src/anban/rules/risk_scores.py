"""Risk scores (风险评价): LEC and the LS matrix, with the four colours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from anban.rules.decision import Reason, Ruling
from anban.rules.emergency import Colour
from anban.rules.errors import Refusal
from anban.rules.figures import plain
from anban.rules.law import Book
from anban.rules.registry import asked, rule

LIKELIHOODS = tuple(map(Decimal, ("10", "6", "3", "1", "0.5", "0.2", "0.1")))
EXPOSURES = tuple(map(Decimal, ("10", "6", "3", "2", "1", "0.5")))
CONSEQUENCES = tuple(map(Decimal, ("100", "40", "15", "7", "3", "1")))
"""The only values of the three tables of LEC. Source: 作业条件危险性评价法 (Graham and Kinney)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LecFacts:
    """A work situation by its three factors, each a value of its table."""

    likelihood: Decimal = asked("可能性 L", "likelihood L")
    exposure: Decimal = asked("暴露频次 E", "exposure E")
    consequence: Decimal = asked("后果 C", "consequence C")

    def __post_init__(self) -> None:
        for name, value, table in (
            ("likelihood", self.likelihood, LIKELIHOODS),
            ("exposure", self.exposure, EXPOSURES),
            ("consequence", self.consequence, CONSEQUENCES),
        ):
            if value not in table:
                raise Refusal(
                    "rules.unknown_choice",
                    field=name,
                    name=name,
                    value=plain(value),
                    choices=", ".join(map(plain, table)),
                )


@rule(
    "risk_lec",
    number="R16",
    zh="风险评价（LEC）",
    en="Risk by LEC",
    rests_on=("risk.lec_red_points", "risk.lec_orange_points", "risk.lec_yellow_points", "risk.colours_clause"),
    gives={"score": ("分值 D", "score D"), "colour": ("颜色", "colour")},
)
def risk_lec(facts: LecFacts, on: date) -> Ruling:
    """This function will multiply likelihood, exposure and consequence and give the colour; a cut point belongs to the graver one.

    Source: 作业条件危险性评价法; colours 安委办〔2016〕11号; cut points are a proposal.
    """
    return _ruling("risk_lec", "lec", facts.likelihood * facts.exposure * facts.consequence, Book(on))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixFacts:
    """A risk by likelihood and severity, each 1 to 5."""

    likelihood: int = asked("可能性 L（1–5）", "likelihood L, 1 to 5", least=1, most=5)
    severity: int = asked("严重性 S（1–5）", "severity S, 1 to 5", least=1, most=5)


@rule(
    "risk_ls",
    number="R17",
    zh="风险评价（LS 矩阵）",
    en="Risk by the LS matrix",
    rests_on=("risk.ls_red_points", "risk.ls_orange_points", "risk.ls_yellow_points", "risk.colours_clause"),
    gives={"score": ("分值 R", "score R"), "colour": ("颜色", "colour")},
)
def risk_ls(facts: MatrixFacts, on: date) -> Ruling:
    """This function will multiply likelihood and severity and give the colour.

    Source: 风险矩阵法; colours 安委办〔2016〕11号; cut points are a proposal.
    """
    return _ruling("risk_ls", "ls", Decimal(facts.likelihood * facts.severity), Book(on))


def _ruling(code: str, method: str, score: Decimal, book: Book) -> Ruling:
    cuts = [(colour, book[f"risk.{method}_{colour}_points"]) for colour in (Colour.RED, Colour.ORANGE, Colour.YELLOW)]
    book.cite("risk.colours_clause")
    colour = next((each for each, cut in cuts if score >= cut), Colour.BLUE)
    scale = "，".join(f"{cut} 起{each.zh}" for each, cut in cuts)
    scale_en = ", ".join(f"{each.en.lower()} from {cut}" for each, cut in cuts)
    reason = Reason(
        f"{code}.by_cut_points",
        f"分值 {plain(score)}，为{colour.zh}色（{scale}，其余蓝）",
        f"Score {plain(score)} is {colour.en.lower()} ({scale_en}, else blue)",
    )
    return Ruling({"score": score, "colour": colour}, (reason,), book.sources)
