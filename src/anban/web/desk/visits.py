"""Visits (检查): the list, one visit, and recording one on a phone: who came, each item's answer, what was found."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.files import operations as files
from anban.base.files.sniffing import PICTURES
from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.catalog.data.tables import check_lists
from anban.contexts.establishments import queries as register
from anban.contexts.hazards.figures import begun_at
from anban.contexts.inspections import policies, queries
from anban.contexts.inspections.columns import KINDS, RESULTS
from anban.contexts.inspections.exporters import export_visits
from anban.contexts.inspections.operations import FindingRecord, VisitorRecord, VisitRecord, record_visit
from anban.contexts.inspections.queries import Filters
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.kit.ids import new_id
from anban.rules.errors import Refusal
from anban.web.desk.forms import seal, unseal
from anban.web.desk.places import area_words, as_uuid, kind_names
from anban.web.desk.wording import said, state_name
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Filter, FilterInput, FilterOption, Pager, Tone
from anban.web.shell.wording import full_words, in_english

PAGE: Final = 50
SHOWN_PLACES: Final = 12
ANSWERS: Final = (
    ("pass", gettext_lazy("合格")), ("fail", gettext_lazy("不合格")), ("unchecked", gettext_lazy("未查")),
    ("absent", gettext_lazy("无此项")),
)  # fmt: skip
LIVE_KINDS: Final = ("enforcement", "assisted", "patrol", "guidance", "report", "review", "oversight")
BESIDE: Final = "beside"
"""The name of the one finding that no item of a list covers."""

WHO_DECIDES: Final = {
    "enforcement": gettext_lazy("两名以上持证人员到场"),
    "assisted": gettext_lazy("街道人员随两名以上持证人员到场"),
    "patrol": gettext_lazy("街道人员到场，查看、劝告、移交"),
    "guidance": gettext_lazy("上门指导，不作行政检查"),
    "report": gettext_lazy("社区、网格人员发现并报告"),
    "review": gettext_lazy("回头看已经责令的"),
    "oversight": gettext_lazy("督查政府和部门，不检查企业"),
}


def kind_word(kind: str) -> str:
    """Return what a kind of visit is called."""
    zh, en = policies.WORDS.get(kind, (kind, kind))
    return (en[:1].upper() + en[1:]) if in_english() else zh


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def parsed(query: Mapping[str, str]) -> Filters:
    """Return the filters that an address asks for; what means nothing is left out."""
    until = _day(query.get("to", ""))
    return Filters(
        area=str(query.get("area", ""))[:80], overview=str(query.get("overview", ""))[:20],
        kind=str(query.get("kind", ""))[:16], result=str(query.get("result", ""))[:12],
        place_kind=str(query.get("place_kind", ""))[:40], place=as_uuid(query.get("place", "")),
        on_from=_day(query.get("from", "")), on_until=until + timedelta(days=1) if until and until < date.max else None,
        number=str(query.get("number", "")).strip().upper()[:30], with_findings=query.get("findings") == "1",
    )  # fmt: skip


def pairs(filters: Filters) -> list[tuple[str, str]]:
    """Return the filters as the pairs of an address; ``parsed`` gives the same filters back."""
    made = [(n, getattr(filters, n)) for n in ("area", "overview", "kind", "result", "place_kind", "number")]
    made += [
        ("place", str(filters.place) if filters.place else ""),
        ("from", filters.on_from.isoformat() if filters.on_from else ""),
        ("to", (filters.on_until - timedelta(days=1)).isoformat() if filters.on_until else ""),
        ("findings", "1" if filters.with_findings else ""),
    ]
    return [(name, value) for name, value in made if value]


def address(filters: Filters, **more: str) -> str:
    """Return the address of the list under these filters."""
    query = urlencode([*pairs(filters), *((k, v) for k, v in more.items() if v)])
    return f"/visits/?{query}" if query else "/visits/"


@needs(*OFFICIALS)
@require_GET
def visits(request: HttpRequest) -> HttpResponseBase:
    """Show the visits in my scope that fit the filters of the address."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    filters = parsed(request.GET)
    if request.GET.get("format") == "csv":
        return _export(actor, at, filters, "csv")
    if request.GET.get("format") == "xlsx":
        return _export(actor, at, filters, "xlsx")
    after = as_uuid(request.GET.get("after", ""))
    rows, more = queries.page(actor, filters, after=after, size=PAGE)
    number, exact = queries.count(actor, filters)
    areas = area_words(actor.root, [row.area_path for row in rows])
    begin = Action(_("记录检查"), "/visits/new/", Tone.PRIMARY) if may_record(actor) else None
    context = {
        "now": at,
        "filters": _chips(actor, filters),
        "count": _("共 %(count)s 次") % {"count": f"{number:,}".replace(",", " ") + ("" if exact else "+")},
        "rows": [(row, kind_label(row), areas.get(row.area_path, "")) for row in rows],
        "pager": Pager(
            address(filters) if after else "",
            address(filters, after=str(more)) if more else "",
            _("本页 %(n)s 次") % {"n": len(rows)} if rows else "",
        ),
        "exports": [Action(name, address(filters, format=kind)) for kind, name in (("csv", "CSV"), ("xlsx", "XLSX"))],
        "filtered": bool(pairs(filters)),
        "begin": begin,
        "wider": Action(_("清除筛选"), "/visits/"),
        "first_page": after is None,
    }
    return render(request, "desk/visits.html", context)


