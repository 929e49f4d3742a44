"""Files of hazards: the columns, what a row means, and the entering of many at once."""

from anban.contexts.establishments.importers import register_mappings
from anban.contexts.hazards.importers.rows import HAZARD_ROWS, Fresh, enter_many, item_code
from anban.contexts.hazards.importers.whereabouts import Places, allowed, settle

register_mappings("anban.contexts.hazards")

__all__ = ["HAZARD_ROWS", "Fresh", "Places", "allowed", "enter_many", "item_code", "settle"]
