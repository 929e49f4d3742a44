"""Files into the register: read, preview, apply; the one machinery of all importers, and the target of places."""

from anban.contexts.establishments.columns import Column
from anban.contexts.establishments.importers.mapping import (
    Mapping,
    mapping_named,
    read_mapping,
    register_mappings,
    shipped_mappings,
)
from anban.contexts.establishments.importers.places import PLACES
from anban.contexts.establishments.importers.preparing import prepare_root
from anban.contexts.establishments.importers.reading import (
    PROBLEM_COLUMN,
    Assignment,
    SourceFile,
    TableView,
    recognise,
)
from anban.contexts.establishments.importers.running import Preview, Progress, Result, Sample, apply, preview
from anban.contexts.establishments.importers.targets import (
    TARGETS,
    Fate,
    Finish,
    Item,
    Known,
    MovedMeanwhile,
    Problem,
    Run,
    Said,
    Target,
    TypedRow,
    load_targets,
    register_target,
)

__all__ = [
    "PLACES",
    "PROBLEM_COLUMN",
    "TARGETS",
    "Assignment",
    "Column",
    "Fate",
    "Finish",
    "Item",
    "Known",
    "Mapping",
    "MovedMeanwhile",
    "Preview",
    "Problem",
    "Progress",
    "Result",
    "Run",
    "Said",
    "Sample",
    "SourceFile",
    "TableView",
    "Target",
    "TypedRow",
    "apply",
    "load_targets",
    "mapping_named",
    "prepare_root",
    "preview",
    "read_mapping",
    "recognise",
    "register_mappings",
    "register_target",
    "shipped_mappings",
]
