"""The library eSpeak NG, by ctypes. It has one state for the whole process, so it lives in a child process.

Every call's return code is looked at: a voice that is not there leaves the one of before. Signatures and figures are
those of `speak_lib.h`, version 1.52.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from typing import Final

import espeakng_loader

_SYNCHRONOUS: Final = 2
_KEEP_PROCESS: Final = 0x8000
"""Do not end the process when the data is not there."""
_RATE_PARAMETER: Final = 1
_UTF8: Final = 1
_BY_CHARACTER: Final = 1
_OK: Final = 0
_LEAST_WORDS, _MOST_WORDS = 80, 450

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        # One octet of priority, the language, a zero; again; and a zero at the end.
        ("languages", ctypes.POINTER(ctypes.c_char)),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class LibraryError(Exception):
    """The library says no."""


class Library:
    """The library, begun."""

    def __init__(self, words_per_minute: int) -> None:
        """Begin. Raises OSError and LibraryError."""
        self._lib = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        data = espeakng_loader.get_data_path().encode()
        self.rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, 0, data, _KEEP_PROCESS)
        """Samples in a second."""
        if self.rate <= 0:
            raise LibraryError("It does not begin.")
        self._samples = bytearray()
        # The library keeps its address and nobody else keeps the object.
        self._callback = _Callback(self._take)
        self._lib.espeak_SetSynthCallback(self._callback)
        words = max(_LEAST_WORDS, min(words_per_minute, _MOST_WORDS))
        self._check(self._lib.espeak_SetParameter(_RATE_PARAMETER, words, 0))

    def voices(self) -> Mapping[str, str]:
        """Return the voice of each language: the one that says first that it speaks it."""
        found: dict[str, tuple[int, str]] = {}
        listed = self._lib.espeak_ListVoices(None)
        place = 0
        while listed[place]:
            voice = listed[place].contents
            for priority, language in _languages(voice.languages):
                if priority < found.get(language, (256, ""))[0]:
                    found[language] = priority, voice.identifier.decode()
            place += 1
        return {language: identifier for language, (_, identifier) in found.items()}

    def has_voice(self, voice: str) -> bool:
        """Take a voice from now on, and tell whether there is such a one."""
        return bool(self._lib.espeak_SetVoiceByName(voice.encode("utf-8", "replace")) == _OK)

    def say(self, text: str) -> bytes:
        """Return samples of 16 bits at `rate`. Raises LibraryError."""
        said = text.replace("\0", " ").encode("utf-8", "replace")
        self._samples = bytearray()
        synth = self._lib.espeak_Synth
        self._check(synth(said, len(said) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None))
        self._check(self._lib.espeak_Synchronize())
        return bytes(self._samples)

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _: int | None) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        return 0

    def _check(self, code: int) -> None:
        if code != _OK:
            raise LibraryError(f"It answered {code}.")


def _languages(listed: ctypes._Pointer[ctypes.c_char]) -> Iterator[tuple[int, str]]:
    place = 0
    while listed and (priority := ord(listed[place])):
        end = place + 1
        while listed[end] != b"\0":
            end += 1
        yield priority, b"".join(listed[at] for at in range(place + 1, end)).decode()
        place = end + 1
