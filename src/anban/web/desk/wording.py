"""Words of the desk's pages: states, actions, origins and needs in the reader's language, and journal entries as sentences."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, Protocol
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from anban.contexts.hazards.duties import TITLES
from anban.contexts.hazards.operations import NEED_NAMES, VERBS
from anban.contexts.oversight.titles import TITLES as OVERSIGHT_TITLES
from anban.contexts.responsibility.clockwork import DUTY_TITLES
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import (
    VERDICTS,
    Action,
    Chain,
    Grade,
    Listing,
    Outcome,
    ProofLevel,
    Role,
    State,
    Step,
    Track,
    label,
)
from anban.web.shell.components import FieldChange, Photo, TimelineEntry
from anban.web.shell.wording import day_words, full_words, in_english, moment_words

ORIGINS: Final = {
    "inspection": gettext_lazy("检查发现"),
    "patrol": gettext_lazy("巡查发现"),
    "report": gettext_lazy("群众与网格上报"),
    "self_check": gettext_lazy("单位自查"),
    "ticket": gettext_lazy("接诉即办"),
    "whistleblower": gettext_lazy("举报"),
    "alarm": gettext_lazy("监测报警"),
    "campaign": gettext_lazy("专项行动"),
    "oversight": gettext_lazy("督查"),
    "accident": gettext_lazy("事故"),
    "import": gettext_lazy("文件导入"),
    "history": gettext_lazy("历史记录"),
}
"""Where a hazard came from (来源); a source that isn't here shows its own code."""

CHAIN_DUTIES: Final = (
    ("liable_person", gettext_lazy("整改"), gettext_lazy("缺，请属地落实整改责任人")),
    ("territory_officer", gettext_lazy("属地"), gettext_lazy("缺，请街道（乡镇）安排属地责任人")),
    ("sector_officer", gettext_lazy("行业主管"), gettext_lazy("缺，请区安委办明确行业主管部门")),
    ("special_officer", gettext_lazy("专业监管"), gettext_lazy("缺，请区安委办明确专业监管部门")),
    ("enforcer", gettext_lazy("执法主体"), gettext_lazy("缺，请区安委办明确执法主体")),
    ("supervising_unit", gettext_lazy("督办"), ""),
)
"""The chain of persons (责任链条) in its order: role, its short name, and who must name the person where one is missing."""

HELP: Final = {
    "reason": gettext_lazy("写清楚就行，字数不限。"),
    "opinion": gettext_lazy("看到了什么，是否整改到位。字数不限。"),
    "measures": gettext_lazy("要做什么、做到什么程度。"),
    "basis": gettext_lazy("法律、标准的名称和条款。"),
    "clause": gettext_lazy("依据的条款。"),
    "body": gettext_lazy("这里列出对该地区有管辖的机构。"),
    "bodies": gettext_lazy("请哪些部门到场，可多选。"),
    "second_person": gettext_lazy("须两人在场，选同行的同事。"),
    "interim_control": gettext_lazy("整改完成前靠什么防止出事，例如停用、专人看守。"),
    "photo_before": gettext_lazy("拍清部位和问题。"),
    "photo_after": gettext_lazy("与整改前同一角度。"),
    "into": gettext_lazy("同一单位尚未销号的隐患。"),
    "lasting_measure": gettext_lazy("反弹的隐患要写明成因和治本措施，否则还会再来。"),
    "listing_consent": gettext_lazy("挂牌期间须挂牌单位书面同意。"),
}
"""What stands under a field of an action's form."""

MORE_NEEDS: Final = {
    "yuan": gettext_lazy("罚款（元）"),
    "cause": gettext_lazy("成因"),
    "lasting_measure": gettext_lazy("治本措施"),
    "verdict": gettext_lazy("结论"),
    "term": gettext_lazy("整改期限"),
    "on_site": gettext_lazy("是否现场核验"),
}

