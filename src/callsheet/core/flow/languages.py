"""Languages as contacts have them, beside those that flows speak: `hi`, `hi-IN`, `hin` and `Hindi` are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from callsheet.core.flow.document import Flow

# ISO 639-3, and where it has another one the bibliographic code of ISO 639-2; ISO 639-1; the English name.
_KNOWN: Final = """
eng en English|hin hi Hindi|ben bn Bengali|tel te Telugu|mar mr Marathi|tam ta Tamil|guj gu Gujarati|kan kn Kannada
mal ml Malayalam|ori or Odia|pan pa Punjabi|asm as Assamese|urd ur Urdu|nep ne Nepali|sin si Sinhala|ara ar Arabic
fas fa Persian|per fa Persian|zho zh Chinese|chi zh Chinese|jpn ja Japanese|kor ko Korean|vie vi Vietnamese|tha th Thai
ind id Indonesian|msa ms Malay|may ms Malay|fil tl Filipino|mya my Burmese|bur my Burmese|khm km Khmer|lao lo Lao
spa es Spanish|por pt Portuguese|fra fr French|fre fr French|deu de German|ger de German|ita it Italian|nld nl Dutch
dut nl Dutch|pol pl Polish|rus ru Russian|ukr uk Ukrainian|tur tr Turkish|ell el Greek|gre el Greek|heb he Hebrew
swe sv Swedish|nor no Norwegian|dan da Danish|fin fi Finnish|ces cs Czech|cze cs Czech|slk sk Slovak|slo sk Slovak
hun hu Hungarian|ron ro Romanian|rum ro Romanian|bul bg Bulgarian|hrv hr Croatian|srp sr Serbian|slv sl Slovenian
est et Estonian|lav lv Latvian|lit lt Lithuanian|swa sw Swahili|hau ha Hausa|yor yo Yoruba|ibo ig Igbo|zul zu Zulu
xho xh Xhosa|afr af Afrikaans|amh am Amharic|som so Somali|aka ak Akan|wol wo Wolof
"""


def _names() -> Iterable[tuple[str, frozenset[str]]]:
    for said in _KNOWN.strip().replace("\n", "|").split("|"):
        code, short, name = said.split()
        yield code, frozenset({code, short, name.casefold()})


NAMES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(dict(_names()))
"""What a language is called, by its code of ISO 639-3."""


@lru_cache(maxsize=256)
def names_of(*said: str) -> frozenset[str]:
    """Return all names of a language that is called so."""
    known = {each.strip().casefold() for each in said} - {""}
    return frozenset(known).union(*(NAMES.get(name, ()) for name in known))


def plain_name(said: str) -> str:
    """Return a language without its country: `hi` of `hi-IN`, `hi_IN`."""
    return said.strip().casefold().replace("_", "-").split("-")[0]


def choose_language(flow: Flow, wanted: str) -> str:
    """Return the id of the language that a flow speaks with a contact: as the contact has it, else its first one.

    `hi`, `hi-IN`, `hin` and `Hindi` are the same.
    """
    found = find_language(flow, wanted)
    if found is not None:
        return found
    return flow.languages[0].id if flow.languages else ""


def find_language(flow: Flow, wanted: str) -> str | None:
    """Return the id of the language of a flow that is called so; None: it does not speak it."""
    for said in dict.fromkeys((wanted.strip().casefold(), plain_name(wanted))) if wanted.strip() else ():
        for language in flow.languages:
            if said in names_of(language.id, language.code, language.label, language.tag):
                return language.id
    return None
