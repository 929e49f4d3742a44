"""The theme a reader chose: read from a cookie for the first byte of the page, written by one small POST."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

THEME_COOKIE: Final = "anban_theme"
THEMES: Final = ("light", "dark")
YEAR_SECONDS: Final = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """This function will return `light`, `dark`, or an empty text where the system decides."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def appearance(request: HttpRequest) -> dict[str, object]:
    """This function will give every template `theme` (for `<html data-theme>`) and `printed_at` (for the print header)."""
    return {"theme": theme_of(request), "printed_at": timezone.now()}


@require_POST
def switch_theme(request: HttpRequest) -> HttpResponse:
    """This function will remember `theme` (light, dark or empty for the system) and go back to `next` on this host."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response
