"""Preflight of calls: how they would be placed, and whether what the flow says can be spoken, as of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from callsheet.core.campaign import Channel, Definition
from callsheet.core.condition import State
from callsheet.core.errors import Conflict
from callsheet.core.flow.document import Container
from callsheet.core.flow.effects import Say
from callsheet.core.flow.speaking import constant_prompts, is_url, languages_said, sounds_named, unsaid_in_calls
from callsheet.core.names import key_of
from callsheet.core.phone import BadNumber, Number
from callsheet.core.preflight_calls import Voice, Way
from callsheet.core.run import PinnedFlow, Sender
from callsheet.engine.calling.playing import Prompts
from callsheet.engine.calling.prompts import Unspoken
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.lines import Standing
from callsheet.engine.routes import require_trunks
from callsheet.store.apps import App, Trunk
from callsheet.store.store import Store

MOST_SPOKEN: Final = 500
"""So many prompts are tried: the rest are made when the run begins, and one that fails then is in the log."""
_MOST_SAID: Final = 5
_PROBE: Final = "1, 2, 3"
"""What is spoken in each language, to see whether texts that are another one for each contact can be."""
Stands = Callable[[Trunk], Standing]
"""Says how a trunk stands on this node."""
Bears = Callable[[Sequence[Trunk]], int]
"""Says how many calls may go on at once through any of these trunks; 0: nobody can say."""


class CallScout:
    """Looks at how the calls of a campaign would go."""

    def __init__(self, store: Store, flows: FlowShelf, prompts: Prompts | None, stands: Stands, bears: Bears) -> None:
        self._store = store
        self._flows = flows
        self._prompts = prompts
        self._stands = stands
        self._bears = bears

    async def way(self, app: App, definition: Definition, senders: Sequence[Sender]) -> Way:
        """Look at sender and trunks."""
        trunks = await self._store.trunks.of_sender(app.no, definition.sender)
        refused = ""
        try:
            await require_trunks(self._store, app.no, definition.sender, Channel.voice)
        except Conflict as error:
            refused = error.message
        broken, waiting = list[str](), list[str]()
        for trunk in trunks if not refused else ():
            standing = self._stands(trunk)
            # One that this node has not opened yet may be well.
            if standing.trouble and standing.condition.state is not State.closed:
                (broken if standing.is_broken else waiting).append(f"{trunk.name}: {standing.trouble}")
        labels = [sender.label for sender in senders if not _is_number(sender.label)]
        return Way(refused, tuple(broken), tuple(waiting), tuple(labels), self._at_once(app, trunks))

    def _at_once(self, app: App, trunks: Sequence[Trunk]) -> int:
        """Return how many calls the app's setting, the trunks and the nodes allow at once."""
        of_trunks = [trunk.settings.get("most_calls") for trunk in trunks]
        named = [most for most in of_trunks if isinstance(most, int)]
        by_trunks = sum(named) if len(named) == len(of_trunks) else 0
        limits = (app.settings.agentless_concurrent_calls, by_trunks, self._bears(trunks))
        return min(limit for limit in limits if limit)

    async def voice(self, app: App, flow: PinnedFlow) -> Voice:
        """Try to speak what a flow says."""
        container = await self._flows.get(app.no, flow.no, flow.version)
        known = await self._store.sounds.keys(app.no)
        named = sorted(sounds_named(container))
        missing = [audio for audio in named if is_url(audio) or key_of(audio) not in known]
        unspoken = await self._unspoken(app, container)
        blocks = [
            f"The block {name} has nothing to say in a call in the language {language or 'of the flow'}."
            for name, language in unsaid_in_calls(container)
        ]
        return Voice(tuple([*blocks, *unspoken][:_MOST_SAID]), tuple(missing))

    async def _unspoken(self, app: App, container: Container) -> list[str]:
        """Say why prompts cannot be spoken, each reason once."""
        if self._prompts is None:
            return ["Nothing speaks in calls on this node."]
        said = list(constant_prompts(container))[:MOST_SPOKEN]
        said += [(Say("", _PROBE), language) for language in languages_said(container)]
        reasons: dict[str, None] = {}
        for say, language in said:
            made = await self._prompts.prepare(app.no, say, language)
            if isinstance(made, Unspoken):
                reasons[made.why] = None
        return list(reasons)


def _is_number(label: str) -> bool:
    try:
        Number.parse(label)
    except BadNumber:
        return False
    return True
