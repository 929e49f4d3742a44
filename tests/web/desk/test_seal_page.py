"""The public seal: the head and the proof of an entry, which anybody can check without signing in."""

from __future__ import annotations

import pytest
from django.test import Client

from anban.base.journal.checkpoints import check_proof
from anban.base.journal.models import Entry
from tests.contexts.hazards.test_operations import see
from tests.factories.town import Town

pytestmark = pytest.mark.django_db


def test_a_proof_can_be_taken_away_and_checked(city: Town) -> None:
    see(city, "王敏", city.place())
    position = Entry.objects.order_by("-position").values_list("position", flat=True)[3]
    proof = Client().get(f"/journal/{position}/?format=json").json()
    assert check_proof(proof) == []
    assert proof["position"] == position
    page = Client().get(f"/journal/{position}/").content.decode()
    assert proof["leaf"] in page
    assert "报警器断电" not in page, "a proof tells nothing of what the entry says"


def test_the_head_is_public_and_unknown_positions_are_404(city: Town) -> None:
    size = Entry.objects.count()
    assert f'<dd class="num">{size}</dd>' in Client().get("/journal/").content.decode()
    for position in (size, 10**30):
        assert Client().get(f"/journal/{position}/").status_code == 404
    assert city.root
