"""The channels by which notices leave the house, one folder each; being shown on the pages needs none and is always on."""

from __future__ import annotations

import os
from types import ModuleType

from anban.base.notices.channels import file, smtp
from anban.base.notices.channels.payload import Payload, Undelivered

__all__ = ["KINDS", "Payload", "Undelivered", "channel", "open_channels"]

# Each module offers `is_open()`, `NEEDS_ADDRESS` and `sent(payload)`, which raises Undelivered with the reason.
KINDS: dict[str, ModuleType] = {"file": file, "smtp": smtp}


def open_channels() -> tuple[str, ...]:
    """Return the channels of this installation: those named in ``ANBAN_CHANNELS``, else those that are set up."""
    named = os.environ.get("ANBAN_CHANNELS")
    if named is not None:
        return tuple(kind for kind in KINDS if kind in named.split(","))
    return tuple(kind for kind, module in KINDS.items() if module.is_open())


def channel(kind: str) -> ModuleType:
    """Return the channel called ``kind``. Raises: KeyError."""
    return KINDS[kind]
