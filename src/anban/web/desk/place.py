"""One place (一企一档): who and where it is, what is open, what was visited, what sources say; and keeping it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.files import operations as files
from anban.base.files import queries as file_queries
from anban.base.journal.operations import unit
from anban.base.journal.queries import timeline
from anban.base.people import operations as people
from anban.base.people import queries as people_queries
from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.establishments import operations, policies, queries
from anban.contexts.establishments.queries import PlaceFile
from anban.contexts.establishments.vocabulary import word_of
from anban.contexts.hazards import queries as hazards
from anban.contexts.hazards.queries import Filters as HazardFilters
from anban.contexts.inspections import policies as visit_policies
from anban.contexts.inspections import queries as visits
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules.errors import Refusal
from anban.web.desk.ledger import address as ledger_address
from anban.web.desk.places import (
    REASONS,
    STATUS_LOOK,
    area_words,
    as_uuid,
    choices_of,
    kind_names,
    labelled,
    may_register,
    register_crumbs,
)
from anban.web.desk.wording import proof_name, rebound_words, said, state_name
from anban.web.shell.access import EVERYBODY, OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Deadline, Fact, Tone, VisitMark
from anban.web.shell.wording import full_words, in_english

SHOWN_HAZARDS: Final = 50
SHOWN_VISITS: Final = 20
PARTY_ROLES: Final = {
    "owner_unit": gettext_lazy("产权单位"), "managing_unit": gettext_lazy("管理使用单位"), "tenant": gettext_lazy("承租单位"),
}  # fmt: skip
PERSON_ROLES: Final = {"principal": gettext_lazy("主要负责人"), "safety_manager": gettext_lazy("安全管理人")}
FLAGS: Final = {
    "possible_duplicate": gettext_lazy("疑似重复"),
    "code_elsewhere": gettext_lazy("信用代码在别处登记"),
    "building_unknown": gettext_lazy("所写建筑不在底数"),
    "kind_unknown": gettext_lazy("场所类型不明"),
    "area_unknown": gettext_lazy("地区不明"),
}
MATCHED: Final = {
    "number": gettext_lazy("按编号"), "credit_code": gettext_lazy("按信用代码"), "name_address": gettext_lazy("按名称和地址"),
    "registered": gettext_lazy("由此登记"), "person": gettext_lazy("人工对应"),
}  # fmt: skip
MARKS: Final = {
    "found": gettext_lazy("查出 %(n)s 项"),
    "clean": gettext_lazy("未见隐患"),
    "closed": gettext_lazy("复查销号"),
}
FACT_NAMES: Final = {
    "name": gettext_lazy("名称"), "address": gettext_lazy("地址"), "credit_code": gettext_lazy("统一社会信用代码"),
    "kind": gettext_lazy("场所类型"), "industry": gettext_lazy("行业代码"), "form": gettext_lazy("形态"),
    "area_id": gettext_lazy("地区"), "building_id": gettext_lazy("所在建筑"), "lng_wgs84": gettext_lazy("经度"),
    "lat_wgs84": gettext_lazy("纬度"), "affiliation": gettext_lazy("隶属关系"), "status": gettext_lazy("状态"),
    "status_on": gettext_lazy("状态日期"), "attributes": gettext_lazy("来源事实"),
}  # fmt: skip


def place_or_404(actor: Actor, place_id: UUID) -> Any:
    """Return one place of the actor's scope; what is not there and what may not be seen answer alike."""
    row = queries.place(actor, place_id)
    if row is None:
        raise Http404
    return row


