"""Addresses of the office behind the desk: people and posts, settings, the log of personal reads."""

from __future__ import annotations

from django.urls import path

from anban.web.desk import people, settings

urlpatterns = [
    path("people/", people.people),
    path("people/posts/new/", people.new_post),
    path("people/bodies/new/", people.new_body),
    path("people/bodies/export/", people.bodies_export),
    path("people/posts/<uuid:post_id>/", people.post),
    path("people/posts/<uuid:post_id>/holdings/<uuid:holding_id>/end/", people.end_holding),
    path("people/persons/<uuid:person_id>/", people.person),
    path("people/persons/<uuid:person_id>/account/", people.open_account),
    path("people/accounts/<uuid:account_id>/<slug:step>/", people.change_account),
    path("access-log/", people.access_log),
    path("settings/", settings.settings),
    path("settings/figures/", settings.set_figure),
    path("settings/calendar/", settings.load_calendar),
    path("settings/criteria/", settings.load_criteria),
]