def _export(actor: Actor, at: datetime, filters: Filters, kind: Literal["csv", "xlsx"]) -> HttpResponseBase:
    """Send the filtered visits as a file that imports back unchanged; the exporter logs the read."""
    out: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    export_visits(actor=actor, at=at, filters=filters, out=out, form=kind, english=in_english())
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"visits-{city_date(at, actor.zone):%Y%m%d}.{kind}")


def may_record(actor: Actor) -> bool:
    """Tell whether any of the actor's posts records visits at all."""
    return actor.has(*policies.OFFICERS, *policies.STREET, *policies.COMMUNITY, *policies.COMMITTEE)


def kind_label(row: Any) -> str:
    """Return what a visit was, also for kinds that only foreign history has."""
    return kind_word(row.kind) if row.kind in LIVE_KINDS else str(row.get_kind_display())


def _chips(actor: Actor, filters: Filters) -> tuple[Filter, ...]:
    english = in_english()

    def one(title: str, name: str, choices: Sequence[tuple[str, str]]) -> Filter:
        value = getattr(filters, name)

        def put(code: str) -> str:
            changed: dict[str, Any] = {name: "" if value == code else code}
            return address(replace(filters, **changed))

        return Filter(
            title, tuple(FilterOption(text, put(code), value == code) for code, text in choices), clear_href=put(value)
        )

    plain = replace(filters, area="", overview="")
    areas = [
        FilterOption(
            row.name_en if english else row.name,
            address(plain if row.path == filters.area else replace(plain, area=row.path)),
            row.path == filters.area,
        )
        for row in territory.area_choices(actor, filters.area)
        if row.level != "city"
    ]
    overview = ""
    if filters.overview:
        named = {a.code: a.name_en if english else a.name for a in territory.overview_areas(actor.root)}
        overview = named.get(filters.overview, filters.overview)
    kinds = [(code, kind_word(code)) for code in KINDS if code in LIVE_KINDS]
    results = [(code, words[1 if english else 0]) for code, words in RESULTS.items()]
    dates = replace(filters, on_from=None, on_until=None)
    until = filters.on_until - timedelta(days=1) if filters.on_until else None
    span = "–".join((filters.on_from.isoformat() if filters.on_from else "", until.isoformat() if until else ""))
    place = register.place(actor, filters.place) if filters.place else None
    return (
        Filter(_("地区"), tuple(areas), clear_href=address(plain), value=overview),
        one(_("类型"), "kind", kinds),
        one(_("结果"), "result", results),
        Filter(
            _("查出隐患"),
            (FilterOption(_("只看查出隐患的"), address(replace(filters, with_findings=not filters.with_findings)),
                          filters.with_findings),),
            clear_href=address(replace(filters, with_findings=False)),
        ),
        Filter(
            _("时间"),
            inputs=(
                FilterInput("from", _("自"), filters.on_from.isoformat() if filters.on_from else "", "date"),
                FilterInput("to", _("至（含当日）"), until.isoformat() if until else "", "date"),
            ),
            keep=tuple(pairs(dates)), clear_href=address(dates), value=span if span != "–" else "",
        ),
        *((Filter(_("单位"), (FilterOption(place.name if place else _("只看一家单位"),
                                          address(replace(filters, place=None)), selected=True),)),)
          if filters.place else ()),
    )  # fmt: skip


# ── one visit ──────────────────────────────────────────────────────────────────────────────────────────────────

