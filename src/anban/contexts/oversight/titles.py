"""What the duties of oversight are called, and where each opens."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

TITLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "post_duty": ("履行岗责", "Do the duty"),
        "fill_post": ("明确任职人", "Fill the post"),
        "turn_into_measures": ("落到事项", "Turn into measures"),
        "instructed": ("落实批示", "Carry out the instruction"),
        "like_case": ("同案补办", "Deal with the like case"),
        "weigh_clue": ("研判线索", "Weigh the clue"),
        "sanction": ("问责办理", "Deal with accountability"),
        "answer_instrument": ("答复文书", "Answer the paper"),
        "rectify_finding": ("督察整改", "Put the finding right"),
        "follow_up": ("回头看", "Look back"),
    }
)
"""The verb of each duty, in Chinese and English."""

CLUES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "dependence": ("批示依赖", "Dependence on instructions"),
        "instruction": ("有无批示不同办", "Unlike with and without instruction"),
        "body": ("机构间不同办", "Unlike between bodies"),
        "firm": ("企业间不同办", "Unlike between kinds of firms"),
    }
)
"""What a clue's duty says of it, in Chinese and English: the kind alone, no body and no figure."""


def address(subject_kind: str, subject_id: UUID, matter_id: UUID, person_id: UUID) -> str:
    """Return the page on which a duty of oversight is dealt with; empty for any other subject."""
    return {
        "due_duty": f"/oversight/persons/{person_id}/",
        "post": "/oversight/vacancies/",
        "instruction": f"/oversight/instructions/{matter_id}/",
        "instructed": f"/oversight/measures/{matter_id}/",
        "clue": f"/oversight/clues/{matter_id}/",
        "sanction": f"/oversight/sanctions/{subject_id}/",
        "instrument": f"/oversight/instruments/{matter_id}/",
        "oversight": f"/oversight/visits/{subject_id}/",
    }.get(subject_kind, "")
