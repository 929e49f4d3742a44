"""Mandates, bodies and link templates from the offices' own tables: read, preview, take in; rows refused with the reason, twice changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.catalog.data.tables import body_kinds, check_lists
from anban.contexts.establishments.columns import Column
from anban.contexts.establishments.importers import Problem
from anban.contexts.establishments.importers.refused import RefusedRows
from anban.contexts.responsibility import operations
from anban.contexts.responsibility.chains import LINKS, MATTERS, NAMERS, LinkRow, template_key
from anban.contexts.responsibility.columns import (
    BODY_COLUMNS,
    MANDATE_COLUMNS,
    PHASE_WORDS,
    ROLE_WORDS,
    TEMPLATE_COLUMNS,
)
from anban.contexts.responsibility.models import Mandate
from anban.contexts.responsibility.queries import link_templates
from anban.contexts.territory.models import Area, Body
from anban.contexts.territory.operations import add_bodies
from anban.contexts.territory.policies import can_arrange
from anban.contexts.territory.queries import bodies as all_bodies
from anban.contexts.territory.queries import city_date
from anban.kit.tabular import CellProblem, FileRefused, Row, Table, match_columns, parse_date, read_tables
from anban.rules.hazard_terms import Grade

SHOWN: Final = 200
Key = tuple[Any, ...]


@dataclass(slots=True)
class TakenTable:
    """What became of a table's rows; ``notes`` are rows that were taken in although somebody should look at them."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    notes: list[Problem] = field(default_factory=list)
    refused_files: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, int]:
        """Return the four counts by name."""
        return {name: self.counts[name] for name in ("new", "changed", "same", "refused")}


@dataclass(slots=True)
class _Line:
    """A row on its way in: where it stands, its texts by field, and what is wrong with it."""

    table: Table
    row: Row
    texts: dict[str, str]
    headers: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, name: str, code: str, zh: str, en: str) -> None:
        self.problems.append(self.problem(name, code, zh, en))

    def problem(self, name: str, code: str, zh: str, en: str) -> Problem:
        return Problem(
            self.table.file, self.table.sheet, self.row.number, self.headers.get(name, name), code, zh, en
        )  # fmt: skip

    def day(self, name: str) -> date | None:
        """Return a cell as a date; empty is None, anything else that is none refuses the row."""
        text = self.texts.get(name, "")
        if not text:
            return None
        try:
            return parse_date(text, serial=True)
        except CellProblem as problem:
            self.refuse(name, problem.code, problem.zh, problem.en)
            return None


def _lines(table: Table, columns: Sequence[Column]) -> Iterable[_Line]:
    """Return the rows of a table, or nothing but its own fault when its header lacks a column."""
    match = match_columns(table.header, [one.wanted for one in columns])
    headers = {key: column or key for key, column in match.found.items()}
    lacking = [next(one.zh for one in columns if one.field == key) for key in match.missing]
    for row in table.rows:
        line = _Line(
            table, row, {key: row.cells.get(column, "").strip() for key, column in match.found.items()}, headers
        )
        for problem in row.problems:
            line.refuse(problem.column, problem.code, problem.zh, problem.en)
        if lacking:
            line.refuse(
                "", "no_column", f"缺少列：{'、'.join(lacking)}", f"columns are missing: {', '.join(match.missing)}"
            )
        for key, names in match.duplicate.items():
            line.refuse(
                key, "two_columns", f"有两列都是它：{'、'.join(names)}", f"two columns claim it: {', '.join(names)}"
            )
        if not line.problems:
            for column in columns:
                text = line.texts.get(column.field, "")
                if column.required and not text:
                    line.refuse(column.field, "blank", "不能为空", "must not be empty")
                elif column.max_chars and len(text) > column.max_chars:
                    line.refuse(
                        column.field, "too_long", f"超过 {column.max_chars} 个字符", f"longer than {column.max_chars} characters"
                    )  # fmt: skip
        yield line


Plan = Callable[[list[_Line], TakenTable], Callable[[], None]]


