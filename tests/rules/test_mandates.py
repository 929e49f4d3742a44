"""The most specific mandate wins, equals are an overlap, nobody is a gap: held against a plain second reading of the rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from anban.rules.mandates import PHASES, ROLES, History, Row, State, Table, best

ON = date(2026, 3, 2)
KINDS = ("catering", "hotel", "school")
TRADES = ("", "6", "62", "621", "61")
CLASSES = ("GAS", "FIRE", "CHEM")
PATHS = ("1/05/026/003/", "1/05/026/", "1/05/004/", "1/08/010/")
AREAS = ((("",), 1), (("1/05/",), 2), (("1/08/",), 2), (("1/M1/", "1/05/004/"), 3), (("1/05/026/",), 4), (("1/05/026/003/",), 5))  # fmt: skip
DAYS = st.none() | st.integers(-3, 3).map(lambda n: ON + timedelta(days=n))


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    made = []
    for key in range(draw(st.integers(0, 9))):
        paths, depth = draw(st.sampled_from(AREAS))
        scope = draw(st.sampled_from(("kind", "industry", "any")))
        made.append(
            Row(
                key,
                draw(st.sampled_from("ABC")),
                draw(st.sampled_from(ROLES)),
                draw(st.sampled_from(KINDS)) if scope == "kind" else "",
                draw(st.sampled_from(TRADES[1:])) if scope == "industry" else "",
                draw(st.sampled_from(("", *CLASSES))),
                draw(st.sampled_from(("", "", *PHASES))),
                paths,
                depth,
                draw(DAYS),
                draw(DAYS),
                draw(st.sampled_from(("", "", "order", "penalise"))),
            )
        )
    return made


QUESTIONS = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(("6210", "6120", "")), st.sampled_from(PATHS), st.sampled_from(CLASSES),
    st.sampled_from(ROLES),
)  # fmt: skip


def read_plainly(
    held: list[Row], kind: str, industry: str, path: str, klass: str, role: str, on: date
) -> tuple[str, set]:
    """The rule as the issue says it, row by row and phase by phase, without any index."""

    def covers(row: Row) -> bool:
        return (
            row.role == role
            and row.place_kind in ("", kind)
            and industry.startswith(row.industry)
            and row.hazard_class in ("", klass)
            and any(path.startswith(one) for one in row.paths)
            and (row.from_on is None or row.from_on <= on)
            and (row.until_on is None or on < row.until_on)
        )

    fitting = [row for row in held if covers(row)]
    outcomes = []
    for phase in PHASES:
        asked = [row for row in fitting if row.phase in ("", phase)]
        for narrower in (
            lambda r: 2 if r.place_kind else 1 if r.industry else 0,
            lambda r: len(r.industry),
            lambda r: bool(r.hazard_class),
            lambda r: r.depth,
        ):
            most = max(map(narrower, asked), default=None)
            asked = [row for row in asked if narrower(row) == most]
        outcomes.append(asked)
    if any(not asked for asked in outcomes):
        return "gap", set()
    tied = [asked for asked in outcomes if contested(asked, "penalise") or contested(asked, "order")]
    if tied:
        return "overlap", {row.body for asked in tied for row in asked}
    return "resolved", {row.body for asked in outcomes for row in asked}


def contested(asked: list[Row], other: str) -> bool:
    """Two bodies hold one power: all rows but those that hold the other one alone."""
    return len({row.body for row in asked if row.power != other}) > 1


@given(rows(), QUESTIONS)
def test_every_question_has_exactly_one_answer_or_is_a_gap_or_an_overlap(held, question):
    kind, industry, path, klass, role = question
    found = Table.on(held, ON).sheet(kind, industry, path).of(role, klass)
    assert (found.state, set(found.bodies)) == read_plainly(held, *question, ON)


@given(rows(), rows().filter(bool), QUESTIONS)
def test_changing_one_mandate_changes_only_what_it_covers(held, more, question):
    kind, industry, path, klass, role = question
    extra = replace(more[0], key="extra")
    before = Table.on(held, ON).sheet(kind, industry, path).of(role, klass)
    after = Table.on([*held, extra], ON).sheet(kind, industry, path).of(role, klass)
    covers = (
        extra.in_force(ON)
        and extra.role == role
        and extra.place_kind in ("", kind)
        and industry.startswith(extra.industry)
        and extra.hazard_class in ("", klass)
        and any(path.startswith(one) for one in extra.paths)
    )
    if not covers:
        assert (after.state, after.rows, after.during) == (before.state, before.rows, before.during)


@given(rows(), QUESTIONS)
@settings(max_examples=60)
def test_since_is_the_first_day_of_the_unbroken_same_answer(held, question):
    kind, industry, path, klass, role = question
    days = tuple(sorted({day for row in held for day in (row.from_on, row.until_on) if day}))
    since = History(lambda _day: held, days).since(kind, industry, path, role, klass, ON)
    now = read_plainly(held, *question, ON)
    if since is None:
        assert all(read_plainly(held, *question, ON - timedelta(days=n)) == now for n in range(6))
    else:
        span = range((ON - since).days + 1)
        assert all(read_plainly(held, *question, ON - timedelta(days=n)) == now for n in span)
        assert read_plainly(held, *question, since - timedelta(days=1)) != now


def test_place_kind_wins_over_industry_and_class_over_area():
    kind = Row(1, "A", "special", place_kind="catering", depth=1)
    trade = Row(2, "B", "special", industry="621", hazard_class="GAS", paths=("1/05/026/",), depth=4)
    classed = Row(3, "C", "special", hazard_class="GAS", depth=1)
    near = Row(4, "D", "special", paths=("1/05/026/",), depth=4)
    table = Table.on([kind, trade, classed, near], ON)
    assert table.sheet("catering", "6210", "1/05/026/").of("special", "GAS").bodies == ("A",)
    assert table.sheet("hotel", "6210", "1/05/026/").of("special", "GAS").bodies == ("B",)
    assert table.sheet("hotel", "9999", "1/05/026/").of("special", "GAS").bodies == ("C",)
    assert table.sheet("hotel", "9999", "1/05/026/").of("special", "FIRE").bodies == ("D",)


def test_the_same_body_twice_is_no_overlap_and_a_phase_without_anybody_is_a_gap():
    one, again = Row(1, "A", "special"), Row(2, "A", "special")
    assert best([one, again]).state is State.RESOLVED
    before = replace(one, phase="before")
    assert best([before]).state is State.GAP
    assert best([before, replace(again, phase="during"), Row(3, "B", "special", phase="after")]).state is State.RESOLVED
    assert best([before, Row(4, "B", "special")]).state is State.OVERLAP


def test_a_row_holds_from_its_first_day_and_not_on_the_day_it_ends():
    row = Row(1, "A", "special", from_on=ON, until_on=ON + timedelta(days=1))
    assert [row.in_force(ON + timedelta(days=n)) for n in (-1, 0, 1)] == [False, True, False]


def test_one_who_orders_and_another_who_penalises_are_no_overlap():
    orders, fines = Row(1, "A", "enforcer", power="order"), Row(2, "B", "enforcer", power="penalise")
    assert (best([orders, fines]).state, best([orders, fines]).bodies) == (State.RESOLVED, ("A", "B"))
    assert best([orders, fines, Row(3, "C", "enforcer", power="order")]).state is State.OVERLAP
    assert best([orders, Row(4, "B", "enforcer")]).state is State.OVERLAP
