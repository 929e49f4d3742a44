"""Who may open a page: every view says so beside its name, and a listing of all of them is printed by ``make roles``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from anban.base.people.actor import Actor

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

PRIVILEGED: Final = frozenset(
    {"system_admin", "security_admin", "audit_admin", "steward", "city_office", "district_office"}
)
"""Roles that sign in with a second factor. Source: GB/T 22239-2019 8.1.4.1 d)."""

ADMINISTRATORS: Final = frozenset({"system_admin", "security_admin", "audit_admin"})
"""The three administrators, apart from each other and from all business. Source: GB/T 22239-2019 8.1.4.2, 8.1.5."""

STREET: Final = ("street_inspector", "street_officer", "street_office", "community_contact")
DISTRICT: Final = ("district_office", "district_regulator")
CITY: Final = ("city_office", "city_regulator", "leader")
FIRM: Final = ("enterprise_manager",)
DESK: Final = ("hotline", "duty_officer")
OFFICIALS: Final = (*STREET, *DISTRICT, *CITY, *DESK, "steward")
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
                return redirect(f"/sign-in/?next={request.get_full_path()}")
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
