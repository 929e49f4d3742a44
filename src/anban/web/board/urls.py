"""Addresses of the city overview."""

from __future__ import annotations

from django.urls import path

from anban.web.board import board

urlpatterns = [
    path("board/", board.board),
    path("board/<slug:code>/", board.district),
]
