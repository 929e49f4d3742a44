"""Every module that enters computable rules; importing this one fills the registry."""

from __future__ import annotations

from anban.rules import (
    emergency,
    major_fire_hazard,
    major_hazard_source,
)
from anban.rules.statistics import cusum, kappa, poisson_change, scan_cluster, survival, unseen_hazards

RULE_MODULES = (
    emergency,
    major_fire_hazard,
    major_hazard_source,
    cusum,
    kappa,
    poisson_change,
    scan_cluster,
    survival,
    unseen_hazards,
)
