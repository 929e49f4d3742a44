"""Addresses that need no post or any post: sign-in, set-up, switches, my account, health."""

from __future__ import annotations

from django.urls import path

from anban.web.public import account, health, seal, sign_in, switches
from anban.web.shell.access import open_to_all
from anban.web.shell.appearance import switch_theme

urlpatterns = [
    path("sign-in/", sign_in.sign_in),
    path("sign-out/", sign_in.sign_out),
    path("second-factor/", sign_in.second_factor),
    path("set-up/<str:token>/", sign_in.set_up),
    path("language/", switches.switch_language),
    path("theme/", open_to_all(switch_theme)),
    path("city/<str:code>/", switches.switch_root),
    path("account/", account.account),
    path("account/password/", account.change_password),
    path("account/tokens/", account.issue_token),
    path("account/tokens/<uuid:token_id>/revoke/", account.revoke_token),
    path("account/sessions/", account.end_sessions),
    path("journal/", seal.journal),
    path("journal/<int:position>/", seal.entry),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]
