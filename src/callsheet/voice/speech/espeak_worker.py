"""Worker: the process in which eSpeak NG lives. It knows nothing but the texts that it speaks, and keeps none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from callsheet.voice.audio.wave import write_wav
from callsheet.voice.child.serving import serve
from callsheet.voice.speech.espeak_question import Asked, Silent, Spoken, read_asked, write
from callsheet.voice.speech.voices import find_voice, named_voice

CPU_SECONDS: Final = 10.0
"""Five thousand characters take half a second."""
WORDS_PER_MINUTE: Final = 155
"""Over a telephone people follow somewhat less than in a room."""
_MEMORY_BYTES: Final = 1024**3
_NO_SOUND: Final = "There is nothing in the text that can be spoken."


def main() -> None:
    """Speak until nobody asks any more."""
    serve(_make, cpu_seconds=CPU_SECONDS, memory_bytes=_MEMORY_BYTES)


def _make() -> Callable[[bytes], bytes]:
    # Loaded behind the bounds, and in this process alone.
    from callsheet.voice.audio.resampling import resample  # noqa: PLC0415
    from callsheet.voice.speech.espeak_library import Library  # noqa: PLC0415

    library = Library(WORDS_PER_MINUTE)
    voices = library.voices()

    def answer(asked: Asked) -> Spoken | Silent:
        voice = named_voice(voices, asked.voice) if asked.voice else find_voice(voices, asked.language)
        if voice is None:
            return Silent(f"The built-in speech has no voice for the language {asked.language[:40]}.")
        if not library.has_voice(voice):
            return Silent(f"The built-in speech has no voice {asked.voice[:40]}.")
        if not asked.text.strip():
            return Silent(_NO_SOUND)
        samples = library.say(asked.text)
        return Spoken(write_wav(resample(samples, library.rate))) if samples else Silent(_NO_SOUND)

    return lambda body: write(answer(read_asked(body)))


if __name__ == "__main__":
    main()
