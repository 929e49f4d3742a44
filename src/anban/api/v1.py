"""The one API, version 1: its modules, its ways of refusing, its addresses."""

from __future__ import annotations

from ninja import NinjaAPI

from anban.api import (
    accidents,
    files,
    hazards,
    journal,
    net,
    obligations,
    oversight,
    places,
    problems,
    risk,
    rules,
    visits,
)
from anban.api.access import PerToken
from anban.api.answers import Orjson, StrictParser

api = NinjaAPI(
    title="Anban API",
    version="1",
    urls_namespace="api-1",
    description=(
        "安办接口。Every read begins at what the caller's posts let it see; every write is one transaction with its journal "
        "entry. Refusals are `application/problem+json` with a stable `code` (docs/refusals.md)."
    ),
    docs_url=None,
    openapi_url="/openapi.json",
    renderer=Orjson(),
    parser=StrictParser(),
    throttle=[PerToken()],
)
problems.install(api)
for module in (places, visits, hazards, obligations, net, oversight, accidents, risk, files, journal, rules):
    api.add_router("", module.router)
