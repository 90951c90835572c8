"""How well people and machines are told apart, beside Asterisk's own AMD() over real calls, on the same clips.

The clips are synthetic and of the half that nothing was tuned on (`tests/callees/corpus.py`). Asterisk was tuned on the
other half, twice: for the fewest errors in all, and for at most 1 % of the people taken for machines, which is our own
aim. What it is unsure of counts as a person, as with us.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from row import Row

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from callees.beeps import find_beeps  # noqa: E402
from callees.corpus import Clip, Half, clips  # noqa: E402
from callees.scoring import Share, count, score  # noqa: E402
from strangers.asterisk_amd import CAREFUL, FEWEST, STOCK, detect  # noqa: E402

PEOPLE, MACHINES = 500, 200
PEOPLE_AIM, MACHINES_AIM = 0.01, 0.10
MEDIAN_AIM, P95_AIM = 1.6, 2.5
BEEP_AIM = 0.98
CALL_SECONDS = 4.0
"""So long a call is listened to, about."""


def rows() -> Iterator[Row]:
    held_out = clips(Half.held_out, PEOPLE, MACHINES)
    ours = score(held_out)
    people, machines = ours.people_as_machines, ours.machines_as_people
    shares = {
        "people taken for machines": (f"{people}", people.rate, PEOPLE_AIM),
        "the same, upper bound (Wilson, 95 %)": (f"{people.upper:.2%}", people.upper, PEOPLE_AIM),
        "machines taken for people, or unsure": (f"{machines}", machines.rate, MACHINES_AIM),
    }
    for name, (shown, rate, aim) in shares.items():
        yield Row(name, shown, f"aim {aim:.0%}", rate / aim)
    for name, share, aim in (("median", 0.5, MEDIAN_AIM), ("p95", 0.95, P95_AIM)):
        after = ours.within(share)
        yield Row(f"people known after their first word, {name}", f"{after:.2f} s", f"aim {aim} s", after / aim)
    in_time = sum(after <= P95_AIM for after in ours.decided_after) / len(ours.decided_after)
    yield Row(f"people known within {P95_AIM} s", f"{in_time:.1%}", "aim 95%", in_time / 0.95)
    found, false = find_beeps(held_out)
    yield Row("beeps found", f"{found}", f"aim {BEEP_AIM:.0%}", found.rate / BEEP_AIM)
    yield Row("clips with a beep where there is none", f"{false}", "aim 0.5%", false.rate / 0.005)
    each = ours.cpu_seconds / len(held_out)
    yield Row("CPU for 100 calls", f"{100 * each:.2f} s", f"{CALL_SECONDS:.0f} s of audio each", each / CALL_SECONDS)
    yield from beside_asterisk(held_out, people, machines)


def beside_asterisk(held_out: list[Clip], people: Share, machines: Share) -> Iterator[Row]:
    names = {"as it comes": STOCK, "tuned, fewest errors": FEWEST, "tuned, people at most 1 %": CAREFUL}
    all_said = detect(held_out, list(names.values()))
    for name, said in zip(names, all_said, strict=True):
        theirs = count((clip.is_machine, said[clip.name] == "MACHINE") for clip in held_out)
        for what, mine, its in (("people", people, theirs[0]), ("machines", machines, theirs[1])):
            yield Row(f"wrong about {what}; AMD() {name}", f"{mine}", f"{its}", mine.rate / max(its.rate, 1e-9))
        both = people.count + machines.count, theirs[0].count + theirs[1].count
        yield Row(f"wrong in all; AMD() {name}", f"{both[0]}", f"{both[1]}", both[0] / max(both[1], 1))
