"""The only writer of mandates, boundaries, decisions, joint matters and links."""

from anban.contexts.responsibility.operations.boundaries import (
    Looked,
    ask_opinions,
    assign,
    decide,
    draft,
    look_over,
    report_guard,
    to_meeting,
    to_staffing,
    withdraw,
)
from anban.contexts.responsibility.operations.chains import ask_for_links, name_link
from anban.contexts.responsibility.operations.joint import (
    Asked,
    add_mechanism,
    answer,
    call,
    close_joint,
    close_joints,
    lapse,
    open_by_rule,
    open_joint,
    rule_on_refusal,
    start,
)
from anban.contexts.responsibility.operations.links import Naming, link, name_chain
from anban.contexts.responsibility.operations.mandates import add_mandate, add_mandates, change_mandates
from anban.contexts.responsibility.operations.templates import change_templates

__all__ = [
    "Asked",
    "Looked",
    "Naming",
    "add_mandate",
    "add_mandates",
    "add_mechanism",
    "answer",
    "ask_for_links",
    "ask_opinions",
    "assign",
    "call",
    "change_mandates",
    "change_templates",
    "close_joint",
    "close_joints",
    "decide",
    "draft",
    "lapse",
    "link",
    "look_over",
    "name_chain",
    "name_link",
    "open_by_rule",
    "open_joint",
    "report_guard",
    "rule_on_refusal",
    "start",
    "to_meeting",
    "to_staffing",
    "withdraw",
]
