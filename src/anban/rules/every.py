"""Every module that enters computable rules; importing this one fills the registry."""

from __future__ import annotations

from anban.rules import (
    emergency,
)

RULE_MODULES = (emergency,)
