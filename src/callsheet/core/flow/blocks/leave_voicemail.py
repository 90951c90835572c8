"""`Callsheet.LeaveVoicemail`: waits for the beep of a machine, says something, and hangs up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from callsheet.core.flow.blocks.kind import End, Fail, Finding, Look, Outcome, Passing, Turn
from callsheet.core.flow.document import Block, Json, Reader, Resource
from callsheet.core.flow.effects import AwaitBeep, EndCall
from callsheet.core.flow.session import Ending, Mode

LEAVE_VOICEMAIL: Final = "Callsheet.LeaveVoicemail"
USUAL_SECONDS: Final = 30.0
MOST_SECONDS: Final = 120
NO_CALL: Final = "A voicemail is left in a call only."
_NEVER: Final = "The flow is not made for calls: this block is left by its default exit."


@dataclass(frozen=True, slots=True)
class Voicemail:
    """What is left."""

    prompt: Resource | None
    longest_wait_seconds: float
    """It is said after so long, whether a beep came or not."""


class LeaveVoicemail(Passing):
    """A voicemail."""

    def read(self, config: Json, reader: Reader) -> Voicemail:
        """Return what is left."""
        said = config.get("longest_wait_seconds")
        return Voicemail(reader.resource(config.get("prompt")), float(said) if _is_wait(said) else USUAL_SECONDS)  # type: ignore[arg-type]

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find what is wrong with prompt and wait."""
        yield from look.prompt(config, "prompt", at)
        said = config.get("longest_wait_seconds")
        if said is not None and not _is_wait(said):
            yield Finding(f"{at}.longest_wait_seconds", f"Give seconds, from 1 to {MOST_SECONDS}.")
        if not look.has_mode(Mode.ivr):
            yield Finding(at, _NEVER, is_warning=True)

    def enter(self, turn: Turn, block: Block) -> Outcome:
        """Wait, say it, and hang up."""
        if turn.mode is not Mode.ivr:
            return Fail(NO_CALL)
        voicemail: Voicemail = block.config
        turn.do(AwaitBeep(block.uuid, voicemail.longest_wait_seconds))
        turn.say(voicemail.prompt)
        turn.do(EndCall())
        return End(Ending.done)


def _is_wait(said: object) -> bool:
    return isinstance(said, int | float) and not isinstance(said, bool) and 1 <= said <= MOST_SECONDS
