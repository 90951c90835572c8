"""What came of a call."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What came of a call. The words are the codes of its attempt's events."""

    human = "human"
    """A person answered, or nobody looked for a machine."""
    unsure = "unsure"
    """Somebody answered, and nobody can tell who: it counts as a person."""
    machine = "machine"
    busy = "busy"
    no_answer = "no_answer"
    """It rang until we gave up, or the network says that nobody is there."""
    rejected = "rejected"
    """The callee, or their phone, turned the call away."""
    invalid_number = "invalid_number"
    trunk_failed = "trunk_failed"
    """The trunk did not carry the call: that is not the contact's fault, and costs no attempt."""
    cancelled = "cancelled"
    """We took the call back while it rang."""
    lost = "lost"
    """It was answered, and then what carried it, or led it, broke: nobody was told all that they were to be told."""
    uncertain = "uncertain"
    """Nobody knows whether it rang, or was answered."""
