"""The collector looks seldom during a batch, and as before after it, also when the batch fails."""

import gc

import pytest

from anban.kit.collecting import NEW_OBJECTS, seldom_collecting


def test_the_collector_is_set_back_whatever_happens():
    former = gc.get_threshold()

    def batch():
        with seldom_collecting():
            assert gc.get_threshold()[0] == NEW_OBJECTS
            assert gc.get_freeze_count() > 0
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        batch()
    assert gc.get_threshold() == former
    assert gc.get_freeze_count() == 0