ENTRIES: Final = {
    "hazard.entered": gettext_lazy("上账"),
    "hazard.rebounded": gettext_lazy("反弹，开启新一轮"),
    "hazard.seen_again": gettext_lazy("又有人反映"),
    "hazard.case_due": gettext_lazy("逾期未改，提请立案"),
    "obligation.owed": gettext_lazy("新的待办"),
    "obligation.done": gettext_lazy("待办办结"),
    "obligation.voided": gettext_lazy("待办失效"),
    "obligation.handover_offered": gettext_lazy("提出转交"),
    "obligation.handed_over": gettext_lazy("签收转交"),
    "obligation.handover_declined": gettext_lazy("退回转交"),
    "obligation.handover_taken_back": gettext_lazy("撤回转交"),
    "obligation.breached": gettext_lazy("逾期"),
    "obligation.escalated": gettext_lazy("督办升级"),
    "obligation.due_moved": gettext_lazy("期限调整"),
    "instrument.issued": gettext_lazy("发出督办文书"),
    "link.named": gettext_lazy("落实责任人"),
    "file.attached": gettext_lazy("上传照片"),
    "visit.recorded": gettext_lazy("现场检查"),
    "words.erased": gettext_lazy("文字已依法删除"),
    "hazard.history_taken": gettext_lazy("历史记录入账"),
    "hazard.history_extended": gettext_lazy("补充历史记录"),
    "hazard.described_again": gettext_lazy("按文件更新描述"),
    "obligation.step_paused": gettext_lazy("暂缓督办升级"),
    "instrument.answered": gettext_lazy("文书已答复"),
    "step.papered": gettext_lazy("督办升级出具文书"),
    "instruction.registered": gettext_lazy("登记批示件"),
    "instruction.measure_put": gettext_lazy("批示落为措施"),
    "instruction.measure_done": gettext_lazy("批示措施办结"),
    "like_case.put": gettext_lazy("同案未办，列入待办"),
    "clue.found": gettext_lazy("比较发现线索"),
    "clue.measured": gettext_lazy("线索数字更新"),
    "clue.put_on_desk": gettext_lazy("线索交办"),
    "clue.settled": gettext_lazy("线索说明原因，办结"),
    "clue.gone": gettext_lazy("线索消失"),
    "joint.opened": gettext_lazy("开启协同"),
    "joint.asked": gettext_lazy("请成员单位办理"),
    "joint.answered": gettext_lazy("成员单位答复"),
    "joint.refused": gettext_lazy("成员单位不接"),
    "joint.ruled": gettext_lazy("区政府裁定"),
    "joint.lapsed": gettext_lazy("逾期未答，不再等待"),
    "joint.excused": gettext_lazy("不再需要办理"),
    "joint.closed": gettext_lazy("协同办结"),
}
"""Entries of the journal that are no action of the table, as headlines."""

ACTION_OF: Final = {f"hazard.{verb}": action for action, verb in VERBS.items()}
PRIORITY: Final = (
    Action.VERIFY, Action.RECEIVE, Action.JUDGE, Action.REGISTER_MAJOR, Action.APPROVE_PLAN, Action.DELIST, Action.ACCEPT,
    Action.APPLY_REVIEW, Action.APPLY, Action.SUBMIT_PLAN, Action.SELF_ASSESS, Action.ORDER, Action.REVIEW, Action.FIX_ON_SPOT,
    Action.ADVISE, Action.TRANSFER, Action.EXTEND, Action.REFUSE_EXTENSION, Action.REQUEST_EXTENSION, Action.RETURN_PLAN,
    Action.REJECT, Action.SEND_BACK, Action.ASSIGN, Action.REBOUND, Action.SAMPLE, Action.PROGRESS,
)  # fmt: skip
"""Which button comes first; what isn't here follows in the order of the words."""


def said(refusal: Refusal) -> str:
    """Return a refusal in the reader's language."""
    return refusal.en if in_english() else refusal.zh


def term(word: object) -> str:
    """Return a word of the rules in the reader's language."""
    return str(getattr(word, "en" if in_english() else "zh", word))


def state_name(state: str, chain: str = Chain.GENERAL.value) -> str:
    """Return a state's name as its chain says it."""
    zh, en = label(State(state), Chain(chain))
    return en if in_english() else zh


def origin_name(origin: str) -> str:
    """Return where a hazard came from, in words."""
    return str(ORIGINS.get(origin, origin))


