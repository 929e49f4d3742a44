"""What every template gets: the frame around the page, and the rail's items that this actor's post needs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from anban.base.people.actor import Actor
from anban.base.people.queries import account_of
from anban.contexts.territory.queries import root as root_of
from anban.contexts.territory.queries import scope_label
from anban.web.shell.access import EVERYBODY, NET_READERS, OFFICES, OFFICIALS
from anban.web.shell.appearance import appearance
from anban.web.shell.components import AreaOption, Frame, NavItem

RAIL = (
    ("/", gettext_lazy("我的待办"), EVERYBODY),
    ("/ledger/", gettext_lazy("台账"), EVERYBODY),
    ("/places/", gettext_lazy("单位"), EVERYBODY),
    ("/visits/", gettext_lazy("检查"), OFFICIALS),
    ("/net/", gettext_lazy("监管责任"), NET_READERS),
    ("/oversight/", gettext_lazy("督察"), OFFICIALS),
    ("/board/", gettext_lazy("全市总览"), OFFICIALS),
    ("/risk/", gettext_lazy("风险"), OFFICIALS),
    ("/rules/", gettext_lazy("规则"), OFFICIALS),
    ("/import/", gettext_lazy("导入"), OFFICES),
    ("/people/", gettext_lazy("人员与岗位"), (*OFFICES, "security_admin")),
    ("/settings/", gettext_lazy("设置"), ("steward", "system_admin", "city_committee_officer")),
    ("/access-log/", gettext_lazy("查阅记录"), ("audit_admin",)),
    ("/journal/", gettext_lazy("存证"), (*OFFICIALS, "audit_admin")),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return ``frame``, ``nav`` and ``phone_nav`` for the page's surroundings."""
    made: dict[str, Any] = dict(appearance(request))
    actor: Actor | None = getattr(request, "actor", None)
    shown = Frame(theme_href="/theme/", language_href="/language/")
    if actor is not None:
        root = root_of(actor.root)
        english = (get_language() or "").startswith("en")
        account = account_of(request.user)
        made["nav"] = tuple(
            NavItem(str(label), href, current=_current(request.path, href))
            for href, label, roles in RAIL
            if actor.has(*roles)
        )
        made["phone_nav"] = tuple(
            NavItem(label, href, current=_current(request.path, href))
            for href, label, roles in (
                ("/", _("待办"), EVERYBODY),
                ("/visits/", _("检查"), OFFICIALS),
                ("/report/", _("上报"), EVERYBODY),
            )
            if actor.has(*roles)
        )
        choices = [root_of(code) for code in getattr(request, "roots", (actor.root,))]
        shown = Frame(
            person=account.person.name if account else "",
            post=scope_label(actor, english=english),
            area=root.name_en if english else root.name,
            areas=tuple(
                AreaOption(r.name_en if english else r.name, f"/city/{r.code}/", current=r.code == actor.root)
                for r in choices
            )
            if len(choices) > 1
            else (),
            root_kind=root.kind,
            root_name=root.name_en if english else root.name,
            search_href="/ledger/" if actor.has(*EVERYBODY) else "",
            search_text=request.GET.get("q", ""),
            theme_href="/theme/",
            language_href="/language/",
            account_href="/account/",
            sign_out_href="/sign-out/",
            desk_href="/",
            ledger_href="/ledger/",
            places_href="/places/",
        )
    made["frame"] = shown
    return made


def _current(path: str, href: str) -> bool:
    return path == href if href == "/" else path.startswith(href)
