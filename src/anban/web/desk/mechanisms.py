"""Joint mechanisms (联动机制): one mechanism, and the editor of its lead, members, trigger and clocks, with its effect beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.hazards import queries as hazards
from anban.contexts.responsibility import operations, queries
from anban.contexts.responsibility.operations import Asked, Plan
from anban.contexts.responsibility.wording import terms
from anban.contexts.territory import queries as territory
from anban.contexts.territory.policies import can_arrange
from anban.kit.clock import city_date
from anban.kit.remember import remembering
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Grade
from anban.rules.joint import called_for
from anban.web.desk.net import href, name_of, side, tabs
from anban.web.desk.oversight.parts import asked, choose, day_input
from anban.web.desk.wording import said
from anban.web.shell.access import NET_READERS, actor_of, needs
from anban.web.shell.components import Action, Crumb, Fact, Filter, FilterOption, Tone

EDITORS: Final = ("district_committee_officer", "city_committee_officer", "steward")
ROWS: Final = 5
MOST: Final = 20
YEAR: Final = timedelta(days=365)
SHOWN: Final = 20
LOOKED_AT: Final = 500
GRAVE: Final = (Grade.SUSPECTED_MAJOR.value, Grade.MAJOR.value)


class MechanismForm(forms.Form):
    """A mechanism: what opens it, who leads it, and row by row what each member owes by when."""

    name = forms.CharField(label=gettext_lazy("名称"), max_length=120)
    lead = forms.ChoiceField(label=gettext_lazy("牵头单位"))
    by_rule = forms.BooleanField(
        label=gettext_lazy("按下列条件自动启动"), required=False, initial=True, help_text=gettext_lazy("不勾选则只能由人启动。")
    )  # fmt: skip
    hazard_class = forms.ChoiceField(
        label=gettext_lazy("隐患类别"), required=False, help_text=gettext_lazy("这一类疑似重大、重大隐患，且有两个以上部门负责时启动。"),
    )  # fmt: skip
    codes = forms.CharField(
        label=gettext_lazy("检查项"), required=False, max_length=300, help_text=gettext_lazy("发现其中任何一项，立即启动。写代码，如 UP06；几项之间空格。"),
    )  # fmt: skip
    basis = forms.CharField(label=gettext_lazy("依据"), max_length=300)
    from_on = day_input(gettext_lazy("自哪一天起"))

    def __init__(
        self, *args: Any, bodies: Mapping[str, Any], classes: Mapping[str, str], rows: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.bodies = bodies
        named = [("", "—"), *((key, name_of(one)) for key, one in bodies.items())]
        choose(self, "lead", [("", _("请选择")), *named[1:]])
        choose(self, "hazard_class", [("", "—"), *classes.items()])
        self.rows = rows
        for number in range(rows):
            label = {"n": number + 1}
            self.fields[f"body_{number}"] = forms.ChoiceField(
                label=_("成员 %(n)s") % label, choices=named, required=False
            )
            self.fields[f"part_{number}"] = forms.CharField(label=_("办什么"), max_length=200, required=False)
            self.fields[f"days_{number}"] = forms.IntegerField(
                label=_("工作日"), min_value=1, max_value=60, required=False
            )

    @property
    def head(self) -> list[forms.BoundField]:
        """The fields above the members."""
        return [self[name] for name in type(self).base_fields]

    @property
    def members(self) -> Iterator[tuple[forms.BoundField, forms.BoundField, forms.BoundField]]:
        """The members' rows."""
        for number in range(self.rows):
            yield self[f"body_{number}"], self[f"part_{number}"], self[f"days_{number}"]

    def clean(self) -> dict[str, Any]:
        """Return what is asked, the members' rows read together; a row that is begun must be whole."""
        given = super().clean() or {}
        found = []
        for number in range(self.rows):
            row = [given.get(f"{name}_{number}") for name in ("body", "part", "days")]
            if not any(row):
                continue
            for name, value in zip(("body", "part", "days"), row, strict=True):
                if not value and f"{name}_{number}" not in self.errors:
                    self.add_error(f"{name}_{number}", _("请填写这一行。"))
            if all(row):
                found.append(Asked(self.bodies[str(row[0])], str(row[1]), int(row[2] or 0)))
        given["members"] = found
        return given


@dataclass(frozen=True, slots=True)
class Effect:
    """What a mechanism would have done within the year past: how often it had opened by itself, and for which hazards."""

    since: date
    count: int
    more: bool
    shown: tuple[tuple[Any, str], ...]


