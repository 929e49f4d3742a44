"""Joint matters (协同): joint cases, whistles, requests for guidance and opinions; each body answers its part here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.people.actor import Actor
from anban.contexts.hazards import queries as hazards
from anban.contexts.responsibility import operations, policies, queries
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules.errors import Refusal
from anban.rules.joint import KINDS, PART_NAMES
from anban.web.desk.mechanisms import EDITORS
from anban.web.desk.net import href, name_of, side, tabs
from anban.web.desk.wording import said
from anban.web.shell.access import NET_READERS, STREET, actor_of, needs
from anban.web.shell.components import Crumb, Deadline, Filter, FilterOption, Pager
from anban.web.shell.wording import in_english

PER_PAGE: Final = 50
CALLING: Final = tuple(role for role in STREET if role in policies.CALLERS)
LOOKS: Final = {"waiting": "waiting", "refused": "overdue", "done": "done", "excused": "cancelled"}


def kind_name(kind: str) -> str:
    """Return what a kind of joint matter is called."""
    return KINDS[kind].en if in_english() else KINDS[kind].zh


@needs(*NET_READERS)
@require_GET
def joints(request: HttpRequest) -> HttpResponse:
    """List the joint matters of my areas and bodies, the newest first."""
    actor = actor_of(request)
    kind = request.GET.get("kind", "") if request.GET.get("kind", "") in KINDS else ""
    closed = request.GET.get("closed") == "1"
    found = Paginator(queries.joint_list(actor, kind=kind, closed=closed), PER_PAGE)
    page = found.get_page(request.GET.get("page"))
    kept = {"kind": kind, "closed": "1" if closed else ""}

    def option(key: str, value: str, label: str) -> FilterOption:
        chosen = kept[key] == value
        return FilterOption(label, href("/net/joint/", **{**kept, key: "" if chosen else value}), selected=chosen)

    at: datetime = request.at  # type: ignore[attr-defined]
    context = {
        "now": at,
        "tabs": tabs(actor, "joint"),
        "rows": [
            {"row": row, "kind": kind_name(row.kind), "parts": [
                (name_of(part.body), PART_NAMES[part.state][side()], LOOKS[part.state], Deadline(part.due_at, at, done_at=_done(part)))
                for part in row.parts.all()
            ]}
            for row in page
        ],
        "filters": (
            Filter(_("种类"), tuple(option("kind", one, kind_name(one)) for one in KINDS), clear_href=href("/net/joint/", **{**kept, "kind": ""})),
            Filter(_("状态"), (option("closed", "1", _("已办结")),), clear_href=href("/net/joint/", **{**kept, "closed": ""})),
        ),
        "count": ngettext("%(n)s 件协同", "%(n)s 件协同", found.count) % {"n": found.count},
        "pager": Pager(
            href("/net/joint/", **kept, page=str(page.previous_page_number())) if page.has_previous() else "",
            href("/net/joint/", **kept, page=str(page.next_page_number())) if page.has_next() else "",
            f"{page.number} / {found.num_pages}",
        ) if found.num_pages > 1 else None,
        "may_call": actor.has(*CALLING),
        "may_set_up": actor.has(*EDITORS),
        "english": in_english(),
        "mechanisms": queries.mechanisms(actor.root, city_date(at, actor.zone)),
    }  # fmt: skip
    return render(request, "desk/joints.html", context)


class AnswerForm(forms.Form):
    """A body's answer to its part."""

    words = forms.CharField(
        label=gettext_lazy("答复"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class RulingForm(forms.Form):
    """The district government's ruling on a refusal."""

    words = forms.CharField(label=gettext_lazy("裁定理由"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


@needs(*NET_READERS)
@require_GET
def joint(request: HttpRequest, joint_id: UUID) -> HttpResponse:
    """Show one joint matter: its parts with their clocks and answers, and what I may answer or rule on."""
    return _page(request, joint_id)


def _page(
    request: HttpRequest, joint_id: UUID, bad: tuple[UUID, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = queries.joint_matter(actor, joint_id)
    if row is None:
        raise Http404
    parts = []
    every = list(queries.parts_of(row.pk))
    # Ruled on was whoever answered by refusing and owes it again, or is excused.
    ruled = queries.rulings_of(row) if any(p.answered_at and p.state in ("waiting", "excused") for p in every) else {}
    for part in every:
        answers = part.state == "waiting" and policies.can_answer(actor, part)
        rules = part.state == "refused" and policies.can_rule(actor, part)
        form: forms.Form | None = None
        if answers or rules:
            form = (RulingForm if rules else AnswerForm)(auto_id=f"id_{part.pk.hex[-6:]}_%s")
        if bad is not None and bad[0] == part.pk:
            form = bad[1]
        parts.append(
            {
                "part": part, "body": name_of(part.body), "state": PART_NAMES[part.state][side()], "look": LOOKS[part.state],
                "deadline": Deadline(part.due_at, at, done_at=_done(part), provisional=part.provisional), "form": form,
                "rules": rules, "may_refuse": answers and KINDS[row.kind].may_refuse,
                "by": part.answered_by.name if part.answered_by else "", "ruling": ruled.get(part.body_id, ""),
            }
        )  # fmt: skip
    context = {
        "now": at,
        "row": row,
        "kind": kind_name(row.kind),
        "caller": name_of(row.caller) if row.caller else "",
        "about": _about(actor, row),
        "parts": parts,
        "crumbs": (Crumb(_("监管责任"), "/net/"), Crumb(_("协同"), "/net/joint/"), Crumb(row.number)),
    }
    return render(request, "desk/joint.html", context, status=status)


def _done(part: Any) -> datetime | None:
    """Return when a part was answered; a refusal that was overruled is no answer."""
    return None if part.state == "waiting" else part.answered_at


def _about(actor: Actor, row: Any) -> tuple[str, str]:
    """Return the words and address of what a joint matter is about, where the actor may see it."""
    if row.matter_kind == "hazard":
        found = hazards.visible_to(actor).filter(pk=row.matter_id).first()
        return (found.number, f"/ledger/{found.pk}/") if found is not None else ("", "")
    if row.matter_kind == "decision":
        one = queries.boundary_of_decision(actor, row.matter_id)
        return (one.number, f"/net/boundaries/{one.pk}/") if one is not None else ("", "")
    return ("", "")


def _part(actor: Actor, part_id: UUID) -> Any:
    found = queries.joint_part(actor, part_id)
    if found is None:
        raise Http404
    return found


@needs(*NET_READERS)
@require_GET
def part(request: HttpRequest, part_id: UUID) -> HttpResponse:
    """Go from a duty on a desk to the joint matter that its part belongs to."""
    return redirect(f"/net/joint/{_part(actor_of(request), part_id).joint_id}/")


@needs(*NET_READERS)
@require_POST
def answer(request: HttpRequest, part_id: UUID) -> HttpResponse:
    """Answer my body's part, or refuse to arrive."""
    actor = actor_of(request)
    part = _part(actor, part_id)
    if not policies.can_answer(actor, part):
        raise Refusal("joint.not_allowed")
    form = AnswerForm(request.POST, auto_id=f"id_{part.pk.hex[-6:]}_%s")
    refuse = request.POST.get("refuse") == "1"
    if form.is_valid():
        try:
            operations.answer(
                actor=actor, at=request.at, part_id=part_id, words=form.cleaned_data["words"], refuse=refuse  # type: ignore[attr-defined]
            )  # fmt: skip
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
    if form.errors:
        return _page(request, part.joint_id, (part.pk, form), 422)
    messages.success(request, _("已拒绝，已送区政府裁定。") if refuse else _("已答复。"))
    return redirect(f"/net/joint/{part.joint_id}/")


@needs(*policies.RULERS)
@require_POST
def rule(request: HttpRequest, part_id: UUID) -> HttpResponse:
    """Rule on a refusal: the body arrives after all, or it is excused."""
    actor = actor_of(request)
    part = _part(actor, part_id)
    if not policies.can_rule(actor, part):
        raise Refusal("joint.ruling_not_allowed")
    form = RulingForm(request.POST, auto_id=f"id_{part.pk.hex[-6:]}_%s")
    if form.is_valid():
        try:
            operations.rule_on_refusal(
                actor=actor, at=request.at, part_id=part_id, ruling=request.POST.get("ruling", ""), words=form.cleaned_data["words"]  # type: ignore[attr-defined]
            )  # fmt: skip
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
    if form.errors:
        return _page(request, part.joint_id, (part.pk, form), 422)
    messages.success(request, _("裁定已送达。"))
    return redirect(f"/net/joint/{part.joint_id}/")


class CallForm(forms.Form):
    """Whom a street calls, about what."""

    kind = forms.ChoiceField(label=gettext_lazy("种类"))
    title = forms.CharField(label=gettext_lazy("事项"), max_length=200)
    bodies = forms.MultipleChoiceField(label=gettext_lazy("请哪些部门"), widget=forms.CheckboxSelectMultiple)
    words = forms.CharField(
        label=gettext_lazy("要他们做什么"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )
    urgent = forms.BooleanField(label=gettext_lazy("紧急（24 小时到场）"), required=False)


@needs(*CALLING)
@require_http_methods(["GET", "POST"])
def call(request: HttpRequest) -> HttpResponse:
    """Whistle for departments, or ask them for guidance in writing."""
    actor = actor_of(request)
    paths = territory.scope_paths(actor) or ("",)
    bodies = {
        str(one.pk): one
        for one in territory.bodies_over(actor.root, paths[0])
        if one.pk not in actor.body_ids() and one.kind.startswith(("district_", "city_", "police_", "fire_"))
    }
    form = CallForm(request.POST or None, initial={"kind": request.GET.get("kind", "whistle")})
    form.fields["kind"].choices = [(one, kind_name(one)) for one in ("whistle", "guidance")]  # type: ignore[attr-defined]
    form.fields["bodies"].choices = [(key, name_of(one)) for key, one in bodies.items()]  # type: ignore[attr-defined]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            try:
                made = operations.call(
                    actor=actor, at=request.at, kind=given["kind"], title=given["title"], area_path=paths[0], matter=None,  # type: ignore[attr-defined]
                    bodies=[bodies[one] for one in given["bodies"]], words=given["words"], urgent=given["urgent"],
                )  # fmt: skip
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
            else:
                messages.success(request, _("已发出，各部门已收到待办。"))
                return redirect(f"/net/joint/{made.pk}/")
    crumbs = (Crumb(_("监管责任"), "/net/"), Crumb(_("协同"), "/net/joint/"), Crumb(_("吹哨、请求指导")))
    return render(request, "desk/joint_call.html", {"form": form, "crumbs": crumbs, "any": bool(bodies)}, status=status)