def _take(
    path: Path, columns: Sequence[Column], plan: Plan, *, refused: Path | None, dry: bool, name: str
) -> TakenTable:
    """Read a file whole (these are tables of some thousand rows), plan all of it, then write the good rows at once.

    Raises: FileRefused.
    """
    taken = TakenTable()
    with RefusedRows() as kept:
        lines: list[_Line] = []
        tables = 0
        for table in read_tables(path, name=name or None):
            tables += 1
            kept.open(table)
            lines += _lines(table, columns)
        if not tables:
            raise FileRefused("file_empty")
        apply = plan([one for one in lines if not one.problems], taken)
        for one in lines:
            if one.problems:
                taken.counts["refused"] += 1
                taken.problem_count += len(one.problems)
                taken.problems += one.problems[: SHOWN - len(taken.problems)]
                kept.add(one.table, one.row.cells, one.row.extra, one.problems)
        if not dry:
            apply()
        if refused is not None and kept.count:
            taken.refused_files = tuple(kept.write(refused))
    return taken


# Mandates


def take_in_mandates(
    path: Path, *, actor: Actor, at: datetime, refused: Path | None = None, dry: bool = False, name: str = ""
) -> TakenTable:
    """This function will take in a table of mandates of the actor's root; a preview (``dry``) writes nothing.

    Rows that contradict each other are refused with the row they contradict; rows of different bodies over the same scope are
    taken in and listed as notes, for an overlap is a finding of the net and not a fault of the file. Raises: FileRefused.
    """

    def plan(lines: list[_Line], taken: TakenTable) -> Callable[[], None]:
        words = _Words.load(actor.root, city_date(at, actor.root))
        planned = _Mandates(actor, words)
        for line in lines:
            planned.consider(line)
        planned.look_across(taken)
        taken.counts.update({"new": len(planned.fresh), "changed": len(planned.changed), "same": planned.same})

        def apply() -> None:
            if not planned.fresh and not planned.changed:
                return
            with unit():
                operations.add_mandates(actor=actor, at=at, rows=planned.fresh.values())
                operations.change_mandates(actor=actor, at=at, changes=list(planned.changed.values()))

        return apply

    return _take(path, MANDATE_COLUMNS, plan, refused=refused, dry=dry, name=name)


@dataclass(slots=True)
class _Words:
    """What the cells mean: bodies, areas, kinds and classes by code or name; a name that several share means nothing."""

    bodies: dict[str, Body]
    areas: dict[str, Area]
    kinds: dict[str, str]
    classes: dict[str, str]

    @classmethod
    def load(cls, root: str, on: date) -> _Words:
        """Return the words of a root on a day."""
        bodies = list(all_bodies(root))
        areas = list(Area.objects.filter(root_id=root))
        kinds = list(catalog.place_kinds(root, on).values_list("code", "zh", "en"))
        classes = list(catalog.hazard_classes(root, on).values_list("code", "zh", "en"))
        return cls(
            _named((body, (body.code, body.name, body.name_en)) for body in bodies),
            _named((area, (area.code, area.name)) for area in areas),
            _named((code, (code, zh, en)) for code, zh, en in kinds),
            _named((code, (code, zh, en)) for code, zh, en in classes),
        )


def _named(rows: Iterable[tuple[Any, tuple[str, ...]]]) -> dict[str, Any]:
    """Return what each word means: a code always its own, a name only where nobody shares it."""
    kept = list(rows)
    counts = Counter(word for _, words in kept for word in dict.fromkeys(words) if word)
    found = {word: row for row, words in kept for word in words[1:] if word and counts[word] == 1}
    found.update({words[0]: row for row, words in kept})
    return found


