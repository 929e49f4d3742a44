"""Addresses of the responsibility net: matrix, boundaries, mandates, joint matters."""

from __future__ import annotations

from django.urls import path

from anban.web.desk import joint, mechanisms, net, net_links

urlpatterns = [
    path("net/", net.matrix),
    path("net/places/", net.places),
    path("net/boundaries/", net.boundaries),
    path("net/boundaries/<uuid:boundary_id>/", net.boundary),
    path("net/boundaries/<uuid:boundary_id>/<str:step>/", net.settle),
    path("net/mandates/", net.mandates),
    path("net/mandates/export/", net.mandates_export),
    path("net/links/", net_links.links),
    path("net/links/export/", net_links.links_export),
    path("net/mechanisms/new/", mechanisms.new),
    path("net/mechanisms/<uuid:mechanism_id>/", mechanisms.mechanism),
    path("net/mechanisms/<uuid:mechanism_id>/change/", mechanisms.change),
    path("net/mechanisms/<uuid:mechanism_id>/end/", mechanisms.end),
    path("net/joint/", joint.joints),
    path("net/joint/call/", joint.call),
    path("net/joint/<uuid:joint_id>/", joint.joint),
    path("net/joint/of/<uuid:part_id>/", joint.part),
    path("net/joint/of/<uuid:part_id>/answer/", joint.answer),
    path("net/joint/of/<uuid:part_id>/rule/", joint.rule),
]
