"""How a close was proved (销号依据), and whether this person may accept it."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from anban.rules.decision import ALLOWED, REFUSED, UNDECIDED, Decision, Reason
from anban.rules.errors import Refusal, register
from anban.rules.hazard_terms import ProofLevel

INSPECTIONS = "inspections"
"""The only context that can show a visit, and so the only one that may give `on_site`."""

STRENGTH: tuple[ProofLevel, ...] = (
    ProofLevel.INFERRED,
    ProofLevel.DECLARED,
    ProofLevel.PHOTO,
    ProofLevel.ON_SITE,
)
"""From the weakest to the strongest; `inferred` (history only) is never mixed into closing rates."""


def proof_level(*, caller: str, on_site: bool, photos_after: int, historical: bool = False) -> ProofLevel:
    """This function will give the proof level of a close from its facts; `caller` is the context that closes.

    `photos_after` counts photographs taken after the rectification. Foreign history is `inferred`, whatever it claims.
    Raises: Refusal `hazard.on_site_needs_visit` when another context than inspections claims a visit on site.
    """
    if historical:
        return ProofLevel.INFERRED
    if on_site:
        if caller != INSPECTIONS:
            raise Refusal("hazard.on_site_needs_visit", field="on_site")
        return ProofLevel.ON_SITE
    return ProofLevel.PHOTO if photos_after > 0 else ProofLevel.DECLARED


def counts_in_closing_rates(level: ProofLevel) -> bool:
    """This function will say whether a close of this level belongs in a closing rate."""
    return level is not ProofLevel.INFERRED


def acceptor_ok(acceptor_person: Hashable | None, rectifier_persons: Collection[Hashable]) -> Decision:
    """This function will decide whether a natural person may accept what these natural persons rectified.

    Persons are compared, not accounts. Where either side is unknown the rule does not decide.
    """
    if acceptor_person is not None and acceptor_person in rectifier_persons:
        reason = Reason(
            "hazard.acceptor_is_rectifier", "验收人不得是整改人本人", "The acceptor may not be the rectifier"
        )
        return Decision(REFUSED, (reason,))
    if acceptor_person is None or not rectifier_persons or None in rectifier_persons:
        reason = Reason(
            "hazard.rectifier_unknown", "验收人或整改人不明，不能认定", "The acceptor or a rectifier is not known"
        )
        return Decision(UNDECIDED, (reason,))
    return Decision(ALLOWED)


def require_other_acceptor(acceptor_person: Hashable | None, rectifier_persons: Collection[Hashable]) -> None:
    """This function will refuse an acceptor who rectified, or of whom that cannot be said.

    Raises: Refusal `hazard.acceptor_is_rectifier`, `hazard.rectifier_unknown`.
    """
    decision = acceptor_ok(acceptor_person, rectifier_persons)
    if not decision.allowed:
        raise Refusal(decision.reasons[0].code, field="acceptor")


register(
    "hazard.on_site_needs_visit",
    zh="只有检查记录才能作为现场核验",
    en="Only the record of a visit proves that something was seen on site",
)
register("hazard.acceptor_is_rectifier", zh="验收人不得是整改人本人", en="The acceptor may not be the rectifier")
register(
    "hazard.rectifier_unknown",
    zh="验收人或整改人不明，不能认定",
    en="The acceptor or a rectifier is not known, so this cannot be decided",
)
