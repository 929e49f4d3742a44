"""Duty lists: owed period by period on the right desk, proven by the ledger, vacancies on a head's desk, files in and out."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from anban.base.files.operations import store
from anban.base.journal.models import Entry
from anban.base.journal.operations import record, unit
from anban.base.journal.verification import verify
from anban.contexts.establishments.importers import apply, mapping_named, preview
from anban.contexts.establishments.models import Place
from anban.contexts.inspections.models import Visit, Visitor
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight.exporters import export_duties
from anban.contexts.oversight.importers import DUTIES
from anban.contexts.oversight.jobs import day
from anban.contexts.oversight.models import DueDuty, PostDuty
from anban.contexts.oversight.operations.duties import (
    FILL_POST,
    Wanted,
    add_duty,
    add_proof,
    change_duty,
    end_duty,
    note_absence,
    open_periods,
)
from anban.contexts.oversight.queries.duties import (
    duty_list,
    evidence_of,
    is_direct_head,
    may_see_person,
    record_of,
    standings,
)
from anban.contexts.territory.models import Holding
from anban.contexts.territory.operations import leave
from anban.rules.errors import Refusal
from tests.api.conftest import picture
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db
INSPECTOR = "望京平安办:safety_inspector:望京街道::None"
MONTHLY = Wanted(
    code="D1", title="每月检查辖区单位", ground="territory", period="month", evidence="visit", evidence_count=2,
    from_on=date(2026, 1, 1),
)  # fmt: skip


@dataclass
class Watching:
    """A handle that remembers nothing but its root."""

    root: str
    args: dict[str, Any] = field(default_factory=dict)
    asked_by: object = None

    def progress(self, done: int, total: int = 0, stage: str = "") -> None:
        """Do nothing: nobody watches."""


def at(month: int, day_: int) -> datetime:
    return datetime(2026, month, day_, 1, 0, tzinfo=UTC)


def visited(t: Town, who: str, on: date, area: str = "望京街道") -> None:
    place = t.place(f"{who}{on}{area}", area=area, manager=None)
    with unit():
        _visited(t, who, on, place)


def _visited(t: Town, who: str, on: date, place: Place) -> None:
    row = Visit.objects.create(
        root=t.root,
        number=f"V{place.number}",
        place=place,
        area_path=place.area_path,
        kind="patrol",
        on=on,
        recorded_at=AT,
    )
    Visitor.objects.create(visit=row, person=t.people[who])
    record("visit.recorded", actor=t.job, at=AT, subject=("visit", row.pk), wrote=[row])


def test_every_period_is_owed_once_and_an_outage_changes_nothing():
    stands = []
    for name, looks in (("steady", [(1, 5), (2, 3), (2, 20), (3, 2)]), ("down", [(3, 2)])):
        t = town(name)
        add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=MONTHLY)
        for look in looks:
            open_periods(actor=t.job, at=at(*look))
        assert open_periods(actor=t.job, at=at(3, 2)) == 0
        stands.append(
            [(d.from_on, d.person.name, d.deputy) for d in DueDuty.objects.filter(duty__root=name).order_by("from_on")]
        )
        owed = Obligation.objects.filter(root=name, kind="post_duty").order_by("due_at")
        assert [o.due_at.isoformat()[:10] for o in owed] == ["2026-01-31", "2026-02-28", "2026-03-31"]
    assert stands[0] == stands[1] == [(date(2026, m, 1), "王敏", False) for m in (1, 2, 3)]


def test_evidence_and_never_a_click_ends_a_duty_and_the_breach_stays():
    t = town()
    duty = add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=MONTHLY)
    visited(t, "王敏", date(2026, 2, 3))
    visited(t, "王敏", date(2026, 2, 9), area="中关村街道")  # another area counts for nothing
    visited(t, "刘洋", date(2026, 2, 9))  # nor does another person
    day(at(2, 20), Watching("town"))
    february = DueDuty.objects.get(duty=duty, from_on=date(2026, 2, 1))
    assert (february.state, february.found) == ("open", 1)
    visited(t, "王敏", date(2026, 2, 27))
    done = day(at(3, 2), Watching("town"))
    assert done["proven"] == 1
    february.refresh_from_db()
    assert (february.state, len(evidence_of(february))) == ("done", 2)
    owed = Obligation.objects.get(matter_id=february.pk)
    assert (owed.state, owed.breached_at == owed.due_at) == ("done", True)
    assert day(at(3, 2), Watching("town")) == {
        "owed": 0,
        "proven": 0,
        "posts": 0,
        "instructed": 0,
        "cases": 0,
        "papers": 0,
        "clues": 0,
    }
    with pytest.raises(Refusal) as no:
        add_proof(
            actor=t.actor("王敏"), at=at(3, 2), due_id=february.pk,
            file=store(actor=t.job, at=AT, root=t.root, stream=BytesIO(picture(3)), name="a.jpg"),
        )  # fmt: skip
    assert no.value.code == "duty.not_by_file"
    assert Entry.objects.filter(body__contains="due_duty.proven").count() == 1
    assert [finding.en for finding in verify().findings] == []


def test_a_file_of_proof_is_taken_from_its_person_alone():
    t = town()
    wanted = Wanted(
        code="D2",
        title="每季度研究一次安全",
        ground="two_duties",
        period="quarter",
        evidence="file",
        from_on=date(2026, 1, 1),
    )
    add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=wanted)
    open_periods(actor=t.job, at=at(3, 2))
    due = DueDuty.objects.get()
    file = store(actor=t.job, at=AT, root=t.root, stream=BytesIO(picture(4)), name="纪要.jpg")
    with pytest.raises(Refusal) as no:
        add_proof(actor=t.actor("刘洋"), at=at(3, 2), due_id=due.pk, file=file)
    assert no.value.code == "oversight.not_allowed"
    add_proof(actor=t.actor("王敏"), at=at(3, 2), due_id=due.pk, file=file)
    due.refresh_from_db()
    assert due.state == "done"


def test_the_deputy_acts_in_an_absence_and_the_head_where_nobody_does():
    t = town()
    t.hold("代理", "望京平安办", "safety_inspector", "望京街道", deputy=True)
    add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=MONTHLY)
    note_absence(
        actor=t.actor("刘洋"), at=AT, person=t.people["王敏"], from_on=date(2026, 1, 20), until_on=date(2026, 2, 10)
    )
    with pytest.raises(Refusal) as twice:
        note_absence(
            actor=t.actor("王敏"), at=AT, person=t.people["王敏"], from_on=date(2026, 2, 1), until_on=date(2026, 2, 3)
        )
    assert twice.value.code == "absence.overlaps"
    with pytest.raises(Refusal) as other:
        note_absence(
            actor=t.actor("孙倩"), at=AT, person=t.people["王敏"], from_on=date(2026, 5, 1), until_on=date(2026, 5, 3)
        )
    assert other.value.code == "oversight.not_allowed"
    for holding in Holding.objects.filter(post=t.posts[INSPECTOR]):
        leave(actor=t.job, at=AT, holding=holding, until_on=date(2026, 3, 1))
    open_periods(actor=t.job, at=at(3, 2))
    rows = DueDuty.objects.order_by("from_on")
    assert [(d.person.name, d.deputy) for d in rows] == [("王敏", False), ("代理", True), ("刘洋", True)]


def test_an_empty_post_is_seen_before_it_bites_and_gone_when_filled():
    t = town()
    add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=MONTHLY)
    holding = Holding.objects.get(post=t.posts[INSPECTOR])
    leave(actor=t.job, at=AT, holding=holding, until_on=date(2026, 3, 20))
    assert [s.said.value for s in standings(t.actor("何静"), ON, ahead_days=30)] == ["ending"]
    assert standings(t.actor("高远"), ON, ahead_days=30) == []
    assert day(AT, Watching("town"))["posts"] == 1
    asked = Obligation.objects.get(kind=FILL_POST)
    assert (asked.person.name, asked.state) == ("刘洋", "open")
    assert day(AT, Watching("town"))["posts"] == 0
    t.hold("新人", "望京平安办", "safety_inspector", "望京街道")
    day(at(3, 21), Watching("town"))
    asked.refresh_from_db()
    assert asked.state == "done"


def test_a_persons_duties_are_seen_by_that_person_and_the_direct_head_alone():
    t = town()
    t.hold("主任", "望京平安办", "street_director", "望京街道")
    person = t.people["王敏"].pk
    seers = {name for name in t.people if may_see_person(t.actor(name), person, ON)}
    assert seers == {"王敏", "刘洋"}
    assert is_direct_head(t.actor("主任"), t.people["刘洋"].pk, ON)
    assert not is_direct_head(t.actor("何静"), t.people["刘洋"].pk, ON)


def test_a_record_with_few_duties_cannot_tell_and_carries_its_mix():
    t = town()
    add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=MONTHLY)
    open_periods(actor=t.job, at=at(3, 2))
    kept = record_of(t.people["王敏"].pk, "town", date(2026, 1, 1), date(2026, 3, 2))
    assert (kept.ended, kept.in_time.enough, kept.mix) == (2, False, (("post_duty", 2),))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": " "}, "duty.title_missing"),
        ({"period": "hourly"}, "duty.value_unknown"),
        ({"evidence_count": 0}, "duty.count_invalid"),
        ({"until_on": date(2026, 1, 1)}, "duty.dates_reversed"),
    ],
)
def test_a_bad_duty_is_refused(changes: dict[str, Any], code: str):
    t = town()
    given = {
        f: getattr(MONTHLY, f) for f in ("code", "title", "ground", "period", "evidence", "evidence_count", "from_on")
    }
    with pytest.raises(Refusal) as no:
        add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=Wanted(**{**given, **changes}))
    assert no.value.code == code


def test_lists_are_kept_inside_an_area_and_end():
    t = town()
    duty = add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=MONTHLY)
    for who in ("高远", "王敏", "宋岩"):
        with pytest.raises(Refusal) as no:
            end_duty(actor=t.actor(who), at=AT, duty=duty, until_on=date(2026, 4, 1))
        assert no.value.code == "oversight.not_allowed"
    with pytest.raises(Refusal) as twice:
        add_duty(actor=t.actor("何静"), at=AT, post=t.posts[INSPECTOR], wanted=MONTHLY)
    assert twice.value.code == "duty.twice"
    assert [row.pk for row in duty_list(t.actor("王敏"), ON)] == [duty.pk]
    assert not duty_list(t.actor("高远"), ON).exists()
    end_duty(actor=t.actor("刘洋"), at=AT, duty=duty, until_on=date(2026, 3, 2))
    with pytest.raises(Refusal) as ended:
        change_duty(actor=t.actor("何静"), at=AT, duty=duty, wanted=MONTHLY)
    assert ended.value.code == "duty.ended"
    assert open_periods(actor=t.job, at=at(5, 2)) == 3


HEADER = "机构代码,岗位角色,地区代码,职责代码,职责内容,职责依据类别,周期,履职证据,证据数量,起始日期,终止日期"
GOOD = "望京平安办,safety_inspector,A01026,D1,每月检查,属地管理,每月,检查记录,3,2026-01-01,"
BAD = {
    "no such post": "望京平安办,steward,A01026,D1,每月检查,属地管理,每月,检查记录,1,2026-01-01,",
    "no such period": "望京平安办,safety_inspector,A01026,D2,每月检查,属地管理,每时,检查记录,1,2026-01-01,",
    "reversed": "望京平安办,safety_inspector,A01026,D3,每月检查,属地管理,每月,检查记录,1,2026-02-01,2026-01-01",
    "no evidence": "望京平安办,safety_inspector,A01026,D4,每月检查,属地管理,每月,检查记录,0,2026-01-01,",
}


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join((HEADER, *rows)), encoding="utf-8-sig")
    return path


def test_a_file_is_taken_in_twice_changes_nothing_and_bad_rows_come_back(tmp_path):
    t = town()
    t.hold("管家", "市安委办", "steward", "试验市")
    steward = t.actor("管家")
    mapping = mapping_named("duties")
    assert mapping.target == DUTIES.code
    file = write(tmp_path / "duties.csv", GOOD, *BAD.values())
    looked = preview([file], mapping, actor=steward, at=AT)
    assert looked.counts == {"new": 1, "changed": 0, "same": 0, "refused": 4}
    assert not PostDuty.objects.exists()
    taken = apply([file], mapping, actor=steward, at=AT, refused=tmp_path / "refused.csv")
    assert taken.counts == looked.counts
    assert {p.row for p in taken.problems} == {3, 4, 5, 6}
    with (tmp_path / "refused.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 4
    assert apply([file], mapping, actor=steward, at=AT).counts == {"new": 0, "changed": 0, "same": 1, "refused": 4}
    changed = write(tmp_path / "more.csv", GOOD.replace("检查记录,3", "检查记录,5"))
    assert apply([changed], mapping, actor=steward, at=AT).counts["changed"] == 1
    assert PostDuty.objects.get().evidence_count == 5


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_exported_list_reads_back_unchanged(tmp_path, form):
    t = town()
    t.hold("管家", "市安委办", "steward", "试验市")
    steward = t.actor("管家")
    for number in range(3):
        wanted = Wanted(
            code=f"D{number}", title="每月检查", ground="industry", period="week", evidence="paper", means="约谈",
            basis="=条例", from_on=date(2026, 1, 1) + timedelta(days=number), until_on=date(2027, 1, 1),
        )  # fmt: skip
        add_duty(actor=steward, at=AT, post=t.posts[INSPECTOR], wanted=wanted)
    out = tmp_path / f"duties.{form}"
    assert export_duties(actor=steward, at=AT, on=ON, out=out, form=form) == 3
    assert apply([out], mapping_named("duties"), actor=steward, at=AT).counts == {
        "new": 0, "changed": 0, "same": 3, "refused": 0,
    }  # fmt: skip
