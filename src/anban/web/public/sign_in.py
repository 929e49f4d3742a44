"""Signing in and out: password, second factor, and the one-time set-up link."""

from __future__ import annotations

from typing import Final

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import login as open_session
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from anban.base.people import backend, operations, policies, queries
from anban.kit.clock import now
from anban.rules.errors import Refusal
from anban.web.public.demonstration import DemoLogin, demo_code, demo_login, demo_logins
from anban.web.public.ways import safe_next, source_of
from anban.web.shell.access import open_to_all
from anban.web.shell.wording import in_english

BACKEND: Final = "anban.base.people.backend.AccountBackend"
LANGUAGE_SECONDS: Final = 365 * 24 * 3600


def refuse(form: forms.Form, refusal: Refusal) -> None:
    """Put a refusal of the domain beside the field it concerns, in the reader's language."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, refusal.en if in_english() else refusal.zh)


class SignInForm(forms.Form):
    """Login and password."""

    login = forms.CharField(
        label=gettext_lazy("账号"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=gettext_lazy("密码"),
        max_length=policies.PASSWORD_MOST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PickedForm(SignInForm):
    """The form filled in with a login of the demonstration, whose password stands on the same page anyway."""

    def __init__(self, picked: DemoLogin) -> None:
        super().__init__(initial={"login": picked.login, "password": picked.password})
        self.fields["password"].widget = forms.PasswordInput(render_value=True)


class CodeForm(forms.Form):
    """The six digits of an authenticator."""

    code = forms.CharField(
        label=gettext_lazy("验证码"),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "pattern": "[0-9 ]*"}),
    )


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        label=gettext_lazy("新密码"),
        max_length=policies.PASSWORD_MOST,
        strip=False,
        help_text=gettext_lazy("至少 10 个字符；不含账号名，不用常见密码。可以是一句话。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("再输一次"),
        max_length=policies.PASSWORD_MOST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, object]:
        """Refuse two entries that differ."""
        cleaned = dict(super().clean() or {})
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("两次输入的密码不一样。"))
        return cleaned


@open_to_all
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or open a session with a fresh key."""
    picked = demo_login(request.GET.get("as", ""))
    status = 200
    if request.method == "POST":
        form = SignInForm(request.POST)
        if form.is_valid():
            try:
                account = backend.sign_in(
                    login=form.cleaned_data["login"],
                    password=form.cleaned_data["password"],
                    source=source_of(request),
                    at=now(),
                )
            except Refusal as refusal:
                refuse(form, refusal)
                status = 429 if refusal.code == "people.sign_in_wait" else 422
            else:
                open_session(request, account, backend=BACKEND)
                response = redirect(safe_next(request))
                if account.language:
                    response.set_cookie(
                        "anban_language", account.language, max_age=LANGUAGE_SECONDS, samesite="Lax",
                        secure=request.is_secure(),
                    )  # fmt: skip
                return response
    else:
        form = PickedForm(picked) if picked else SignInForm()
    shown = {
        "form": form,
        "next": safe_next(request, ""),
        "idle": "idle" in request.GET,
        "logins": demo_logins(),
        "picked": picked,
        "code": demo_code(picked.login, now()) if picked and picked.second_factor else "",
    }
    return render(request, "public/sign_in.html", shown, status=status)


@open_to_all
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    messages.success(request, _("您已退出登录。"))
    return redirect("/sign-in/")


@open_to_all
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Ask for the authenticator's code; at the first sign-in bind one."""
    account = queries.account_of(request.user)
    if account is None:
        return redirect("/sign-in/")
    if request.session.get("second_factor"):
        return redirect(safe_next(request))
    at = now()
    secret = ""
    if not account.totp_secret:
        secret, kept = backend.pending_factor(request.session.get("factor_secret", ""), account.pk)
        request.session["factor_secret"] = kept
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        code = form.cleaned_data["code"]
        try:
            if secret:
                operations.enrol_factor(
                    actor=queries.oneself(account), at=at, account=account, secret=secret, code=code
                )
            else:
                backend.check_factor(account.pk, code, source=source_of(request), at=at)
        except Refusal as refusal:
            refuse(form, refusal)
            status = 429 if refusal.code == "people.sign_in_wait" else 422
        else:
            request.session.pop("factor_secret", None)
            request.session["second_factor"] = True
            request.session.cycle_key()
            return redirect(safe_next(request))
    shown = {"form": form, "next": safe_next(request, ""), "secret": secret, "picture": "", "spaced": ""}
    if secret:
        picture = segno.make(backend.factor_address(secret, account.login), error="m")
        # Drawn by the program from its own secret: nothing in it was typed by anybody.
        shown["picture"] = mark_safe(picture.svg_inline(scale=4, border=4, light="#fff", dark="#000"))  # noqa: S308
        shown["spaced"] = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    else:
        shown["code"] = demo_code(account.login, at)
    return render(request, "public/second_factor.html", shown, status=status)


@open_to_all
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """Let the holder of a set-up link choose a password; the link works once."""
    at = now()
    account = queries.account_of_set_up(token, at)
    if account is None:
        return render(request, "public/set_up_over.html", status=410)
    form = NewPasswordForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                operations.set_up(token, password=form.cleaned_data["password"], at=at)
            except Refusal as refusal:
                refuse(form, refusal)
            else:
                logout(request)
                messages.success(request, _("密码已设置，请登录。"))
                return redirect("/sign-in/")
    return render(
        request,
        "public/set_up.html",
        {"form": form, "login": account.login, "name": account.person.name},
        status=status,
    )
