"""Small switches of the frame: language and area root."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from anban.base.people import operations, queries
from anban.kit.clock import now
from anban.web.public.ways import safe_next
from anban.web.shell.access import ADMINISTRATORS, EVERYBODY, needs, open_to_all

YEAR_SECONDS: Final = 365 * 24 * 3600


@open_to_all
@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie, and on the account of whoever is signed in."""
    response = redirect(safe_next(request))
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return response
    account = queries.account_of(request.user)
    if account is not None and account.language != language:
        operations.choose_language(actor=queries.oneself(account), at=now(), account=account, language=language)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR_SECONDS, samesite="Lax", secure=request.is_secure()
    )
    return response


@needs(*EVERYBODY, *sorted(ADMINISTRATORS))
@require_http_methods(["GET", "POST"])
def switch_root(request: HttpRequest, code: str) -> HttpResponse:
    """Go over to another area root in which the person holds a post; 404 for any other."""
    if code not in getattr(request, "roots", ()):
        raise Http404
    request.session["root"] = code
    return redirect(safe_next(request))
