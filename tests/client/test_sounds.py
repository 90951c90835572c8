"""The client takes sounds to a real server, and listens to what it speaks."""

import pytest

from callsheet.client import ApiError
from voice.audio_files import encode, tone


def test_a_sound_is_uploaded_saved_replaced_and_deleted(client, tmp_path):
    file = tmp_path / "welcome.mp3"
    file.write_bytes(encode(tone(0.5), 44_100, "MP3"))
    sound = client.sounds.upload("Client's welcome", file)
    assert (sound.name, sound.source) == ("Client's welcome", "mp3")
    client.sounds.save(sound.id, tmp_path / "heard.wav")
    assert (tmp_path / "heard.wav").read_bytes().startswith(b"RIFF")
    assert client.sounds.replace(sound.id, encode(tone(1.0), 44_100, "OGG")).source == "ogg"
    assert client.sounds.change(sound.id, name="Client's hello").name == "Client's hello"
    assert sound.id in [one.id for one in client.sounds.list()]
    client.sounds.delete(sound.id)
    with pytest.raises(ApiError):
        client.sounds.get(sound.id)


def test_a_text_is_heard_and_a_service_is_named(client, tmp_path):
    client.speech.save("नमस्ते", tmp_path / "hello.wav", language="hi")
    assert (tmp_path / "hello.wav").stat().st_size > 1000
    body = '{"text": "{{text}}", "key": "{{secret}}"}'
    service = client.speech_services.create("Client's", {"url": "http://127.0.0.1:8443/", "body": body, "secret": "s"})
    assert service.secrets_set == ("secret",)
    changed = client.speech_services.change(service.id, settings={"answer_seconds": 3})
    assert (changed.settings["answer_seconds"], changed.secrets_set) == (3, ("secret",))
    client.speech_services.delete(service.id)