BECAME: Final = {
    "new": gettext_lazy("新上账"), "rebound": gettext_lazy("反弹，开启新一轮"), "joined": gettext_lazy("并入未销号的同一隐患"),
    "reviewed": gettext_lazy("复查的隐患"),
}  # fmt: skip


@needs(*OFFICIALS)
@require_GET
def visit(request: HttpRequest, visit_id: UUID) -> HttpResponse:
    """Show one visit: who came, each answer, and what became of each finding."""
    actor = actor_of(request)
    try:
        found = queries.file_of(actor, visit_id)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    row = found.visit
    begun = begun_at([f.hazard_id for f in found.findings], row.recorded_at)
    items = {i.code: i for i in catalog.hazard_codes(row.root).filter(code__in=[a.code for a in found.answers])}
    english = in_english()
    answers = [
        (a, (items[a.code].en if english else items[a.code].zh) if a.code in items else a.code, a.value)
        for a in found.answers
    ]
    counted = [(value, str(name), sum(1 for a in found.answers if a.value == value)) for value, name in ANSWERS]
    area = area_words(actor.root, [row.area_path]).get(row.area_path, "")
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "row": row, "kind": kind_label(row), "area": area,
        "facts": [f for f in (
            Fact(_("日期"), full_words(row.on)),
            Fact(_("类型"), kind_label(row)),
            Fact(_("结果"), str(row.get_result_display())),
            Fact(_("检查单位"), row.body.name if row.body else ""),
            Fact(_("检查码任务号"), row.task_number),
            Fact(_("记录"), full_words(row.recorded_at)),
        ) if f.value],
        "visitors": [(v.person.name or _("（姓名已删除）") if v.person else v.group, v.certified) for v in found.visitors],
        "findings": [_finding(f, begun, row) for f in found.findings],
        "answers": answers, "counted": counted,
        "crumbs": (Crumb(_("检查"), "/visits/"), Crumb(row.number)),
    }  # fmt: skip
    return render(request, "desk/visit.html", context)


def _finding(finding: Any, begun: Mapping[UUID, int], row: Any) -> dict[str, Any]:
    hazard = finding.hazard
    if row.kind == "review":
        became = "reviewed"
    elif hazard.pk in begun:
        became = "rebound" if begun[hazard.pk] > 1 else "new"
    else:
        became = "joined"
    return {
        "href": f"/ledger/{hazard.pk}/", "number": hazard.number, "fact": hazard.fact or _("（未写明）"),
        "part": hazard.part, "code": finding.code, "became": str(BECAME[became]), "grade": hazard.grade,
        "state": hazard.state, "state_name": state_name(hazard.state, hazard.chain), "severity": finding.severity,
    }  # fmt: skip