@dataclass(slots=True)
class _Mandates:
    """The rows of one file against each other and against what is on file."""

    actor: Actor
    words: _Words
    known: dict[Key, list[Mandate]] = field(default_factory=dict)
    fresh: dict[Key, Mandate] = field(default_factory=dict)
    changed: dict[Key, tuple[Mandate, date | None, str]] = field(default_factory=dict)
    seen: dict[Key, list[tuple[Mandate, _Line]]] = field(default_factory=dict)
    same: int = 0

    def __post_init__(self) -> None:
        for row in Mandate.objects.filter(root=self.actor.root).select_related("body", "area"):
            self.known.setdefault(_scope(row), []).append(row)

    def consider(self, line: _Line) -> None:
        """Read one row and decide what becomes of it."""
        row = self._read(line)
        if line.problems:
            return
        scope = _scope(row)
        for other, where in self.seen.get(scope, ()):
            if other.body_id == row.body_id and _meet(other, row):
                if other.from_on == row.from_on and (other.until_on, other.basis) == (row.until_on, row.basis):
                    self.same += 1
                else:
                    line.refuse(
                        "from", "contradicts", f"与第 {where.row.number} 行是同一机构、同一职责，期间重叠，内容却不同",
                        f"contradicts row {where.row.number}: the same body and duty, at the same time, otherwise",
                    )  # fmt: skip
                return
        for held in self.known.get(scope, ()):
            if held.body_id != row.body_id:
                continue
            if held.from_on == row.from_on:
                self._as_on_file(line, held, row)
                return
            if _meet(held, row):
                since = held.from_on.isoformat() if held.from_on else "—"
                line.refuse(
                    "from", "overlaps_itself", f"该机构的同一职责已登记（自 {since}），期间重叠；先给原行填写终止日期",
                    f"this body has the duty on file already (from {since}) for part of the time; end that row first",
                )  # fmt: skip
                return
        self.seen.setdefault(scope, []).append((row, line))
        self.fresh[(*scope, row.body_id, row.from_on)] = row

    def _as_on_file(self, line: _Line, held: Mandate, row: Mandate) -> None:
        self.seen.setdefault(_scope(row), []).append((row, line))
        if (held.until_on, held.basis) == (row.until_on, row.basis):
            self.same += 1
        else:
            self.changed[(held.pk,)] = (held, row.until_on, row.basis)

    def _read(self, line: _Line) -> Mandate:
        texts = line.texts
        body = self.words.bodies.get(texts.get("body", ""))
        area = self.words.areas.get(texts.get("area", ""))
        role = _word(ROLE_WORDS, texts.get("role", ""))
        phase = _word(PHASE_WORDS, texts.get("phase", ""))
        kind, klass = texts.get("place_kind", ""), texts.get("hazard_class", "")
        industry = texts.get("industry", "")
        checks = (
            ("body", body is None, "body_unknown", "没有这个机构，或同名不止一个（请写机构代码）", "no such body, or several of the name: write its code"),
            ("area", area is None, "area_unknown", "没有这个地区，或同名不止一个（请写地区代码）", "no such area, or several of the name: write its code"),
            ("role", not role, "role_unknown", "职责只能是 sector_lead、special、enforcer、territory（行业主管、专业监管、执法主体、属地）", "the role is one of sector_lead, special, enforcer, territory"),
            ("phase", bool(texts.get("phase")) and not phase, "phase_unknown", "环节只能是 before、during、after（事前、事中、事后）或空", "the phase is before, during, after or empty"),
            ("place_kind", bool(kind) and kind not in self.words.kinds, "kind_unknown", "目录里没有这种场所", "the catalog has no such kind of place"),
            ("hazard_class", bool(klass) and klass not in self.words.classes, "class_unknown", "目录里没有这个隐患类别", "the catalog has no such hazard class"),
            ("industry", bool(kind and industry), "kind_and_industry", "场所类型和行业只能填一个", "give a place kind or an industry, not both"),
            ("industry", industry.isalpha(), "industry_section", "门类字母之下没有编码，请写大类（两位）及以下的代码", "a section letter begins no code: write the division's two digits or more"),
        )  # fmt: skip
        for name, wrong, code, zh, en in checks:
            if wrong:
                line.refuse(name, code, zh, en)
        from_on, until_on = line.day("from"), line.day("until")
        if from_on and until_on and until_on <= from_on:
            line.refuse(
                "until",
                "reversed",
                "终止日期（不含）须晚于起始日期",
                "the end (exclusive) must lie after the beginning",
            )
        if body is not None and body.until_on and (from_on is None or from_on >= body.until_on) and until_on is None:
            line.refuse("body", "body_gone", "这个机构已撤销", "this body no longer exists")
        if area is not None and not can_arrange(self.actor, area.path):
            line.refuse(
                "area", "not_allowed", "您的岗位不能登记这个地区的职责", "your post may not enter duties in this area"
            )
        return Mandate(
            root=self.actor.root, body=body, role=role, area=area, phase=phase, industry=industry,
            place_kind=self.words.kinds.get(kind, ""), hazard_class=self.words.classes.get(klass, ""),
            from_on=from_on, until_on=until_on, basis=texts.get("basis", ""),
        )  # fmt: skip

    def look_across(self, taken: TakenTable) -> None:
        """Note rows that meet another body's row over the same scope: both are taken in, and the net shows an overlap."""
        for scope, rows in self.seen.items():
            for row, line in rows:
                others = [one for one, _ in rows if one is not row] + self.known.get(scope, [])
                names = sorted({one.body.name for one in others if one.body_id != row.body_id and _meet(one, row)})
                if names and len(taken.notes) < SHOWN:
                    taken.notes.append(
                        line.problem(
                            "body", "overlap", f"与{'、'.join(names)}职责交叉，已列入待界定",
                            f"overlaps with {', '.join(names)}; listed to be settled",
                        )
                    )  # fmt: skip


