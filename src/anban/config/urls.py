"""Every address of the product, one list per audience."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/", include("anban.api.urls")),
    path("", include("anban.web.urls")),
]
handler403 = "anban.web.shell.errors.refused"
handler404 = "anban.web.shell.errors.not_found"
handler500 = "anban.web.shell.errors.broken"
