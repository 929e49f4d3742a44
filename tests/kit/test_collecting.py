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


def test_batches_that_overlap_are_counted():
    former = gc.get_threshold()
    one, other = seldom_collecting(), seldom_collecting()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert gc.get_threshold()[0] == NEW_OBJECTS
    other.__exit__(None, None, None)
    assert gc.get_threshold() == former
