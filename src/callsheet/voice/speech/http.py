"""A speech service over HTTP as a speaker. It is asked through the fence, as every URL that somebody gave us."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Final

from callsheet.core.asking import Answer, Ask, NotReached, Request
from callsheet.core.filling import fill, in_header, in_url
from callsheet.voice.audio.converter import Converter
from callsheet.voice.audio.question import MOST_BYTES, Refused
from callsheet.voice.speech.account import Method, SpeechAccount
from callsheet.voice.speech.base import MOST_CHARACTERS, CannotSpeak, Manner

TRIES: Final = 2
"""A text that is spoken twice harms nobody."""
_TOO_LONG: Final = f"At most {MOST_CHARACTERS:,} characters are spoken at once."
_NOT_A_SOUND: Final = "What the speech service answered cannot be played:"


class HttpSpeaker:
    """Speaks by a service."""

    def __init__(self, account: SpeechAccount, ask: Ask, converter: Converter) -> None:
        self._account = account
        self._ask = ask
        self._converter = converter
        # Whatever of the account changes, its sounds may be others then: all but the secret and the patience.
        said = account.model_dump_json(exclude={"secret", "answer_seconds"})
        self.key = f"http-{hashlib.sha256(said.encode()).hexdigest()[:32]}"

    async def say(self, text: str, manner: Manner) -> bytes:
        """Return a WAV file: 8 kHz, mono, 16 bits. Raises CannotSpeak."""
        if len(text) > MOST_CHARACTERS:
            raise CannotSpeak(_TOO_LONG)
        converted = await self._converter.convert(await self._sound(self._request(text, manner)))
        if isinstance(converted, Refused):
            raise CannotSpeak(f"{_NOT_A_SOUND} {converted.why}")
        return converted.wav

    def _request(self, text: str, manner: Manner) -> Request:
        account = self._account
        secret = account.secret.get_secret_value()
        values = {"text": text, "voice": manner.voice, "language": manner.language, "secret": secret}
        headers = {name: fill(value, values, in_header) for name, value in account.headers.items()}
        body = None
        if account.method is Method.post:
            body = account.write_body(values)
            headers["content-type"] = account.content_type.value
        return Request(account.method.value, fill(account.url, values, in_url), headers, body)

    async def _sound(self, request: Request) -> bytes:
        for _ in range(TRIES):
            try:
                answer = await self._ask(request, seconds=self._account.answer_seconds, most_bytes=MOST_BYTES)
            except NotReached as error:
                why = f"The speech service gave no answer. {error}"
                continue
            if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return answer.body
            why = f"The speech service answered {answer.status}."
            if not _is_passing(answer):
                break
        raise CannotSpeak(why)


def _is_passing(answer: Answer) -> bool:
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
