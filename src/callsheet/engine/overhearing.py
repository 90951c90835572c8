"""Overhear: what a contact would hear first if a person answered, and what speaks it. No phone rings."""

from __future__ import annotations

from typing import NamedTuple

from callsheet.core.campaign import Campaign
from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Say
from callsheet.core.flow.opening import Opening
from callsheet.core.flow.session import Mode
from callsheet.core.flow.speaking import is_url, language_named
from callsheet.core.outcome import Outcome
from callsheet.engine.calling.prompts import Unspoken
from callsheet.engine.calling.speech import BUILT_IN, manner_of
from callsheet.engine.message_text import versioned_text
from callsheet.engine.runtime import Runtime
from callsheet.store.apps import App
from callsheet.store.contacts import Contact


class Prompt(NamedTuple):
    """One thing that is said, and by what."""

    block: str
    """The uuid of the block that says it."""
    text: str
    sound: str
    """The name of the recording that is played; empty: the text is spoken."""
    language: str
    service: str
    """The speech service that speaks the text, or `built-in`; empty: a recording is played."""
    voice: str
    """As the service calls it; empty: its usual one of the language."""
    seconds: float
    """How long it is; 0: it cannot be said."""
    problem: str
    """Why it cannot be said; empty: it can."""


class Heard(NamedTuple):
    """What a contact would hear."""

    prompts: tuple[Prompt, ...]
    problem: str = ""
    """Why there is nothing to hear."""


class Overhearing:
    """Begins conversations of a campaign that nobody is in."""

    def __init__(self, runtime: Runtime, app: App, container: Container, zone: str) -> None:
        self._runtime = runtime
        self._app = app
        self._container = container
        self._opening = Opening(container, runtime.clock.now, Mode.ivr, zone, answered_by=Outcome.human)

    async def hear(self, contact: Contact) -> Heard:
        """Return what a contact would hear until something is waited for."""
        begun = self._opening.begin(contact.attributes, contact.number, contact.zone)
        language = language_named(self._container, begun.session.language)
        said = [effect for effect in begun.effects if isinstance(effect, Say) and (effect.text or effect.audio)]
        prompts = [await self._prompt(one, language) for one in said]
        return Heard(tuple(prompts), "" if prompts else f"The flow says nothing first. {begun.session.why}".strip())

    async def _prompt(self, say: Say, language: str) -> Prompt:
        settings = self._app.settings
        manner = manner_of(settings, language)
        found = None
        if say.audio and not is_url(say.audio):
            found = await self._runtime.store.sounds.called(self._app.no, say.audio)
        made = await self._runtime.prompts.prepare(self._app.no, say, language)
        problem, seconds = "", 0.0
        if isinstance(made, Unspoken):
            problem = made.why
        else:
            seconds = round(sum(sound.seconds for sound in made), 3)
        return Prompt(
            say.block,
            say.text,
            found.name if found is not None else "",
            manner.language,
            "" if found is not None else settings.speech_service or BUILT_IN,
            "" if found is not None else manner.voice,
            seconds,
            problem,
        )


async def overhearing(runtime: Runtime, app: App, campaign: Campaign) -> Overhearing:
    """Return what hears the beginning of a campaign's calls. Raises FlowIsEmpty, WrongState."""
    flow = (await versioned_text(runtime.store, app, campaign.definition)).flow
    container = await runtime.conductor.flows.get(app.no, flow.no, flow.version)
    return Overhearing(runtime, app, container, campaign.definition.hours.timezone)
