"""What every request passes: headers of policy, the actor it acts as, and refusals turned into a page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import logout
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language

from anban.base.people.queries import SignedIn, account_of
from anban.contexts.territory.queries import actor_for, city_date, roots_of
from anban.kit.clock import city_date as kit_city_date
from anban.kit.clock import now
from anban.rules.errors import Refusal
from anban.web.shell.access import ADMINISTRATORS, LANDING, PRIVILEGED

log = logging.getLogger("anban.web")
Next = Callable[[HttpRequest], HttpResponse]

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DEFAULT_ZONE = "Asia/Shanghai"
WITHOUT_FACTOR = ("/second-factor/", "/sign-in/", "/sign-out/", "/set-up/", "/language/", "/theme/")
"""What a person may open whose second factor has not been given yet."""

WITHOUT_ACTOR = ("/static/", "/api/", "/healthz", "/readyz", "/metrics")


class PolicyHeaders:
    """Adds the content security policy, and keeps signed-in pages out of shared caches."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on and set the headers of the answer."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class ActorOfRequest:
    """Gives ``request.actor``: the person's grants today in the root chosen; ends idle sessions; asks for the second factor."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Resolve the actor and pass the request on."""
        request.actor = None  # type: ignore[attr-defined]
        request.at = now()  # type: ignore[attr-defined]
        if request.path.startswith(WITHOUT_ACTOR):
            return self.get_response(request)
        account = account_of(request.user)
        if account is not None:
            answer = self._resolve(request, account)
            if answer is not None:
                return answer
        return self.get_response(request)

    def _resolve(self, request: HttpRequest, account: SignedIn) -> HttpResponse | None:
        at = request.at  # type: ignore[attr-defined]
        seen = request.session.get("seen")
        if seen is not None and at.timestamp() - seen > timedelta(minutes=settings.IDLE_MINUTES).total_seconds():
            logout(request)
            return _to(request, "/sign-in/?idle=1&")
        if seen is None or at.timestamp() - seen > 60:  # once a minute is enough to know that somebody is there
            request.session["seen"] = at.timestamp()
        choices = roots_of(account.person_id, kit_city_date(at, DEFAULT_ZONE))
        request.roots = choices  # type: ignore[attr-defined]
        if not choices:
            return None
        chosen = request.session.get("root")
        root = chosen if chosen in choices else choices[0]
        actor = actor_for(
            account.person_id, root, city_date(at, root), account=account, channel="web",
            second_factor=bool(request.session.get("second_factor")),
        )  # fmt: skip
        # Whoever has bound an authenticator of their own will is asked for it as well.
        if (actor.roles & PRIVILEGED or account.totp_secret) and not actor.second_factor:
            if not request.path.startswith(WITHOUT_FACTOR):
                return _to(request, "/second-factor/?")
            return None
        if request.path == "/" and actor.roles and actor.roles <= ADMINISTRATORS:
            return redirect(LANDING[min(actor.roles)])
        request.actor = actor  # type: ignore[attr-defined]
        return None


def _to(request: HttpRequest, page: str) -> HttpResponse:
    """Send the reader to ``page`` and back afterwards; a partial update moves the whole page there."""
    target = page + f"next={quote(request.get_full_path())}"
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = page.rstrip("?&")
        return response
    return redirect(target)


def _back(request: HttpRequest) -> str:
    """Return the page of this host that the reader came from, else the desk."""
    came = request.headers.get("Referer", "")
    return came if url_has_allowed_host_and_scheme(came, {request.get_host()}) else "/"


class Refusals:
    """Turns a refusal of the domain into a page that says what is wrong and what to do; a busy or full disk into another."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Answer a Refusal with 422 (409 for a concurrent edit), a database that cannot write with 503."""
        if isinstance(problem, Refusal):
            text = problem.en if (get_language() or "").startswith("en") else problem.zh
            status = 409 if problem.code.endswith("changed_meanwhile") else 422
            page = "shell/refused_part.html" if request.headers.get("HX-Request") else "shell/refused.html"
            shown = {"text": text, "code": problem.code, "back": _back(request)}
            return render(request, page, shown, status=status)
        if isinstance(problem, OperationalError | OSError):
            log.error("storage failed on %s: %s", request.path, type(problem).__name__, exc_info=problem)
            # The frame would ask the database that has just failed.
            request.actor = None  # type: ignore[attr-defined]
            return render(request, "shell/unavailable.html", status=503)
        return None
