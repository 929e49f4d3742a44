"""Every module that enters computable rules: whoever finds a rule through this one finds them all."""

from __future__ import annotations

from anban.rules import (
    accidents,
    credit,
    criminal,
    emergency,
    fire,
    gas,
    hotline,
    major_fire_hazard,
    major_hazard,
    major_hazard_source,
    penalties,
    risk_scores,
    supervision,
)
from anban.rules.registry import all_rules, rule_named
from anban.rules.statistics import cusum, kappa, poisson_change, scan_cluster, survival, unseen_hazards

__all__ = ("RULE_MODULES", "all_rules", "rule_named")

RULE_MODULES = (
    accidents,
    credit,
    criminal,
    emergency,
    fire,
    gas,
    hotline,
    major_fire_hazard,
    major_hazard,
    major_hazard_source,
    penalties,
    risk_scores,
    supervision,
    cusum,
    kappa,
    poisson_change,
    scan_cluster,
    survival,
    unseen_hazards,
)
