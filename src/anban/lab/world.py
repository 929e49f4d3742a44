"""The hidden truth of a simulated city, day by day: births, calls and alarms, visits, rectification, acceptance, rebounds.

Every day draws the same random numbers whatever the policy does (common random numbers), so that two policies differ only by
what they do. Accidents are not drawn: hidden hazard-days weighted by consequence are compared, which varies far less.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from anban.lab.policies import Policy, Today, choose
from anban.lab.records import WIDE_RATES, Flags, Floats, Ints, RateFilter, Records
from anban.lab.setting import Scenario, Setting
from anban.rules.visit_index import hidden_probability

LONG_UNSEEN_DAYS = 548
CAMPAIGN_DAYS = 91
YEAR_DAYS = 365
DIVERTED = 0.5
"""Share of visits that a target on counts pulls to where something was found before."""
_NO_SPELL = -1


@dataclass(frozen=True, slots=True)
class City:
    """What does not change: sites with their true rates, weights and streets; inspectors with what they can and do."""

    rate_a_day: Floats
    weight: Floats
    street: Ints
    first_days: Floats
    has_alarm: Flags
    detection: Floats
    fakes: Flags

    @classmethod
    def of(cls, setting: Setting, seed: int) -> City:
        """This function will make a city; the same setting and seed give the same city."""
        draw = np.random.default_rng([seed, 1])
        sites, inspectors = int(setting.sites), int(setting.inspectors)
        shape = setting.rate_shape
        street = draw.integers(0, int(setting.streets), sites)
        factor = np.ones(sites)
        if setting.street_spread:
            spread = setting.street_spread**2
            factor = draw.gamma(1 / spread, spread, int(setting.streets))[street]
        rate = np.clip(draw.gamma(shape, setting.rate_mean_a_day / shape, sites) * factor, 1e-7, 0.9)
        heavy = draw.random(sites) < setting.heavy_share
        able = np.clip(setting.detection + setting.detection_spread * (2 * draw.random(inspectors) - 1), 0.01, 1.0)
        # Of n inspectors exactly the nearest whole number fake: a share, not a chance.
        fakes = np.zeros(inspectors, dtype=np.bool_)
        fakes[draw.permutation(inspectors)[: round(setting.faking_share * inspectors)]] = True
        return cls(
            rate_a_day=rate,
            weight=np.where(heavy, setting.heavy_weight, 1.0),
            street=street,
            first_days=draw.integers(1, YEAR_DAYS, sites).astype(np.float64),
            has_alarm=draw.random(sites) < setting.alarm_coverage,
            detection=able,
            fakes=fakes,
        )


@dataclass(slots=True)
class Log:
    """What happened, as columns of equal length, for the product's own import formats and for the truth beside them."""

    visits: list[tuple[int, int, int, int, int, float]] = field(default_factory=list)
    """day, site, inspector, recorded find (0 or 1), faked (0 or 1: truth), find expected from the record alone."""
    reports: list[tuple[int, int, str, int]] = field(default_factory=list)
    """day, site, source (``call`` or ``alarm``), spell."""
    found: list[tuple[int, int, str, int]] = field(default_factory=list)
    """day, site, source, spell: the moment a hazard became known."""
    closed: list[tuple[int, int, int, int]] = field(default_factory=list)
    """day, site, spell, really put right (0 or 1: truth)."""
    born: list[tuple[int, int, int, int]] = field(default_factory=list)
    """day, site, spell, visible to the public (0 or 1): truth."""
    instructed: list[tuple[int, int, int]] = field(default_factory=list)
    """day, site in the news, its street: an instruction moves visits there from that day on."""
    captured: set[tuple[int, str]] = field(default_factory=set)
    """spell and source that met it, the first find or later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run comes to, over the counted days."""

    hidden_per_site_year: float
    """Hidden hazard-days weighted by consequence, per site and year: the primary measure, lower is better."""
    visits: int
    finds: int
    found_share: float
    clean_share: float
    """Visits to places that hid nothing, of all: the burden on those who comply (防止一刀切)."""
    long_unseen_share: float
    """Sites not visited for a year and a half at the end."""
    worst_streets: float
    """The same measure in the worst tenth of the streets, over the whole city's."""
    rebound_days: float
    """Hidden days after a closing that was not real or did not last, per site and year."""
    backlog: int
    """The longest queue for acceptance."""
    shares: tuple[float, float, float]
    """Mean shares of sites that were clean, hid a hazard, had a known one."""


