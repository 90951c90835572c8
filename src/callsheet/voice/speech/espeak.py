"""The built-in speech: eSpeak NG, in a process of its own."""

from __future__ import annotations

from typing import Final

from callsheet.voice.child.process import Child, ChildBroke
from callsheet.voice.speech.base import MOST_CHARACTERS, CannotSpeak, Manner
from callsheet.voice.speech.espeak_question import Asked, Silent, read_answer, write
from callsheet.voice.speech.espeak_worker import WORDS_PER_MINUTE

WORKER: Final = "callsheet.voice.speech.espeak_worker"
_BROKE: Final = "The built-in speech broke over this text."
_TOO_LONG: Final = f"At most {MOST_CHARACTERS:,} characters are spoken at once."


class Espeak:
    """Speaks what nobody made a service known for."""

    key = f"espeak-1.52-{WORDS_PER_MINUTE}"

    def __init__(self) -> None:
        self.child = Child(WORKER)
        self.close = self.child.close

    async def say(self, text: str, manner: Manner) -> bytes:
        """Return a WAV file: 8 kHz, mono, 16 bits. Raises CannotSpeak."""
        if len(text) > MOST_CHARACTERS:
            raise CannotSpeak(_TOO_LONG)
        question = Asked(text.encode("utf-8", "replace").decode(), manner.language, manner.voice)
        try:
            answer = read_answer(await self.child.ask(write(question)))
        except ChildBroke:
            raise CannotSpeak(_BROKE) from None
        if isinstance(answer, Silent):
            raise CannotSpeak(answer.why)
        return answer.wav
