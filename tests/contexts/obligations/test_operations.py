"""Obligations: a natural person always owes; handing over needs a signature; a breach is kept for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from anban.base.journal.models import Entry
from anban.contexts.hazards.operations import Sighting, enter
from anban.contexts.obligations.models import Obligation
from anban.contexts.obligations.operations import decline, fulfil, hand_over, note_breach, sign_for
from anban.contexts.obligations.queries import desk, desk_figures, handovers_to_sign, visible_to
from anban.rules.errors import Refusal
from tests.factories.town import AT, Town, town

pytestmark = pytest.mark.django_db
WEEK = AT + timedelta(days=7)


def owed(t: Town) -> Obligation:
    hazard = enter(
        actor=t.actor("王敏"), at=AT, sighting=Sighting(place_id=t.place().pk, code="RG07", fact="断电")
    ).hazard
    return Obligation.objects.get(matter_id=hazard.pk)


def test_an_obligation_without_a_person_is_impossible():
    t = town()
    row = owed(t)
    with pytest.raises(IntegrityError), transaction.atomic():
        Obligation.objects.filter(pk=row.pk).update(person_id=None)


def test_the_first_stays_responsible_until_the_second_signs():
    t = town()
    row = owed(t)
    handover = hand_over(actor=t.actor("王敏"), at=AT, obligation_id=row.pk, to_person=t.people["刘洋"])
    row.refresh_from_db()
    assert row.person_id == t.people["王敏"].pk
    assert [h.pk for h in handovers_to_sign(t.actor("刘洋"))] == [handover.pk]
    signed = sign_for(actor=t.actor("刘洋"), at=AT, handover_id=handover.pk)
    assert signed.person_id == t.people["刘洋"].pk
    assert Entry.objects.filter(body__contains='"verb":"obligation.handed_over"').count() == 1


def test_only_the_addressee_signs_and_a_declined_offer_leaves_it_where_it_was():
    t = town()
    row = owed(t)
    handover = hand_over(actor=t.actor("王敏"), at=AT, obligation_id=row.pk, to_person=t.people["刘洋"])
    with pytest.raises(Refusal) as refused:
        sign_for(actor=t.actor("王敏"), at=AT, handover_id=handover.pk)
    assert refused.value.code == "obligation.not_addressee"
    decline(actor=t.actor("刘洋"), at=AT, handover_id=handover.pk, reason="休假")
    row.refresh_from_db()
    assert row.person_id == t.people["王敏"].pk


def test_strangers_cannot_hand_over_and_not_to_the_same_person():
    t = town()
    row = owed(t)
    with pytest.raises(Refusal) as stranger:
        hand_over(actor=t.actor("高远"), at=AT, obligation_id=row.pk, to_person=t.people["刘洋"])
    assert stranger.value.code == "obligation.not_yours"
    with pytest.raises(Refusal) as same:
        hand_over(actor=t.actor("王敏"), at=AT, obligation_id=row.pk, to_person=t.people["王敏"])
    assert same.value.code == "obligation.handover_self"


def test_a_breach_is_kept_after_a_late_end():
    t = town()
    row = owed(t)
    late = row.due_at + timedelta(days=1)
    assert note_breach(actor=t.job, at=late, obligation_id=row.pk)
    assert not note_breach(actor=t.job, at=late, obligation_id=row.pk)
    fulfil(actor=t.actor("王敏"), at=late, matter_id=row.matter_id)
    row.refresh_from_db()
    assert (row.state, row.breached_at) == ("done", row.due_at)


def test_nothing_is_breached_at_the_very_instant_it_is_due():
    t = town()
    row = owed(t)
    assert not note_breach(actor=t.job, at=row.due_at, obligation_id=row.pk)


@pytest.mark.parametrize("number", [1, 3])
def test_the_desk_costs_the_same_for_one_and_for_three(number, django_assert_num_queries):
    t = town()
    place = t.place()
    for code in ("RG07", "RG08", "RG09")[:number]:
        enter(actor=t.actor("王敏"), at=AT, sighting=Sighting(place_id=place.pk, code=code, fact="断电"))
    actor = t.actor("王敏")
    with django_assert_num_queries(3):
        assert len(list(desk(actor, at=AT, week_end=WEEK))) == number
        assert desk_figures(actor, at=AT, week_end=WEEK).all_open == number


def test_visible_to_is_own_or_area():
    t = town()
    owed(t)
    assert visible_to(t.actor("王敏")).count() == 1
    assert visible_to(t.actor("何静")).count() == 1
    assert visible_to(t.actor("郑洁")).count() == 0
    assert visible_to(t.actor("高远")).count() == 0