def _scope(row: Mandate) -> Key:
    return (row.role, row.place_kind, row.industry, row.hazard_class, row.area_id, row.phase)


def _meet(one: Mandate, other: Mandate) -> bool:
    """Tell whether two rows hold on a common day."""
    return (one.until_on is None or other.from_on is None or other.from_on < one.until_on) and (
        other.until_on is None or one.from_on is None or one.from_on < other.until_on
    )


def _word(words: Mapping[str, tuple[str, ...]], text: str) -> str:
    folded = text.strip().casefold()
    return next((code for code, names in words.items() if folded in (code, *names)), "")


# Bodies


def take_in_bodies(
    path: Path, *, actor: Actor, at: datetime, refused: Path | None = None, dry: bool = False, name: str = ""
) -> TakenTable:
    """This function will take in a table of bodies of the actor's root; a body on file stays as it is. Raises: FileRefused."""

    def plan(lines: list[_Line], taken: TakenTable) -> Callable[[], None]:
        words = _Words.load(actor.root, city_date(at, actor.root))
        kinds = {one.code: one for one in body_kinds()}
        kinds_by_word = {**{one.zh: one for one in kinds.values()}, **kinds}
        fresh: dict[str, Body] = {}
        on_file = {one.code: one for one in words.bodies.values()}
        for line in lines:
            texts = line.texts
            code = texts["code"]
            kind, area = kinds_by_word.get(texts["kind"]), words.areas.get(texts["area"])
            superior = words.bodies.get(texts.get("superior", "")) or fresh.get(texts.get("superior", ""))
            if kind is None:
                line.refuse("kind", "kind_unknown", "没有这种机构类型", "there is no such kind of body")
            if area is None:
                line.refuse(
                    "area",
                    "area_unknown",
                    "没有这个地区，或同名不止一个（请写地区代码）",
                    "no such area, or several of the name",
                )
            elif not can_arrange(actor, area.path):
                line.refuse(
                    "area",
                    "not_allowed",
                    "您的岗位不能登记这个地区的机构",
                    "your post may not enter bodies in this area",
                )
            if texts.get("superior") and superior is None:
                line.refuse(
                    "superior", "body_unknown", "没有这个上级机构（须先列出）", "no such superior: list it first"
                )
            from_on = line.day("from")
            held = on_file.get(code) or fresh.get(code)
            if kind is None or area is None or line.problems:
                continue
            if held is not None:
                if (held.name, held.kind, held.area_id) == (texts["name"], kind.code, area.pk):
                    taken.counts["same"] += 1
                else:
                    line.refuse("code", "code_taken", f"代码已是“{held.name}”", f"the code belongs to {held.name}")
                continue
            fresh[code] = Body(
                root_id=actor.root, code=code, kind=kind.code, name=texts["name"], name_en=texts.get("name_en") or texts["name"],
                area=area, sector=kind.sector, superior=superior, from_on=from_on,
            )  # fmt: skip
        taken.counts["new"] = len(fresh)

        def apply() -> None:
            if fresh:
                add_bodies(actor=actor, at=at, rows=fresh.values())

        return apply

    return _take(path, BODY_COLUMNS, plan, refused=refused, dry=dry, name=name)


# Templates of links


def take_in_link_templates(
    path: Path, *, actor: Actor, at: datetime, refused: Path | None = None, dry: bool = False, name: str = ""
) -> TakenTable:
    """This function will take in a table of link templates; the actor's root then has a table of its own, begun with the packaged one.

    What a row is for says which row it is; its end, its namer and its basis may change. Raises: FileRefused, territory.not_allowed.
    """

    def plan(lines: list[_Line], taken: TakenTable) -> Callable[[], None]:
        words = _TemplateWords.load(actor.root, city_date(at, actor.root))
        held = {template_key(one): one for one in link_templates(actor.root)}
        fresh: dict[Key, LinkRow] = {}
        changed: dict[Key, LinkRow] = {}
        seen: dict[Key, tuple[LinkRow, _Line]] = {}
        for line in lines:
            row = words.read(line)
            if row is None or line.problems:
                continue
            key = template_key(row)
            if key in seen and seen[key][0] != row:
                line.refuse(
                    "role", "contradicts", f"与第 {seen[key][1].row.number} 行是同一环节，内容却不同",
                    f"contradicts row {seen[key][1].row.number}: the same link, otherwise",
                )  # fmt: skip
            elif key in seen or held.get(key) == row:
                taken.counts["same"] += 1
            elif key in held:
                changed[key] = row
            else:
                fresh[key] = row
            seen.setdefault(key, (row, line))
        taken.counts.update({"new": len(fresh), "changed": len(changed)})

        def apply() -> None:
            if fresh or changed:
                operations.change_templates(actor=actor, at=at, added=fresh.values(), changed=changed.values())

        return apply

    return _take(path, TEMPLATE_COLUMNS, plan, refused=refused, dry=dry, name=name)


