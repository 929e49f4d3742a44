"""The words of accidents: the four grades (事故等级), from the lightest to the gravest."""

from __future__ import annotations

from anban.rules.hazard_terms import Term


class AccidentGrade(Term):
    """Grade of a work-safety accident; members run from the lightest to the gravest."""

    GENERAL = "general", "一般事故", "General"
    LARGER = "larger", "较大事故", "Larger"
    MAJOR = "major", "重大事故", "Major"
    EXTRA_MAJOR = "extra_major", "特别重大事故", "Extraordinarily major"

    @property
    def rank(self) -> int:
        """This property will order the grades: 0 for the lightest."""
        return list(type(self)).index(self)
