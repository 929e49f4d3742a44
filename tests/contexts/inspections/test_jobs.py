"""The browser's import in the background: stored files in, counts and the file of refused rows out, as the person who asked."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from anban.base.files.operations import store
from anban.base.files.queries import file as stored_file
from anban.base.files.queries import open_original
from anban.base.notices.models import Notice
from anban.contexts.establishments.importers import TARGETS, load_targets
from anban.contexts.hazards.models import Hazard
from anban.contexts.inspections.jobs import apply_files, preview_files
from anban.rules.errors import Refusal
from tests.factories.inspections import table
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db
HEADER = ("来源编号", "单位编号", "检查项", "情况描述", "发现日期")


@dataclass
class Asked:
    """What the worker hands to a job."""

    args: dict[str, Any]
    root: str
    asked_by: UUID | None
    said: list[str] = field(default_factory=list)
    job_id: UUID = field(default_factory=uuid4)

    def progress(self, done: int, total: int = 0, stage: str = "") -> None:
        """Remember the stages."""
        self.said.append(stage)


def asked(t: Town, who: str, path: Path, name: str = "三月.csv") -> Asked:
    actor = t.actor(who)
    with path.open("rb") as stream:
        row = store(actor=actor, at=AT, root=t.root, stream=stream, name=name)
    return Asked({"mapping": "hazards", "files": [{"id": str(row.pk), "name": name}]}, t.root, t.people[who].pk)


def test_a_preview_then_the_import_hand_back_the_broken_row_once(tmp_path: Path):
    t = town()
    place = t.place()
    rows = [("A1", place.number, "RG07", "断电", "2026-03-01"), ("A2", "EST-999", "RG07", "断电", "2026-03-01")]
    handle = asked(t, "刘洋", table(tmp_path / "h.csv", HEADER, rows))
    seen = preview_files(AT, handle)
    assert isinstance(seen, dict)
    assert (seen["counts"]["new"], seen["counts"]["refused"], Hazard.objects.count()) == (1, 1, 0)
    done = apply_files(AT, handle)
    assert isinstance(done, dict)
    assert done["counts"] == {"new": 1, "changed": 0, "same": 0, "refused": 1}
    assert done["mappings"]["hazards"]["problems"][0]["code"] == "place_unknown"
    assert "done" in handle.said
    told = Notice.objects.get(kind="import.finished")
    assert (told.person_id, told.link) == (t.people["刘洋"].pk, f"/import/{handle.job_id}/")
    assert told.title == "导入完成：新增 1，变更 0，未变 0，退回 1"
    with open_original(stored_file(t.actor("刘洋"), UUID(done["refused_file_id"]))) as back:
        assert "EST-999" in back.read().decode("utf-8-sig")
    assert apply_files(AT, handle)["counts"] == {"new": 0, "changed": 0, "same": 1, "refused": 1}  # type: ignore[index,call-overload]


def test_what_a_person_may_not_do_by_hand_no_job_does(tmp_path: Path):
    t = town()
    handle = asked(
        t, "王敏", table(tmp_path / "h.csv", HEADER, [("A1", t.place().number, "RG07", "断电", "2026-03-01")])
    )
    with pytest.raises(Refusal) as refused:
        apply_files(AT, handle)
    assert refused.value.code == "import.not_allowed"
    handle.args["mapping"] = "hazard_reports_zh"
    with pytest.raises(Refusal) as sample:
        apply_files(AT, handle)
    assert sample.value.code == "import.not_allowed"
    assert Hazard.objects.count() == 0


IN_A_WORKER = """
import django
django.setup()
from types import SimpleNamespace
from anban.base.jobs import registry
registry.load()
from anban.contexts.inspections.jobs import preview_files
try:
    preview_files(None, SimpleNamespace(args={}))
except KeyError:
    pass
from anban.contexts.establishments.importers import TARGETS
print(*sorted(TARGETS))
"""


def test_a_worker_knows_every_target_though_no_page_has_loaded_it():
    # This process has loaded the pages; a worker's process has not.
    done = subprocess.run([sys.executable, "-c", IN_A_WORKER], check=True, capture_output=True, text=True)
    load_targets()
    assert done.stdout.split() == sorted(TARGETS)
