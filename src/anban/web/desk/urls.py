"""Addresses of the desk: officials and inspectors."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