@needs(*EVERYBODY)
@require_GET
def place(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Show everything about one place; reading the names of persons in charge is logged."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    place_or_404(actor, place_id)
    found = operations.open_file(actor=actor, at=at, place_id=place_id)
    row = found.place
    today = city_date(at, actor.zone)
    open_rows, more_open = hazards.page(actor, HazardFilters(place=row.pk, open_only=True), at=at, size=SHOWN_HAZARDS)
    closed_rows, more_closed = hazards.page(
        actor, HazardFilters(place=row.pk, closed_only=True), at=at, size=SHOWN_HAZARDS
    )
    visited = visits.visits_of(actor, row.pk, SHOWN_VISITS + 1)
    documents = file_queries.attachments(row.pk)
    keeps = policies.can_amend(actor, row) and row.survivor_id is None
    settles = policies.can_settle(actor, row.area_path, row.kind)
    changers = people_queries.names_of(filter(None, (as_uuid(s.actor) for s in found.statuses)))
    context = {
        "now": at,
        "row": row,
        "status_look": STATUS_LOOK.get(row.status, ""),
        "status": word_of("status", row.status, english=in_english()),
        "awaiting_demolition": row.status == "awaiting_demolition",
        "head": _head(actor, row),
        "facts": _facts(actor, row),
        "attributes": labelled(found.attributes),
        "parties": _parties(found, standing=True),
        "former_parties": _parties(found, standing=False),
        "in_charge": [
            (str(name), [p for p in found.in_charge if p.role == role and p.until_on is None])
            for role, name in PERSON_ROLES.items()
        ],
        "in_charge_before": [p for p in found.in_charge if p.until_on is not None],
        "tenants": found.tenants,
        "open": [_open_line(h, at) for h in open_rows],
        "open_count": f"{len(open_rows)}+" if more_open else str(len(open_rows)),
        "open_href": ledger_address(HazardFilters(place=row.pk, open_only=True)),
        "closed": [_closed_line(h) for h in closed_rows],
        "closed_count": f"{len(closed_rows)}+" if more_closed else str(len(closed_rows)),
        "closed_href": ledger_address(HazardFilters(place=row.pk, closed_only=True)),
        "marks": _marks(actor, row.pk, today),
        "today": today,
        "visits": visited[:SHOWN_VISITS],
        "visits_href": f"/visits/?place={row.pk}" if actor.has(*OFFICIALS) else "",
        "sources": [(s, _flags(s.flags), str(MATCHED.get(s.matched_by, s.matched_by)), labelled(s.payload))
                    for s in found.sources],
        "documents": documents,
        "merges": [(m, m.survivor_id == row.pk, settles and m.undone_at is None) for m in found.merges],
        "statuses": [
            (s, word_of("status", s.status, english=in_english()), changers.get(as_uuid(s.actor) or row.pk, _("系统")))
            for s in found.statuses
        ],
        "buttons": _buttons(actor, row, keeps=keeps, settles=settles),
        "keeps": keeps,
        "alike": _alike(actor, row) if settles and row.survivor_id is None else (),
        "crumbs": register_crumbs(Crumb(row.name or row.number)),
    }  # fmt: skip
    return render(request, "desk/place.html", context)


def _head(actor: Actor, row: Any) -> dict[str, str]:
    return {
        "area": area_words(actor.root, [row.area_path]).get(row.area_path, ""),
        "kind": kind_names(actor.root).get(row.kind, row.kind),
        "affiliation": word_of("affiliation", row.affiliation, english=in_english()),
    }


def _facts(actor: Actor, row: Any) -> list[Fact]:
    english = in_english()
    placed = row.lng_wgs84 is not None and row.lat_wgs84 is not None
    industry = catalog.industries(actor.root).filter(code=row.industry).first() if row.industry else None
    industry_name = (industry.en if english else industry.zh) if industry else ""
    listed = [
        Fact(_("地址"), row.address),
        Fact(_("统一社会信用代码"), row.credit_code),
        Fact(_("形态"), word_of("form", row.form, english=english)),
        Fact(_("行业"), f"{row.industry} {industry_name}".strip()),
        Fact(
            _("所在建筑"),
            row.building.name if row.building else "",
            f"/places/{row.building_id}/" if row.building else "",
        ),
        Fact(_("坐标"), f"{row.lng_wgs84:.5f}, {row.lat_wgs84:.5f}" if placed else "", note="WGS-84" if placed else ""),
        Fact(_("登记"), full_words(row.registered_at)),
        Fact(_("编号"), row.number),
    ]
    return [fact for fact in listed if fact.value]


def _parties(found: PlaceFile, *, standing: bool) -> list[tuple[str, Any]]:
    rows = [(str(PARTY_ROLES.get(p.role, p.role)), p) for p in found.parties if (p.until_on is None) == standing]
    if not standing:
        return rows
    there = {p.role for _name, p in rows}
    return sorted([*rows, *((str(name), None) for role, name in PARTY_ROLES.items() if role not in there)],
                  key=lambda pair: [str(n) for n in PARTY_ROLES.values()].index(pair[0]))  # fmt: skip


def _open_line(row: Any, at: datetime) -> dict[str, Any]:
    return {
        "href": f"/ledger/{row.pk}/", "fact": row.fact or _("（未写明）"), "number": row.number, "grade": row.grade,
        "state": row.state, "state_name": state_name(row.state, row.chain), "part": row.part,
        "deadline": Deadline(row.due_at, at, provisional=row.provisional), "holder": row.holder.name,
        "rebound": rebound_words(row.rebound_no), "penalised": row.penalised, "found_on": row.found_on,
    }  # fmt: skip


def _closed_line(row: Any) -> dict[str, Any]:
    return {
        "href": f"/ledger/{row.pk}/", "fact": row.fact or _("（未写明）"), "number": row.number,
        "found_on": row.found_on, "closed_on": row.closed_on, "proof": proof_name(row.proof),
        "rounds": row.cycle_no, "rebound": rebound_words(row.rebound_no),
    }  # fmt: skip


def _marks(actor: Actor, place_id: UUID, today: date) -> list[VisitMark]:
    made = []
    for mark in visits.strip(actor, place_id, today):
        label = f"{mark.number} {MARKS[mark.kind] % {'n': mark.findings} if mark.kind == 'found' else MARKS[mark.kind]}"
        made.append(VisitMark(mark.on, mark.kind, label, f"/visits/{mark.visit_id}/"))
    return made


def _flags(flags: Sequence[str]) -> str:
    return "、".join(str(FLAGS.get(flag, flag)) for flag in flags)


def _alike(actor: Actor, row: Any) -> list[tuple[Any, str]]:
    return [
        (other.place, "、".join(str(REASONS[r]) for r in other.reasons))
        for other in queries.possible_duplicates(actor, row, limit=5)
    ]


def _buttons(actor: Actor, row: Any, *, keeps: bool, settles: bool) -> tuple[Action, ...]:
    if row.survivor_id is not None or row.historical:
        return ()
    made = [Action(_("上报隐患"), f"/report/?place={row.pk}", Tone.PRIMARY)]
    if may_visit(actor, row):
        made.append(Action(_("记录检查"), f"/visits/new/?place={row.pk}"))
    if keeps:
        made.append(Action(_("修改"), f"/places/{row.pk}/edit/"))
    if settles:
        made.append(Action(_("合并"), f"/places/{row.pk}/merge/"))
    return tuple(made)


def may_visit(actor: Actor, row: Any) -> bool:
    """Tell whether the actor may record a visit of any kind at a place."""
    return bool(visit_policies.kinds_allowed(actor, row, visit_policies.Party(2, 2)))


# ── keeping it ─────────────────────────────────────────────────────────────────────────────────────────────────


class PlaceForm(forms.Form):
    """The facts of a place as a person writes them."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    observation = forms.UUIDField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=gettext_lazy("名称"), max_length=200)
    kind = forms.ChoiceField(label=gettext_lazy("场所类型"), required=False)
    area = forms.ChoiceField(label=gettext_lazy("地区"))
    address = forms.CharField(label=gettext_lazy("地址"), max_length=300, required=False)
    credit_code = forms.CharField(
        label=gettext_lazy("统一社会信用代码"), max_length=60, required=False,
        help_text=gettext_lazy("18 位，含校验位；没有可不填。"),
    )  # fmt: skip
    form = forms.ChoiceField(label=gettext_lazy("形态"))
    affiliation = forms.ChoiceField(label=gettext_lazy("隶属关系"))
    industry = forms.CharField(label=gettext_lazy("行业代码"), max_length=20, required=False)
    building = forms.CharField(
        label=gettext_lazy("所在建筑的编号"), max_length=30, required=False,
        help_text=gettext_lazy("建筑先登记，再在这里填它的编号。"),
    )  # fmt: skip
    lng = forms.FloatField(label=gettext_lazy("经度（WGS-84）"), required=False, min_value=-180, max_value=180)
    lat = forms.FloatField(label=gettext_lazy("纬度（WGS-84）"), required=False, min_value=-90, max_value=90)

    def __init__(self, *args: Any, actor: Actor, areas: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        english = in_english()
        self.actor = actor
        kinds = sorted(kind_names(actor.root).items(), key=lambda item: item[1])
        self._offer("kind", [("", _("未分类")), *kinds])
        self._offer("area", [("", _("请选择")), *((str(a.pk), _indented(a, english=english)) for a in areas)])
        self._offer("form", choices_of("form"))
        self._offer("affiliation", choices_of("affiliation"))

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = list(choices)

    def clean(self) -> dict[str, Any]:
        """Find the building by its number."""
        cleaned = dict(super().clean() or {})
        number = cleaned.get("building", "").strip()
        cleaned["building_id"] = None
        if number:
            found = queries.places_by_number(self.actor.root, [number]).get(number)
            if found is None:
                self.add_error("building", _("底数里没有这个编号。"))
            else:
                cleaned["building_id"] = found.survivor_id or found.pk
        if (cleaned.get("lng") is None) != (cleaned.get("lat") is None):
            self.add_error("lng", _("经度和纬度要么都填，要么都不填。"))
        return cleaned

    def facts(self) -> dict[str, Any]:
        """Return the facts as operations take them."""
        given = self.cleaned_data
        return {
            "name": given["name"], "area_id": UUID(given["area"]), "address": given["address"],
            "credit_code": given["credit_code"], "kind": given["kind"], "industry": given["industry"],
            "form": given["form"], "affiliation": given["affiliation"], "building_id": given["building_id"],
            "lng": given["lng"], "lat": given["lat"],
        }  # fmt: skip


def _indented(area: Any, *, english: bool) -> str:
    depth: int = area.path.count("/")
    return "　" * max(0, depth - 2) + str(area.name_en if english else area.name)


def areas_offered(actor: Actor, chosen: UUID | None = None) -> list[Any]:
    """Return the areas in which the actor may put a place: districts and streets, and communities of a small scope."""
    rows = list(territory.areas(actor).exclude(level__in=("management", "city", "community")))
    if len(rows) <= 2:
        rows += list(territory.areas(actor).filter(level="community"))
    known = {a.pk for a in rows}
    if chosen is not None and chosen not in known:
        rows += list(territory.areas(actor).filter(pk=chosen))
    return sorted(rows, key=lambda a: a.path)


FIELD_OF: Final = {"area_id": "area", "building_id": "building"}


def refuse(form: forms.Form, refusal: Refusal) -> None:
    """Show a refusal beside the field it concerns, or at the head of the form."""
    name = FIELD_OF.get(refusal.field or "", refusal.field)
    form.add_error(name if name in form.fields else None, said(refusal))


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Put a place on the register, from nothing or from a row of a source."""
    actor = actor_of(request)
    if not may_register(actor):
        raise PermissionDenied(_("您的岗位只看台账，不登记单位。新单位请告诉所在街道，由街道登记。"))
    at: datetime = request.at  # type: ignore[attr-defined]
    source = as_uuid(request.POST.get("observation", "") or request.GET.get("observation", ""))
    row = queries.observation(actor, source) if source else None
    if source and row is None:
        raise Http404
    areas = areas_offered(actor)
    payload = queries.payload_of(row.payload) if row else {}
    initial = _from_source(actor, payload, row, areas) if row else {"affiliation": "district", "form": "unit"}
    form = PlaceForm(request.POST or None, actor=actor, areas=areas, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            if row is not None:
                made = operations.register_from_observation(actor=actor, at=at, observation_id=row.pk, **form.facts())
            else:
                made = operations.register_place(actor=actor, at=at, **form.facts())
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("已登记，编号 %(number)s。") % {"number": made.number})
            return redirect(f"/places/{made.pk}/")
    context = {
        "now": at, "form": form, "payload": labelled(payload), "title": _("登记新单位"), "submit": _("登记"),
        "cancel": f"/places/blind-spots/{row.pk}/" if row else "/places/",
        "crumbs": register_crumbs(Crumb(_("登记新单位"))), "nowhere": not areas,
    }  # fmt: skip
    return render(request, "desk/place_new.html", context, status=422 if form.errors else 200)


def _from_source(actor: Actor, payload: Mapping[str, str], row: Any, areas: Sequence[Any]) -> dict[str, Any]:
    """Return what a source wrote, as the beginning of a form; what it means is for the person to check."""
    kinds = {name: code for code, name in catalog.place_kinds(actor.root).values_list("code", "zh")}
    area = next((str(a.pk) for a in areas if row.area_path and a.path == row.area_path), "")
    area = area or next((str(a.pk) for a in areas if payload.get("street") in (a.name, a.code)), "")
    return {
        "observation": row.pk, "name": payload.get("name", ""), "address": payload.get("address", ""),
        "credit_code": payload.get("credit_code", ""), "kind": kinds.get(payload.get("kind", ""), ""), "area": area,
        "industry": payload.get("industry", ""), "form": "unit", "affiliation": "district",
    }  # fmt: skip


class StatusForm(forms.Form):
    """What a place is doing from a day on."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    status = forms.ChoiceField(label=gettext_lazy("状态"))
    on = forms.DateField(label=gettext_lazy("自"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label=gettext_lazy("说明"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["status"]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices_of("status")


class PartyForm(forms.Form):
    """Owner, manager or tenant from a day on; an empty name ends the one that stands."""

    role = forms.ChoiceField(label=gettext_lazy("身份"), choices=list(PARTY_ROLES.items()))
    name = forms.CharField(
        label=gettext_lazy("单位名称"), max_length=200, required=False, help_text=gettext_lazy("留空即结束现有的。")
    )
    credit_code = forms.CharField(label=gettext_lazy("统一社会信用代码"), max_length=60, required=False)
    from_on = forms.DateField(label=gettext_lazy("自"), required=False, widget=forms.DateInput(attrs={"type": "date"}))


class InChargeForm(forms.Form):
    """A person in charge from a day on; an empty name ends the one who stands."""

    role = forms.ChoiceField(label=gettext_lazy("职责"), choices=list(PERSON_ROLES.items()))
    name = forms.CharField(
        label=gettext_lazy("姓名"), max_length=80, required=False, help_text=gettext_lazy("留空即结束现任。")
    )
    phone = forms.CharField(label=gettext_lazy("电话"), max_length=40, required=False)
    from_on = forms.DateField(label=gettext_lazy("自"), required=False, widget=forms.DateInput(attrs={"type": "date"}))


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Change a place's facts, its status, its parties or its persons in charge; each is a form of its own."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = place_or_404(actor, place_id)
    if not policies.can_name_persons(actor, row) or row.survivor_id is not None:
        raise Refusal("place.not_allowed")
    verb = request.POST.get("verb", "") if request.method == "POST" else ""
    keeps = policies.can_amend(actor, row)
    areas = areas_offered(actor, row.area_id) if keeps else []
    shown = {
        "facts": PlaceForm(request.POST if verb == "facts" else None, actor=actor, areas=areas, initial=_initial(row)),
        "status": StatusForm(request.POST if verb == "status" else None, auto_id="status_%s", initial={
            "version": row.version, "status": row.status, "on": city_date(at, actor.zone)}),
        "party": PartyForm(request.POST if verb == "party" else None, auto_id="party_%s"),
        "in_charge": InChargeForm(request.POST if verb == "in_charge" else None, auto_id="person_%s"),
    }  # fmt: skip
    status, changed = 200, None
    form = shown.get(verb)
    if form is not None:
        status = 422
        if form.is_valid():
            try:
                _keep(actor, at, row, verb, form)
            except Refusal as refusal:
                if refusal.code == "place.changed_meanwhile":
                    status, changed = 409, _who_changed(row, form.cleaned_data.get("version"))
                    _take_version(form, row.version)
                else:
                    refuse(form, refusal)
            else:
                messages.success(request, _("已保存。"))
                return redirect(f"/places/{row.pk}/")
    context = {
        "now": at, "row": row, "forms": shown, "keeps": keeps, "changed": changed,
        "crumbs": register_crumbs(Crumb(row.name or row.number, f"/places/{row.pk}/"), Crumb(_("修改"))),
    }  # fmt: skip
    return render(request, "desk/place_edit.html", context, status=status)


def _initial(row: Any) -> dict[str, Any]:
    return {
        "version": row.version, "name": row.name, "kind": row.kind, "area": str(row.area_id), "address": row.address,
        "credit_code": row.credit_code, "form": row.form, "affiliation": row.affiliation, "industry": row.industry,
        "building": row.building.number if row.building else "", "lng": row.lng_wgs84, "lat": row.lat_wgs84,
    }  # fmt: skip


def _keep(actor: Actor, at: datetime, row: Any, verb: str, form: forms.Form) -> None:
    """Write one form of the page of a place."""
    given = form.cleaned_data
    if verb == "facts" and isinstance(form, PlaceForm):
        operations.amend(actor=actor, at=at, place_id=row.pk, version=given["version"] or 0, changes=form.facts())
    elif verb == "status":
        operations.set_status(
            actor=actor, at=at, place_id=row.pk, version=given["version"], status=given["status"], on=given["on"],
            reason=given["reason"],
        )  # fmt: skip
    elif verb == "party":
        operations.set_party(
            actor=actor, at=at, place_id=row.pk, role=given["role"], name=given["name"],
            credit_code=given["credit_code"], from_on=given["from_on"],
        )  # fmt: skip
    else:
        with unit():
            person = None
            if given["name"].strip():
                person = people.add_person(
                    actor=actor, at=at, root=actor.root, name=given["name"], phone=given["phone"]
                ).pk
            operations.set_in_charge(
                actor=actor, at=at, place_id=row.pk, role=given["role"], person_id=person, from_on=given["from_on"]
            )


def _take_version(form: forms.Form, version: int) -> None:
    data: Any = form.data
    data = data.copy()
    data["version"] = str(version)
    form.data = data


def _who_changed(row: Any, seen: int | None) -> dict[str, Any]:
    """Return who changed a place since the version that was looked at, when, and what."""
    lines = [line for line in timeline(("place", row.pk)) if line.verb.startswith("place.")]
    last = lines[-1]
    fields = [str(FACT_NAMES.get(name, name)) for name in last.data.get("changed", ())]
    if last.verb == "place.status_set":
        fields = [_("状态")]
    key = as_uuid(last.actor)
    name = people_queries.names_of([key]).get(key, "") if key else ""
    return {"who": name or _("系统"), "at": last.at, "what": "、".join(fields), "seen": seen}


# ── merging ────────────────────────────────────────────────────────────────────────────────────────────────────


class MergeForm(forms.Form):
    """Why two rows are one place."""

    reason = forms.CharField(label=gettext_lazy("理由"), max_length=300, required=False)


@needs(*OFFICIALS)
@require_GET
def merge(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Look for the place that a place is to be merged with."""
    actor = actor_of(request)
    row = place_or_404(actor, place_id)
    policies.require(policies.can_settle(actor, row.area_path, row.kind))
    q = request.GET.get("q", "")
    if q.strip():
        found = [(p, "") for p in queries.page(actor, queries.Filters(q=q), size=12).rows if p.pk != row.pk]
    else:
        found = [(p, why) for p, why in _alike(actor, row)]
    areas = area_words(actor.root, [p.area_path for p, _why in found])
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "row": row, "q": q, "found": [(p, areas.get(p.area_path, ""), why) for p, why in found],
        "crumbs": register_crumbs(Crumb(row.name or row.number, f"/places/{row.pk}/"), Crumb(_("合并"))),
    }  # fmt: skip
    return render(request, "desk/place_merge.html", context)


