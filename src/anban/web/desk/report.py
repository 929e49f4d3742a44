"""Report a hazard (上报): photo, place, what it is, what was seen; on a phone in under a minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.files import operations as files
from anban.base.files.sniffing import PICTURES
from anban.base.journal.operations import unit
from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.catalog.data.tables import check_lists, ten_anywhere
from anban.contexts.establishments import queries as register
from anban.contexts.hazards import queries
from anban.contexts.hazards.operations import Entered, Sighting, enter
from anban.kit.clock import city_date
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action as Act
from anban.rules.hazard_lifecycle import Grade, State, step
from anban.web.desk import wording
from anban.web.desk.forms import carry, grouped, pictures_field, seal, unseal
from anban.web.desk.hazard import found_or_404
from anban.web.shell.access import EVERYBODY, actor_of, needs
from anban.web.shell.components import Action, Tone
from anban.web.shell.wording import in_english

PLACES_SHOWN: Final = 8
CODES_SHOWN: Final = 60
INSPECTORS: Final = (
    "safety_inspector", "certified_officer", "street_safety_office", "street_deputy", "street_director",
    "district_regulator", "district_regulator_head",
)  # fmt: skip
NEXT: Final = (Act.FIX_ON_SPOT, Act.ADVISE, Act.ORDER, Act.TRANSFER, Act.SUSPECT, Act.VERIFY, Act.APPLY)
BECAME: Final = ("new", "joined", "rebound")
FIELD_OF: Final = {"place": "place", "fact": "fact", "code": "code", "class_code": "class_code", "file": "photo_before"}


class ReportForm(forms.Form):
    """What somebody saw."""

    kept = forms.CharField(widget=forms.HiddenInput, required=False)
    q = forms.CharField(label=gettext_lazy("在哪里"), required=False, max_length=100)
    place = forms.UUIDField(required=False)
    q_code = forms.CharField(label=gettext_lazy("找检查项"), required=False, max_length=60)
    code = forms.ChoiceField(label=gettext_lazy("是哪一项"), required=False)
    class_code = forms.ChoiceField(label=gettext_lazy("检查单里没有，选类别"), required=False)
    part = forms.CharField(
        label=gettext_lazy("部位"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("例如：后厨灶台下、二层东侧楼梯。"),
    )
    fact = forms.CharField(
        label=gettext_lazy("看到了什么"), required=False, max_length=2000, widget=forms.Textarea,
        help_text=gettext_lazy("一句话就行；不写就用检查项的名称。"),
    )  # fmt: skip
    life_at_risk = forms.BooleanField(label=gettext_lazy("危及生命，马上要处置"), required=False)
    suspected = forms.BooleanField(label=gettext_lazy("疑似重大隐患"), required=False)
    interim_control = forms.CharField(
        label=gettext_lazy("临时管控措施"), required=False, max_length=300,
        help_text=gettext_lazy("判定前先靠什么防止出事，例如停用、断气、专人看守。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = pictures_field("photo_before", required=False)
        field.label = _("照片")
        field.widget.attrs["capture"] = "environment"
        self.fields["photo_before"] = field


def origin_of(actor: Actor) -> str:
    """Return where a report of this actor comes from: a patrol, the firm's own check, or a report."""
    if actor.has(*INSPECTORS):
        return "patrol"
    return "self_check" if actor.roles == {"enterprise_manager"} else "report"


