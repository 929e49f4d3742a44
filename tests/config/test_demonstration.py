"""The demonstration city: its plan is fixed by its seed, its build is whole, and everything on it went through operations."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from PIL import Image

from anban.base.files.models import Attachment
from anban.base.jobs.models import Job
from anban.base.journal.births import all_born
from anban.base.journal.models import Entry, Words
from anban.base.journal.operations import unit
from anban.base.journal.queries import size
from anban.base.journal.verification import verify
from anban.base.notices.models import Notice
from anban.base.people.backend import sign_in
from anban.base.people.queries import account_by_login
from anban.config import demonstration
from anban.config.demonstration import desks, facts, lives, mandates, names, oversight, pictures, places, treatment
from anban.config.demonstration.accounts import SEATS
from anban.config.demonstration.bodies import DEVELOPMENT, VACANT, read_city
from anban.config.demonstration.pictures import picture
from anban.contexts.catalog.data.tables import check_items
from anban.contexts.hazards import ladders
from anban.contexts.hazards.models import Cycle, Hazard, Measure, Paper, Voice
from anban.contexts.hazards.queries import at_hand, take_up, visible_to
from anban.contexts.inspections.models import Answer, Finding, Visit, Visitor
from anban.contexts.obligations.models import Obligation
from anban.contexts.oversight.queries import duties, instructions, likes, sanctions
from anban.contexts.oversight.queries import visits as oversight_visits
from anban.contexts.responsibility import net
from anban.contexts.responsibility.models import Boundary, Link
from anban.contexts.responsibility.queries import Book, Resolver
from anban.contexts.territory.models import Area, AreaRoot, Body
from anban.kit.clock import city_date
from anban.kit.credit_code import problems
from anban.kit.remember import remembering
from anban.web.shell.access import PRIVILEGED

pytestmark = pytest.mark.django_db

AT = datetime(2026, 9, 15, 4, 0, tzinfo=UTC)  # a Tuesday, noon in Beijing
HAZARDS = 130
DEPENDENT_FROM = 0.2
"""A body depends on instructions where even the lower bound of its share lies above this."""
UUID_TEXT = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def _spots() -> list[places.Spot]:
    kinds = ("catering", "small_place", "hospital", "residential_estate", "warehouse_logistics", "shopping_complex")
    return [
        places.Spot(UUID(int=n + 1), f"第{n}家", kinds[n % 6], "110105", "110105026", UUID(int=n + 900), UUID(int=n + 1900), n % 6 == 5)
        for n in range(60)
    ]  # fmt: skip


def test_the_same_seed_plans_the_same_year_and_another_seed_another():
    first = lives.plan(_spots(), at=AT, hazards=300, seed=1)
    assert first == lives.plan(_spots(), at=AT, hazards=300, seed=1)
    assert first != lives.plan(_spots(), at=AT, hazards=300, seed=2)


def test_the_plan_lies_in_the_past_year_in_order_and_has_the_rates_of_the_field():
    days = lives.plan(_spots(), at=AT, hazards=3000, seed=3)
    assert [day.at for day in days] == sorted(day.at for day in days)
    assert all(AT - timedelta(days=366) < day.at < AT for day in days)
    found = [one for day in days for one in day.found]
    assert 3000 <= len(found) <= 3010
    on_spot = sum(one.steps[0].action == "fix_on_spot" for one in found) / len(found)
    assert 0.40 <= on_spot <= 0.60
    terms = Counter(s.given["due_days"] for one in found for s in one.steps if s.action == "order")
    assert set(terms) == {3, 7, 15, 30}
    for days_given, percent in lives.TERMS:
        assert abs(terms[days_given] / terms.total() - percent / 100) < 0.06
    first_looks = [next((s for s in one.steps if s.action == "review"), None) for one in found]
    passed = [look.verdict == "passed" for look in first_looks if look is not None]
    assert 0.76 <= sum(passed) / len(passed) <= 0.90
    suspected = sum(any(s.action == "suspect" for s in one.steps) for one in found) / len(found)
    assert 0.001 <= suspected <= 0.02


INSTANTS = [
    datetime(*day, *clock, tzinfo=lives.ZONE)
    for day in (
        (2026, 5, 4), (2026, 10, 8), (2026, 11, 28), (2026, 11, 29), (2026, 11, 30), (2026, 12, 31), (2027, 1, 1),
        (2027, 2, 7), (2027, 2, 28), (2027, 3, 1), (2028, 2, 29), (2031, 7, 1),
    )
    for clock in ((0, 5), (7, 59), (8, 31), (12, 0), (18, 1), (23, 55))
]  # fmt: skip
"""Saturday, Sunday and Monday, the ends of months and years, feasts, a leap day; and every part of a day."""


@pytest.mark.parametrize("at", INSTANTS, ids=str)
def test_the_desks_are_planned_alike_for_every_day_and_hour(at):
    spots = _spots()[: len(desks.MATTERS)]
    days = desks.plan(at, spots)
    for one, day in zip(desks.MATTERS, days, strict=True):
        moments = [day.at, *(day.at + step.after for step in day.found[0].steps)]
        assert [step.action for step in day.found[0].steps] == [act.action for act in one.acts]
        assert moments == sorted(set(moments))
        assert all(desks.OPENS <= each.time() < time(18, 30) for each in moments)
        # Nothing lies ahead, everything has its age to within a night, and what was handed over is not yet due back.
        assert timedelta(minutes=30) <= at - moments[-1]
        assert timedelta(0) <= at - day.at - timedelta(hours=one.hours) <= timedelta(hours=16)
        if one.duty == "receive":
            assert (at.date() - moments[-1].date()).days <= 1


def test_every_invented_credit_code_is_formally_right():
    rng = places.Random(5)
    made = [names.credit_code(rng, "110105") for _ in range(200)]
    assert len(set(made)) == 200
    assert not [code for code in made if problems(code)]


def test_every_item_has_a_fact_a_part_and_a_measure():
    rng = places.Random(6)
    for item in check_items():
        assert facts.fact_of(rng, item).strip()
        assert facts.part_of(rng, item.hazard_class).strip()
        assert facts.MEASURES[item.hazard_class]
    assert not set(facts.FACTS) - {item.code for item in check_items()}


def test_pictures_are_small_jpegs_that_differ_and_repeat(tmp_path):
    before, after = picture("before", 1), picture("after", 1)
    assert before == picture("before", 1)
    assert len({before, after, picture("before", 2)}) == 3
    path = tmp_path / "one.jpg"
    path.write_bytes(before)
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (480, 360))
    assert len(before) < 30_000


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker, tmp_path_factory):
    """One small demonstration for the whole module, rolled back at its end: it takes a while, and what is read changes nothing."""
    home = tmp_path_factory.mktemp("home")
    with django_db_blocker.unblock(), transaction.atomic():
        yield home, demonstration.build(at=AT, home=home, hazards=HAZARDS)
        transaction.set_rollback(True)


def _open():
    return Hazard.objects.filter(root=demonstration.ROOT, is_open=True)


def test_the_root_says_that_it_is_a_demonstration(built):
    root = AreaRoot.objects.get(pk=demonstration.ROOT)
    assert (root.kind, root.name) == ("demonstration", "演示市")


def test_it_has_as_many_hazards_as_it_was_asked_for_and_asks_the_worker_for_the_rest(built):
    _, made = built
    fresh = demonstration.OWN_STREET + demonstration.OWN_CALLS + sum(one.count for one in treatment.PLANTED)
    fresh += len(desks.MATTERS)
    assert HAZARDS * 0.93 <= made["hazards"] <= HAZARDS * 1.05 + fresh + 5
    job = Job.objects.get(name=demonstration.FILL)
    assert json.loads(job.args)["target"] == demonstration.TARGET


def test_nearly_nothing_that_was_planned_is_refused_by_the_rules(built):
    _, made = built
    assert sum(made["refused"].values()) <= HAZARDS * 0.03, made["refused"]


def test_every_open_hazard_has_a_person_a_chain_and_something_owed(built):
    owed = set(Obligation.objects.filter(state="open").values_list("matter_id", flat=True))
    chained = set(Link.objects.filter(role="liable_person", until_at__isnull=True).values_list("matter_id", flat=True))
    rows = list(_open())
    assert len(rows) > 20
    assert [row.number for row in rows if row.pk not in owed] == []
    assert [row.number for row in rows if row.pk not in chained] == []
    assert not Obligation.objects.filter(person__name="").exists()


def test_nothing_lies_in_the_future_and_nothing_is_historical(built):
    assert not Hazard.objects.filter(entered_at__gt=AT).exists()
    assert not Cycle.objects.filter(ended_at__gt=AT).exists()
    assert not Visit.objects.filter(at__gt=AT).exists()
    assert not Hazard.objects.filter(historical=True).exists()


def test_all_seventeen_areas_have_their_bodies_and_every_street_its_officers(built):
    offices = Body.objects.filter(root_id=demonstration.ROOT, kind="district_committee_office")
    assert offices.count() == 17
    assert offices.filter(area__code=DEVELOPMENT).exists()
    teams = Body.objects.filter(root_id=demonstration.ROOT, kind="street_enforcement")
    assert teams.count() >= 340
    assert not teams.filter(posts__holdings__isnull=True).exists()


def test_the_stories_are_told_and_written_down(built):
    home, made = built
    rows = json.loads((home / demonstration.STORIES).read_text(encoding="utf-8"))
    assert rows == made["stories"]
    assert [row["story"] for row in rows] == list(range(1, 15))
    told = {row["story"]: list(Hazard.objects.filter(pk__in=row["hazard_ids"]).order_by("pk")) for row in rows}
    assert all(told.values())
    dead_alarm = next(h for h in told[2] if h.code == "RG07")
    assert (dead_alarm.cycle_no, dead_alarm.penalised, dead_alarm.is_open) == (3, True, True)
    hose = next(h for h in told[2] if h.code == "RG05")
    assert (hose.rebound_no, (hose.found_on - hose.cycles.get(no=1).ended_on).days) == (1, 40)
    courtyard = told[3][0]
    assert (courtyard.times_returned, courtyard.designated, courtyard.place.status) == (2, True, "awaiting_demolition")
    assert [(h.state, h.grade) for h in told[4] if h.code == "PE02"] == [("suspected", "undetermined")]
    assert [(h.voices_count, h.is_open) for h in told[5]] == [(40, True)]
    hotel = told[6][0]
    assert (hotel.state, hotel.listing, hotel.extended, hotel.proof) == ("closed", "delisted", 1, "on_site")
    last = hotel.cycles.get(no=hotel.cycle_no)
    assert len({last.acceptor_id, last.delister_id, last.rectifier_id}) == 3
    assert sum(h.is_open for h in told[10]) == 11
    assert not Link.objects.filter(matter_id=told[13][0].pk, role="sector_officer").exists()
    assert VACANT[1] == "district_commerce"
    assert told[14][0].secured


def test_whoever_is_listed_can_sign_in_and_no_password_is_used_twice(built):
    home, made = built
    rows = demonstration.logins(home)
    assert rows == made["logins"]
    assert (home / demonstration.FILE).stat().st_mode & 0o077 == 0
    assert len({row["password"] for row in rows}) == len(rows)
    for wanted in ("inspector", "noodles", "city"):
        row = next(one for one in rows if one["login"] == wanted)
        account = sign_in(login=wanted, password=row["password"], source="test", at=AT)
        assert account.person.name == row["name"]
    assert all(bool(row["otpauth"]) == (row["role"] in PRIVILEGED) for row in rows)


def test_every_desk_has_what_it_is_for(built):
    city = read_city(AT)
    seats = {seat.login: city.people(seat.body, seat.area, seat.role)[seat.which] for seat in SEATS}
    duties = Obligation.objects.filter(root=demonstration.ROOT, state="open")
    for one in desks.MATTERS:
        (hazard,) = Hazard.objects.filter(root=demonstration.ROOT, code=one.code, part=one.part)
        # Links are asked for since November 2026; on an earlier day the same desk owes the look at the matter alone.
        kind = "verify" if one.duty.startswith("name_") else one.duty
        owed = duties.filter(matter_id=hazard.pk, kind=kind)
        if one.login in seats:
            owed = owed.filter(person=seats[one.login])
        assert owed.exists(), one
    for login, kind in (("commerce", "rectify_finding"), ("emergency", "joint_part"), ("committee", "sanction")):
        assert duties.filter(person=seats[login], kind=kind).exists(), login


def test_some_hazards_have_pictures(built):
    matters = Attachment.objects.filter(matter_kind="hazard").values_list("matter_id", flat=True)
    assert len(set(matters)) >= 50


def test_begun_again_it_adds_nothing(built):
    _, made = built
    assert demonstration.stands()
    again = demonstration.fill(at=AT, target=made["hazards"], per_street=0)
    assert again == made["hazards"]


def test_filling_goes_on_from_what_is_there(built):
    _, made = built
    seen = []
    seated = [account_by_login(row["login"]).person_id for row in made["logins"] if row["role"] != "enterprise_manager"]
    told = Notice.objects.filter(person_id__in=seated, created_at__lt=AT)
    with transaction.atomic():
        assert told.update(read_at=None)
        have = demonstration.fill(
            at=AT, target=made["hazards"] + 15, progress=lambda *said: seen.append(said), per_street=0
        )
        assert not told.filter(read_at=None).exists()
        transaction.set_rollback(True)
    assert made["hazards"] + 15 <= have <= made["hazards"] + 20
    assert seen
    assert seen[-1][1] == made["hazards"] + 15


def test_every_planted_gap_and_overlap_is_found_and_nothing_else(built):
    home, _ = built
    truth = json.loads((home / mandates.TRUTH).read_text(encoding="utf-8"))
    codes = {str(key): code for key, code in Body.objects.filter(root_id=demonstration.ROOT).values_list("pk", "code")}
    found = {
        (row.fault, row.role, row.place_kind, row.hazard_class, row.area.code, row.places_count,
         tuple(sorted(codes[one] for one in row.bodies.split(";") if one)))
        for row in Boundary.objects.filter(root=demonstration.ROOT).select_related("area")
    }  # fmt: skip
    planted = {
        (
            row["fault"],
            row["role"],
            row["place_kind"],
            row["hazard_class"],
            row["area"],
            row["places"],
            tuple(row["bodies"]),
        )
        for row in truth
    }
    assert planted == found
    assert len(planted) >= 8
    assert {row[0] for row in planted} == {"gap", "overlap"}
    owed = set(Obligation.objects.filter(kind="assign_boundary", state="open").values_list("matter_id", flat=True))
    assert owed == set(Boundary.objects.filter(root=demonstration.ROOT).values_list("pk", flat=True))


def _told(days, *, together: bool):
    """Everything that some days leave behind, with numbers in the place of ids; then it is taken back."""
    with transaction.atomic():
        start, spoken = size(), set(Words.objects.values_list("pk", flat=True))
        city = read_city(AT)
        with remembering():
            player = lives.Player(city, pictures.store_pictures(city))
            for piece in (days[start : start + 30] for start in range(0, len(days), 30)):
                with unit(lives=together):
                    if together:
                        take_up(city.job, [day.spot.place_id for day in piece])
                    for day in piece:
                        player.play(day)
        labels = {}
        for model in (Hazard, Visit):
            labels |= {pk.hex: number for pk, number in model.objects.filter(root="demo").values_list("pk", "number")}

        def plain(value):
            if isinstance(value, UUID):
                return labels.get(value.hex, value.hex)
            if isinstance(value, str):
                return re.sub(
                    r"[0-9a-f]{32}",
                    lambda m: labels.get(m[0], m[0]),
                    re.sub(UUID_TEXT, lambda m: UUID(m[0]).hex, value),
                )
            if isinstance(value, dict):
                return {key: plain(one) for key, one in value.items() if key != "words"}
            return [plain(one) for one in value] if isinstance(value, list) else value

        rows = {}
        for model in (
            Hazard,
            Cycle,
            Voice,
            Paper,
            Measure,
            Link,
            Obligation,
            Notice,
            Attachment,
            Visit,
            Visitor,
            Answer,
            Finding,
        ):
            names = [f.attname for f in model._meta.concrete_fields if f.name not in {"id", "key"}]
            rows[model.__name__] = sorted(repr([plain(v) for v in row]) for row in model.objects.values_list(*names))
        fresh = Words.objects.exclude(pk__in=spoken)
        rows["Words"] = sorted(repr([plain(w.matter), w.kind, w.text, w.written_at]) for w in fresh)
        entries = [json.loads(e.body) for e in Entry.objects.filter(position__gte=start).order_by("position")]
        rows["Entry"] = [
            (
                e["verb"],
                e["actor"],
                e["at"],
                plain(e["matter"]),
                plain(e["data"]),
                sorted(n.partition(":")[0] for n in e["rows"]),
            )
            for e in entries
        ]
        assert verify(processes=1).ok
        transaction.set_rollback(True)
        return rows, player.refused


def test_lives_told_together_leave_what_lives_told_one_by_one_leave(built, monkeypatch):
    # A history that is told issues no papers of its ladders' steps: the day's job does, for what is still owed.
    monkeypatch.setattr(ladders, "_reactions", list)
    city = read_city(AT)
    spots = places.spots(city)
    # A few places, so that things are seen again, come back, and meet what is on the ledger already.
    days = lives.plan(spots[::40], at=AT, hazards=50, seed=11, clean=0.1)
    # Some are seen a second time while they are open.
    again = [replace(day, at=day.at + timedelta(minutes=15), which=1 - day.which) for day in days if day.found][-20:]
    days = sorted([*days, *again], key=lambda day: day.at)
    together, refused = _told(days, together=True)
    singly, refused_singly = _told(days, together=False)
    assert refused == refused_singly
    assert {name: len(rows) for name, rows in together.items()} == {name: len(rows) for name, rows in singly.items()}
    for name, rows in together.items():
        assert rows == singly[name], name
    verbs = Counter(entry[0] for entry in together["Entry"])
    assert {"hazard.rebounded", "hazard.seen_again", "hazard.reviewed", "visit.recorded", "obligation.done"} <= set(
        verbs
    )


def test_the_book_of_duties_answers_as_the_database_does(built):
    rows = list(Hazard.objects.filter(root=demonstration.ROOT).select_related("place").order_by("pk")[::26])
    assert len(rows) >= 4
    with remembering():
        for row in rows:
            on = row.found_on
            from_book = Book.of(row.root).near(row.place, row.class_code, on).of(row.place, row.class_code)
            narrow = Resolver.near(row.place, row.class_code, on).of(row.place, row.class_code)
            whole = Resolver.load(row.root, on).of(row.place, row.class_code)
            for one in (from_book, narrow):
                assert [(a.role, a.person, a.body, a.reason) for a in (*one.answers(), one.office)] == [
                    (a.role, a.person, a.body, a.reason) for a in (*whole.answers(), whole.office)
                ]


def test_what_is_born_is_in_the_same_hands_before_and_after_it_is_written(built):
    city = read_city(AT)
    days = lives.plan(places.spots(city)[::60], at=AT, hazards=8, seed=21, clean=0.0)
    photos = pictures.store_pictures(city)
    persons = [one for held in list(city.held.values())[::40] for one in held[:1]]
    with transaction.atomic():
        with remembering(), unit(lives=True):
            for day in days:
                lives.Player(city, photos).play(day)
            fresh = all_born(Hazard)
            persons += [row.holder for row in fresh] + [row.finder for row in fresh]
            actors = {one.pk: city.actor(one) for one in persons}
            before = {(row.pk, key): at_hand(who, row.pk) is not None for row in fresh for key, who in actors.items()}
        after = {(pk, key): visible_to(who).filter(pk=pk).exists() for (pk, key) in before for who in [actors[key]]}
        transaction.set_rollback(True)
    assert before == after
    assert set(before.values()) == {True, False}


def _offices():
    """The city's office and the office of the district of the logins, whose desks the pages serve."""
    city = read_city(AT)
    return (
        city.actor(city.people("city_committee_office", "110000", "city_committee_officer")[0]),
        city.actor(city.people("district_committee_office", oversight.DISTRICT, "district_committee_officer")[0]),
    )


