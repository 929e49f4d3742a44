"""Every module that enters computable rules; importing this one fills the registry."""

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
    major_hazard_source,
    penalties,
    risk_scores,
    supervision,
)
from anban.rules.statistics import cusum, kappa, poisson_change, scan_cluster, survival, unseen_hazards

RULE_MODULES = (
    accidents,
    credit,
    criminal,
    emergency,
    fire,
    gas,
    hotline,
    major_fire_hazard,
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
