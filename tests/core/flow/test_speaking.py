"""What a flow says in calls to everybody in the same words, and what speech calls its languages."""

from typing import Any

from callsheet.core.flow.document import Container
from callsheet.core.flow.reading import read
from callsheet.core.flow.speaking import constant_prompts, is_url, language_named, sounds_named
from flow_documents import block, document, say, way

LANGUAGES = [
    {"id": "1", "iso_639_3": "eng", "label": "English"},
    {"id": "2", "iso_639_3": "hin", "bcp_47": "hi-IN", "label": "Hindi"},
]


def resource(uuid: str, *values: tuple[str, str, str]) -> dict[str, Any]:
    said = [{"language_id": lang, "content_type": kind, "value": text, "modes": ["IVR"]} for lang, kind, text in values]
    return {"uuid": uuid, "values": said}


def made(*blocks: dict[str, Any], resources: tuple[dict[str, Any], ...] = (), languages: Any = LANGUAGES) -> Container:
    whole = document(*blocks)
    whole["flows"][0] |= {"languages": languages, "supported_modes": ["IVR"]}
    return read({**whole, "resources": list(resources)})


def test_each_language_is_called_as_speech_knows_it():
    container = made(say("a", "Hello"))
    assert [language_named(container, said) for said in ("1", "2", "", "fra")] == ["eng", "hi-IN", "", "fra"]


def test_what_is_said_to_everybody_is_found_once_in_each_language():
    greeting = resource("r", ("1", "TEXT", "Hello"), ("2", "TEXT", "नमस्ते"))
    jingle = resource("j", ("", "AUDIO", "Jingle"))
    personal = resource("p", ("1", "TEXT", "Hello @contact.name"), ("2", "TEXT", "नमस्ते <First Name>"))
    container = made(
        *(say(uuid, prompt) for uuid, prompt in (("a", "r"), ("b", "r"), ("c", "j"), ("d", "p"))),
        resources=(greeting, jingle, personal),
    )
    found = [(prompt.text, prompt.audio, language) for prompt, language in constant_prompts(container)]
    assert found == [("Hello", "", "eng"), ("", "Jingle", "eng"), ("नमस्ते", "", "hi-IN"), ("", "Jingle", "hi-IN")]


def test_questions_choices_and_keys_are_said_too_and_notes_and_instructions_are_not():
    question = block(
        "q",
        "MobilePrimitives.SelectOneResponse",
        way(None, default=True),
        question_prompt="Which one?",
        choices=[{"name": "tea", "prompt": "Tea"}, {"name": "coffee"}],
        digit_prompts=["Press 1", "Press 2"],
    )
    log = block("l", "Core.Log", way(None, default=True), message="A note")
    container = made(question, log, languages=[])
    texts = {prompt.text for prompt, language in constant_prompts(container)}
    assert {"Which one?", "Tea", "coffee", "Press 1", "Press 2"} <= texts
    assert "A note" not in texts
    assert {language for _, language in constant_prompts(container)} == {""}


def test_the_recordings_that_a_document_names_are_found():
    container = made(say("a", "j"), resources=(resource("j", ("1", "AUDIO", "Jingle"), ("2", "TEXT", "Hi")),))
    assert sounds_named(container) == {"Jingle"}
    assert [is_url(said) for said in ("https://example.com/a.wav", "file:///a.wav", "Jingle", "a/b.wav")] == [
        True, True, False, False,
    ]  # fmt: skip
