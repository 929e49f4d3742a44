"""The real register of Chicago comes in whole, once."""

from __future__ import annotations

import pytest

from anban.base.people.actor import job_actor
from anban.contexts.establishments.importers import SourceFile, apply, mapping_named, prepare_root
from anban.contexts.establishments.models import Observation, Place
from anban.contexts.territory.queries import overview_areas
from tests.data_location import real_data
from tests.factories.establishments import AT


@pytest.mark.real_data
@pytest.mark.django_db(transaction=True)
def test_chicago_comes_in_whole_and_only_once() -> None:
    file = SourceFile(real_data("chicago") / "establishments.csv.gz")
    mapping = mapping_named("chicago_places")
    actor = job_actor("import", "chicago", zone="America/Chicago")
    prepare_root(mapping, [file], actor=actor, at=AT)
    prepare_root(mapping, [file], actor=actor, at=AT)
    assert overview_areas("chicago").count() == 51
    first = apply([file], mapping, actor=actor, at=AT)
    assert first.problems == []
    assert first.counts == {"new": 22_211, "changed": 0, "same": 0, "refused": 0}
    assert Place.objects.filter(root="chicago", historical=True).count() == 22_211
    assert Observation.objects.filter(place__isnull=False).count() == 22_211
    assert Place.objects.filter(kind="").count() < 10_200
    assert first.flags["name_blank"] == 3
    second = apply([file], mapping, actor=actor, at=AT)
    assert second.counts == {"new": 0, "changed": 0, "same": 22_211, "refused": 0}
