"""Audio files as people have them, made by the library that others use."""

import io

import numpy as np
import soundfile


def tone(seconds: float, *, rate: int = 44_100, channels: int = 1, hertz: float = 440.0) -> np.ndarray:
    wave = 0.5 * np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * hertz / rate)
    return np.column_stack([wave] * channels)


def encode(sound: np.ndarray, rate: int, kind: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind, subtype=subtype)
    return file.getvalue()


def decode(wav: bytes) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    assert rate == 8000
    assert samples.ndim == 1
    return samples


def loudest_hertz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * 8000 / len(samples))
