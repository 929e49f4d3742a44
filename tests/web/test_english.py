"""Every page in English shows no Chinese but what persons and registers wrote: names, facts, addresses."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from anban.base.people.models import Person
from anban.contexts.establishments.models import Place
from anban.contexts.hazards.models import Hazard
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.inspections.models import Visit
from anban.contexts.responsibility.chains import link_rows
from anban.contexts.responsibility.models import Link, Mandate
from anban.contexts.territory.models import Area, AreaRoot, Body, Post
from anban.rules.hazard_lifecycle import Action
from tests.factories.signed import client_of
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db
HAN = re.compile(r"[一-鿿]+")
TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.S)
# The switch that leads back names Chinese in Chinese, as every language names itself.
OWN = ("中文",)


def shown(body: str) -> str:
    """Return what a reader sees or hears of a page: text, titles, labels, placeholders."""
    heard = " ".join(re.findall(r'(?:title|aria-label|placeholder|alt|content)="([^"]*)"', body))
    return html.unescape(TAG.sub(" ", body) + " " + heard)


def data(city: Town) -> list[str]:
    """Return every Chinese word that stands in the data: what the page must show as it is."""
    words: set[str] = set(OWN)
    for model, columns in (
        (AreaRoot, ("name",)),
        (Area, ("name",)),
        (Body, ("name",)),
        (Post, ("title",)),
        (Person, ("name",)),
        (Place, ("name", "address")),
        (Hazard, ("fact", "part", "basis", "interim_control", "place_title")),
        (Mandate, ("basis",)),
        (Link, ("unit_name",)),
    ):
        for row in model.objects.values_list(*columns):
            words.update(value for value in row if value)
    # What a row of the packaged templates rests on is a quotation.
    words |= {row.basis for row in link_rows()}
    words |= {"属实", "更换报警器", "已修好", "燃气条例"}
    return sorted(words, key=len, reverse=True)


def addresses(resolver: URLResolver | None = None, before: str = "") -> list[str]:
    """Return every page address without a parameter."""
    found: list[str] = []
    for entry in (resolver or get_resolver()).url_patterns:
        text = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += addresses(entry, text)
        elif isinstance(entry, URLPattern) and "<" not in text and not text.startswith("api/"):
            found.append("/" + text)
    return found


def a_life(city: Town) -> tuple[Hazard, Place]:
    """Lead one hazard through order and application, so that its page has something of everything."""
    place = city.place()
    hazard = enter(
        actor=city.actor("王敏"),
        at=AT,
        sighting=Sighting(place_id=place.pk, code="RG07", fact="报警器断电", basis="燃气条例"),
    ).hazard
    act(
        actor=city.actor("王敏"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.VERIFY,
        verdict="founded",
        given={"reason": "属实"},
    )
    act(
        actor=city.actor("孙倩"),
        at=AT,
        hazard_id=hazard.pk,
        action=Action.ORDER,
        given={"due_on": ON + timedelta(days=7), "basis": "燃气条例", "measures": "更换报警器"},
    )
    act(actor=city.actor("李强"), at=AT, hazard_id=hazard.pk, action=Action.APPLY_REVIEW)
    return hazard, place


def english(client: Client) -> Client:
    """Let a client read English."""
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def strangers(client: Client, address: str, known: list[str]) -> tuple[int, list[str]]:
    """Return the status of a page and the Chinese on it that is no data."""
    answer = client.get(address)
    if answer.status_code != 200 or "html" not in answer.headers.get("Content-Type", ""):
        return answer.status_code, []
    text = shown(answer.content.decode())
    for word in known:
        text = text.replace(word, " ")
    return answer.status_code, HAN.findall(text)


def test_every_page_in_english_shows_no_han_outside_data():
    city = town()
    city.hold("石磊", "市安委办", "steward", "试验市")
    for number, role in enumerate(("system_admin", "security_admin", "audit_admin")):
        city.hold(f"管理员{number}", "市安委办", role, "试验市")
    hazard, place = a_life(city)
    known = data(city)
    opened: set[str] = set()
    wrong: dict[str, list[str]] = {}
    special = [
        f"/ledger/{hazard.pk}/",
        f"/ledger/{hazard.pk}/review/",
        f"/ledger/{hazard.pk}/transfer/",
        f"/ledger/{hazard.pk}/extend/",
        f"/places/{place.pk}/",
        f"/places/{place.pk}/edit/",
        f"/visits/new/?place={place.pk}",
        f"/report/?place={place.pk}",
        "/ledger/?state=closed",
        *(f"/visits/{visit.pk}/" for visit in Visit.objects.all()),
    ]
    for name in ("王敏", "孙倩", "李强", "何静", "石磊", "管理员0", "管理员1", "管理员2", None):
        client = english(client_of(city, name) if name else Client())
        for address in [*addresses(), *special]:
            status, found = strangers(client, address, known)
            if status == 200:
                opened.add(address)
            if found:
                wrong.setdefault(address, sorted(set(found)))
    assert not wrong, "\n".join(f"{address}: {' '.join(words)}" for address, words in sorted(wrong.items()))
    assert len(opened) >= 20, f"only {len(opened)} pages were opened: {sorted(opened)}"


def test_the_search_for_han_finds_it():
    assert HAN.findall(shown('<p title="台账">x</p>')) == ["台账"]