# ── recording ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Line:
    """One item of the checklist as the page asks it, with what was typed."""

    code: str
    title: str
    how: str = ""
    list_code: str = ""
    value: str = "unchecked"
    part: str = ""
    fact: str = ""
    class_code: str = ""
    life: bool = False
    error: str = ""
    uploads: list[UploadedFile[Any]] = field(default_factory=list)
    taken: list[UUID] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Tell whether this item was found wrong."""
        return self.value == "fail"


@dataclass(slots=True)
class Draft:
    """A visit as its page holds it between being opened and being kept."""

    id: UUID
    place: Any
    lists: tuple[str, ...]
    lines: list[Line]
    beside: Line
    kind: str = ""
    on: str = ""
    task_number: str = ""
    visitors: tuple[str, ...] = ()
    errors: list[tuple[str, str]] = field(default_factory=list)
    """Errors as (anchor, text) for the head of the page."""

    @property
    def failed(self) -> list[Line]:
        """Return every line found wrong, the one beside the lists at the end."""
        return [line for line in (*self.lines, self.beside) if line.failed]


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Record a visit: choose the place, then one page for who came, the items and what was found."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    chosen = as_uuid(request.POST.get("place", "") or request.GET.get("place", ""))
    place = register.place(actor, chosen) if chosen else None
    if place is None:
        if chosen:
            raise Http404
        return _choose_place(request, actor)
    place = place.survivor or place
    today = city_date(at, actor.zone)
    kinds = policies.kinds_allowed(actor, place, policies.Party(2, 2))
    if not kinds or place.historical:
        return _not_here(request, actor, place)
    source = request.POST if request.method == "POST" else request.GET
    draft = _draft(actor, place, today, source.getlist("list"))
    if request.method == "POST":
        _read(draft, request)
        if "more_lists" not in request.POST:
            answer = _record(request, actor, at, draft)
            if answer is not None:
                return answer
    else:
        draft.on = today.isoformat()
        draft.task_number = request.GET.get("task", "")[:60]
    return _page(request, actor, draft, kinds, today)


def _choose_place(request: HttpRequest, actor: Actor) -> HttpResponse:
    q = request.GET.get("q", "")
    rows = register.page(actor, register.Filters(q=q), size=SHOWN_PLACES).rows if q.strip() else ()
    areas = area_words(actor.root, [row.area_path for row in rows])
    kinds = kind_names(actor.root)
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "q": q, "found": [(r, areas.get(r.area_path, ""), kinds.get(r.kind, "")) for r in rows],
        "crumbs": (Crumb(_("检查"), "/visits/"), Crumb(_("记录检查"))),
        "register": Action(_("登记新单位"), "/places/new/"),
    }  # fmt: skip
    return render(request, "desk/visit_place.html", context)


def _not_here(request: HttpRequest, actor: Actor, place: Any) -> HttpResponse:
    committee = actor.has(*policies.COMMITTEE)
    text = (
        _("历史样本，只供查阅，不能办理。")
        if place.historical
        else _("安委办是议事协调机构，只督导政府和部门，不对企业作行政检查。看到隐患可以上报，由有权的部门去查。")
        if committee
        else _("您的岗位不在这里记录检查。")
    )
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "text": text, "who": _("街道、乡镇的检查人员和有执法权的部门"),
        "begin": Action(_("上报隐患"), f"/report/?place={place.pk}"),
        "crumbs": (Crumb(_("检查"), "/visits/"), Crumb(_("记录检查"))),
    }  # fmt: skip
    return render(request, "desk/visit_refused.html", context, status=403)


def _draft(actor: Actor, place: Any, today: date, wanted: Sequence[str]) -> Draft:
    """Return an empty visit with the items of the place kind's lists, or of those asked for."""
    english = in_english()
    known = {row.code for row in check_lists()}
    kind = catalog.place_kinds(actor.root, today).filter(code=place.kind).first() if place.kind else None
    own = tuple(code for code in (kind.lists if kind else "").split(";") if code)
    lists = tuple(dict.fromkeys(code for code in (*own, *wanted) if code in known))
    rows = catalog.hazard_codes(actor.root, today).filter(list_code__in=lists) if lists else ()
    lines = [
        Line(row.code, row.en if english else row.zh, row.how_en if english else row.how_zh, row.list_code)
        for row in rows
    ]
    lines.sort(key=lambda line: lists.index(line.list_code))
    return Draft(new_id(), place, lists, lines, Line(BESIDE, _("清单外发现"), value="unchecked"))


def _read(draft: Draft, request: HttpRequest) -> None:
    """Take what was typed; nothing is lost when something is refused."""
    given = request.POST
    draft.id = as_uuid(given.get("id", "")) or draft.id
    draft.kind, draft.on = given.get("kind", ""), given.get("on", "")
    draft.task_number = given.get("task_number", "")[:60]
    draft.visitors = tuple(given.getlist("visitors"))
    values = {value for value, _name in ANSWERS}
    for line in (*draft.lines, draft.beside):
        value = given.get(f"a-{line.code}", "unchecked")
        line.value = value if value in values else "unchecked"
        line.part = given.get(f"part-{line.code}", "").strip()[:120]
        line.fact = given.get(f"fact-{line.code}", "").strip()[:2000]
        line.class_code = given.get(f"class-{line.code}", "")[:40]
        line.life = bool(given.get(f"life-{line.code}"))
        line.uploads = [upload for upload in request.FILES.getlist(f"photos-{line.code}") if upload]