@needs(*OFFICIALS)
@require_http_methods(["GET", "POST"])
def merge_with(request: HttpRequest, place_id: UUID, other_id: UUID) -> HttpResponse:
    """Compare two places and say that they are one; the first survives."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    survivor, absorbed = place_or_404(actor, place_id), place_or_404(actor, other_id)
    for row in (survivor, absorbed):
        policies.require(policies.can_settle(actor, row.area_path, row.kind))
    form = MergeForm(request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            operations.merge(
                actor=actor, at=at, survivor_id=place_id, absorbed_id=other_id, reason=form.cleaned_data["reason"]
            )
        except Refusal as refusal:
            problem = said(refusal)
        else:
            messages.success(request, _("已合并。需要时可在“合并记录”里撤销。"))
            return redirect(f"/places/{place_id}/")
    counts = []
    for row in (survivor, absorbed):
        open_count = hazards.count(actor, HazardFilters(place=row.pk, open_only=True), at=at)
        all_count = hazards.count(actor, HazardFilters(place=row.pk), at=at)
        visit_count, _exact = visits.count(actor, visits.Filters(place=row.pk))
        counts.append((str(open_count), str(all_count), str(visit_count)))
    context = {
        "now": at, "survivor": survivor, "absorbed": absorbed, "form": form, "problem": problem,
        "compared": _compared(actor, survivor, absorbed), "counts": counts,
        "crumbs": register_crumbs(Crumb(survivor.name or survivor.number, f"/places/{survivor.pk}/"), Crumb(_("合并"))),
    }  # fmt: skip
    return render(request, "desk/place_merge_with.html", context, status=422 if problem else 200)


def _compared(actor: Actor, one: Any, other: Any) -> list[tuple[str, str, str, bool]]:
    english = in_english()
    kinds = kind_names(actor.root)
    areas = area_words(actor.root, [one.area_path, other.area_path])

    def told(row: Any) -> list[tuple[str, str]]:
        return [
            (_("名称"), row.name), (_("编号"), row.number), (_("地址"), row.address), (_("地区"), areas[row.area_path]),
            (_("统一社会信用代码"), row.credit_code), (_("场所类型"), kinds.get(row.kind, row.kind)),
            (_("状态"), word_of("status", row.status, english=english)),
            (_("隶属关系"), word_of("affiliation", row.affiliation, english=english)),
        ]  # fmt: skip

    return [(name, a, b, a != b) for (name, a), (_name, b) in zip(told(one), told(other), strict=True)]


@needs(*OFFICIALS)
@require_POST
def undo_merge(request: HttpRequest, place_id: UUID, merge_id: UUID) -> HttpResponse:
    """Take back a merge of a place in my scope."""
    actor = actor_of(request)
    found = queries.file_of(actor, place_id)
    if found is None or merge_id not in {m.pk for m in found.merges}:
        raise Http404
    restored = operations.undo_merge(actor=actor, at=request.at, merge_id=merge_id)  # type: ignore[attr-defined]
    messages.success(request, _("已撤销合并，%(number)s 恢复为独立的单位。") % {"number": restored.number})
    return redirect(f"/places/{place_id}/")


# ── documents ──────────────────────────────────────────────────────────────────────────────────────────────────


@needs(*OFFICIALS)
@require_POST
def add_document(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Keep a document of a place."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = place_or_404(actor, place_id)
    policies.require(policies.can_amend(actor, row))
    upload = request.FILES.get("document")
    if upload is None:
        messages.warning(request, _("没有选文件。"))
        return redirect(f"/places/{row.pk}/#documents")
    stored = files.store(actor=actor, at=at, root=row.root, stream=upload, name=upload.name or "")
    files.attach(actor=actor, at=at, file=stored, matter_kind="place", matter_id=row.pk, purpose="paper")
    messages.success(request, _("已存入档案。"))
    return redirect(f"/places/{row.pk}/#documents")


@needs(*EVERYBODY)
@require_GET
def document(request: HttpRequest, place_id: UUID, attachment_id: UUID) -> HttpResponseBase:
    """Send a document of a place in my scope as it came."""
    actor = actor_of(request)
    place_or_404(actor, place_id)
    attached = next((a for a in file_queries.attachments(place_id) if a.id == attachment_id), None)
    if attached is None:
        raise Http404
    stored = file_queries.file(actor, attached.file_id)
    return FileResponse(
        file_queries.open_original(stored), as_attachment=True, filename=file_queries.download_name(stored)
    )
