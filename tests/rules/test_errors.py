"""Refusals: registered codes, two texts with the same parameters, and a Chinese string."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

from anban.rules import errors, hazard_lifecycle, proof
from anban.rules.errors import LawGap, Refusal, all_codes, register

REGISTERED_BY = (hazard_lifecycle, proof)  # importing a module registers its refusals


def test_refusal_speaks_chinese_and_english() -> None:
    refusal = Refusal("hazard.acceptor_is_rectifier", field="acceptor")
    assert str(refusal) == "验收人不得是整改人本人"
    assert refusal.en == "The acceptor may not be the rectifier"
    assert refusal.field == "acceptor"


def test_refusal_must_be_registered_and_complete() -> None:
    with pytest.raises(ValueError, match="not registered"):
        Refusal("hazard.never_heard_of")
    with pytest.raises(ValueError, match="lacks"):
        Refusal("hazard.verdict_unknown")


def test_law_gap_is_a_refusal_that_names_key_and_day() -> None:
    gap = LawGap("hazards.review_days", date(2015, 4, 30))
    assert isinstance(gap, Refusal)
    assert "2015-04-30" in gap.zh
    assert "hazards.review_days" in gap.en


@pytest.mark.parametrize(
    "refusal", [Refusal("hazard.not_secured", field="state"), LawGap("a.b_days", date(2020, 1, 1))]
)
def test_refusal_survives_another_process(refusal: Refusal) -> None:
    copy = pickle.loads(pickle.dumps(refusal))
    assert (type(copy), copy.code, copy.field, str(copy)) == (type(refusal), refusal.code, refusal.field, str(refusal))


def test_register_gives_a_code_one_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_MESSAGES", dict(all_codes()))
    assert register("sample.no_way", zh="不行：{why}", en="No: {why}") == "sample.no_way"
    register("sample.no_way", zh="不行：{why}", en="No: {why}")
    with pytest.raises(ValueError, match="another meaning"):
        register("sample.no_way", zh="可以：{why}", en="Yes: {why}")
    with pytest.raises(ValueError, match="placeholders"):
        register("sample.other", zh="不行：{why}", en="No")
    for wrong in ("plain", "Sample.no", "sample.no-way", "sample."):
        with pytest.raises(ValueError, match="dotted"):
            register(wrong, zh="不", en="no")
    assert str(Refusal("sample.no_way", why="下雨")) == "不行：下雨"


def test_all_codes_are_sorted_and_have_both_texts() -> None:
    codes = all_codes()
    assert list(codes) == sorted(codes)
    assert {"law.gap", "hazard.action_not_allowed", "hazard.acceptor_is_rectifier"} <= codes.keys()
    for message in codes.values():
        assert message.zh.isascii() is False
        assert message.en.isascii() or "“" in message.en