def _record(request: HttpRequest, actor: Actor, at: datetime, draft: Draft) -> HttpResponse | None:
    """Keep the photos, then the visit with its hazards in one unit of work; None where something was refused."""
    kept = unseal(request.POST.get("kept", ""), actor.person_id)
    for line in draft.failed:
        line.taken = list(kept.get(line.code, ()))
        for upload in line.uploads:
            try:
                stored = files.store(
                    actor=actor, at=at, root=actor.root, stream=upload, name=upload.name or "", accept=PICTURES
                )
            except Refusal as refusal:
                _refuse(draft, line, said(refusal))
            else:
                line.taken.append(stored.pk)
    for line in draft.failed:
        if line.code == BESIDE and not line.class_code:
            _refuse(draft, line, _("清单外发现要选隐患类别。"))
        if not line.fact:
            _refuse(draft, line, _("不合格，请写明看到了什么。"))
    on = _day(draft.on) if draft.on else None
    if draft.on and on is None:
        draft.errors.append(("on", _("日期看不懂。")))
    people = [as_uuid(text) for text in draft.visitors]
    if draft.errors:
        return None
    record = VisitRecord(
        place_id=draft.place.pk, id=draft.id, kind=draft.kind, on=on, task_number=draft.task_number,
        visitors=tuple(VisitorRecord(person) for person in people if person is not None), lists=draft.lists,
        answers={line.code: line.value for line in draft.lines},
        findings=tuple(
            FindingRecord(
                fact=line.fact, code="" if line.code == BESIDE else line.code, part=line.part,
                class_code=line.class_code if line.code == BESIDE else "", life_at_risk=line.life,
            )
            for line in draft.failed
        ),
    )  # fmt: skip
    try:
        row = _keep(actor, at, draft, record)
    except Refusal as refusal:
        draft.errors.append((refusal.field or "kind", said(refusal)))
        return None
    messages.success(request, _("检查已记录，编号 %(number)s。") % {"number": row.number})
    return redirect(f"/visits/{row.pk}/")


def _keep(actor: Actor, at: datetime, draft: Draft, record: VisitRecord) -> Any:
    """Write the visit and put each photo to the hazard that its item became."""
    with unit():
        row = record_visit(actor=actor, at=at, visit=record)
        found: dict[str, Any] = {finding.code: finding.hazard for finding in queries.file_of(actor, row.pk).findings}
        for line in draft.failed:
            hazard = found.get("" if line.code == BESIDE else line.code)
            if hazard is None:
                continue
            for file_id in line.taken:
                files.attach(
                    actor=actor, at=at, file=file_id, matter_kind="hazard", matter_id=hazard.pk,
                    cycle_no=hazard.cycle_no, purpose="before",
                )  # fmt: skip
        return row


def _refuse(draft: Draft, line: Line, text: str) -> None:
    line.error = f"{line.error} {text}".strip()
    title = line.title if line.code == BESIDE else f"{line.code} {line.title}"
    draft.errors.append((f"item-{line.code}", _("%(item)s：%(text)s") % {"item": title, "text": text}))


def _page(request: HttpRequest, actor: Actor, draft: Draft, kinds: Sequence[str], today: date) -> HttpResponse:
    english = in_english()
    place = draft.place
    names = {row.code: row.en if english else row.zh for row in check_lists()}
    colleagues = _companions(actor, place, today)
    asked = [(value, str(name)) for value, name in ANSWERS]
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "draft": draft, "place": place, "today": today.isoformat(), "answers": asked,
        "area": area_words(actor.root, [place.area_path]).get(place.area_path, ""),
        "kind_name": kind_names(actor.root).get(place.kind, place.kind),
        "kinds": [(kind, kind_word(kind), str(WHO_DECIDES[kind])) for kind in kinds],
        "companions": [(str(pk), name, unit_name, certified, str(pk) in draft.visitors)
                       for pk, name, unit_name, certified in colleagues],
        "groups": [(names.get(code, code), [line for line in draft.lines if line.list_code == code])
                   for code in draft.lists],
        "lists": draft.lists,
        "more_lists": [(code, name) for code, name in names.items() if code not in draft.lists],
        "classes": [(c.code, c.en if english else c.zh) for c in catalog.hazard_classes(actor.root, today)],
        "kept": seal({line.code: line.taken for line in draft.failed if line.taken}, actor.person_id),
        "crumbs": (Crumb(place.name or place.number, f"/places/{place.pk}/"), Crumb(_("记录检查"))),
    }  # fmt: skip
    return render(request, "desk/visit_new.html", context, status=422 if draft.errors else 200)


def _companions(actor: Actor, place: Any, today: date) -> list[tuple[UUID, str, str, bool]]:
    """Return who may have come along: colleagues, and the certified officers of the area; each with whether certified here."""
    found: dict[UUID, tuple[str, str]] = {}
    for holding in territory.colleagues(actor, today):
        found.setdefault(holding.person_id, (holding.person.name, holding.post.body.name))
    for holding in territory.holders_of_role(actor.root, "certified_officer", place.area_path, today):
        if holding.person_id != actor.person_id:
            found.setdefault(holding.person_id, (holding.person.name, holding.post.body.name))
    certified = queries.certified_among(found, place, today)
    return [(pk, name, body, pk in certified) for pk, (name, body) in found.items()]
