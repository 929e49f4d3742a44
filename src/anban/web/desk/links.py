"""Links of a matter's chain (责任环节): how a missing one is drawn, and the form with which a person is named for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from anban.base.people.actor import Actor
from anban.contexts.accidents import chains as accident_chains
from anban.contexts.accidents import operations as accidents
from anban.contexts.accidents import queries as accident_queries
from anban.contexts.obligations.queries import of_matter, owed_by
from anban.contexts.responsibility.chained import Chained, Named
from anban.contexts.responsibility.chains import LINKS, STORED, LinkRow
from anban.contexts.responsibility.queries import link_templates, links_of, officials_for
from anban.kit.clock import city_date
from anban.web.desk import wording
from anban.web.desk.oversight.parts import asked
from anban.web.shell.access import EVERYBODY, actor_of, needs
from anban.web.shell.components import ChainLink, Crumb, Fact
from anban.web.shell.wording import day_words, in_english, local_day


class LinkForm(forms.Form):
    """Who stands for a unit in the chain."""

    unit_name = forms.CharField(label=gettext_lazy("单位"), max_length=200)
    name = forms.CharField(label=gettext_lazy("责任人姓名"), max_length=60)
    phone = forms.CharField(label=gettext_lazy("电话"), max_length=30, required=False)


class OfficialForm(forms.Form):
    """Which official stands in the chain."""

    person = forms.TypedChoiceField(label=gettext_lazy("责任人"), coerce=UUID)


def link_name(role: str) -> str:
    """Return what a link is called in the reader's language."""
    return LINKS[role][1 if in_english() else 0]


def _absent(naming: Any, at: datetime) -> str:
    """Say to everybody who sees the matter that a link has nobody yet, and who must name one by when."""
    if naming is None:
        return _("缺，尚未指定责任人")
    named = {"who": naming.person.name or "—"}
    if naming.due_at is None:
        return _("缺，请%(who)s指定责任人") % named
    named["day"] = day_words(naming.due_at, local_day(at), weekday=False)
    if naming.due_at < at:
        return _("缺，请%(who)s指定责任人，限%(day)s，已逾期") % named
    return _("缺，请%(who)s指定责任人，限%(day)s") % named


def missing_link(
    needed: LinkRow, links: Sequence[Any], naming: Any, actor: Actor, at: datetime, base: str, *, is_open: bool
) -> ChainLink:
    """Return a required link as it is drawn: who stands in it, or who must name somebody by when; that person gets the way there."""
    mine = naming is not None and naming.person_id == actor.person_key
    return ChainLink(
        link_name(needed.role),
        links[0].unit_name if links else "",
        tuple(dict.fromkeys(each.person.name or _("（姓名已删除）") for each in links)),
        href=f"{base}{needed.role}/" if mine and not links else "",
        waiting=_absent(naming, at) if is_open and not links else "",
    )


def naming_page(
    request: HttpRequest,
    role: str,
    *,
    matter: Chained,
    do: Callable[..., object],
    back: str,
    crumbs: Sequence[Crumb],
    facts: Sequence[Fact],
) -> HttpResponse:
    """Ask whoever owes it for the person of a link; nobody else finds the page."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    if role not in LINKS or not owed_by(actor.person_key, matter.pk, (f"name_{role}",)):
        raise Http404
    form: forms.Form = LinkForm(request.POST or None)
    if role in STORED:
        form = OfficialForm(request.POST or None)
        holders = officials_for(role, matter.root, matter.area_path, city_date(at, actor.zone))
        options = [(str(one.person_id), f"{one.person.name}　{one.post.body.name}") for one in holders]
        form.fields["person"].choices = [("", _("请选择")), *options]  # type: ignore[attr-defined]

    def send(given: dict[str, Any]) -> str:
        do(actor=actor, at=at, role=role, given=Named(**given))
        messages.success(request, _("已落实责任人。"))
        return back

    return asked(
        request, form, send, title=wording.duty_name(f"name_{role}"), verb=_("保存"), back=back,
        crumbs=(*crumbs, Crumb(_("责任链条"))), facts=facts,
    )  # fmt: skip


def accident_chain(accident: Any, actor: Actor, at: datetime) -> tuple[ChainLink, ...]:
    """Return the chain of an accident: who stands in it, and who must name somebody where nobody does."""
    standing: dict[str, list[Any]] = {}
    for one in links_of(accident.pk):
        if one.until_at is None:
            standing.setdefault(one.role, []).append(one)
    owed = {one.kind: one for one in of_matter(accident.pk) if one.state == "open"}
    return tuple(
        missing_link(
            needed, standing.get(needed.stored, []), owed.get(needed.duty), actor, at,
            f"/oversight/accidents/{accident.pk}/links/", is_open=True,
        )
        for needed in accident_chains.demanded(accident, link_templates(accident.root))
    )  # fmt: skip


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def accident_link(request: HttpRequest, accident_id: UUID, role: str) -> HttpResponse:
    """Name the person of a link that an accident's chain lacks, as whoever owes it."""
    row = accident_queries.accident_by_id(actor_of(request).root, accident_id)
    if row is None:
        raise Http404
    return naming_page(
        request, role, matter=accident_chains.chained(row), back="/",
        do=lambda **given: accidents.name_link(accident_id=row.pk, **given),
        crumbs=(Crumb(row.number),),
        facts=(Fact(_("事故"), row.get_kind_display()), Fact(_("单位"), row.unit_name), Fact(_("发生日期"), row.on.isoformat())),
    )  # fmt: skip
