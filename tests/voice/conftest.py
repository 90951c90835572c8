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
async def espeak() -> AsyncIterator[Espeak]:
    espeak = Espeak()
    yield espeak
    await espeak.close()
