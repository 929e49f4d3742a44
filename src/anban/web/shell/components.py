"""The values pages hand to the shell's templates: frozen, plain, without queries or requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the rail; `count` is shown when it is not None."""

    label: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class AreaOption:
    """One area a person may switch to."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame around a page shows: who is signed in, for which area, and where its switches lead.

    `root_kind` is `real`, `demonstration` or `sample`; everything but `real` puts the banner on every page. An empty
    address leaves its switch out.
    """

    person: str = ""
    post: str = ""
    area: str = ""
    areas: tuple[AreaOption, ...] = ()
    root_kind: str = "real"
    root_name: str = ""
    search_href: str = ""
    search_text: str = ""
    theme_href: str = ""
    language_href: str = ""
    account_href: str = ""
    sign_out_href: str = ""
    desk_href: str = "/"
    ledger_href: str = ""
    places_href: str = ""


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the breadcrumb; the last one has no address."""

    label: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: a link to a state of the page."""

    label: str
    href: str
    current: bool = False
    count: int | None = None


class Tone(StrEnum):
    """How loud a button speaks."""

    PRIMARY = "primary"
    PLAIN = "plain"
    QUIET = "quiet"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing this person may do now: a verb with its object. With `dialog` it opens the `<dialog>` of that id."""

    label: str
    href: str = ""
    tone: Tone = Tone.PLAIN
    dialog: str = ""
    post: bool = False


@dataclass(frozen=True, slots=True)
class FilterOption:
    """One value of a filter; `href` is the page with it switched."""

    label: str
    href: str
    selected: bool = False
    count: str = ""


@dataclass(frozen=True, slots=True)
class FilterInput:
    """One typed field inside a filter's popover (a day, a number, a text)."""

    name: str
    label: str
    value: str = ""
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter chip. Options are links; `inputs` become a small GET form that keeps the pairs of `keep`."""

    label: str
    options: tuple[FilterOption, ...] = ()
    inputs: tuple[FilterInput, ...] = ()
    keep: tuple[tuple[str, str], ...] = ()
    clear_href: str = ""
    value: str = ""

    @property
    def chosen(self) -> str:
        """The chosen values in words; empty where nothing is chosen."""
        return self.value or "、".join(option.label for option in self.options if option.selected)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a ledger. `sort` is the address that sorts by it; `sorted` is `ascending`, `descending` or empty."""

    key: str
    label: str
    sort: str = ""
    sorted: str = ""
    number: bool = False
    shown: bool = True
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Pager:
    """Keyset paging: addresses of the neighbours, and what this page shows (`第 1–50 条`)."""

    previous_href: str = ""
    next_href: str = ""
    shown: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after."""

    label: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo; `full` is opened in the lightbox, `alt` says what is to be seen."""

    thumb: str
    full: str
    alt: str
    taken_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened. `cycle` counts the rounds of a hazard from 1; 0 stands outside any round."""

    at: datetime
    verb: str
    who: str = ""
    unit: str = ""
    note: str = ""
    changes: tuple[FieldChange, ...] = ()
    photos: tuple[Photo, ...] = ()
    href: str = ""
    cycle: int = 0
    cycle_note: str = ""
    recorded_at: datetime | None = None
    proof_href: str = ""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One link of the chain of persons (责任链条): the duty, the unit, the natural persons."""

    duty: str
    unit: str = ""
    persons: tuple[str, ...] = ()
    href: str = ""
    waiting: str = ""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A term and what became of it; `provisional` where the year's calendar is not loaded yet."""

    due_at: datetime | None
    now: datetime
    done_at: datetime | None = None
    provisional: bool = False
    soon_days: int = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """The change since an earlier figure, in words with unit; not `certain` where chance explains it as well."""

    text: str
    direction: str = "flat"
    certain: bool = True
    links: tuple[tuple[str, str], ...] = ()
    """The counts compared, each with the list that it counts."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, its name, its unit, and the list it opens."""

    value: str
    label: str
    href: str = ""
    unit: str = ""
    trend: Trend | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list of facts."""

    label: str
    value: str
    href: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the import; `state` is `done`, `now` or `todo`."""

    label: str
    state: str = "todo"


@dataclass(frozen=True, slots=True)
class DutyLine:
    """One obligation on the desk: clock, verb, place, matter, person."""

    deadline: Deadline
    verb: str
    place: str
    matter: str
    href: str
    who: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class MapArea:
    """One area's figure on the map: `value` decides the fill, `text` is read, `href` opens its list."""

    code: str
    name: str
    value: float | None
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class VisitMark:
    """One visit on the strip of two years; `kind` is `found`, `clean` or `closed`."""

    on: date
    kind: str
    label: str
    href: str = ""