def _told_outside(home, name):
    return json.loads((home / name).read_text(encoding="utf-8"))


def test_everything_planted_about_bodies_is_found_and_nothing_else(built):
    home, _ = built
    office, district = _offices()
    on = city_date(AT, "Asia/Shanghai")
    path = next(row for row in read_city(AT).districts if row.code == oversight.DISTRICT).path
    codes = {str(pk): code for pk, code in Body.objects.filter(root_id=demonstration.ROOT).values_list("pk", "code")}
    truth, treated = _told_outside(home, oversight.TRUTH), _told_outside(home, treatment.TRUTH)
    truth["left_alone"] += treated["left_alone"]
    truth["dependence"] = [
        (row["body"], row["matters"], row["instructed"], row["only_after"]) for row in treated["dependence"]
    ]
    truth["treatment"] = [(row["what"], row["key"], row["measures"]) for row in treated["treatment"]]
    rows = likes.dealt(office, since=on - timedelta(days=548), until=on - timedelta(days=67))
    found = {
        "left_alone": {one.hazard.number for one in likes.left_alone(office, AT)},
        "red_documents": {row.number for row in instructions.register_of(office, only="red")},
        "red_cases": {row.number for row in sanctions.board(office, only="red")},
        "vacant_posts": {one.post.body.name for one in duties.standings(office, on, ahead_days=30)},
        "promises": {row.fact for row in oversight_visits.promises(office, path)},
        "dependence": {
            (one.body.code, one.matters, one.instructed, round((one.only_after.value or 0) * one.matters))
            for one in instructions.dependence(office, on - timedelta(days=365))
            if one.only_after.low is not None and one.only_after.low > DEPENDENT_FROM
        },
        "treatment": {
            (one.what, codes.get(one.key, one.key), "more" if (one.comparison.difference or 0) > 0 else "fewer")
            for one in likes.compared(rows, 60)
            if one.found and one.comparison.kind == "measure"
        },
    }
    assert all(truth.values())
    assert len(truth["left_alone"]) >= 20
    for kind, planted in truth.items():
        hits = len(set(planted) & found[kind])
        print(f"{kind}: recall {hits}/{len(set(planted))}, precision {hits}/{len(found[kind])}")
    assert found == {kind: set(planted) for kind, planted in truth.items()}
    # Time tells the same three apart, and the district's own office sees what the city's sees.
    near = likes.dealt(district, since=on - timedelta(days=548), until=on - timedelta(days=67))
    for seen in (rows, near):
        both = {
            (one.what, codes.get(one.key, one.key), one.comparison.kind)
            for one in likes.compared(seen, 60)
            if one.found
        }
        alike = {(what, key, kind) for what, key, _ in truth["treatment"] for kind in ("measure", "time")}
        assert both == alike | {("dependence", body, "moved") for body, *_ in truth["dependence"]}


def test_the_matrix_of_a_fresh_demonstration_shows_the_planted_faults_and_no_other(built):
    home, _ = built
    office, _ = _offices()
    on = city_date(AT, "Asia/Shanghai")
    cells = net.matrix(office, on)
    open_cells = {(kind, area) for (kind, area), cell in cells.items() if cell.open_any}
    kinds = {(kind, area) for kind, area in cells}
    streets = {row.code: row for row in Area.objects.filter(root_id=demonstration.ROOT, level="street")}
    planted, places = set(), 0
    for row in _told_outside(home, mandates.TRUTH):
        # A district's own code stands over its streets; a street's code begins with its district's.
        area = row["area"] if row["area"] not in streets else row["area"][:6]
        planted |= {cell for cell in kinds if cell[1] == area and row["place_kind"] in ("", cell[0])}
        places += row["places"]
    assert open_cells
    assert open_cells <= planted
    assert 0 < sum(cell.open_any for cell in cells.values()) <= places
    assert sum(cell.places for cell in cells.values()) > 3 * places
