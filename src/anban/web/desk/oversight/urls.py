"""Addresses of oversight."""

from __future__ import annotations

from django.urls import path

from anban.web.desk import links
from anban.web.desk.oversight import areas, clues, duties, instructions, instruments, likes, sanctions, visits

urlpatterns = [
    path("oversight/", areas.overview),
    path("oversight/areas/<slug:code>/", areas.area),
    path("oversight/areas/<slug:code>/<slug:what>/", areas.debt),
    path("oversight/pauses/<uuid:obligation_id>/", areas.pause),
    path("oversight/persons/<uuid:person_id>/", duties.person),
    path("oversight/persons/<uuid:person_id>/absence/", duties.absence),
    path("oversight/due/<uuid:due_id>/", duties.due),
    path("oversight/due/<uuid:due_id>/files/<uuid:attachment_id>/", duties.due_file),
    path("oversight/duties/", duties.lists),
    path("oversight/duties/new/", duties.new),
    path("oversight/duties/workbook/", duties.workbook),
    path("oversight/duties/<uuid:duty_id>/", duties.edit),
    path("oversight/vacancies/", duties.vacancies),
    path("oversight/instructions/", instructions.register),
    path("oversight/instructions/new/", instructions.new),
    path("oversight/instructions/<uuid:instruction_id>/", instructions.instruction),
    path("oversight/instructions/<uuid:instruction_id>/measures/", instructions.add_measure),
    path("oversight/measures/<uuid:measure_id>/", instructions.measure),
    path("oversight/dependence/", instructions.dependence),
    path("oversight/clues/", clues.clues),
    path("oversight/clues/<uuid:clue_id>/", clues.clue),
    path("oversight/clues/<uuid:clue_id>/cases/", clues.cases),
    path("oversight/clues/<uuid:clue_id>/settle/", clues.settle),
    path("oversight/like-cases/", likes.left_alone),
    path("oversight/treatment/", likes.treatment),
    path("oversight/treatment/groups/", likes.groups),
    path("oversight/sanctions/", sanctions.board),
    path("oversight/sanctions/new/<uuid:hazard_id>/", sanctions.new),
    path("oversight/sanctions/<uuid:case_id>/", sanctions.case),
    path("oversight/sanctions/<uuid:case_id>/persons/", sanctions.add_person),
    path("oversight/sanctions/items/<uuid:item_id>/<slug:step>/", sanctions.step),
    path("oversight/accidents/<uuid:accident_id>/links/<slug:role>/", links.accident_link),
    path("oversight/instruments/", instruments.papers),
    path("oversight/instruments/new/<slug:about>/<uuid:about_id>/", instruments.new),
    path("oversight/instruments/<uuid:instrument_id>/", instruments.paper),
    path("oversight/instruments/<uuid:instrument_id>/pdf/", instruments.paper_file),
    path("oversight/visits/", visits.visits),
    path("oversight/visits/new/", visits.new),
    path("oversight/visits/<uuid:oversight_id>/", visits.visit),
    path("oversight/visits/<uuid:oversight_id>/findings/", visits.add_finding),
    path("oversight/visits/<uuid:oversight_id>/close/", visits.close),
    path("oversight/findings/<uuid:finding_id>/<slug:step>/", visits.finding),
]
