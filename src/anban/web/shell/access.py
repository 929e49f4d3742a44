"""Who may open a page: every view says so beside its name, and a listing of all of them is printed by ``make roles``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import quote

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from anban.base.people.actor import Actor

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

PRIVILEGED: Final = frozenset(
    {
        "street_deputy",
        "street_director",
        "district_committee_officer",
        "district_regulator_head",
        "city_committee_officer",
        "leader_viewer",
        "steward",
        "system_admin",
        "security_admin",
        "audit_admin",
    }
)
"""Roles that sign in with a second factor. Source: GB/T 22239-2019 8.1.4.1 d)."""

ADMINISTRATORS: Final = frozenset({"system_admin", "security_admin", "audit_admin"})
"""The three administrators, apart from each other and from all business. Source: GB/T 22239-2019 8.1.4.2, 8.1.5."""

LANDING: Final = {"security_admin": "/people/", "system_admin": "/settings/", "audit_admin": "/access-log/"}
"""Where an administrator, who has no desk, arrives."""

STREET: Final = (
    "safety_inspector",
    "certified_officer",
    "street_safety_office",
    "street_deputy",
    "street_director",
    "community_contact",
    "grid_worker",
)
DISTRICT: Final = ("district_committee_officer", "district_regulator", "district_regulator_head")
CITY: Final = ("city_committee_officer", "leader_viewer")
OFFICES: Final = ("district_committee_officer", "city_committee_officer", "street_safety_office", "steward")
FIRM: Final = ("enterprise_manager",)
OFFICIALS: Final = (*STREET, *DISTRICT, *CITY, "hotline_staff", "duty_officer", "steward")
NET_READERS: Final = tuple(role for role in OFFICIALS if role not in ("community_contact", "grid_worker"))
"""Who reads the responsibility net: every official from the street upward."""
EVERYBODY: Final = (*OFFICIALS, *FIRM)


def needs(*roles: str) -> Callable[[View[P]], View[P]]:
    """Let only signed-in actors who hold one of ``roles`` open the page."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None:
                if request.headers.get("HX-Request"):
                    response = HttpResponse(status=401)
                    response["HX-Redirect"] = "/sign-in/"
                    return response
                if request.user.is_authenticated:
                    raise PermissionDenied(_("您的账号目前没有岗位。请找本单位的安全管理员任命。"))
                return redirect(f"/sign-in/?next={quote(request.get_full_path())}")
            if not actor.has(*roles):
                raise PermissionDenied(_("您的岗位不能打开这一页。"))
            return view(request, *args, **kwargs)

        guarded.needed_roles = roles  # type: ignore[attr-defined]
        return guarded

    return decorate


def open_to_all(view: View[P]) -> View[P]:
    """Mark a page that needs no sign-in: sign-in itself, health, verification of a seal."""
    view.needed_roles = ()  # type: ignore[attr-defined]
    return view


def actor_of(request: HttpRequest) -> Actor:
    """Return the signed-in actor of a page guarded by ``needs``."""
    actor: Any = getattr(request, "actor", None)
    if not isinstance(actor, Actor):
        raise PermissionDenied
    return actor