@dataclass(slots=True)
class _TemplateWords:
    """What the cells of a table of link templates mean."""

    kinds: dict[str, str]
    classes: dict[str, str]
    works: dict[str, str]
    grades: dict[str, str]

    @classmethod
    def load(cls, root: str, on: date) -> _TemplateWords:
        """Return the words of a root on a day."""
        kinds = list(catalog.place_kinds(root, on).values_list("code", "zh", "en"))
        classes = list(catalog.hazard_classes(root, on).values_list("code", "zh", "en"))
        return cls(
            _named((code, (code, zh, en)) for code, zh, en in kinds),
            _named((code, (code, zh, en)) for code, zh, en in classes),
            _named((row.code, (row.code, row.zh, row.en)) for row in check_lists()),
            _named((one.value, (one.value, one.zh, one.en)) for one in Grade),
        )

    def read(self, line: _Line) -> LinkRow | None:
        """Return the row that a line means; what is wrong with it is on the line."""
        texts = line.texts
        role, named_by = _word(_LINK_WORDS, texts.get("role", "")), _word(_NAMER_WORDS, texts.get("named_by", ""))
        matter = _word(_MATTER_WORDS, texts.get("matter", "")) if texts.get("matter") else ""
        certainty = texts.get("certainty", "") or "practice"
        of_class, of_kind = texts.get("hazard_class", ""), texts.get("place_kind", "")
        work, grade = texts.get("work", ""), texts.get("grade", "")
        roles, namers, matters = ("、".join(one) for one in (LINKS, NAMERS, MATTERS))
        checks = (
            ("matter", bool(texts.get("matter")) and not matter, "matter_unknown", f"事项只能是 {matters} 或空", f"the matter is one of {matters}, or empty"),
            ("role", not role, "role_unknown", f"环节只能是 {roles}", f"the link is one of {roles}"),
            ("named_by", not named_by, "namer_unknown", f"由谁指定只能是 {namers}", f"it is named by one of {namers}"),
            ("place_kind", bool(of_kind) and of_kind not in self.kinds, "kind_unknown", "目录里没有这种场所", "the catalog has no such kind of place"),
            ("hazard_class", bool(of_class) and of_class not in self.classes, "class_unknown", "目录里没有这个隐患类别", "the catalog has no such hazard class"),
            ("work", bool(work) and work not in self.works, "work_unknown", "没有这个检查表", "there is no such check list"),
            ("grade", bool(grade) and grade not in self.grades, "grade_unknown", "没有这个等级", "there is no such grade"),
            ("certainty", certainty not in CERTAINTIES, "certainty_unknown", f"可靠程度只能是 {'、'.join(CERTAINTIES)}", f"the certainty is one of {', '.join(CERTAINTIES)}"),
        )  # fmt: skip
        for name, wrong, code, zh, en in checks:
            if wrong:
                line.refuse(name, code, zh, en)
        from_on, until_on = line.day("from"), line.day("until")
        if from_on and until_on and until_on <= from_on:
            line.refuse("until", "reversed", "终止日期（不含）须晚于起始日期", "the end (exclusive) must lie after the beginning")  # fmt: skip
        if from_on is None or line.problems:
            return None
        return LinkRow(
            matter=matter, hazard_class=self.classes.get(of_class, ""), place_kind=self.kinds.get(of_kind, ""),
            work=self.works.get(work, ""), grade=self.grades.get(grade, ""), role=role, named_by=named_by,
            from_on=from_on, until_on=until_on, basis=texts.get("basis", ""), source=texts.get("source", ""),
            certainty=certainty,
        )  # fmt: skip


CERTAINTIES: Final = ("read", "practice", "estimate")
_LINK_WORDS: Final = {code: (zh, zh.removesuffix("责任人"), en.casefold()) for code, (zh, en) in LINKS.items()}
_NAMER_WORDS: Final = {code: (zh, en.casefold()) for code, (zh, en) in NAMERS.items()}
_MATTER_WORDS: Final = {code: (zh, en.casefold()) for code, (zh, en) in MATTERS.items()}