@dataclass(slots=True)
class World:
    """One run: the truth of today and the record of it."""

    setting: Setting
    scenario: Scenario
    policy: Policy
    seed: int
    log: Log | None = None
    learn: bool = False
    """Keep a rate filter beside the record whatever the policy, for estimates afterwards."""
    city: City = field(init=False)
    records: Records = field(init=False)
    hidden_at_end: Flags = field(init=False)
    instructed: Flags = field(init=False)
    """Sites of the streets that an instruction points to today."""
    led_visits: int = field(init=False, default=0)
    """Visits that were made only because an instruction pointed there: truth."""
    _until: Floats = field(init=False)
    _waiting: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.city = City.of(self.setting, self.seed)
        setting, first_days = self.setting, self.city.first_days
        self.records = Records(
            weight=self.city.weight,
            seen_on=-first_days,
            detection=setting.believed_detection or setting.detection,
            rebound=setting.believed_rebound or setting.rebound,
            filter=RateFilter.of(first_days, WIDE_RATES) if self.learn else None,
        )

    def run(self, *, noise: int = 0) -> Outcome:
        """This function will live through all days and return the outcome; ``noise`` picks other random numbers for an A/A test."""
        setting, city, records = self.setting, self.city, self.records
        sites = city.rate_a_day.size
        self.instructed, self._until = np.zeros(sites, np.bool_), np.full(int(setting.streets), -np.inf)
        self.led_visits, self._waiting = 0, 0.0
        news = np.random.default_rng([self.seed, 7, noise])
        nature = np.random.default_rng([self.seed, 2, noise])
        lots = np.random.default_rng([self.seed, 3, noise])
        # Before the first day nobody kept a record, but hazards were born all the same.
        hidden = nature.random(sites) < 1.0 - np.exp(-city.rate_a_day * city.first_days)
        known = np.zeros(sites, np.bool_)
        put_right, again = np.zeros(sites, np.bool_), np.zeros(sites, np.bool_)
        broken = np.zeros(sites, np.bool_)
        visible = nature.random(sites) < setting.public_share
        spell = np.full(sites, _NO_SPELL)
        recheck_on = np.full(sites, np.inf)
        birth = 1.0 - np.exp(-city.rate_a_day)
        weighted = np.zeros(sites)
        counts = {"visits": 0, "finds": 0, "clean": 0, "rebound": 0, "backlog": 0, "spells": 0}
        totals = np.zeros(3)
        self._number(0, hidden, visible, spell, counts)
        for day in range(int(setting.days)):
            draws = nature.random((8, sites))
            # Births: a clean site may begin to hide a hazard.
            new = ~hidden & ~known & (draws[0] < birth)
            hidden |= new
            again &= ~new
            visible = np.where(new, draws[1] < setting.public_share, visible)
            self._number(day, new, visible, spell, counts)
            # Calls and alarms make some of them known.
            called = visible & (hidden | known) & (draws[2] < setting.call_rate_a_day)
            broken = np.where(
                broken, draws[3] >= 1 / setting.alarm_repair_mean_days, draws[3] < setting.alarm_fault_a_day
            )
            rung = city.has_alarm & ~broken & (hidden | known) & (draws[4] < setting.alarm_rate_a_day)
            self._report(day, called, rung, hidden, known, spell)
            # What gets into the news brings an instruction; then visits.
            self._instruct(day, news.random(2), hidden)
            records.pass_day()
            visited = self._visits(day, lots, recheck_on)
            who = (draws[5][visited] * city.fakes.size).astype(np.int64)
            luck = draws[6][visited]
            faked = city.fakes[who] & (lots.random(visited.size) < setting.faked_visits)
            sees = ~faked & (luck < city.detection[who])
            found = hidden[visited] & sees
            if self.log is not None:
                self._write_visits(day, visited, who, found, faked, sees & known[visited], spell)
            records.note_visits(day, visited, found)
            counts["visits"] += visited.size
            counts["finds"] += int(found.sum())
            counts["clean"] += int((~hidden[visited] & ~known[visited]).sum())
            now_known = visited[found]
            hidden[now_known], known[now_known] = False, True
            recheck_on[visited] = np.inf
            # Rectification, then acceptance, then what came back.
            put_right |= known & (draws[7] < 1 / setting.rectification_mean_days)
            closing = self._accepted(put_right)
            counts["backlog"] = max(counts["backlog"], int(put_right.sum()) - closing.size)
            self._close(day, closing, lots, hidden, known, put_right, again, recheck_on, visible, spell, counts)
            if day >= setting.burn_in_days:
                weighted += hidden
                counts["rebound"] += int((hidden & again).sum())
                totals += (sites - hidden.sum() - known.sum(), hidden.sum(), known.sum())
        self.hidden_at_end = hidden
        return self._outcome(weighted * city.weight, counts, totals)

    def _number(self, day: int, new: Flags, visible: Flags, spell: Ints, counts: dict[str, int]) -> None:
        """Number the hazards that begin, when a log is kept."""
        if self.log is None:
            return
        where = np.flatnonzero(new)
        spell[where] = counts["spells"] + np.arange(where.size)
        counts["spells"] += where.size
        self.log.born += [(day, int(at), int(spell[at]), int(visible[at])) for at in where]

    def _report(self, day: int, called: Flags, rung: Flags, hidden: Flags, known: Flags, spell: Ints) -> None:
        """Enter what calls and alarms say; what was hidden is known from now on."""
        told = (called | rung) & hidden
        if self.log is not None:
            for source, flags in (("call", called), ("alarm", rung)):
                for at in np.flatnonzero(flags):
                    self.log.reports.append((day, int(at), source, int(spell[at])))
                    self.log.captured.add((int(spell[at]), source))
            self.log.found += [
                (day, int(at), "call" if called[at] else "alarm", int(spell[at])) for at in np.flatnonzero(told)
            ]
        where = np.flatnonzero(told)
        hidden[where], known[where] = False, True
        self.records.note_reports(day, where)

    def _visits(self, day: int, lots: np.random.Generator, recheck_on: Floats) -> Ints:
        """Return the day's visits: rechecks that are due first, then the policy's choice, at the same total effort."""
        per_day = self.setting.visits_a_day
        if self.scenario.campaign:
            per_day = per_day * YEAR_DAYS / CAMPAIGN_DAYS if day % YEAR_DAYS < CAMPAIGN_DAYS else 0.0
        budget = int(per_day * (day + 1)) - int(per_day * day)
        due = np.flatnonzero(recheck_on <= day)[:budget]
        diverted = np.empty(0, dtype=np.int64)
        if self.scenario.count_target:
            wanted = int((budget - due.size) * DIVERTED)
            diverted = np.argsort(-(self.records.finds + lots.random(self.records.finds.size)), kind="stable")[:wanted]
        today = Today(day, self.records, lots, self.city.rate_a_day)
        left = budget - due.size - diverted.size
        led = np.empty(0, dtype=np.int64)
        if self.setting.led_share and left > 0:
            # Whoever only follows instructions waits for one, and makes up for it then.
            share = left * self.setting.led_share
            self._waiting += share
            left -= round(share)
            if self.instructed.any():
                able = min(int(self._waiting), int(self.instructed.sum()))
                led = choose(self.policy, today, able, self.instructed)
                self._waiting -= led.size
        chosen = choose(self.policy, today, left) if left > 0 else np.empty(0, dtype=np.int64)
        self.led_visits += np.setdiff1d(led, chosen).size
        return np.unique(np.concatenate([due, diverted, led, chosen]))

    def _instruct(self, day: int, luck: Floats, hidden: Flags) -> None:
        """Let something get into the news, likelier where a grave hazard is hidden, and have its street instructed."""
        if not self.setting.led_share:
            return
        street = self.city.street
        if luck[0] < 1 / self.setting.news_every_days:
            grave = np.cumsum(self.city.weight * np.where(hidden, 1.0, 1e-6))
            site = int(np.searchsorted(grave, luck[1] * grave[-1], side="right"))
            self._until[street[site]] = day + self.setting.instruction_days
            if self.log is not None:
                self.log.instructed.append((day, site, int(street[site])))
        self.instructed = self._until[street] > day

    def _write_visits(
        self, day: int, visited: Ints, who: Ints, found: Flags, faked: Flags, seen_known: Flags, spell: Ints
    ) -> None:
        """Log the day's visits and which hazards they met, known ones included."""
        log = self.log
        assert log is not None  # noqa: S101 - the caller asked
        records = self.records
        expected = records.detection * hidden_probability(records.rates(), records.ages(day), exp=np.exp)
        expected = np.where(records.is_open, 0.0, expected)
        for at, by, new, false, again in zip(visited, who, found, faked, seen_known, strict=True):
            log.visits.append((day, int(at), int(by), int(new), int(false), float(expected[at])))
            if new or again:
                log.captured.add((int(spell[at]), "visit"))
            if new:
                log.found.append((day, int(at), "visit", int(spell[at])))

    def _accepted(self, waiting: Flags) -> Ints:
        """Return the sites whose rectification is accepted today: all, or as many as the acceptors manage."""
        where = np.flatnonzero(waiting)
        able = int(self.setting.acceptances_a_day)
        return where[:able] if able else where

    def _close(
        self, day: int, closing: Ints, lots: np.random.Generator, hidden: Flags, known: Flags, put_right: Flags,
        again: Flags, recheck_on: Floats, visible: Flags, spell: Ints, counts: dict[str, int],
    ) -> None:  # fmt: skip
        """Close what is accepted; some of it was not put right, some comes back at once."""
        setting = self.setting
        luck = lots.random((2, int(setting.sites)))
        rebound = setting.rebound_rechecked if setting.recheck_days else setting.rebound
        false = luck[0][closing] < setting.false_closing
        back = false | (luck[1][closing] < rebound)
        if self.log is not None:
            self.log.closed += [
                (day, int(at), int(spell[at]), int(not untrue)) for at, untrue in zip(closing, false, strict=True)
            ]
        known[closing], put_right[closing] = False, False
        returned = closing[back]
        hidden[returned], again[returned] = True, True
        if returned.size and self.log is not None:
            flags = np.zeros(hidden.size, np.bool_)
            flags[returned] = True
            self._number(day, flags, visible, spell, counts)
        if setting.recheck_days:
            recheck_on[closing] = day + setting.recheck_days
        self.records.note_closings(day, closing)

    def _outcome(self, weighted: Floats, counts: dict[str, int], totals: Floats) -> Outcome:
        setting, sites = self.setting, self.city.weight.size
        years = setting.counted_days / YEAR_DAYS
        by_street = np.bincount(self.city.street, weights=weighted, minlength=int(setting.streets))
        size = np.bincount(self.city.street, minlength=int(setting.streets))
        means = np.sort(by_street[size > 0] / size[size > 0])
        worst = means[-max(1, means.size // 10) :].mean()
        overall = float(weighted.sum()) / sites
        visits = counts["visits"]
        unseen = setting.days - self.records.seen_on > LONG_UNSEEN_DAYS
        return Outcome(
            hidden_per_site_year=overall / years,
            visits=visits,
            finds=counts["finds"],
            found_share=counts["finds"] / visits if visits else 0.0,
            clean_share=counts["clean"] / visits if visits else 0.0,
            long_unseen_share=float(unseen.mean()),
            worst_streets=float(worst / overall) if overall else 1.0,
            rebound_days=counts["rebound"] / sites / years,
            backlog=counts["backlog"],
            shares=tuple(float(each) for each in totals / totals.sum()),  # type: ignore[arg-type]
        )
