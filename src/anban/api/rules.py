"""The computable rules (可计算规则): the list, one with its inputs and sources, and a question answered with reasons and law."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from anban.api.access import Bearer, actor_of
from anban.api.answers import MEDIA_TYPE, documented, read
from anban.contexts.territory import queries as territory
from anban.rules.answering import ask, body, written
from anban.rules.describing import described
from anban.rules.errors import Refusal
from anban.rules.every import all_rules, rule_named
from anban.rules.reading import parse_object

router = Router(tags=["rules"])


class SourceOut(BaseModel):
    """Where a rule stands, and how sure the wording is: verified, excerpt, unconfirmed or estimate."""

    law: str
    article: str
    certainty: str


class ReasonOut(BaseModel):
    """One reason, in both languages."""

    code: str
    text_zh: str
    text_en: str


class RuleAnswer(BaseModel):
    """What a rule said: outcome by field, reasons, sources, and the day whose law applied."""

    rule: str
    outcome: dict[str, Any]
    reasons: list[ReasonOut]
    sources: list[SourceOut]
    as_of: str


class RuleOne(BaseModel):
    """A rule: name, number, titles, inputs with types and units, outcome fields, sources with the day they came into force."""

    rule: str
    number: str
    title_zh: str
    title_en: str
    in_: list[dict[str, Any]] = Field(alias="in")
    outcome: list[dict[str, Any]]
    sources: list[dict[str, Any]]


class RuleList(BaseModel):
    """Every rule."""

    items: list[RuleOne]


QUESTION: Final = {
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPE: {"schema": {"type": "object", "description": "The rule's inputs; `on` picks the law's day."}}
        },
    }
}
"""The body is read by the rules' own reader, so that decimals stay exact and a refusal names the field as everywhere else."""


def _answered(value: Any) -> HttpResponse:
    return HttpResponse(written(value), content_type=f"{MEDIA_TYPE}; charset=utf-8")


@router.get("/rules", response=documented(RuleList), auth=Bearer("rules:read"), summary="List the rules")
@read
def list_rules(request: HttpRequest) -> HttpResponse:
    """List every computable rule with its inputs, units and sources."""
    del request
    return _answered({"items": [described(each) for each in all_rules()]})


@router.get("/rules/{name}", response=documented(RuleOne), auth=Bearer("rules:read"), summary="One rule")
@read
def one_rule(request: HttpRequest, name: str) -> HttpResponse:
    """Describe one rule."""
    del request
    return _answered(described(rule_named(name)))


@router.post(
    "/rules/{name}", response=documented(RuleAnswer), auth=Bearer("rules:read"), summary="Ask a rule",
    openapi_extra=QUESTION,
)  # fmt: skip
@read
def ask_rule(request: HttpRequest, name: str) -> HttpResponse:
    """Answer a question to a rule; nothing is written. A refusal is 422 with the code and field of `anban rule`."""
    if request.content_type != MEDIA_TYPE:
        raise Refusal("api.media_type", wanted=MEDIA_TYPE)
    loaded = territory.loaded(actor_of(request).root)
    return _answered(body(ask(name, parse_object(request.body), loaded)))
