"""A call on a node: what its events say, told to whoever leads it, and what is asked of it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

from callsheet.voice.asterisk.ear import Ear
from callsheet.voice.asterisk.joint import Joint
from callsheet.voice.asterisk.link import NodeAway
from callsheet.voice.asterisk.records import Record
from callsheet.voice.asterisk.taping import Taping
from callsheet.voice.asterisk.wire import (
    RINGING,
    UP,
    Ask,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelStateChange,
    Dial,
    Event,
    PlaybackFinished,
    RESTResponse,
    StasisStart,
)
from callsheet.voice.base import (
    Answered,
    Call,
    CallEvent,
    CallGone,
    CannotJoin,
    Hear,
    HearAudio,
    HungUp,
    Lost,
    Played,
    Pressed,
    Recording,
    Ringing,
    Sound,
)

if TYPE_CHECKING:
    from callsheet.voice.asterisk.node import Node

_NOT_THERE: Final = 404
_RINGS: Final = {"RINGING": False, "PROGRESS": True}
"""Which status of a dial says that the callee's side has the call; true: it plays something."""


class Channel:
    """A call; the id of its channel is the id of its attempt."""

    def __init__(self, node: Node, channel_id: str, trunk_id: str, hear: Hear, ends_at: datetime | None) -> None:
        """Keep whose it is. `ends_at`: when the node ends it by itself, if we know."""
        self.trunk_id = trunk_id
        self.hear = hear
        self.is_heard = False
        """The node said something of it: it is, or was, there."""
        self.is_over = False
        self.is_answered = False
        self.is_ending = False
        """We want it to end."""
        self._id = channel_id
        self._node = node
        self._ends_at = ends_at
        self._up_at: datetime | None = None
        self._is_ours = False
        self._rung: set[bool] = set()
        self._playing: dict[str, bool] = {}
        """By token: whether we stopped it."""
        self._ear: Ear | None = None
        self._tapings: dict[bool, Taping] = {}
        """By whether both sides are on it."""
        self._joint: Joint | None = None

    @property
    def id(self) -> str:
        """The reference that it was placed with."""
        return self._id

    @property
    def node(self) -> str:
        """Which node carries it."""
        return self._node.name

    # What the node tells.

    def take(self, event: Event) -> None:
        """Read an event of it."""
        self.is_heard = True
        match event:
            case Dial():
                if event.dialstatus in _RINGS:
                    self._ring(event.at, has_early_media=_RINGS[event.dialstatus])
            case ChannelStateChange():
                self._change(event)
            case StasisStart():
                self._is_ours = True
                self._answer_if_up(event.channel.state, event.at)
            case ChannelDtmfReceived():
                self._tell(Pressed(event.at, event.digit))
            case PlaybackFinished():
                self._finish_playing(event)
            case ChannelDestroyed():
                self._answer_if_was_up(event.channel.state, event.at)
                by_us = self.is_ending or (self._ends_at is not None and event.at >= self._ends_at)
                self._end(HungUp(event.at, event.cause, event.tech_cause, by_us))
            case _:
                pass

    def catch_up(self, at: datetime, placed_at: datetime) -> None:
        """Take notice that it has been answered: the event was lost, and nobody knows when that was."""
        if not (self.is_answered or self.is_over):
            self._answer(at, placed_at)

    def settle(self, record: Record | None, at: datetime, why: str) -> None:
        """End it, as it is not there any more and its end was not told: the call record says how, if there is one."""
        if self.is_over:
            return
        if record is None:
            self._end(Lost(at, why))
            return
        if record.answered_at is not None and not self.is_answered:
            self._answer(record.answered_at)
        self._end(HungUp(record.ended_at, record.cause, 0, self.is_ending))

    def _ring(self, at: datetime, *, has_early_media: bool) -> None:
        if has_early_media not in self._rung and not self.is_answered:
            self._rung.add(has_early_media)
            self._tell(Ringing(at, has_early_media))

    def _change(self, event: ChannelStateChange) -> None:
        if event.channel.state == RINGING:
            self._ring(event.at, has_early_media=False)
        elif event.channel.state == UP:
            self._up_at = event.at
            if self._is_ours:
                self._answer_if_up(UP, event.at)

    def _answer_if_up(self, state: str, at: datetime) -> None:
        """Tell that it was answered: only when it is ours, as nothing can be played before."""
        if state == UP and not self.is_answered:
            self._answer(self._up_at or at)

    def _answer_if_was_up(self, state: str, at: datetime) -> None:
        """Tell that it was answered before it ended: the callee may hang up before it is given to us."""
        if (state == UP or self._up_at is not None) and not self.is_answered:
            self._answer(self._up_at or at)

    def _answer(self, at: datetime, not_before: datetime | None = None) -> None:
        self.is_answered = True
        self._tell(Answered(at, not_before))

    def _finish_playing(self, event: PlaybackFinished) -> None:
        stopped = self._playing.pop(event.playback.id, None)
        if stopped is not None:
            self._tell(Played(event.at, event.playback.id, is_whole=not stopped and event.playback.state == "done"))

    def _tell(self, event: CallEvent) -> None:
        if not self.is_over:
            self.hear(event)

    def _end(self, event: HungUp | Lost) -> None:
        if self.is_over:
            return
        # It is gone before its end is told: whoever hears that may find its place free.
        self._node.forget(self)
        self._tell(event)
        self.is_over = True
        self._playing.clear()
        if self._ear is not None:
            self._node.begin(self._ear.close())
            self._ear = None
        for taping in self._tapings.values():
            taping.end()
        if self._joint is not None:
            # After the channel, never before it: else the cause of its end is overwritten.
            self._node.begin(self._joint.close())
            self._joint = None

    # What is asked of it.

    async def play(self, sound: Sound) -> str:
        """Begin to play a sound, after those that play already; return the token that `Played` will bear."""
        self._check()
        token = f"{self._id}.{self._node.stamp()}"
        self._playing[token] = False
        try:
            media = await self._node.shelve(sound)
            play = Ask("POST", f"channels/{self._id}/play", {"media": media, "playbackId": token})
            is_taken = (await self._node.ask(play)).is_ok
        except (OSError, NodeAway):
            is_taken = False
        if not is_taken:
            self._miss(token)
        self._check()
        return token

    async def stop_playing(self) -> None:
        """Stop all that plays or waits to be played: each is told by `Played`."""
        self._check()
        # The last first, or the next would begin for a moment.
        tokens = list(reversed(self._playing))
        self._playing.update(dict.fromkeys(tokens, True))
        replies = await asyncio.gather(*(self._ask(Ask("DELETE", f"playbacks/{token}")) for token in tokens))
        for token, reply in zip(tokens, replies, strict=True):
            if reply is not None and reply.status_code == _NOT_THERE:
                self._miss(token)

    async def find_playing(self) -> None:
        """Tell what is through without our having been told."""
        for token in list(self._playing):
            reply = await self._ask(Ask("GET", f"playbacks/{token}"))
            if reply is not None and reply.status_code == _NOT_THERE:
                self._miss(token)

    async def listen(self, hear: HearAudio) -> datetime:
        """Begin to hear the other side, and return from when on; one ear at a time. Raises CannotHear."""
        self._check()
        await self.stop_listening()
        self._ear = ear = Ear(self._node, self._id, hear)
        try:
            heard_from = await ear.open()
        except BaseException:
            self._ear = None if self._ear is ear else self._ear
            self._node.begin(ear.close())
            self._check()
            raise
        if self._ear is not ear:
            self._node.begin(ear.close())
        self._check()
        return heard_from

    async def stop_listening(self) -> None:
        """Hear nothing more."""
        self._check()
        ear, self._ear = self._ear, None
        if ear is not None:
            # Nobody waits for a word until the node has put everything away.
            ear.hush()
            self._node.begin(ear.close())

    async def record(self, *, both_sides: bool) -> bool:
        """Begin to record the other side, or both; False: it cannot be recorded just now."""
        self._check()
        if both_sides in self._tapings:
            return True
        taping = self._tapings[both_sides] = Taping(self._node, self._id, both_sides=both_sides)
        if await taping.open():
            return True
        if self._tapings.get(both_sides) is taping:
            del self._tapings[both_sides]
        return False

    async def stop_recording(self, *, both_sides: bool) -> Recording | None:
        """Return what was recorded; None: nothing was, or it could not be kept. Works after the call's end, too."""
        taping = self._tapings.pop(both_sides, None)
        return None if taping is None else await taping.close()

    async def join(self, other: Call) -> None:
        """Let the two other sides hear each other, until one is over. Raises CannotJoin."""
        self._check()
        if other.node != self.node:
            raise CannotJoin("the two calls are on different nodes")
        await self.part()
        self._joint = joint = Joint(self._node, self._id, other.id)
        await joint.open()

    async def part(self) -> None:
        """Let it be alone again: what is played is heard."""
        joint, self._joint = self._joint, None
        if joint is not None:
            await joint.close()

    async def hang_up(self) -> None:
        """End it; `HungUp` tells when it is over."""
        self._check()
        self.is_ending = True
        # Where the node does not hear it now, it is asked again when it is there again.
        await self._ask(Ask("DELETE", f"channels/{self._id}"))

    async def _ask(self, ask: Ask) -> RESTResponse | None:
        """Return the answer; None: the node did not give one."""
        try:
            return await self._node.ask(ask)
        except NodeAway:
            return None

    def _miss(self, token: str) -> None:
        """Tell that a sound was not played, or not to its end."""
        if self._playing.pop(token, None) is not None:
            self._tell(Played(self._node.now(), token, is_whole=False))

    def _check(self) -> None:
        if self.is_over:
            raise CallGone
