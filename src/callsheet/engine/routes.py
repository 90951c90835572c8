"""Routes: whether what a campaign wants to send or to call goes over the trunks of its sender."""

from __future__ import annotations

from callsheet.carriers.known import channels_of
from callsheet.core.campaign import Channel
from callsheet.core.errors import NoVoiceTrunk, WrongState
from callsheet.store.store import Store


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
