from collections.abc import AsyncIterator

import pytest

from callsheet.voice.audio.converter import Converter
from callsheet.voice.speech.espeak import Espeak


@pytest.fixture
async def converter() -> AsyncIterator[Converter]:
    converter = Converter()
    yield converter
    await converter.close()


@pytest.fixture
async def espeak(converter) -> AsyncIterator[Espeak]:
    espeak = Espeak(converter)
    yield espeak
    await espeak.close()
