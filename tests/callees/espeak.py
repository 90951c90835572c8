"""Many sentences at once by eSpeak NG, in a child process: speed and pitch differ, which the program never asks for.

As a script it reads a JSON list of sentences from its standard input, and writes each as a length (4 bytes) and
16-bit samples at `RATE`.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from callees.sounds import Samples
from callsheet.voice.speech.espeak_library import Library

RATE = 22_050
SPEED, PITCH = 1, 3


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    voice: str
    words_per_minute: int = 175
    pitch: int = 50
    """0 to 100."""


def say(sentences: Sequence[Sentence]) -> list[Samples]:
    """Return each sentence as samples between -1 and 1 at `RATE`."""
    asked = json.dumps([asdict(sentence) for sentence in sentences]).encode()
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    script = [sys.executable, "-m", "callees.espeak"]
    done = subprocess.run(script, input=asked, capture_output=True, check=True, env=paths)
    said: list[Samples] = []
    at = 0
    for _ in sentences:
        size = int.from_bytes(done.stdout[at : at + 4], "little")
        said.append(np.frombuffer(done.stdout, "<i2", size // 2, at + 4) / 32768.0)
        at += 4 + size
    return said


def speak_all() -> None:
    library = Library(175)
    assert library.rate == RATE, library.rate
    for asked in json.load(sys.stdin):
        # What the library says depends on what it said before, and on dice: each sentence begins at the beginning.
        process = os.fork()
        if process == 0:
            speak(library, Sentence(**asked))
            os._exit(0)
        assert os.waitpid(process, 0)[1] == 0, asked


def speak(library: Library, sentence: Sentence) -> None:
    ctypes.CDLL(None).srand(1)
    assert library.has_voice(sentence.voice), sentence.voice
    for parameter, value in ((SPEED, sentence.words_per_minute), (PITCH, sentence.pitch)):
        assert library._lib.espeak_SetParameter(parameter, value, 0) == 0
    pcm = library.say(sentence.text)
    with os.fdopen(1, "wb", closefd=False) as out:
        out.write(len(pcm).to_bytes(4, "little") + pcm)


if __name__ == "__main__":
    speak_all()
