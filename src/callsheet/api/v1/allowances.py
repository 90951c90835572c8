"""What a trunk or a sender may send: shared by the bodies of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StrictInt, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from callsheet.account import Written
from callsheet.api.v1.shapes import Body
from callsheet.core.allowance import UTC_ZONE, Allowance, CarrierClass, bucket_of_class, buckets_of
from callsheet.core.day_use import Today, capped
from callsheet.core.phone import known_region
from callsheet.core.wording import AMISS
from callsheet.core.zones import zone_named
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App

_FASTEST = 100_000
_MOST_A_DAY = 1_000_000_000
_MOST_CLASSES = 50
_MOST_PREFIXES = 2_000
_MOST_COUNTRIES = 300
_TAKEN = "Another class has this name already."

Rate = Annotated[float, Field(gt=0, le=_FASTEST, allow_inf_nan=False, strict=True)]
PerDay = Annotated[StrictInt, Field(ge=1, le=_MOST_A_DAY)]


def _zone(text: str) -> str:
    found = zone_named(text)
    if found is None:
        raise ValueError("This is not the name of a time zone, such as America/Los_Angeles")
    return found


def _region(text: str) -> str:
    region = text.strip().upper()
    if not known_region(region):
        raise ValueError("This is not a region with phone numbers of its own, such as IN or US")
    return region


Zone = Annotated[str, AfterValidator(_zone)]
Region = Annotated[str, AfterValidator(_region)]
Prefix = Annotated[str, Written(r"^\+[0-9]{1,15}$", "Give + and the first digits of numbers, such as +1415.")]


class NewClass(Body):
    """Destinations with limits of their own: a network, a country."""

    name: Annotated[str, Written(r"^[A-Za-z0-9_.-]{1,48}$", "Give a name of 1 to 48 letters, digits, _, . or -.")]
    """For those who look at it; each class has its own."""
    prefixes: Annotated[list[Prefix], Field(max_length=_MOST_PREFIXES)] = Field(default_factory=list)
    """Beginnings of numbers in E.164, such as `+1415`. The longest that fits counts."""
    countries: Annotated[list[Annotated[str, AfterValidator(_region)]], Field(max_length=300)] = Field(
        default_factory=list
    )
    """Regions (ISO 3166-1 alpha-2), of numbers that no prefix fits."""
    segments_per_second: Rate | None = None
    """Segments in a second to all of them; null: no limit."""
    segments_per_day: PerDay | None = None
    """Segments in a day to all of them; null: no limit."""


def _apart(classes: list[NewClass]) -> list[NewClass]:
    """Refuse classes with the same name."""
    names = [one.name for one in classes]
    details: list[InitErrorDetails] = [
        {"type": PydanticCustomError(AMISS, "{said}", {"said": _TAKEN}), "loc": (i, "name"), "input": None}
        for i, name in enumerate(names)
        if name in names[:i]
    ]
    if details:
        raise ValidationError.from_exception_data("classes", details)
    return classes


class Limits(Body):
    """What limits a trunk or a sender."""

    segments_per_second: Rate | None = None
    """Message segments in a second; null: as many as the carrier takes."""
    segments_per_day: PerDay | None = None
    """Message segments in a day; null: any number. Who comes later waits until the next day."""
    reset_zone: Zone = UTC_ZONE
    """In which zone a day begins at midnight."""
    classes: Annotated[list[NewClass], Field(max_length=_MOST_CLASSES), AfterValidator(_apart)] = Field(
        default_factory=list
    )
    """Destinations with limits of their own, besides these."""


class ShownUse(BaseModel):
    """What is left of a day."""

    segments_per_day: int | None
    used_today: int | None
    """Segments that were reserved of the present day of `segments_per_day`; null: it has no such limit."""
    left_today: int | None
    """How many are left of it."""


class ShownClass(ShownUse):
    """Destinations with limits of their own."""

    name: str
    prefixes: list[str]
    countries: list[str]
    segments_per_second: float | None


class ShownLimits(ShownUse):
    """What limits a trunk or a sender."""

    segments_per_second: float | None
    reset_zone: str
    classes: list[ShownClass]


def changed_allowance(before: Allowance, body: Limits) -> Allowance:
    """Return what a trunk or a sender may send after a change; what the body does not name stays."""
    chosen: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set & set(Limits.model_fields)}
    if "classes" in chosen:
        chosen["classes"] = tuple(_class(one) for one in body.classes)
    return replace(before, **chosen)


async def find_todays(runtime: Runtime, app: App, limited: Iterable[tuple[str, Allowance]]) -> Mapping[str, Today]:
    """Return what is left today of each cap: of trunks or senders by their ids, of classes by their buckets' names."""
    caps = capped(
        bucket
        for owner, allowance in limited
        for bucket in (
            *buckets_of(owner, allowance),
            *(bucket_of_class(owner, allowance, one) for one in allowance.classes),
        )
    )
    found = await runtime.store.day_uses.of(app.no, caps, runtime.clock.now())
    return {cap.name: today for cap, today in found.items()}


def show_limits(owner: str, allowance: Allowance, todays: Mapping[str, Today]) -> Mapping[str, Any]:
    """Return the fields of `ShownLimits` of a trunk or a sender; `todays` are those of `find_todays`."""
    return {
        **_use(allowance.segments_per_day, todays.get(owner)),
        "segments_per_second": allowance.segments_per_second,
        "reset_zone": allowance.reset_zone,
        "classes": [
            ShownClass(
                name=one.name,
                prefixes=list(one.prefixes),
                countries=list(one.countries),
                segments_per_second=one.segments_per_second,
                **_use(one.segments_per_day, todays.get(bucket_of_class(owner, allowance, one).name)),
            )
            for one in allowance.classes
        ],
    }


def _use(segments_per_day: int | None, today: Today | None) -> Mapping[str, int | None]:
    """Return the fields of `ShownUse`."""
    used, left = (today.used, today.left) if today is not None else (None, None)
    return {"segments_per_day": segments_per_day, "used_today": used, "left_today": left}


def _class(one: NewClass) -> CarrierClass:
    prefixes, countries = tuple(one.prefixes), tuple(one.countries)
    return CarrierClass(one.name, prefixes, countries, one.segments_per_second, one.segments_per_day)