def codes_for(root: str, on: date, kind: str, q: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the check items to choose among: the place kind's lists first, then the ten that may be recorded anywhere."""
    english = in_english()
    rows = catalog.hazard_codes(root, on)
    names = {row.code: row.en if english else row.zh for row in check_lists()}
    if q:
        column = "en" if english else "zh"
        found = (rows.filter(**{f"{column}__icontains": q}) | rows.filter(code__istartswith=q))[:CODES_SHOWN]
        return grouped((names.get(r.list_code, ""), r.code, f"{r.code} {r.en if english else r.zh}") for r in found)
    place_kind = catalog.place_kinds(root, on).filter(code=kind).first() if kind else None
    lists = [code for code in (place_kind.lists if place_kind else "").split(";") if code]
    ten = {row.item: row.en if english else row.zh for row in ten_anywhere()}
    listed = rows.filter(list_code__in=lists) if lists else []
    own = [(names.get(r.list_code, r.list_code), r.code, f"{r.code} {r.en if english else r.zh}") for r in listed]
    known = {code for _group, code, _text in own}
    anywhere = set(rows.filter(code__in=ten).values_list("code", flat=True)) - known
    return grouped([*own, *((_("随处可查的十项"), code, f"{code} {ten[code]}") for code in ten if code in anywhere)])


def _places(actor: Actor, q: str, chosen: UUID | None) -> tuple[list[Any], Any]:
    """Return the places that a search finds, and the one chosen; a firm's own are there without a search."""
    picked = register.place(actor, chosen) if chosen else None
    if q.strip():
        found = list(register.page(actor, register.Filters(q=q.strip()), size=PLACES_SHOWN).rows)
    elif picked is None and actor.roles == {"enterprise_manager"}:
        found = list(register.page(actor, register.Filters(), size=PLACES_SHOWN).rows)
    else:
        found = []
    if picked is None and len(found) == 1 and not q:
        picked = found[0]
    return [picked, *(p for p in found if p.pk != picked.pk)] if picked else found, picked


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Ask what was seen, and put it on the ledger."""
    if request.headers.get("HX-Boosted"):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = request.get_full_path()
        return response
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    on = city_date(at, actor.zone)
    if request.method == "GET":
        form = ReportForm(initial={key: request.GET.get(key, "") for key in ("q", "q_code", "code", "part")})
        return _page(request, actor, on, form, _uuid(request.GET.get("place", "")), request.GET.get("q", ""), 200)
    form = ReportForm(request.POST, request.FILES)
    chosen, q = _uuid(request.POST.get("place", "")), request.POST.get("q", "")
    place = register.place(actor, chosen) if chosen else None
    _offer(form, actor.root, on)
    valid = form.is_valid()
    taken = unseal(request.POST.get("kept", ""), actor.person_id).get("photo_before", [])
    try:
        for upload in form.cleaned_data.get("photo_before") or ():
            taken.append(
                files.store(
                    actor=actor, at=at, root=actor.root, stream=upload, name=upload.name or "", accept=PICTURES
                ).pk
            )
        if "find" in request.POST:
            return _page(request, actor, on, _keeping(form, taken, actor), chosen, q, 200)
        if valid and _complete(form, place):
            entered = _enter(actor, at, on, place, form, taken)
            return redirect(f"/report/done/{entered.hazard.pk}/?as={entered.kind}")
    except Refusal as refusal:
        field = FIELD_OF.get(refusal.field or "")
        form.add_error(field, wording.said(refusal))
    return _page(request, actor, on, _keeping(form, taken, actor), chosen, q, 422)


def _keeping(form: ReportForm, taken: Sequence[UUID], actor: Actor) -> ReportForm:
    if taken:
        carry(form, "kept", seal({"photo_before": taken}, actor.person_id))
        form["photo_before"].help_text = _("已收到 %(n)s 张照片，不用再传。") % {"n": len(taken)}
    return form


def _offer(form: ReportForm, root: str, on: date) -> None:
    """Accept any item and class of the catalog: the boxes only propose."""
    code = form.data.get("code", "")
    known = catalog.hazard_codes(root, on).filter(code=code).exists() if code else False
    form.fields["code"].choices = [("", ""), *([(code, code)] if known else [])]  # type: ignore[attr-defined]
    form.fields["class_code"].choices = [("", ""), *_classes(root, on)]  # type: ignore[attr-defined]


def _classes(root: str, on: date) -> list[tuple[str, str]]:
    return list(catalog.hazard_classes(root, on).values_list("code", "en" if in_english() else "zh"))


def _complete(form: ReportForm, place: Any) -> bool:
    """Say everything that is missing at once, each beside its field."""
    given = dict(form.cleaned_data)  # an error takes its value out of the form's own
    if place is None:
        form.add_error("place", _("请选择单位或场所：输入名称、地址或编号，再从结果里选。"))
    if not given["code"] and not given["class_code"]:
        form.add_error("code", _("请选一项；检查单里没有的，选一个类别。"))
    if not given["code"] and not given["fact"].strip():
        form.add_error("fact", _("请写明看到了什么。"))
    return not form.errors


def _enter(actor: Actor, at: datetime, on: date, place: Any, form: ReportForm, taken: Sequence[UUID]) -> Entered:
    """Put it on the ledger with its photos, both or neither."""
    given = form.cleaned_data
    origin = origin_of(actor)
    fact = given["fact"].strip()
    if not fact:
        item = catalog.hazard_codes(actor.root, on).filter(code=given["code"]).first()
        fact = item.zh if item else ""
    with unit():
        entered = enter(
            actor=actor,
            at=at,
            sighting=Sighting(
                place_id=place.pk,
                fact=fact,
                code=given["code"],
                class_code="" if given["code"] else given["class_code"],
                part=given["part"],
                origin=origin,
                found_on=on,
                found_at=at,
                grade=Grade.SUSPECTED_MAJOR.value if given["suspected"] else "",
                life_at_risk=given["life_at_risk"],
                interim_control=given["interim_control"] if given["suspected"] else "",
                inspected=origin in {"patrol", "self_check"},
                self_found=origin == "self_check",
            ),
        )
        for file_id in taken:
            files.attach(
                actor=actor, at=at, file=file_id, matter_kind="hazard", matter_id=entered.hazard.pk,
                cycle_no=entered.hazard.cycle_no, purpose="before",
            )  # fmt: skip
        return entered


def _page(
    request: HttpRequest, actor: Actor, on: date, form: ReportForm, chosen: UUID | None, q: str, status: int
) -> HttpResponse:
    found, picked = _places(actor, q, chosen)
    q_code = form.data.get("q_code", "") if form.is_bound else request.GET.get("q_code", "")
    context = {
        "form": form,
        "places": found,
        "picked": picked,
        "q": q,
        "searched": bool(q.strip()),
        "codes": codes_for(actor.root, on, picked.kind if picked else "", q_code.strip()),
        "code": form["code"].value() or "",
        "q_code": q_code,
        "classes": _classes(actor.root, on),
        "class_code": form["class_code"].value() or "",
        "now": request.at,  # type: ignore[attr-defined]
    }
    return render(request, "desk/report.html", context, status=status)


@needs(*EVERYBODY)
@require_GET
def places(request: HttpRequest) -> HttpResponse:
    """Answer a search for the place while it is typed."""
    actor = actor_of(request)
    q = request.GET.get("q", "")
    found, picked = _places(actor, q, _uuid(request.GET.get("place", "")))
    context = {"places": found, "picked": picked, "searched": bool(q.strip()), "q": q}
    return render(request, "desk/parts/report_places.html", context)


@needs(*EVERYBODY)
@require_GET
def codes(request: HttpRequest) -> HttpResponse:
    """Answer the check items for the place chosen, or for the words typed."""
    actor = actor_of(request)
    on = city_date(request.at, actor.zone)  # type: ignore[attr-defined]
    chosen = _uuid(request.GET.get("place", ""))
    place = register.place(actor, chosen) if chosen else None
    q_code = request.GET.get("q_code", "").strip()
    context = {
        "codes": codes_for(actor.root, on, place.kind if place else "", q_code), "code": request.GET.get("code", ""),
    }  # fmt: skip
    return render(request, "desk/parts/report_codes.html", context)


@needs(*EVERYBODY)
@require_GET
def done(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """Say what became of the report, and what can be done next."""
    actor = actor_of(request)
    row = found_or_404(actor, hazard_id)
    became = request.GET.get("as", "new")
    if became not in BECAME:
        raise Http404
    allowed = queries.actions(actor, row)
    following = []
    for act in NEXT:
        if act in allowed:
            name = wording.action_name(step(State(row.state), act))
            following.append(Action(name, f"/ledger/{row.pk}/{act.value}/", Tone.PLAIN))
    context = {
        "row": row,
        "became": became,
        "rebound": wording.rebound_words(row.rebound_no),
        "state_name": wording.state_name(row.state, row.chain),
        "next": following,
        "again": Action(_("再上报一条"), "/report/"),
        "now": request.at,  # type: ignore[attr-defined]
    }
    return render(request, "desk/report_done.html", context)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
