"""Addresses of the city overview."""

from __future__ import annotations

from django.urls import path

from anban.web.board import board, order, risk, simulation, unseen, warnings

urlpatterns = [
    path("board/", board.board),
    path("board/<slug:code>/", board.district),
    path("risk/", risk.risk),
    path("risk/places/", risk.places),
    path("risk/rounds/", unseen.round_list),
    path("risk/unseen/", unseen.unseen),
    path("risk/unseen/list/", unseen.seen_list),
    path("risk/order/", order.order),
    path("risk/warnings/", warnings.warnings),
    path("risk/warnings/<uuid:warning_id>/answer/", warnings.answer),
    path("risk/events/", warnings.events),
    path("risk/simulation/", simulation.simulation),
    path("risk/reports/", risk.reports),
    path("risk/reports/<uuid:report_id>/", risk.report),
    path("risk/reports/<uuid:report_id>/sign/", risk.sign),
    path("risk/reports/<uuid:report_id>/pdf/", risk.pdf),
]