def _effect(actor: Actor, plan: Plan, on: date) -> Effect:
    """Return what a plan would have opened; what the actor may not see is not counted."""
    codes = frozenset(plan.hazard_codes)
    rows = hazards.called_by(
        actor, area_path=plan.area.path, class_code=plan.hazard_class, codes=codes, grades=GRAVE, since=on - YEAR
    )
    looked = list(rows[: LOOKED_AT + 1])
    found = []
    with remembering():
        for row in looked[:LOOKED_AT]:
            by_item = row.code in codes
            several = by_item or queries.resolve(row.place, row.class_code, on).several
            if called_for(
                hazard_class=plan.hazard_class, hazard_codes=codes, by_rule=plan.by_rule, of_class=row.class_code, of_code=row.code,
                grave=row.grade in GRAVE, several=several,
            ):  # fmt: skip
                found.append((row, _("检查项 %(code)s") % {"code": row.code} if by_item else _("重大且多部门负责")))
    return Effect(on - YEAR, len(found), len(looked) > LOOKED_AT, tuple(found[:SHOWN]))


@needs(*NET_READERS)
@require_GET
def mechanism(request: HttpRequest, mechanism_id: UUID) -> HttpResponse:
    """Show one mechanism: what opens it, what each member owes by when, and the matters it has opened."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = _found(actor, mechanism_id)
    may = row.until_on is None and can_arrange(actor, row.area.path) and actor.has(*EDITORS)
    opened = list(queries.joint_visible_to(actor).filter(mechanism=row).order_by("-opened_at", "-id")[: SHOWN + 1])
    words = terms(row.root)
    until = row.until_on.isoformat() if row.until_on else ""
    context = {
        "tabs": tabs(actor, "joint"),
        "row": row,
        "facts": (
            Fact(_("牵头单位"), name_of(row.lead)),
            Fact(_("地区"), name_of(row.area)),
            Fact(_("启动"), _("自动") if row.by_rule else _("由人启动")),
            Fact(_("隐患类别"), words.get(f"class:{row.hazard_class}", ("—", "—"))[side()]),
            Fact(_("检查项"), row.hazard_codes.replace(";", " ") or "—"),
            Fact(_("有效期"), f"{row.from_on.isoformat()} → {until}" if until else _("%(day)s 起") % {"day": row.from_on.isoformat()}),
            Fact(_("依据"), row.basis or "—"),
        ),
        "members": [(name_of(one.body), one.part, one.limit_workdays, one.body_id == row.lead_id) for one in row.members.all()],
        "opened": opened[:SHOWN],
        "more": len(opened) > SHOWN,
        "now": at,
        "actions": (
            Action(_("变更"), f"/net/mechanisms/{row.pk}/change/", Tone.PRIMARY),
            Action(_("终止"), f"/net/mechanisms/{row.pk}/end/", Tone.QUIET),
        ) if may else (),
        "crumbs": (Crumb(_("监管责任"), "/net/"), Crumb(_("协同"), "/net/joint/"), Crumb(row.name)),
    }  # fmt: skip
    return render(request, "desk/mechanism.html", context)


def _found(actor: Actor, mechanism_id: UUID) -> Any:
    row = queries.mechanism(actor.root, mechanism_id)
    if row is None:
        raise Http404
    return row


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Set up a mechanism for one of my areas: filled in, looked at, then begun."""
    actor = actor_of(request)
    areas = [
        one for one in territory.areas(actor).exclude(level__in=("street", "community")) if can_arrange(actor, one.path)
    ]
    if not areas:
        areas = [one for one in territory.areas(actor).filter(level="street") if can_arrange(actor, one.path)]
    if not areas:
        raise Refusal("territory.not_allowed")
    area = next((one for one in areas if one.code == request.GET.get("area")), areas[0])
    return _editor(request, area, None, [one for one in areas if len(areas) > 1])


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, mechanism_id: UUID) -> HttpResponse:
    """Let a mechanism go on otherwise from a day; its former shape stays on file."""
    actor = actor_of(request)
    row = _found(actor, mechanism_id)
    if not can_arrange(actor, row.area.path):
        raise Http404
    if row.until_on is not None:
        raise Refusal("joint.ended")
    return _editor(request, row.area, row, [])


