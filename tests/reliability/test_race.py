"""Eight processes at one hazard at the same moment: one of conflicting actions wins, nothing is lost, numbers stay unique."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from anban.api import access
from anban.base.journal.models import Entry, Head
from anban.base.journal.operations import record, unit
from anban.base.journal.verification import verify
from anban.base.people.operations import issue_token, open_account
from anban.contexts.hazards.models import Hazard, Voice
from anban.contexts.hazards.operations import Sighting, act, enter
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from tests.factories.town import AT, ON, Town, town
from tests.reliability.mixed_writes import LATER
from tests.reliability.processes import Work, together

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 8
Gate = Callable[[], None]


def sighting(place: Any, part: str = "") -> Sighting:
    return Sighting(place_id=place.pk, code="RG07", part=part, fact="报警器断电")


def refused(work: Callable[[], str]) -> str:
    """Return what a work gave, or the code of its refusal: any other exception fails the test."""
    try:
        return work()
    except Refusal as refusal:
        return refusal.code


def what_is_wrong(hazard_id: UUID, *, version: int, voices: int) -> list[str]:
    """Hold a hazard against the number of writes that were taken: a lost update shows here."""
    row = Hazard.objects.get(pk=hazard_id)
    found = [] if row.version == version else [f"version {row.version}, not {version}"]
    if row.voices_count != voices or Voice.objects.filter(hazard=row).count() != voices:
        found.append(f"{row.voices_count} voices, not {voices}")
    positions = list(Entry.objects.order_by("position").values_list("position", flat=True))
    if positions != list(range(Head.objects.get().size)):
        found.append("the positions of the journal have gaps")
    return found + [finding.en for finding in verify(processes=1).findings]


def acting(made: Town, hazard: Hazard, who: str, action: Action, given: dict[str, Any], **more: Any) -> Work:
    def work(gate: Gate) -> str:
        actor = made.actor(who)
        gate()
        return refused(lambda: act(actor=actor, at=AT, hazard_id=hazard.pk, action=action, given=given, **more).state)

    return work


@pytest.fixture
def rounds(soak: bool) -> range:
    return range(50 if soak else 2)


def test_of_eight_conflicting_actions_on_one_version_exactly_one_wins(rounds: range) -> None:
    made = town()
    place = made.place()
    for number in rounds:
        hazard = enter(actor=made.actor("王敏"), at=AT, sighting=sighting(place, f"{number}")).hazard
        verdicts = ("founded", "not_founded")
        works = [
            acting(made, hazard, who, Action.VERIFY, {"reason": "现场看过"}, verdict=verdicts[n % 2], version=1)
            for n, who in enumerate(("王敏", "刘洋", "孙倩", "王敏", "刘洋", "王敏", "孙倩", "刘洋"))
        ]
        answers = together(works)
        won = [answer for answer in answers if answer != "hazard.changed_meanwhile"]
        assert won in (["rectifying"], ["not_founded"]), answers
        assert what_is_wrong(hazard.pk, version=2, voices=1) == []


def test_of_eight_actions_on_no_version_the_table_lets_one_through(rounds: range) -> None:
    made = town()
    place = made.place()
    for number in rounds:
        hazard = enter(actor=made.actor("王敏"), at=AT, sighting=sighting(place, f"{number}")).hazard
        act(actor=made.actor("王敏"), at=AT, hazard_id=hazard.pk, action=Action.VERIFY, verdict="founded",
            given={"reason": "属实"})  # fmt: skip
        act(actor=made.actor("孙倩"), at=AT, hazard_id=hazard.pk, action=Action.ORDER,
            given={"due_on": ON, "basis": "条例", "measures": "更换"})  # fmt: skip
        answers = together(
            [acting(made, hazard, "李强", Action.APPLY_REVIEW, {"photo_after": True}) for _ in range(WRITERS)]
        )
        assert answers.count("awaiting_review") == 1, answers
        assert all(answer == "awaiting_review" or "." in answer for answer in answers), answers
        assert what_is_wrong(hazard.pk, version=4, voices=1) == []


def entering(made: Town, place: Any, part: str) -> Work:
    def work(gate: Gate) -> list[str]:
        actor = made.actor("王敏")
        gate()
        found = enter(actor=actor, at=AT, sighting=sighting(place, part))
        return [found.kind, str(found.hazard.pk), found.hazard.number]

    return work


def test_the_same_danger_entered_by_eight_is_one_hazard_with_eight_voices(rounds: range) -> None:
    made = town()
    place = made.place()
    for number in rounds:
        answers = together([entering(made, place, f"同{number}") for _ in range(WRITERS)])
        assert sorted(kind for kind, _, _ in answers) == ["joined"] * (WRITERS - 1) + ["new"]
        (hazard_id,) = {hazard_id for _, hazard_id, _ in answers}
        assert what_is_wrong(UUID(hazard_id), version=WRITERS, voices=WRITERS) == []


def test_eight_dangers_entered_at_once_get_eight_numbers(rounds: range) -> None:
    made = town()
    places = [made.place(f"面馆{n}") for n in range(3)]
    for number in rounds:
        answers = together([entering(made, places[n % 3], f"异{number}-{n}") for n in range(WRITERS)])
        assert [kind for kind, _, _ in answers] == ["new"] * WRITERS
        assert len({given for _, _, given in answers}) == WRITERS
        assert what_is_wrong(UUID(answers[0][1]), version=1, voices=1) == []


def test_two_officials_pressing_at_once_get_one_200_and_one_412(rounds: range, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "now", lambda: LATER)
    made = town()
    place = made.place()
    tokens = []
    for n, name in enumerate(("王敏", "刘洋")):
        account, _ = open_account(actor=made.job, at=AT, person=made.people[name], login=f"official-{n}")
        tokens.append(issue_token(actor=made.job, at=AT, account=account, scope="read write", days=30)[1])

    def pressing(hazard: Hazard, token: str, verdict: str) -> Work:
        def work(gate: Gate) -> list[Any]:
            client = Client()
            head = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
            seen = client.get(f"/api/v1/hazards/{hazard.pk}", **head)["ETag"]
            gate()
            answer = client.post(
                f"/api/v1/hazards/{hazard.pk}/actions/verify",
                json.dumps({"verdict": verdict, "given": {"reason": "看过"}}), content_type="application/json",
                HTTP_IF_MATCH=seen, **head,
            )  # fmt: skip
            return [answer.status_code, answer.json().get("code", "")]

        return work

    for number in rounds:
        hazard = enter(actor=made.actor("王敏"), at=AT, sighting=sighting(place, f"{number}")).hazard
        answers = together([pressing(hazard, tokens[0], "founded"), pressing(hazard, tokens[1], "not_founded")])
        assert sorted(answer[0] for answer in answers) == [200, 412], answers
        assert what_is_wrong(hazard.pk, version=2, voices=1) == []


def test_a_planted_lost_update_is_caught() -> None:
    """The fault: a writer that reads before the transaction and writes what it computed from that."""
    made = town()
    hazard = enter(actor=made.actor("王敏"), at=AT, sighting=sighting(made.place())).hazard

    def careless(gate: Gate) -> str:
        row = Hazard.objects.get(pk=hazard.pk)
        gate()
        with unit():
            Voice.objects.create(hazard=row, origin="inspection", found_on=ON, at=AT)
            row.voices_count += 1
            row.version += 1
            row.save()
            record("hazard.seen_again", actor=made.job, at=AT, subject=("hazard", row.pk), wrote=[row])
        return "ok"

    together([careless] * WRITERS)
    assert what_is_wrong(hazard.pk, version=1 + WRITERS, voices=1 + WRITERS) == [
        "version 2, not 9",
        "2 voices, not 9",
    ]
