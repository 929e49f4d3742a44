"""Rows of link templates: which links the chains of which matters must have; the first file makes the packaged table the root's own."""

from __future__ import annotations

from typing import Final

from anban.contexts.establishments.importers import Fate, Item, Problem, Run, Target, TypedRow
from anban.contexts.responsibility.chains import LINKS, MATTERS, NAMERS, LinkRow, template_key
from anban.contexts.responsibility.columns import TEMPLATE_COLUMNS
from anban.contexts.responsibility.importers.words import day, load, problems_of, term, understood, words_of
from anban.contexts.responsibility.models import LinkTemplate
from anban.contexts.responsibility.operations import change_templates
from anban.contexts.responsibility.queries import link_templates
from anban.contexts.territory.policies import can_set

CERTAINTIES: Final = ("read", "practice", "estimate")
_LINK_WORDS: Final = {code: (zh, zh.removesuffix("责任人"), en.casefold()) for code, (zh, en) in LINKS.items()}
_NAMER_WORDS: Final = {code: (zh, en.casefold()) for code, (zh, en) in NAMERS.items()}
_MATTER_WORDS: Final = {code: (zh, en.casefold()) for code, (zh, en) in MATTERS.items()}


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will read what a row means and say what is wrong with it."""
    words = words_of(run)
    role, named_by = term(_LINK_WORDS, row.text("role")), term(_NAMER_WORDS, row.text("named_by"))
    matter = term(_MATTER_WORDS, row.text("matter")) if row.text("matter") else ""
    certainty = row.text("certainty")
    of_class, of_kind, work, grade = (row.text(name) for name in ("hazard_class", "place_kind", "work", "grade"))
    roles, namers, matters = ("、".join(one) for one in (LINKS, NAMERS, MATTERS))
    problems = problems_of(row, (
        ("matter", bool(row.text("matter")) and not matter, "matter_unknown", f"事项只能是 {matters} 或空", f"the matter is one of {matters}, or empty"),
        ("role", not role, "role_unknown", f"环节只能是 {roles}", f"the link is one of {roles}"),
        ("named_by", not named_by, "namer_unknown", f"由谁指定只能是 {namers}", f"it is named by one of {namers}"),
        ("place_kind", bool(of_kind) and of_kind not in words.kinds, "kind_unknown", "目录里没有这种场所", "the catalog has no such kind of place"),
        ("hazard_class", bool(of_class) and of_class not in words.classes, "class_unknown", "目录里没有这个隐患类别", "the catalog has no such hazard class"),
        ("work", bool(work) and work not in words.works, "work_unknown", "没有这个检查表", "there is no such check list"),
        ("grade", bool(grade) and grade not in words.grades, "grade_unknown", "没有这个等级", "there is no such grade"),
        ("certainty", bool(certainty) and certainty not in CERTAINTIES, "certainty_unknown", f"可靠程度只能是 {'、'.join(CERTAINTIES)}", f"the certainty is one of {', '.join(CERTAINTIES)}"),
    ))  # fmt: skip
    if not problems:
        understood(row, {
            "matter": matter, "role": role, "named_by": named_by, "hazard_class": words.classes.get(of_class, ""),
            "place_kind": words.kinds.get(of_kind, ""), "work": words.works.get(work, ""), "grade": words.grades.get(grade, ""),
        })  # fmt: skip
    return problems


_KEY: Final = ("matter", "hazard_class", "place_kind", "work", "grade", "role", "from")


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row by what it is for; its end, its namer and its basis may change."""
    del run
    return "|".join(row.text(name) for name in _KEY)


def plan(run: Run, items: list[Item]) -> None:
    """This function will compare each row with the table that stands."""
    held = {template_key(one): one for one in link_templates(run.root)}
    for item in items:
        row = item.row
        since = day(row, "from")
        assert since is not None  # noqa: S101 - a required column of days
        texts = {name: row.text(name) for name in ("matter", "hazard_class", "place_kind", "work", "grade", "role", "named_by", "basis", "source")}  # fmt: skip
        item.plan = LinkRow(
            **texts, from_on=since, until_on=day(row, "until"), certainty=row.text("certainty") or "practice"
        )
        stands = held.get(template_key(item.plan))
        item.fate = Fate.NEW if stands is None else Fate.SAME if stands == item.plan else Fate.CHANGED


def write(run: Run, items: list[Item]) -> None:
    """This function will write the batch's templates inside its unit of work."""
    added, changed = (
        [item.plan for item in items if item.fate is fate] for fate in (Fate.NEW, Fate.CHANGED)
    )  # fmt: skip
    change_templates(actor=run.actor, at=run.at, added=added, changed=changed)
    stored = {template_key(one): one.pk for one in LinkTemplate.objects.filter(root=run.root)}
    for item in items:
        item.subject_id = stored[template_key(item.plan)]


TEMPLATES = Target(
    code="link-templates", kind="link_template", zh="责任环节模板", en="Link templates", columns=TEMPLATE_COLUMNS, open=load,
    check=check, key=key, plan=plan, write=write, may=can_set, own_table=True,
)  # fmt: skip
