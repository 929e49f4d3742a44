"""Decision: what a rule that weighs facts concluded, with its reasons and the law it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Certainty = Literal["verified", "excerpt", "unconfirmed", "estimate"]
CERTAINTIES: tuple[Certainty, ...] = get_args(Certainty)
"""From the surest down: full text read; seen as a public excerpt; known but not checked; custom of the field, a setting."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule stands: law (法规), article (条款), and how sure we are of the wording."""

    law: str
    article: str
    certainty: Certainty

    @property
    def citation(self) -> str:
        """This property will give the Chinese citation, as it stands on a paper."""
        return f"《{self.law}》{self.article}" if self.certainty != "estimate" else self.law


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a decision, in both languages, with a code a program can test."""

    code: str
    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh


@dataclass(frozen=True, slots=True)
class Decision:
    """Outcome, reasons and sources of a rule: quotable by a page, a notice and an appeal.

    `outcome` is a word of the rule that decided; `undecided` where the facts do not suffice (unknown is not false).
    """

    outcome: str
    reasons: tuple[Reason, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def allowed(self) -> bool:
        """This property will be true only where the rule positively allowed: undecided is not allowed."""
        return self.outcome == ALLOWED


ALLOWED = "allowed"
REFUSED = "refused"
UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule with a frozen name concluded (计算结论): outcome by field, as `anban rule` and the API give it.

    Values are whole numbers, exact decimals, terms, days, aware instants, booleans, null, and lists and mappings of these.
    """

    outcome: Mapping[str, object]
    reasons: tuple[Reason, ...] = ()
    sources: tuple[Source, ...] = ()


CANNOT_JUDGE = "cannot_judge"
"""The one value of `decision` in an outcome that is none: unknown is not false."""
