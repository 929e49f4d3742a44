"""Files of visits and hazards, several at once: the way in for the command line, the browser's wizard and the demonstration."""

from anban.contexts.establishments.importers import register_mappings, register_target
from anban.contexts.inspections.importers.hazards import HAZARDS
from anban.contexts.inspections.importers.history import Derived, derive
from anban.contexts.inspections.importers.running import Taken, families, keeper, mappings_named, prepare, take_in
from anban.contexts.inspections.importers.visits import VISITS

register_mappings("anban.contexts.inspections")
register_target(VISITS)
register_target(HAZARDS)

__all__ = [
    "HAZARDS",
    "VISITS",
    "Derived",
    "Taken",
    "derive",
    "families",
    "keeper",
    "mappings_named",
    "prepare",
    "take_in",
]
