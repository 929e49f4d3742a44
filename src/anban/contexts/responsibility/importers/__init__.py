"""Files of the offices' own tables: mandates, bodies and link templates, each row checked against the table it belongs to."""

from anban.contexts.establishments.importers import register_mappings, register_target
from anban.contexts.responsibility.importers.bodies import BODIES
from anban.contexts.responsibility.importers.mandates import MANDATES
from anban.contexts.responsibility.importers.templates import TEMPLATES

OFFICE_TABLES = (MANDATES, BODIES, TEMPLATES)
register_mappings("anban.contexts.responsibility")
for _target in OFFICE_TABLES:
    register_target(_target)

__all__ = ["BODIES", "MANDATES", "OFFICE_TABLES", "TEMPLATES"]
