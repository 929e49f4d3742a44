"""Files of duty lists: one row a duty of a post, known again by body, role, area and code."""

from anban.contexts.establishments.importers import register_mappings, register_target
from anban.contexts.oversight.importers.duties import DUTIES

register_mappings("anban.contexts.oversight")
register_target(DUTIES)

__all__ = ["DUTIES"]
