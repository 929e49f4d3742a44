"""Every address of the pages, one list per audience."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("anban.web.public.urls")),
    path("", include("anban.web.desk.office_urls")),
    path("", include("anban.web.desk.net_urls")),
    path("", include("anban.web.desk.oversight.urls")),
    path("", include("anban.web.desk.urls")),
    path("", include("anban.web.board.urls")),
]