def duty_name(kind: str) -> str:
    """Return the verb of a duty."""
    zh, en = TITLES.get(kind) or DUTY_TITLES.get(kind) or OVERSIGHT_TITLES.get(kind, (kind, kind))
    return en if in_english() else zh


def need_name(need: str) -> str:
    """Return what a fact asked for by a step is called."""
    if need in MORE_NEEDS:
        return str(MORE_NEEDS[need])
    zh, en = NEED_NAMES.get(need, (need, need))
    return (en[:1].upper() + en[1:]) if in_english() else zh


def verdict_name(verdict: str) -> str:
    """Return a verdict's label."""
    zh, en = VERDICTS.get(verdict, (verdict, verdict))
    return en if in_english() else zh


def proof_name(level: str) -> str:
    """Return how a close was proved."""
    return term(ProofLevel(level)) if level else ""


def action_name(step: Step) -> str:
    """Return what an action is called in its state."""
    return term(step)


def in_order(actions: Iterable[Action]) -> list[Action]:
    """Return actions with the most likely next one first."""
    place = {action: number for number, action in enumerate(PRIORITY)}
    return sorted(actions, key=lambda action: place.get(action, len(PRIORITY)))


def rebound_words(times: int) -> str:
    """Return `第1次反弹`, empty for a hazard that never came back."""
    return _("第%(n)s次反弹") % {"n": times} if times > 0 else ""


# ── the timeline ───────────────────────────────────────────────────────────────────────────────────────────────


