"""My account: password, second factor, language, keys for programs, sessions."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from anban.base.people import operations, policies, queries
from anban.kit.clock import now
from anban.rules.errors import Refusal
from anban.web.public.sign_in import NewPasswordForm, refuse
from anban.web.shell.access import ADMINISTRATORS, EVERYBODY, actor_of, needs

ANYBODY = (*EVERYBODY, *sorted(ADMINISTRATORS))


class PasswordForm(NewPasswordForm):
    """The present password and a new one, twice."""

    present = forms.CharField(
        label=gettext_lazy("现在的密码"),
        max_length=policies.PASSWORD_MOST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("present", "password", "again")


class TokenForm(forms.Form):
    """What a key for programs may do, and for how long."""

    label = forms.CharField(label=gettext_lazy("用途"), max_length=80)
    scope = forms.ChoiceField(
        label=gettext_lazy("范围"), choices=(("read", gettext_lazy("只读")), ("read write", gettext_lazy("读和写")))
    )
    days = forms.IntegerField(
        label=gettext_lazy("有效天数"), min_value=1, max_value=policies.TOKEN_DAYS_MOST, initial=90
    )


def _page(
    request: HttpRequest, *, password: forms.Form | None = None, token: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    account = queries.account_of(request.user)
    at = now()
    shown = {
        "now": at,
        "account": account,
        "holder": queries.holder(account) if account else None,
        "password_form": password or PasswordForm(),
        "token_form": token or TokenForm(),
        "tokens": [
            (row, row.revoked_at is None and row.expires_at > at, _("读和写") if "write" in row.scope else _("只读"))
            for row in queries.tokens(actor)[:50]
        ],
        # Shown once: the page that follows the issue takes it out of the session.
        "secret": request.session.pop("fresh_token", ""),
    }
    return render(request, "public/account.html", shown, status=status)


@needs(*ANYBODY)
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show my account."""
    return _page(request)


@needs(*ANYBODY)
@sensitive_post_parameters("present", "password", "again")
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """Change my password; my other sessions end."""
    own = queries.account_of(request.user)
    form = PasswordForm(request.POST)
    if own is None or not form.is_valid():
        return _page(request, password=form, status=422)
    try:
        changed = operations.change_password(
            actor=actor_of(request), at=now(), account=own, present=form.cleaned_data["present"],
            password=form.cleaned_data["password"], keep_session=request.session.session_key or "",
        )  # fmt: skip
    except Refusal as refusal:
        refuse(form, refusal)
        return _page(request, password=form, status=422)
    update_session_auth_hash(request, changed)
    messages.success(request, _("密码已更改，其他设备上的登录已结束。"))
    return redirect("/account/")


@needs(*ANYBODY)
@require_POST
def issue_token(request: HttpRequest) -> HttpResponse:
    """Issue a key for programs and show its secret once."""
    own = queries.account_of(request.user)
    form = TokenForm(request.POST)
    if own is None or not form.is_valid():
        return _page(request, token=form, status=422)
    try:
        _token, secret = operations.issue_token(
            actor=actor_of(request), at=now(), account=own, scope=form.cleaned_data["scope"],
            days=form.cleaned_data["days"], label=form.cleaned_data["label"],
        )  # fmt: skip
    except Refusal as refusal:
        refuse(form, refusal)
        return _page(request, token=form, status=422)
    request.session["fresh_token"] = secret
    return redirect("/account/")


@needs(*ANYBODY)
@require_POST
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one of my keys."""
    actor = actor_of(request)
    token = queries.tokens(actor).filter(pk=token_id).select_related("account__person").first()
    if token is None:
        raise Http404
    operations.revoke_token(actor=actor, at=now(), token=token)
    messages.success(request, _("令牌已停用。"))
    return redirect("/account/")


@needs(*ANYBODY)
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End my sessions on other devices."""
    own = queries.account_of(request.user)
    if own is None:
        raise Http404
    ended = operations.end_other_sessions(
        actor=actor_of(request), at=now(), account=own, keep_session=request.session.session_key or ""
    )
    messages.success(request, ngettext("已结束 %(n)s 处其他登录。", "已结束 %(n)s 处其他登录。", ended) % {"n": ended})
    return redirect("/account/")
