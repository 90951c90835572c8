import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callees.line import CODECS, lose, to_pcm
from callees.sounds import RATE, dtmf, hiss, ringback, silence, special_information, tone
from callsheet.voice.detection import Beep, BeepFinder


def beeps(*sounds, chunk: int = 320) -> list[Beep]:
    pcm = to_pcm(np.concatenate(sounds))
    finder = BeepFinder()
    return [found for at in range(0, len(pcm), chunk) if (found := finder.feed(pcm[at : at + chunk]))]


@pytest.mark.parametrize("hz", [360, 440, 620, 850, 1000, 1050, 1400, 1633, 2000, 2180])
@pytest.mark.parametrize("seconds", [0.14, 0.3, 0.6, 1.1])
def test_a_beep_is_found_soon_after_its_end(hz, seconds):
    (beep,) = beeps(silence(1.0), tone((hz,), seconds), silence(1.0))

    assert abs(beep.hz - hz) < 10
    assert abs(beep.started_at - 1.0) < 0.06
    assert abs(beep.ended_at - (1.0 + seconds)) < 0.06
    assert beep.ended_at < beep.found_at <= 1.0 + seconds + 0.5


@pytest.mark.parametrize(
    "sound",
    [
        dtmf([(697, 1209), (770, 1336), (852, 1477), (941, 1633)]),
        special_information(),
        ringback(7.0),
        np.concatenate([tone((400, 450), 0.4), silence(0.2), tone((400, 450), 0.4)]),
        np.concatenate([tone((425,), 1.0), silence(4.0)]),
        np.concatenate([tone((1100,), 0.5), silence(3.0), tone((1100,), 0.5)]),
        tone((2100,), 1.0),
        tone((1000,), 0.08),
        tone((1000,), 1.6),
        tone((480, 620), 0.5),
        np.sin(2 * np.pi * np.cumsum(np.linspace(500, 2000, RATE)) / RATE) * 0.2,
        hiss(np.random.default_rng(1), RATE * 5) * 0.1,
        silence(5.0),
    ],
    ids=["keys", "announcement", "ringing", "ringing-400-450", "ringing-425", "fax-calls", "fax-answers", "click",
         "long", "busy", "siren", "hiss", "silence"],
)  # fmt: skip
def test_other_sounds_are_no_beeps(sound):
    assert beeps(silence(1.0), sound, silence(1.0)) == []


def test_a_melody_is_no_beep():
    assert beeps(silence(0.5), tone((800,), 0.3), tone((1000,), 0.3), tone((1200,), 0.3), silence(1.0)) == []


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.__name__)
@pytest.mark.parametrize("loss", [0.0, 0.03])
def test_beeps_come_through_noise_codecs_and_loss(codec, loss):
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(40):
        sound = np.concatenate([silence(1.0), tone((rng.uniform(450, 1080),), rng.uniform(0.2, 0.9)), silence(1.0)])
        heard = lose(codec(sound + hiss(rng, len(sound)) * 0.01, rng), rng, loss)
        pcm, finder = to_pcm(heard), BeepFinder()
        found += sum(finder.feed(pcm[at : at + 320]) is not None for at in range(0, len(pcm), 320))

    assert found >= 38


@settings(max_examples=30)
@given(st.integers(1, 3000))
def test_beeps_are_the_same_in_any_portions(chunk):
    sounds = (silence(0.3), tone((700,), 0.4), silence(0.8))

    assert beeps(*sounds, chunk=chunk) == beeps(*sounds)
