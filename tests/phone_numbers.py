"""Valid phone numbers in any amount, for tests and benchmarks: they are parsed and validated, never dialed.

The ranges below are wholly valid for libphonenumber. Only the North American 555-01xx are set aside for fiction
(`US-fictional`); the others may belong to somebody, so nothing here may ever meet a real carrier.
"""

import random
from typing import NamedTuple


class Range(NamedTuple):
    region: str
    zones: frozenset[str]
    free_digits: int
    prefixes: tuple[str, ...]


def _range(region: str, zones: str, free_digits: int, prefixes: str) -> Range:
    return Range(region, frozenset(zones.split()), free_digits, tuple(prefixes.split()))


def _exchanges(*area_codes: int) -> str:
    """In North America the exchange begins with 2 to 9."""
    return " ".join(f"+1{area_code}{digit}" for area_code in area_codes for digit in range(2, 10))


RANGES = {
    "US-Eastern": _range("US", "America/New_York", 6, _exchanges(212, 305, 404, 617)),
    "US-Central": _range("US", "America/Chicago", 6, _exchanges(312, 713)),
    "US-Mountain": _range("US", "America/Denver", 6, _exchanges(505, 801)),
    "US-Arizona": _range("US", "America/Phoenix", 6, _exchanges(480, 602)),
    "US-Pacific": _range("US", "America/Los_Angeles", 6, _exchanges(206, 213, 415)),
    "US-Hawaii": _range("US", "Pacific/Honolulu", 6, _exchanges(808)),
    "US-two-zones": _range("US", "America/Chicago America/New_York", 6, _exchanges(850)),
    "US-fictional": _range("US", "America/New_York", 2, "+121255501 +130555501 +140455501 +161755501 +120255501"),
    "CA-Toronto": _range("CA", "America/Toronto", 6, _exchanges(416)),
    "IN": _range("IN", "Asia/Kolkata", 8, "+9198 +9199 +9187"),
    "GB": _range("GB", "Europe/London", 6, "+447400 +447710 +447810"),
    "DE": _range("DE", "Europe/Berlin", 8, "+49151"),
    "FR": _range("FR", "Europe/Paris", 7, "+3361 +3362"),
    "AE": _range("AE", "Asia/Dubai", 7, "+97150"),
    "SG": _range("SG", "Asia/Singapore", 6, "+6581 +6591"),
    "NP": _range("NP", "Asia/Kathmandu", 7, "+977984"),
    "BR-SaoPaulo": _range("BR", "America/Sao_Paulo", 8, "+55119"),
    "AU-Sydney": _range("AU", "Australia/Sydney", 7, "+6128 +6129"),
    "AU-LordHowe": _range("AU", "Australia/Lord_Howe", 3, "+61265080 +61265081 +61265082 +61265099 +61255053"),
    "NZ-Chatham": _range("NZ", "Pacific/Chatham", 4, "+643305"),
    "WS": _range("WS", "Pacific/Apia", 5, "+68572"),
    "LB": _range("LB", "Asia/Beirut", 6, "+96171"),
    "EG": _range("EG", "Africa/Cairo", 8, "+2010"),
}


def numbers(region: str, count: int, seed: int = 0, ending: str | None = None) -> list[str]:
    """Return distinct valid numbers of a range of `RANGES`, the same ones for the same seed.

    With `ending` all of them end in those four digits, which the sandbox carrier reads as an instruction.
    """
    found = RANGES[region]
    free = found.free_digits
    prefixes = found.prefixes
    if ending is not None:
        given = max(0, len(ending) - free)  # digits of the ending that the prefix itself has to have
        prefixes = tuple(prefix for prefix in prefixes if prefix.endswith(ending[:given]))
        ending = ending[given:]
        free -= len(ending)
    size = 10**free
    if count > size * len(prefixes):
        raise ValueError(f"{region} has no {count} such numbers")
    drawn = random.Random(seed).sample(range(size * len(prefixes)), count)
    tail = f"0{free}d" if free else ""
    return [prefixes[index // size] + (format(index % size, tail) if free else "") + (ending or "") for index in drawn]
