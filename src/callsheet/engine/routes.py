"""Routes: whether what a campaign wants to send or to call goes over the trunks of its sender, and to real people."""

from __future__ import annotations

from typing import Final

from callsheet.carriers.known import channels_of, is_simulated
from callsheet.core.campaign import Channel
from callsheet.core.errors import NoVoiceTrunk, WrongState
from callsheet.store.store import Store

_MOST_NAMED: Final = 5


async def require_trunks(store: Store, app: int, label: str, channel: Channel) -> None:
    """Refuse a sender of which a trunk does not carry a channel; of a pool all do. Raises NoVoiceTrunk, WrongState.

    A sender without any trunk carries no calls; that it sends nothing either is said elsewhere.
    """
    trunks = await store.trunks.of_sender(app, label)
    fits = all(channel in channels_of(trunk.carrier) for trunk in trunks)
    if channel is Channel.voice and not (trunks and fits):
        raise NoVoiceTrunk
    if not fits:
        raise WrongState(f"The trunk of the sender {label} carries calls and no texts.")


async def simulated(store: Store, app: int, label: str, channel: Channel) -> str:
    """Say that a sender reaches simulated people only, although the app has a trunk to real ones; empty: it is not so.

    A caller ID that is mistyped goes to the sandbox, which takes any, and looks like any other there. An app without
    a real trunk is meant to be rehearsed with.
    """
    mine = await store.trunks.of_sender(app, label)
    if not any(is_simulated(trunk.carrier) for trunk in mine):
        return ""
    real = [
        trunk.name
        for trunk in await store.apps.trunks(app)
        if channel in channels_of(trunk.carrier) and not is_simulated(trunk.carrier)
    ]
    if not real:
        return ""
    verb = "Calls" if channel is Channel.voice else "Messages"
    named = ", ".join(real[:_MOST_NAMED])
    return f"{verb} from {label} go to simulated people (the sandbox), and reach nobody. Trunks to real ones: {named}."
