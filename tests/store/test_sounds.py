"""Sounds and speech services in the store: one of a name, found as flows call them, and each app has its own."""

import asyncio
from dataclasses import replace

import pytest

from callsheet.core.campaign import MessagePlan
from callsheet.core.errors import LimitReached, NameTaken
from callsheet.store import sounds
from callsheet.store.rows import DAMAGE
from callsheet.store.sounds import Audio
from databases import change
from factories import make_app, make_campaign, make_list

JINGLE = Audio(b"RIFF-1", "1" * 64, 500, "wav")
OTHER = Audio(b"RIFF-2", "2" * 64, 700, "mp3")


async def test_of_many_that_come_at_once_with_one_name_one_comes_to_be(place, store, app, clock):
    stores = [store, await place.open() if place.kind == "postgres" else store]
    names = ("Spring", "SPRING", " spring ")
    for create in (
        lambda one, name: one.sounds.create(app.no, name, JINGLE, clock.now()),
        lambda one, name: one.speech_services.create(app.no, name, {}, {}, clock.now()),
    ):
        made = await asyncio.gather(*(create(one, name) for one in stores for name in names), return_exceptions=True)
        assert [type(one) for one in made if isinstance(one, BaseException)] == [NameTaken] * 5


async def test_a_sound_is_found_as_flows_call_it_in_its_app_alone(store, app, clock):
    rival = await make_app(store, clock, name="Rival")
    made = await store.sounds.create(app.no, "Jingle Ä", JINGLE, clock.now())
    for said in ("Jingle Ä", " JINGLE ä ", made.id, made.id.upper()):
        assert await store.sounds.called(app.no, said) == made
        assert await store.sounds.called(rival.no, said) is None
    # What somebody calls by another's id is meant where a name is.
    named = await store.sounds.create(app.no, made.id, OTHER, clock.now())
    assert await store.sounds.called(app.no, made.id) == named
    assert await store.sounds.keys(app.no) == {"jingle ä", made.id, named.id}
    assert await store.sounds.keys(rival.no) == frozenset()
    assert await store.sounds.find(rival.no, made.id) is None
    assert await store.sounds.audio(rival.no, made) is None
    assert await store.sounds.change(rival.no, made.id, clock.now(), name="Mine") is None
    assert not await store.sounds.delete(rival.no, made.id)


async def test_audio_that_was_replaced_is_not_given_as_what_it_was(store, app, clock):
    made = await store.sounds.create(app.no, "Jingle", JINGLE, clock.now())
    assert await store.sounds.audio(app.no, made) == JINGLE.wav
    changed = await store.sounds.change(app.no, made.id, clock.advance(1), audio=OTHER)
    assert changed == replace(
        made, digest=OTHER.digest, milliseconds=700, source="mp3", updated_at=clock.now()
    )  # fmt: skip
    assert await store.sounds.audio(app.no, made) is None
    assert await store.sounds.audio(app.no, changed) == OTHER.wav


async def test_an_app_has_so_many_sounds_and_no_more(store, app, clock, monkeypatch):
    monkeypatch.setattr(sounds, "MOST", 2)
    for name in ("a", "b"):
        await store.sounds.create(app.no, name, JINGLE, clock.now())
    with pytest.raises(LimitReached, match="at most 2 sounds"):
        await store.sounds.create(app.no, "c", JINGLE, clock.now())


async def test_only_flows_that_a_campaign_of_the_app_uses_are_looked_through(store, app, clock):
    rival = await make_app(store, clock, name="Rival")
    said = '{"resources": [{"values": [{"content_type": "Audio"}]}]}'
    used = await store.flows.create(app.no, "Used", said, clock.now())
    await store.flows.create(app.no, "Unused", said, clock.now())
    silent = await store.flows.create(app.no, "Silent", "{}", clock.now())
    await store.flows.create(rival.no, "Theirs", said, clock.now())
    for flow in (used, silent):
        people = await make_list(store, app, clock, 1)
        await make_campaign(
            store, app, clock, [people], name=flow.named.name, message=MessagePlan(None, flow=flow.named)
        )
    assert await store.sounds.flows_with_audio(app.no) == [("Used", said)]
    assert await store.sounds.flows_with_audio(rival.no) == []


async def test_a_secret_that_cannot_be_read_is_mended_by_giving_it_again(store, app, clock):
    services = store.speech_services
    made = await services.create(app.no, "House", {"url": "x"}, {"secret": "s"}, clock.now())
    assert await services.called(app.no, "HOUSE ") == await services.called(app.no, made.id) == made
    assert services.open_secrets(made) == {"secret": "s"}
    torn = bytes([made.secrets_sealed[0] ^ 1]) + made.secrets_sealed[1:]
    await change(store, "update speech_service set secrets_sealed = :torn where id = :id", torn=torn, id=made.id)
    found = await services.find(app.no, made.id)
    with pytest.raises(DAMAGE):
        services.open_secrets(found)
    seen = []

    def settle(settings, secrets):
        seen.append((settings, secrets))
        return settings, {"secret": "t"}

    mended = await services.change(app.no, made.id, clock.now(), settle=settle)
    assert seen == [({"url": "x"}, {})]
    assert services.open_secrets(mended) == {"secret": "t"}
