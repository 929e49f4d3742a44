"""Rows of duty lists: which post, which duty, how often, with what evidence; the list's own export reads back unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from anban.contexts.catalog.data.tables import roles
from anban.contexts.establishments.columns import Column
from anban.contexts.establishments.importers import Fate, Item, Problem, Run, Target, TypedRow
from anban.contexts.establishments.search import fold
from anban.contexts.oversight.models import PostDuty
from anban.contexts.oversight.operations.duties import Wanted, add_duty, change_duty
from anban.contexts.oversight.policies import can_keep_duties
from anban.contexts.territory.models import Post
from anban.rules.duty_lists import Evidence, Ground, Period
from anban.rules.hazard_terms import Term

COLUMNS = (
    Column("body", "机构代码", "Body code", ("机构", "body"), required=True, max_chars=60),
    Column("role", "岗位角色", "Role", ("角色",), required=True),
    Column("area", "地区代码", "Area code", ("地区",), required=True),
    Column("post", "岗位名称", "Post", ("岗位",), max_chars=80),
    Column("code", "职责代码", "Duty code", ("代码",), required=True, max_chars=40),
    Column("title", "职责内容", "Duty", ("职责", "title"), required=True, max_chars=200),
    Column("ground", "职责依据类别", "Ground", ("依据类别",), required=True),
    Column("period", "周期", "Period", ("频次",), required=True),
    Column("evidence", "履职证据", "Evidence", ("证据",), required=True),
    Column("evidence_count", "证据数量", "Count", ("数量",), kind="integer"),
    Column("means", "手段", "Means", ("措施手段",), max_chars=300),
    Column("basis", "依据", "Basis", (), max_chars=300),
    Column("from_on", "起始日期", "From", ("from", "起"), required=True, kind="date"),
    Column("until_on", "终止日期", "Until", ("until", "止"), kind="date"),
)
_TERMS: tuple[tuple[str, type[Term]], ...] = (("ground", Ground), ("period", Period), ("evidence", Evidence))


def _words(kind: type[Term]) -> dict[str, str]:
    return {fold(word): each.value for each in kind for word in (each.value, each.zh, each.en)}


_KNOWN = {name: _words(kind) for name, kind in _TERMS}
_ROLES = {fold(word): row.code for row in roles() for word in (row.code, row.zh, row.en)}


def open_run(run: Run) -> None:
    """This function will load the posts of the root by body, role and area."""
    posts: dict[tuple[str, str, str], list[Post]] = {}
    rows = Post.objects.filter(root_id=run.root, place_id__isnull=True, until_on__isnull=True)
    for post in rows.select_related("body", "area"):
        posts.setdefault((post.body.code, post.role, post.area.code), []).append(post)
    run.known["posts"] = posts


def check(run: Run, row: TypedRow) -> list[Problem]:
    """This function will read what a row means and say what is wrong with it."""
    del run
    problems = []
    for name, table in (*_KNOWN.items(), ("role", _ROLES)):
        text = row.text(name)
        code = table.get(fold(text), "")
        if not code:
            problems.append(
                row.problem(name, "value_unknown", f"“{text}”不是可用的值", f"“{text}” is not a possible value")
            )
        row.values[name] = code
    count = row.values.get("evidence_count", "")
    if isinstance(count, int) and count < 1:
        problems.append(row.problem("evidence_count", "count_invalid", "证据数量至少为 1", "at least one is asked for"))
    since, until = row.values.get("from_on"), row.values.get("until_on")
    if isinstance(since, date) and isinstance(until, date) and until <= since:
        problems.append(
            row.problem(
                "until_on", "dates_reversed", "终止日期须晚于起始日期", "the last day must come after the first"
            )
        )
    return problems


def key(run: Run, row: TypedRow) -> str:
    """This function will name a row by its post and code."""
    del run
    return "|".join(row.text(name) for name in ("body", "role", "area", "post", "code"))


def plan(run: Run, items: list[Item]) -> None:
    """This function will find the post of each row and what becomes of its duty."""
    posts: Mapping[tuple[str, str, str], list[Post]] = run.known["posts"]
    for item in items:
        row = item.row
        fitting = posts.get((row.text("body"), row.text("role"), row.text("area")), [])
        if row.text("post"):
            fitting = [post for post in fitting if post.title == row.text("post")]
        if not fitting:
            item.refuse(
                "role", "post_unknown", "没有这个机构、角色、地区的岗位", "there is no post of this body, role and area"
            )
            continue
        if len(fitting) > 1:
            item.refuse(
                "post",
                "post_ambiguous",
                f"有 {len(fitting)} 个岗位相符，请写明岗位名称",
                f"{len(fitting)} posts fit: name the post",
            )
            continue
        post = fitting[0]
        if not can_keep_duties(run.actor, post.area.path):
            item.refuse(
                "area", "not_allowed", "您的岗位不能改动该地区的岗责清单", "your post may not change lists there"
            )
            continue
        item.area_path = post.area.path
        item.plan = (post, _wanted(row))
        _settle(run, item, post)


def _settle(run: Run, item: Item, post: Post) -> None:
    """Compare a row with the duty that stands: the same says nothing new, one that has ended is not raised again."""
    wanted: Wanted = item.plan[1]
    standing = PostDuty.objects.filter(post=post, code=wanted.code).order_by("-from_on").first()
    if standing is None:
        return
    item.subject_id = standing.pk
    if standing.until_on is not None and standing.until_on <= run.on and wanted.until_on != standing.until_on:
        if wanted.from_on >= standing.until_on:
            item.subject_id = None
            return
        item.refuse(
            "from_on",
            "overlaps",
            f"与已终止的同一职责（至 {standing.until_on}）日期重叠",
            f"overlaps the same duty that ended on {standing.until_on}",
        )
        return
    same = all(getattr(standing, name) == getattr(wanted, name) for name in _COMPARED)
    if same and item.fate is not Fate.CHANGED:
        item.fate = Fate.SAME


_COMPARED = (
    "title", "ground", "period", "evidence", "evidence_count", "means", "basis", "from_on", "until_on",
)  # fmt: skip


def _wanted(row: TypedRow) -> Wanted:
    count, since, until = (row.values.get(name) for name in ("evidence_count", "from_on", "until_on"))
    assert isinstance(since, date)  # noqa: S101 - a required column of days
    given: dict[str, Any] = {
        name: row.text(name) for name in ("code", "title", "ground", "period", "evidence", "means", "basis")
    }
    return Wanted(
        **given,
        evidence_count=count if isinstance(count, int) else 1,
        from_on=since,
        until_on=until if isinstance(until, date) else None,
    )


def write(run: Run, items: list[Item]) -> None:
    """This function will write the batch's duties inside its unit of work."""
    standing = PostDuty.objects.in_bulk([item.subject_id for item in items if item.subject_id])
    for item in items:
        post, wanted = item.plan
        known = standing.get(item.subject_id) if item.subject_id else None
        if known is None:
            item.subject_id = add_duty(actor=run.actor, at=run.at, post=post, wanted=wanted).pk
        else:
            change_duty(actor=run.actor, at=run.at, duty=known, wanted=wanted)


DUTIES = Target(
    code="duties", kind="duty", zh="岗责清单", en="Duty lists", columns=COLUMNS, open=open_run, check=check, key=key,
    plan=plan, write=write,
)  # fmt: skip
