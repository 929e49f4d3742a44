"""Addresses that need no post: sign-in, set-up, health, my account."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
