"""Credit (信用): the list of serious dishonesty, how long it lasts, and the unified social credit code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from anban.kit import credit_code as codes
from anban.kit.months import add_months, add_years
from anban.rules.accident_terms import AccidentGrade
from anban.rules.decision import Reason, Ruling
from anban.rules.errors import Refusal
from anban.rules.figures import plain
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.penalties import first_window
from anban.rules.registry import asked, rule


class DishonestyKind(Term):
    """Kinds of events that may lead to the list (列入事由)."""

    ACCIDENT = "accident", "发生事故", "Accident"
    CONCEALED_REPORT = "concealed_report", "瞒报、谎报", "Report concealed or falsified"
    FLIGHT = "flight", "不立即抢救、擅离职守或逃匿", "Leaving or fleeing"
    UNLICENSED_OPERATION = "unlicensed_operation", "未经许可经营", "Operating without a permit"
    LENT_QUALIFICATION = "lent_qualification", "出租出借资质、虚假报告", "Qualification lent"
    REFUSED_PENALTY = "refused_penalty", "拒不履行处罚决定", "Penalty refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DishonestyEvent:
    """One event; an accident names its grade, a fine its multiple under 第一百一十四条第二款."""

    on: date = asked("发生日期", "day")
    kind: DishonestyKind = asked("事由", "kind")
    grade: AccidentGrade | None = asked("事故等级", "grade of the accident", default=None)
    fine_multiple: Decimal | None = asked("罚款倍数", "multiple of the fine", default=None, most=5)

    def __post_init__(self) -> None:
        if self.kind is DishonestyKind.ACCIDENT and self.grade is None:
            raise Refusal("rules.missing_field", field="grade", name="grade")


@dataclass(frozen=True, slots=True, kw_only=True)
class DishonestyFacts:
    """What is known of a unit, and the day of its listing if it is listed."""

    events: tuple[DishonestyEvent, ...] = asked("事件", "events")
    listed_on: date | None = asked("列入日期", "day of the listing", default=None)


_BY_KIND = (
    ("6-4", DishonestyKind.CONCEALED_REPORT, "concealed_report_clause"),
    ("6-5", DishonestyKind.FLIGHT, "flight_clause"),
    ("7-1", DishonestyKind.UNLICENSED_OPERATION, "unlicensed_clause"),
    ("7-2", DishonestyKind.LENT_QUALIFICATION, "lent_qualification_clause"),
    ("7-3", DishonestyKind.REFUSED_PENALTY, "refused_penalty_clause"),
)


@rule(
    "dishonesty_listing",
    number="R21",
    zh="严重失信主体名单",
    en="List of serious dishonesty",
    rests_on=(
        "credit.major_accident_clause",
        "credit.repeated_accident_months",
        "credit.repeated_accident_times",
        "credit.aggravated_fine_times",
        *(f"credit.{key}" for _, _, key in _BY_KIND),
        "credit.listing_years",
        "credit.early_removal_months",
    ),
    gives={
        "list": ("是否应当列入", "to be listed"),
        "case": ("列入情形（条-项）", "case, article and item"),
        "early_from": ("可申请提前移出之日", "early removal may be asked for from"),
        "until": ("期满移出之日", "removed on"),
    },
    day=lambda facts: facts.listed_on or max((each.on for each in facts.events), default=None),
)
def dishonesty_listing(facts: DishonestyFacts, on: date) -> Ruling:
    """This function will say whether events put a unit on the list, by which case first; and, listed, when it may leave.

    Source: 安全生产严重失信主体名单管理办法（令11） 第六条、第七条.
    """
    book = Book(on)
    cases = tuple(_cases(facts.events, book))
    reasons = [reason for _, reason in cases]
    outcome: dict[str, object] = {"list": bool(cases), "case": cases[0][0] if cases else None}
    if not cases:
        book.cite("credit.major_accident_clause")
        reasons.append(Reason("dishonesty_listing.no_case", "没有应当列入的情形", "No event is a case for the list"))
    if facts.listed_on is not None:
        months, years = book["credit.early_removal_months"], book["credit.listing_years"]
        outcome["early_from"] = add_months(facts.listed_on, months)
        outcome["until"] = add_years(facts.listed_on, years)
        reasons.append(
            Reason(
                "dishonesty_listing.duration",
                f"列入满 {months} 个月可申请提前移出，满 {years} 年移出",
                f"Early removal may be asked for after {months} months; removed after {years} years",
            )
        )
    return Ruling(outcome, tuple(reasons), book.sources)


def _cases(events: tuple[DishonestyEvent, ...], book: Book) -> Iterator[tuple[str, Reason]]:
    grave = [each for each in events if _is(each, AccidentGrade.MAJOR, AccidentGrade.EXTRA_MAJOR)]
    if grave:
        book.cite("credit.major_accident_clause")
        yield _case("6-1", f"发生{max(each.grade for each in grave if each.grade).zh}", "A major or graver accident")
    times, months = book.peek("credit.repeated_accident_times"), book.peek("credit.repeated_accident_months")
    larger = tuple(each.on for each in events if _is(each, AccidentGrade.LARGER))
    if run := first_window(larger, times, lambda first: add_months(first, months)):
        book.cite("credit.repeated_accident_times")
        yield _case(
            "6-2",
            f"{months} 个月内（{run[0]} 至 {run[1]}）发生 {times} 起以上较大事故",
            f"{times} or more larger accidents within {months} months ({run[0]} to {run[1]})",
        )
    multiple = book.peek("credit.aggravated_fine_times")
    fined = max((each.fine_multiple for each in events if each.fine_multiple is not None), default=Decimal(0))
    if fined >= multiple:
        book.cite("credit.aggravated_fine_times")
        yield _case(
            "6-3",
            f"被处 {plain(fined)} 倍罚款（{multiple} 倍以上）",
            f"Fined {plain(fined)} times ({multiple} or more)",
        )
    for number, kind, key in _BY_KIND:
        if any(each.kind is kind for each in events):
            book.cite(f"credit.{key}")
            yield _case(number, kind.zh, kind.en)


def _is(event: DishonestyEvent, *grades: AccidentGrade) -> bool:
    return event.kind is DishonestyKind.ACCIDENT and event.grade in grades


def _case(number: str, zh: str, en: str) -> tuple[str, Reason]:
    article, item = number.split("-")
    return number, Reason(
        f"dishonesty_listing.case_{article}_{item}",
        f"{zh}（第{'六' if article == '6' else '七'}条第{'一二三四五'[int(item) - 1]}项）",
        f"{en} (article {article}, item {item})",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """A code as it was written down."""

    code: str = asked("统一社会信用代码", "credit code")


@rule(
    "credit_code",
    number="R22",
    zh="统一社会信用代码校验",
    en="Check of a credit code",
    rests_on=("credit.credit_code_clause",),
    gives={
        "valid": ("是否有效", "valid"),
        "expected_check": ("应有的校验码", "check character expected"),
        "reason": ("问题", "problem"),
    },
)
def credit_code(facts: CodeFacts, on: date) -> Ruling:
    """This function will check a code with both its check characters; full-width and lower-case letters and spaces are forgiven.

    Source: GB 32100-2015; GB 11714-1997.
    """
    book = Book(on)
    book.cite("credit.credit_code_clause")
    text = codes.normalise(facts.code)
    problems = codes.problems(text)
    first17 = text[:17]
    known = len(text) == 18 and all(char in codes.ALPHABET for char in first17)
    expected = codes.check_char(first17) if known else None
    reasons = tuple(Reason(f"credit_code.{each}", *codes.PROBLEMS[each]) for each in problems)
    fine = Reason("credit_code.valid", "格式和两个校验码均正确", "The form and both check characters are right")
    outcome = {"valid": not problems, "expected_check": expected, "reason": problems[0] if problems else None}
    return Ruling(outcome, reasons or (fine,), book.sources)