class Written(Protocol):
    """What a line of the journal tells."""

    @property
    def position(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def actor(self) -> str: ...
    @property
    def verb(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def words(self) -> Mapping[str, str]: ...


PERSON_KEYS: Final = ("second_person", "leader", "person", "to", "from", "told")
BODY_KEYS: Final = ("body", "bodies")


@dataclass(frozen=True, slots=True)
class Names:
    """What opaque ids stand for, loaded once for a page."""

    persons: Mapping[UUID, str] = field(default_factory=dict)
    bodies: Mapping[UUID, str] = field(default_factory=dict)
    units: Mapping[UUID, str] = field(default_factory=dict)
    photos: Mapping[str, Sequence[Photo]] = field(default_factory=dict)

    def person(self, reference: object) -> str:
        """Return a person's name; a job of the house is 系统, an erased name is said to be erased."""
        text = str(reference)
        if text.startswith("job:"):
            return _("系统")
        key = _uuid(text)
        if key is None:
            return text
        return self.persons.get(key, "") or _("（姓名已删除）")

    def body(self, reference: object) -> str:
        """Return a body's name."""
        key = _uuid(str(reference))
        return self.bodies.get(key, "") if key else str(reference)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def persons_in(lines: Iterable[Written]) -> set[UUID]:
    """Return the ids of every person that a timeline speaks of."""
    found = set()
    for line in lines:
        # `from` and `to` are persons in a handover and states in an action: whatever is an id is asked for.
        for text in (line.actor, *(str(line.data.get(key, "")) for key in PERSON_KEYS)):
            if key := _uuid(text):
                found.add(key)
    return found


def bodies_in(lines: Iterable[Written]) -> set[UUID]:
    """Return the ids of every body that a timeline speaks of."""
    found = set()
    for line in lines:
        for name in BODY_KEYS:
            value = line.data.get(name, ())
            for text in value if isinstance(value, list) else [value]:
                if key := _uuid(str(text)):
                    found.add(key)
    return found


def headline(line: Written) -> str:
    """Return what happened, in one verb with its object."""
    action = ACTION_OF.get(line.verb)
    if action is not None:
        verdict = line.data.get("verdict")
        return f"{term(action)} · {verdict_name(verdict)}" if verdict else term(action)
    if line.verb == "hazard.entered" and line.data.get("origin"):
        return f"{ENTRIES[line.verb]} · {origin_name(line.data['origin'])}"
    return str(ENTRIES.get(line.verb, line.verb))


def _day(value: object, today: date) -> str:
    try:
        return day_words(date.fromisoformat(str(value)[:10]), today)
    except ValueError:
        return str(value)


def _instant(value: object, today: date) -> str:
    try:
        return moment_words(datetime.fromisoformat(str(value)), today)
    except ValueError:
        return str(value)


Teller = Callable[[Any, Names, date], str]
FIELDS: Final[Mapping[str, tuple[Any, Teller]]] = {
    "grade": (gettext_lazy("等级"), lambda v, n, d: term(Grade(v)) if v != Grade.GENERAL.value else ""),
    "found_on": (gettext_lazy("发现日期"), lambda v, n, d: _day(v, d)),
    "due_on": (gettext_lazy("期限"), lambda v, n, d: _day(v, d)),
    "due": (gettext_lazy("期限"), lambda v, n, d: _instant(v, d)),
    "body": (gettext_lazy("机构"), lambda v, n, d: n.body(v)),
    "bodies": (gettext_lazy("部门"), lambda v, n, d: "、".join(n.body(each) for each in v)),
    "second_person": (gettext_lazy("第二名人员"), lambda v, n, d: n.person(v)),
    "leader": (gettext_lazy("包案领导"), lambda v, n, d: n.person(v)),
    "basis": (gettext_lazy("依据"), lambda v, n, d: str(v)),
    "yuan": (gettext_lazy("罚款（元）"), lambda v, n, d: str(v)),
    "level": (gettext_lazy("挂牌级别"), lambda v, n, d: term(Listing(v))),
    "document_number": (gettext_lazy("文号"), lambda v, n, d: str(v)),
    "funds": (gettext_lazy("经费物资"), lambda v, n, d: str(v)),
    "found": (gettext_lazy("抽查结果"), lambda v, n, d: str(v)),
    "proof": (gettext_lazy("销号依据"), lambda v, n, d: proof_name(v)),
    "voices": (gettext_lazy("反映次数"), lambda v, n, d: str(v)),
    "returns": (gettext_lazy("退回次数"), lambda v, n, d: str(v)),
    "rebound": (gettext_lazy("反弹次数"), lambda v, n, d: str(v)),
    "told": (gettext_lazy("已告知"), lambda v, n, d: n.person(v)),
}
"""Fields of an entry that a reader is told, with their names; every other stays in the proof."""


def changes_of(line: Written, names: Names, today: date) -> list[FieldChange]:
    """Return the fields that an entry carries, in words."""
    if line.verb == "visit.recorded":
        return [FieldChange(_("现场检查"), after=str(line.data.get("number", "")))]
    if line.verb == "obligation.owed":
        after = names.person(line.data.get("person", ""))
        if line.data.get("due"):
            after += _("，限 %(day)s") % {"day": _instant(line.data["due"], today)}
        return [FieldChange(_("待办 %(verb)s") % {"verb": duty_name(line.data.get("kind", ""))}, after=after)]
    if line.verb in {"obligation.done", "obligation.voided"}:
        verbs = "、".join(duty_name(kind) for kind in line.data.get("kinds", ()))
        late = _("（逾期）") if line.data.get("late") else ""
        return [FieldChange(str(ENTRIES[line.verb]), after=verbs + late)]
    if line.verb == "obligation.handover_offered":
        return [FieldChange(_("转交给"), after=names.person(line.data.get("to", "")))]
    if line.verb == "obligation.handed_over":
        return [FieldChange(_("原责任人"), after=names.person(line.data.get("from", "")))]
    made = []
    left, arrived = line.data.get("from"), line.data.get("to")
    if left in State._value2member_map_ and arrived in State._value2member_map_ and left != arrived:
        made.append(FieldChange(_("状态"), state_name(str(left)), state_name(str(arrived))))
    for key, (name, tell) in FIELDS.items():
        value = line.data.get(key)
        if value not in (None, "", [], 0) and (text := tell(value, names, today)):
            made.append(FieldChange(str(name), after=text))
    if line.data.get("on_site"):
        made.append(FieldChange(_("现场核验"), after=_("是")))
    if line.data.get("late"):
        made.append(FieldChange(_("逾期销号"), after=_("是")))
    return made


def _named(lines: Iterable[Written], names: Names) -> FieldChange | None:
    """Return who was put into the chain in one moment, as one line."""
    short = {each[0]: str(each[1]) for each in CHAIN_DUTIES}
    told = [
        f"{short.get(line.data['role'], '') or term(Role(line.data['role']))} {names.person(line.data.get('person', ''))}"
        for line in lines
        if line.verb == "link.named"
        and line.data.get("role") in Role._value2member_map_
        and line.data["role"] != Role.FINDER
    ]
    return FieldChange(_("责任链条"), after="、".join(told)) if told else None


def words_of(line: Written) -> str:
    """Return what a person wrote with an entry; words that were erased are said to be erased."""
    told = []
    for name, text in line.words.items():
        shown = text or _("（文字已依法删除）")
        told.append(shown if len(line.words) == 1 else f"{need_name(name)}：{shown}")
    return "；".join(told)


ECHOES: Final = frozenset({"obligation.due_moved"})
"""Entries that only repeat what the event's own entry says already."""

LEADS: Final = ("hazard.", "obligation.hand", "obligation.breach", "obligation.escal", "link.", "file.", "obligation.")


def _rank(line: Written) -> int:
    return next((number for number, head in enumerate(LEADS) if line.verb.startswith(head)), len(LEADS))


def timeline(
    lines: Sequence[Written], names: Names, *, today: date, cycle_notes: Mapping[int, str], late_minutes: int = 60
) -> list[TimelineEntry]:
    """Return a matter's entries as events: what one person did in one moment is one event, with all that followed from it."""
    made: list[TimelineEntry] = []
    cycle = 1
    for _key, group in groupby(lines, key=lambda line: (line.at, line.actor)):
        members = sorted(group, key=_rank)
        lead = members[0]
        cycle = max(cycle, int(lead.data.get("cycle", 0) or 0))
        photos = [
            p for m in members if m.verb == "file.attached" for p in names.photos.get(m.data.get("sha256", ""), ())
        ]
        changes = [
            change
            for member in members
            if member.verb not in {"file.attached", "link.named"} and not (member is not lead and member.verb in ECHOES)
            for change in changes_of(member, names, today)
            if change.after or change.before
        ]
        if named := _named(members, names):
            changes.append(named)
        person = _uuid(lead.actor)
        behind = (lead.recorded_at - lead.at).total_seconds() > late_minutes * 60
        made.append(
            TimelineEntry(
                at=lead.at,
                verb=headline(lead),
                who=names.person(lead.actor),
                unit=names.units.get(person, "") if person else "",
                note="；".join(filter(None, (words_of(member) for member in members))),
                changes=tuple(changes),
                photos=tuple(photos),
                cycle=cycle,
                cycle_note=cycle_notes.get(cycle, ""),
                recorded_at=lead.recorded_at if behind else None,
            )
        )
    return made


def outcome_words(outcome: str, proof: str, on: date | None, today: date) -> str:
    """Return how a cycle ended: `3月2日 已整改，现场核验`."""
    if on is None:
        return ""
    told = [day_words(on, today, weekday=False)]
    if outcome in Outcome._value2member_map_:
        told.append(term(Outcome(outcome)))
    if proof:
        told.append(proof_name(proof))
    return " ".join(told[:2]) + (
        f"，{told[2]}" if len(told) > 2 and not in_english() else f", {told[2]}" if len(told) > 2 else ""
    )


def terms_offered(terms: Collection[int], today_words: Callable[[int], str]) -> list[tuple[str, str]]:
    """Return the rectification terms as choices, each with the day it ends on."""
    listed = [(str(days), _("%(n)s 天（%(day)s）") % {"n": days, "day": today_words(days)}) for days in terms]
    return [*listed, ("other", _("另定日期"))]


TRACKS: Final = tuple(Track)
GRADES: Final = tuple(Grade)


def full_day(value: date | datetime | None) -> str:
    """Return a whole date with its year."""
    return full_words(value) if value is not None else ""


RULE_MARKS = {
    "verified": gettext_lazy("已核对"),
    "excerpt": gettext_lazy("摘录"),
    "unconfirmed": gettext_lazy("待核对"),
    "estimate": gettext_lazy("惯例，可设置"),
}


def rule_words(rule: str) -> str:
    """Return the rule of a duty in the reader's language, with how sure its figure is: the last word in brackets."""
    text, _bracket, mark = rule.partition(" [")
    words = _(text) if text else ""
    known = RULE_MARKS.get(mark.rstrip("]"))
    return f"{words} ({known})" if known else words
