"""A speech service by template: what it is asked, what is taken of its answers, and what is refused beforehand."""

import json
from collections.abc import Sequence

import pytest

from callsheet.account import read_account
from callsheet.core.asking import Answer, NotReached, Request
from callsheet.core.errors import Invalid
from callsheet.voice.audio.wave import seconds_of
from callsheet.voice.speech.account import SpeechAccount
from callsheet.voice.speech.base import CannotSpeak, Manner
from callsheet.voice.speech.http import HttpSpeaker
from voice.audio_files import encode, tone

HOUSE = {
    "url": "https://speech.example.com/v1/{{language}}/say",
    "headers": {"Authorization": "Bearer {{secret}}"},
    "body": '{"input": "{{text}}", "voice": "{{voice}}"}',
    "secret": "sk-1",
}
SOUND = encode(tone(0.5, rate=24_000), 24_000, "MP3")


class Service:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, *answers: Answer | NotReached) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def ask(self, request: Request, **limits: object) -> Answer:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, NotReached):
            raise answer
        return answer


def speaker(converter, service: Service, **changes: object) -> HttpSpeaker:
    return HttpSpeaker(read_account(SpeechAccount, {**HOUSE, **changes}), service.ask, converter)


def wrong_fields(**changes: object) -> Sequence[str]:
    with pytest.raises(Invalid) as refused:
        read_account(SpeechAccount, {**HOUSE, **changes})
    return [fault.path for fault in refused.value.fields]


async def test_a_service_is_asked_as_its_template_says_and_no_text_breaks_out(converter):
    service = Service(Answer(200, {}, SOUND))
    wav = await speaker(converter, service).say('Say "hi"\\\n</x>', Manner("hi/IN", "Asha"))
    (request,) = service.asked
    assert abs(seconds_of(wav) - 0.5) < 0.1
    assert (request.method, request.url) == ("POST", "https://speech.example.com/v1/hi%2FIN/say")
    assert request.headers == {"Authorization": "Bearer sk-1", "content-type": "application/json"}
    assert json.loads(request.body) == {"input": 'Say "hi"\\\n</x>', "voice": "Asha"}


async def test_a_get_and_ssml_work_too(converter):
    get, ssml = Service(Answer(200, {}, SOUND)), Service(Answer(201, {}, SOUND))
    url = "https://speech.example.com/say?q={{text}}&key={{secret}}"
    await speaker(converter, get, url=url, method="GET", body="", headers={}).say("a&b", Manner("en"))
    await speaker(
        converter,
        ssml,
        content_type="application/ssml+xml",
        body="<speak><voice name='{{voice}}'>{{text}}</voice></speak>",
    ).say("<b> & 'c'", Manner("en", "V"))
    assert (get.asked[0].url, get.asked[0].body) == ("https://speech.example.com/say?q=a%26b&key=sk-1", None)
    assert ssml.asked[0].body == b"<speak><voice name='V'>&lt;b&gt; &amp; &apos;c&apos;</voice></speak>"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([NotReached("There was no answer.")] * 2, "gave no answer. There was no answer."),
        ([Answer(503, {}, b"")] * 2, "answered 503"),
        ([Answer(401, {}, b"no sk-1")], "answered 401"),
        ([Answer(302, {}, b"")], "answered 302"),
        ([Answer(200, {}, b'{"error": "quota"}')], "cannot be played: This is no audio"),
        ([Answer(200, {}, b"")], "cannot be played: The file is empty."),
    ],
)
async def test_what_no_service_speaks_is_said_and_never_quoted(converter, answers, said):
    service = Service(*answers)
    with pytest.raises(CannotSpeak, match=said) as refused:
        await speaker(converter, service).say("Hello", Manner("en"))
    assert "sk-1" not in str(refused.value)
    assert not service.answers


async def test_what_passes_is_tried_once_more(converter):
    service = Service(Answer(429, {}, b""), Answer(200, {}, SOUND))
    assert await speaker(converter, service).say("Hello", Manner("en"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://speech.example.com/{{text}}"}, "settings.url"),
        ({"url": "https://{{voice}}.example.com/say"}, "settings.url"),
        ({"url": "https://speech.example.com/say?api_key=abc"}, "settings.url"),
        ({"url": "https://speech.example.com/{{number}}"}, "settings.url"),
        ({"headers": {"Authorization": "Bearer abc"}}, "settings.headers"),
        ({"headers": {"X-Text": "{{text}}"}}, "settings.headers"),
        ({"headers": {"Host": "elsewhere"}}, "settings.headers"),
        ({"headers": {"X": "a\r\nb"}}, "settings.headers"),
        ({"body": "{"}, "settings.body"),
        ({"body": '{"input": {{text}}}'}, "settings.body"),
        ({"body": "{}"}, "settings.body"),
        ({"body": '{"password": "abc", "input": "{{text}}"}'}, "settings.body"),
        ({"method": "GET"}, "settings.body"),
        ({"method": "GET", "body": ""}, "settings.url"),
        ({"secret": ""}, "settings.secret"),
        ({"secret": "ключ"}, "settings.secret"),
        ({"headers": {}}, "settings.secret"),
        ({"answer_seconds": 0}, "settings.answer_seconds"),
        ({"voice": "x"}, "settings.voice"),
    ],
)
def test_a_template_that_cannot_work_is_refused_by_its_field(changes, field):
    assert wrong_fields(**changes)[0].startswith(field)


def test_sounds_of_another_template_are_others_and_a_new_secret_changes_nothing():
    def key(**changes: object) -> str:
        return HttpSpeaker(read_account(SpeechAccount, {**HOUSE, **changes}), None, None).key  # type: ignore[arg-type]

    assert key() == key(secret="sk-2", answer_seconds=3) != key(url="https://other.example.com/say")


def test_a_secret_may_be_named_where_it_would_stand():
    body = '{"text": "{{text}}", "api_key": "{{secret}}", "key": "{{ secret }}"}'
    account = read_account(SpeechAccount, {**HOUSE, "headers": {}, "body": body})
    values = {"text": "a", "secret": "b"}
    assert json.loads(account.write_body(values)) == {"text": "a", "api_key": "b", "key": "b"}
