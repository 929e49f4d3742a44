"""For random persons with random duties every figure of the desk is the number of lines in the list that it opens."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from anban.contexts.hazards.operations import Sighting, act, enter
from anban.contexts.obligations import queries
from anban.contexts.obligations.models import Handover, Obligation
from anban.contexts.obligations.operations import hand_over
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action
from anban.web.shell import middleware
from tests.factories.signed import client_of
from tests.factories.town import AT, ON, Town, town

pytestmark = pytest.mark.django_db
NAMES = ("王敏", "刘洋", "孙倩", "吴桐", "赵磊", "何静", "李强", "林涛")
WORLDS, SOAK_WORLDS = 2, 40


def fill(made: Town, rng: Random) -> None:
    """Enter hazards at random, take some of them on, hand some duties over, and let the dates of duties lie all around now."""
    places = [made.place(f"面馆{n}", area=area) for n, area in enumerate(("望京街道", "呼家楼街道", "望京街道"))]
    for number in range(rng.randint(8, 16)):
        seen = Sighting(place_id=rng.choice(places).pk, code=rng.choice(("RG07", "RG10")), part=f"{number}", fact="x")
        hazard = enter(actor=made.actor("林涛"), at=AT, sighting=seen).hazard
        try:
            act(actor=made.actor("王敏"), at=AT, hazard_id=hazard.pk, action=Action.VERIFY, verdict="founded",
                given={"reason": "属实"})  # fmt: skip
            if rng.random() < 0.6:
                act(actor=made.actor("孙倩"), at=AT, hazard_id=hazard.pk, action=Action.ORDER,
                    given={"due_on": ON + timedelta(days=3), "basis": "条例", "measures": "更换"})  # fmt: skip
                act(actor=made.actor("李强"), at=AT, hazard_id=hazard.pk, action=Action.APPLY_REVIEW,
                    given={"photo_after": True})  # fmt: skip
        except Refusal:
            continue  # another street's: it stays unverified
    for duty in Obligation.objects.filter(root=made.root, state="open").select_related("person").order_by("id"):
        hours = rng.choice((None, -300, -1, 0, 1, 20, 24 * 4, 24 * 6 + 15, 24 * 7, 24 * 30))
        kind = rng.choice((duty.kind, "review", "accept", "returned"))
        due = AT + timedelta(hours=hours) if hours is not None else None
        Obligation.objects.filter(pk=duty.pk).update(due_at=due, kind=kind, person=made.people[rng.choice(NAMES)])
    for duty in Obligation.objects.filter(root=made.root, state="open").order_by("id"):
        to = made.people[rng.choice(NAMES)]
        if rng.random() < 0.4 and to.pk != duty.person_id:
            hand_over(actor=made.job, at=AT, obligation_id=duty.pk, to_person=to)


def what_is_wrong(made: Town) -> list[str]:
    """Open each figure of each person's desk and count the lines behind it."""
    found = []
    for name in NAMES:
        client = client_of(made, name)
        front = client.get("/")
        # Whoever opens a list sees the address of the whole in the chip that is pressed: each figure is read from there.
        for figure, chosen in front.context["figures"]:
            assert not chosen
            page = client.get(figure.href)
            lines = page.context["offered"] if "only=sign" in figure.href else page.context["lines"]
            if str(len(lines)) != figure.value:
                found.append(f"{name} {figure.href}: {figure.value} said, {len(lines)} listed")
        if front.context["total"] != len(front.context["lines"]):
            found.append(f"{name}: {front.context['total']} in all, {len(front.context['lines'])} listed")
    return found


def test_every_figure_of_the_desk_is_the_length_of_its_list(monkeypatch: pytest.MonkeyPatch, soak: bool) -> None:
    monkeypatch.setattr(middleware, "now", lambda: AT)
    wrong, handed = [], 0
    for world in range(SOAK_WORLDS if soak else WORLDS):
        made = town(f"town{world}")
        fill(made, Random(world))
        wrong += what_is_wrong(made)
        handed += Handover.objects.filter(obligation__root=made.root).count()
    assert wrong == []
    assert handed
    assert Obligation.objects.filter(state="open", due_at__lt=AT).exists()


def test_a_figure_that_counts_a_due_instant_as_overdue_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: the figure says ``due <= now`` where the list says ``due < now``."""
    monkeypatch.setattr(middleware, "now", lambda: AT)
    made = town("planted")
    fill(made, Random(0))
    real = queries.desk_figures

    def careless(actor: object, **facts: object) -> object:
        return real(actor, **{**facts, "at": AT + timedelta(microseconds=1)})  # type: ignore[arg-type]

    monkeypatch.setattr(queries, "desk_figures", careless)
    assert any("only=overdue" in text for text in what_is_wrong(made))
