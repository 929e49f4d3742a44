"""Addresses of the desk: officials and inspectors."""

from __future__ import annotations

from django.urls import path

from anban.web.desk import desk, hazard, importing, ledger, notices, place, places, report, rules, visits

urlpatterns = [
    path("", desk.desk),
    path("duties/<uuid:obligation_id>/hand-over/", desk.hand_over),
    path("handovers/<uuid:handover_id>/sign/", desk.sign),
    path("handovers/<uuid:handover_id>/decline/", desk.decline),
    path("handovers/<uuid:handover_id>/take-back/", desk.take_back),
    path("notices/", notices.notices),
    path("notices/read/", notices.read),
    path("ledger/", ledger.ledger),
    path("ledger/views/", ledger.views),
    path("ledger/views/<uuid:view_id>/drop/", ledger.drop_view),
    path("ledger/bulk/result/", ledger.bulk_result),
    path("ledger/bulk/<str:action>/", ledger.bulk),
    path("ledger/<uuid:hazard_id>/", hazard.hazard),
    path("ledger/<uuid:hazard_id>/<str:action>/", hazard.act),
    path("ledger/<uuid:hazard_id>/links/<slug:role>/", hazard.name_link),
    path("files/<uuid:hazard_id>/<uuid:attachment_id>/<str:size>/", hazard.photo),
    path("report/", report.report),
    path("report/places/", report.places),
    path("report/codes/", report.codes),
    path("report/done/<uuid:hazard_id>/", report.done),
    path("places/", places.places),
    path("places/new/", place.new),
    path("places/blind-spots/", places.blind_spots),
    path("places/blind-spots/<uuid:observation_id>/", places.blind_spot),
    path("places/duplicates/", places.duplicates),
    path("places/<uuid:place_id>/", place.place),
    path("places/<uuid:place_id>/edit/", place.edit),
    path("places/<uuid:place_id>/merge/", place.merge),
    path("places/<uuid:place_id>/merge/<uuid:other_id>/", place.merge_with),
    path("places/<uuid:place_id>/merges/<uuid:merge_id>/undo/", place.undo_merge),
    path("places/<uuid:place_id>/files/", place.add_document),
    path("places/<uuid:place_id>/files/<uuid:attachment_id>/", place.document),
    path("rules/", rules.rules),
    path("rules/year-2020/", rules.year_2020),
    path("rules/<slug:name>/", rules.rule),
    path("visits/", visits.visits),
    path("visits/new/", visits.new),
    path("visits/<uuid:visit_id>/", visits.visit),
    path("import/", importing.choose),
    path("import/match/", importing.match),
    path("import/<uuid:job_id>/", importing.run),
    path("import/<uuid:job_id>/apply/", importing.apply),
    path("import/<uuid:job_id>/again/", importing.again),
    path("import/<uuid:job_id>/refused/<int:number>/", importing.refused),
]