class EndForm(forms.Form):
    """From when on a mechanism opens nothing any more."""

    until_on = day_input(gettext_lazy("自哪一天起不再启动"))


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, mechanism_id: UUID) -> HttpResponse:
    """End a mechanism; what it has opened goes on."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = _found(actor, mechanism_id)
    if not can_arrange(actor, row.area.path):
        raise Http404
    form = EndForm(request.POST or None, initial={"until_on": city_date(at, actor.zone)})

    def do(given: dict[str, Any]) -> str:
        operations.end_mechanism(actor=actor, at=at, mechanism_id=row.pk, until_on=given["until_on"])
        messages.success(request, _("已终止，已启动的协同照常办理。"))
        return f"/net/mechanisms/{row.pk}/"

    back = f"/net/mechanisms/{row.pk}/"
    return asked(
        request, form, do, title=_("终止联动机制"), verb=_("终止"), back=back,
        crumbs=(Crumb(_("监管责任"), "/net/"), Crumb(_("协同"), "/net/joint/"), Crumb(row.name, back), Crumb(_("终止"))),
    )  # fmt: skip


def _editor(request: HttpRequest, area: Any, former: Any, areas: list[Any]) -> HttpResponse:
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    on = city_date(at, actor.zone)
    bodies = {str(one.pk): one for one in territory.bodies_over(actor.root, area.path)}
    words = terms(actor.root)
    classes = {key.removeprefix("class:"): names[side()] for key, names in words.items() if key.startswith("class:")}
    asked_rows = request.POST.get("rows", "")
    rows = int(asked_rows) if asked_rows.isdigit() else max(ROWS, len(former.members.all()) + 1 if former else 0)
    rows = min(rows + ("more" in request.POST), MOST)
    form = MechanismForm(
        request.POST or None, bodies=bodies, classes=classes, rows=rows, initial=_initial(former, on + timedelta(days=1))
    )  # fmt: skip
    effect: Effect | None = None
    status = 200
    if request.method == "POST" and "more" not in request.POST:
        status = 422
        if form.is_valid():
            try:
                plan = _plan(actor, area, form)
                if "begin" in request.POST:
                    return _begin(request, plan, former)
                effect, status = _effect(actor, plan, on), 200
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
    title = _("变更联动机制") if former else _("新建联动机制")
    chips = tuple(
        FilterOption(name_of(one), href("/net/mechanisms/new/", area=one.code), selected=one.pk == area.pk)
        for one in areas
    )
    context = {
        "title": title,
        "form": form,
        "rows": rows,
        "may_add": rows < MOST,
        "area": name_of(area),
        "filters": (Filter(_("地区"), chips, clear_href="/net/mechanisms/new/"),) if chips else (),
        "effect": effect,
        "effect_title": ngettext("过去一年会自动启动 %(n)s 次", "过去一年会自动启动 %(n)s 次", effect.count) % {"n": effect.count} if effect else "",
        "back": f"/net/mechanisms/{former.pk}/" if former else "/net/joint/",
        "crumbs": (Crumb(_("监管责任"), "/net/"), Crumb(_("协同"), "/net/joint/"), Crumb(title)),
    }  # fmt: skip
    return render(request, "desk/mechanism_edit.html", context, status=status)


def _initial(former: Any, from_on: date) -> dict[str, Any]:
    if former is None:
        return {"from_on": from_on, "by_rule": True}
    given: dict[str, Any] = {
        "name": former.name, "lead": str(former.lead_id), "by_rule": former.by_rule, "hazard_class": former.hazard_class,
        "codes": former.hazard_codes.replace(";", " "), "basis": former.basis, "from_on": from_on,
    }  # fmt: skip
    for number, one in enumerate(former.members.all()):
        given |= {f"body_{number}": str(one.body_id), f"part_{number}": one.part, f"days_{number}": one.limit_workdays}
    return given


def _plan(actor: Actor, area: Any, form: MechanismForm) -> Plan:
    """Return what the form says. Raises: hazard.code_unknown."""
    given = form.cleaned_data
    codes = [one.upper() for one in re.split(r"[\s;；,，、]+", given["codes"]) if one]
    known = set(catalog.hazard_codes(actor.root).filter(code__in=codes).values_list("code", flat=True))
    for code in codes:
        if code not in known:
            form.add_error("codes", said(Refusal("hazard.code_unknown", field="codes", item=code)))
            raise Refusal("hazard.code_unknown", field="codes", item=code)
    return Plan(
        name=given["name"].strip(), lead=form.bodies[given["lead"]], area=area, members=given["members"], from_on=given["from_on"],
        hazard_class=given["hazard_class"], hazard_codes=tuple(dict.fromkeys(codes)), by_rule=given["by_rule"], basis=given["basis"].strip(),
    )  # fmt: skip


def _begin(request: HttpRequest, plan: Plan, former: Any) -> HttpResponse:
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    if former is None:
        made = operations.add_mechanism(actor=actor, at=at, plan=plan)
    else:
        made = operations.change_mechanism(actor=actor, at=at, mechanism_id=former.pk, plan=plan)
    messages.success(request, _("联动机制已登记，自 %(day)s 起按它启动。") % {"day": plan.from_on.isoformat()})
    return redirect(f"/net/mechanisms/{made.pk}/")
