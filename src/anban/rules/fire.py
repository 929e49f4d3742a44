"""Fire safety (消防): the fine for an e-bike in a lift, and which places are key units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from anban.rules.decision import Reason, Ruling
from anban.rules.errors import Refusal, register
from anban.rules.figures import grouped, plain
from anban.rules.hazard_terms import Term
from anban.rules.law import Book
from anban.rules.registry import asked, rule


class Party(Term):
    """Who did it (当事人)."""

    PERSON = "person", "个人", "Person"
    UNIT = "unit", "单位", "Unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftFacts:
    """Someone took an e-bike or its battery into a lift."""

    who: Party = asked("当事人", "who")
    refuses: bool = asked("是否拒不改正", "whether it is not put right")


@rule(
    "ebike_in_lift",
    number="R32",
    zh="电动自行车进电梯的处理",
    en="An e-bike in a lift",
    rests_on=tuple(f"fire.ebike_lift_{who}_{end}_yuan" for who in Party for end in ("min", "max")),
    gives={
        "order": ("责令改正", "order to correct"),
        "min_yuan": ("罚款下限", "fine, from"),
        "max_yuan": ("罚款上限", "fine, to"),
    },
)
def ebike_in_lift(facts: LiftFacts, on: date) -> Ruling:
    """This function will give the order, and the fine where it is refused.

    Source: 北京市消防条例（2025年修订）.
    """
    book = Book(on)
    least, most = (book[f"fire.ebike_lift_{facts.who}_{end}_yuan"] for end in ("min", "max"))
    if not facts.refuses:
        reason = Reason("ebike_in_lift.order_only", "当场改正，只责令改正", "Put right on the spot: an order only")
        return Ruling({"order": True, "min_yuan": 0, "max_yuan": 0}, (reason,), book.sources)
    reason = Reason(
        "ebike_in_lift.refused",
        f"拒不改正：对{facts.who.zh}处 {least:,} 元以上 {most:,} 元以下罚款",
        f"Not put right: {facts.who.en.lower()}, {least:,} to {most:,} yuan",
    )
    return Ruling({"order": True, "min_yuan": least, "max_yuan": most}, (reason,), book.sources)


class KeyPlace(Term):
    """Kinds of places that may be key units (重点单位类别)."""

    MALL = "mall", "商场", "Mall"
    HOTEL = "hotel", "宾馆", "Hotel"
    STADIUM = "stadium", "体育场馆、会堂", "Stadium or hall"
    CINEMA = "cinema", "影剧院", "Cinema or theatre"
    ENTERTAINMENT = "entertainment", "歌舞娱乐场所", "Entertainment"
    GYM = "gym", "健身、洗浴场所", "Gym or bath"
    RESTAURANT = "restaurant", "餐饮场所", "Restaurant"
    HOSPITAL = "hospital", "医院", "Hospital"
    CARE_HOME = "care_home", "养老、儿童福利、残疾人托养机构", "Care home"
    SCHOOL = "school", "寄宿制学校", "Boarding school"
    WAITING_HALL = "waiting_hall", "候车厅", "Waiting hall"
    LIBRARY = "library", "图书馆、展览馆", "Library or exhibition hall"


_MEASURED_BY = {
    KeyPlace.HOTEL: "rooms",
    KeyPlace.HOSPITAL: "beds",
    KeyPlace.CARE_HOME: "beds",
    KeyPlace.SCHOOL: "beds",
}
_SEATED = (KeyPlace.STADIUM, KeyPlace.CINEMA)
_UNITS = {"rooms": ("间", "rooms"), "beds": ("张床位", "beds"), "m2": ("平方米", "m²")}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlaceFacts:
    """A place by what its kind is measured by: rooms, beds or floor area."""

    place: KeyPlace = asked("场所类别", "kind of place")
    rooms: int | None = asked("客房数", "rooms", unit="rooms", default=None)
    area_m2: Decimal | None = asked("建筑面积", "floor area", default=None)
    underground: bool | None = asked(
        "是否设在地下、半地下（商场，不填按地上）", "whether below ground, for a mall; above unless told", default=None
    )
    beds: int | None = asked("床位数", "beds", unit="beds", default=None)
    seats: int | None = asked("座位数", "seats", unit="seats", default=None)

    def __post_init__(self) -> None:
        if self.measure is None and not (self.place in _SEATED and self.seats is not None):
            name = "area_m2" if self.unit == "m2" else self.unit
            raise Refusal("rules.missing_field", field=name, name=name)

    @property
    def unit(self) -> str:
        """This property will name what the kind is measured by."""
        return _MEASURED_BY.get(self.place, "m2")

    @property
    def measure(self) -> int | Decimal | None:
        """This property will give the one measure that decides for this kind."""
        known: dict[str, int | Decimal | None] = {"rooms": self.rooms, "beds": self.beds, "m2": self.area_m2}
        return known[self.unit]


@rule(
    "fire_key_unit",
    number="R30",
    zh="消防安全重点单位界定（北京市）",
    en="Whether a place is a key unit of fire safety",
    rests_on=(
        "fire.mall_m2",
        "fire.mall_underground_m2",
        "fire.hotel_rooms",
        "fire.stadium_m2",
        "fire.cinema_m2",
        "fire.entertainment_m2",
        "fire.gym_m2",
        "fire.restaurant_m2",
        "fire.hospital_beds",
        "fire.care_home_beds",
        "fire.school_beds",
        "fire.waiting_hall_m2",
        "fire.library_m2",
    ),
    gives={"key_unit": ("是否重点单位", "key unit")},
)
def fire_key_unit(facts: KeyPlaceFacts, on: date) -> Ruling:
    """This function will hold a place against the measure of its kind, inclusive.

    Stadiums and cinemas are measured by floor area; so many seats as the limit has square metres need at least that area,
    fewer prove nothing. Source: 北京市消防安全重点单位界定标准（2023年修订）.
    Raises: Refusal `fire.seats_prove_nothing`.
    """
    book = Book(on)
    below = facts.place is KeyPlace.MALL and facts.underground is True
    least = book[f"fire.{facts.place}{'_underground' if below else ''}_{facts.unit}"]
    zh, en = _UNITS[facts.unit]
    measure = facts.measure
    if measure is None:
        seats = facts.seats or 0
        if seats < least:
            raise Refusal("fire.seats_prove_nothing", field="area_m2", least=least)
        reason = Reason(
            "fire_key_unit.by_seats",
            f"{facts.place.zh}以建筑面积 {least:,} 平方米为界；{seats:,} 座所需面积不会更小",
            f"{facts.place.en}: the limit is {least:,} m² of floor; {seats:,} seats need no less",
        )
        return Ruling({"key_unit": True}, (reason,), book.sources)
    key_unit = measure >= least
    reason = Reason(
        "fire_key_unit.reached" if key_unit else "fire_key_unit.below",
        f"{'地下、半地下' if below else ''}{facts.place.zh} {grouped(measure)} {zh}，{'达到' if key_unit else '不足'} {least:,} {zh}（以上含本数）",
        f"{facts.place.en}{' below ground' if below else ''}: {plain(measure)} {en}, {'at least' if key_unit else 'below'} {least:,}",
    )
    return Ruling({"key_unit": key_unit}, (reason,), book.sources)


register(
    "fire.seats_prove_nothing",
    zh="这类场所以建筑面积 {least} 平方米为界，座位数不足以判断，请填建筑面积",
    en="The limit is {least} square metres of floor; so few seats prove nothing, give the floor area",
)
