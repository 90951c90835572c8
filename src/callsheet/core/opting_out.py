"""Whether a reply means STOP."""

from __future__ import annotations

import unicodedata

# Words that revoke consent per se (47 CFR 64.1200(a)(10)), and the carriers' customary list.
_STOP_WORDS = frozenset(
    [
        "stop",
        "stopall",
        "stopp",
        "quit",
        "end",
        "revoke",
        "optout",
        "cancel",
        "unsubscribe",
        "arret",
        "alto",
        "parar",
        "abmelden",
        "baja",
    ]
)


def says_stop(text: str) -> bool:
    """Tell whether a reply opts out: one of the words of the rule, whatever its case, spaces, accents and punctuation.

    The whole reply has to be the word (`Stop.`, `OPT-OUT`, `s t o p`), or begin with STOP, so that "I cannot stop by
    today" is a sentence and "STOP texting me" is not.
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    words = "".join(
        c if c.isalpha() else " " for c in plain if not unicodedata.combining(c) and c.isprintable()
    ).split()
    return "".join(words) in _STOP_WORDS or (bool(words) and words[0] in {"stop", "stopall"})
