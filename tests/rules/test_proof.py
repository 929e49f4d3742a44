"""How a close is proved, and that nobody accepts their own work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anban.rules import proof
from anban.rules.errors import Refusal
from anban.rules.hazard_terms import ProofLevel


@pytest.mark.parametrize(
    ("caller", "on_site", "photos", "historical", "level"),
    [
        ("inspections", True, 0, False, ProofLevel.ON_SITE),
        ("inspections", False, 2, False, ProofLevel.PHOTO),
        ("hazards", False, 1, False, ProofLevel.PHOTO),
        ("hazards", False, 0, False, ProofLevel.DECLARED),
        ("inspections", True, 3, True, ProofLevel.INFERRED),
    ],
)
def test_proof_level_comes_from_the_facts(
    caller: str, on_site: bool, photos: int, historical: bool, level: ProofLevel
) -> None:
    assert proof.proof_level(caller=caller, on_site=on_site, photos_after=photos, historical=historical) is level


@pytest.mark.parametrize("caller", ["hazards", "selfchecks", "tickets", ""])
def test_only_inspections_proves_a_visit(caller: str) -> None:
    with pytest.raises(Refusal) as refusal:
        proof.proof_level(caller=caller, on_site=True, photos_after=5)
    assert refusal.value.code == "hazard.on_site_needs_visit"


def test_inferred_closes_stay_out_of_closing_rates() -> None:
    assert [each for each in ProofLevel if not proof.counts_in_closing_rates(each)] == [ProofLevel.INFERRED]
    assert set(proof.STRENGTH) == set(ProofLevel)


@given(st.none() | st.integers(0, 4), st.lists(st.none() | st.integers(0, 4), max_size=4))
def test_acceptor_is_never_a_rectifier(acceptor: int | None, rectifiers: list[int | None]) -> None:
    decision = proof.acceptor_ok(acceptor, rectifiers)
    if acceptor is not None and acceptor in rectifiers:
        assert decision.outcome == "refused"
    elif acceptor is None or not rectifiers or None in rectifiers:
        assert decision.outcome == "undecided"
    else:
        assert decision.outcome == "allowed"
    if decision.allowed:
        proof.require_other_acceptor(acceptor, rectifiers)
    else:
        with pytest.raises(Refusal) as refusal:
            proof.require_other_acceptor(acceptor, rectifiers)
        assert refusal.value.code == decision.reasons[0].code
