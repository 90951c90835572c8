"""A node: its link, its calls, and what becomes of them when the link, or the node, breaks.

The node tells what happened while we were away, and then that we are there. After that, and now and then, its channels
are compared with our calls, so that an event that got lost leaves nothing behind for ever.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Final

import structlog
from msgspec import DecodeError

from callsheet import meters
from callsheet.clock import Clock
from callsheet.core.asking import Leave, nobody_forbids
from callsheet.voice.asterisk import wire
from callsheet.voice.asterisk.channel import Channel
from callsheet.voice.asterisk.link import Link, NodeAway
from callsheet.voice.asterisk.patience import Patience
from callsheet.voice.asterisk.place import NodePlace
from callsheet.voice.asterisk.records import Record
from callsheet.voice.asterisk.wire import Ask, Event, RESTResponse
from callsheet.voice.base import Found, Hear, HearAudio, Sound

log = structlog.get_logger()

_OURS: Final = re.compile(r"[0-9a-f]{48}")
"""What the id of a call looks like: that of an attempt. What belongs to a call has its id, a dot, and more."""
_MOST_SILENT: Final = 2
"""So many times in a row it may not answer; then its connection is ended."""


class Node:
    """One node, connected or not."""

    def __init__(
        self,
        place: NodePlace,
        clock: Clock,
        patience: Patience,
        find: Callable[[Found], Hear | None],
        tell_free: Callable[[], None],
    ) -> None:
        self.place = place
        self.name = place.name
        self.is_draining = False
        self.channels: dict[str, Channel] = {}
        """Calls, by id; a call is there before it is asked for, as its events may come before the answer."""
        self.helpers: dict[str, Callable[[wire.ChannelEvent], None]] = {}
        """Who hears of the channels that belong to calls."""
        self.ears: dict[str, HearAudio] = {}
        """Who hears the audio, by media channel."""
        self.bridges: set[str] = set()
        """Those that somebody hears by: our ears, and calls that are joined."""
        self.tapes: dict[str, Callable[..., None]] = {}
        """Who is told that a recording is through."""
        self._clock = clock
        self._patience = patience
        self._find = find
        self._tell_free = tell_free
        self._link: Link | None = None
        self._is_well = False
        self._compared = asyncio.Event()
        self._wanted = asyncio.Event()
        """Somebody waits for a comparison."""
        self._unwanted: set[str] = set()
        """Calls that nobody knows, and that were asked to end."""
        self._looking = asyncio.Lock()
        self._ended: set[str] = set()
        """Calls that ended since the last look began: its answer may still name them."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._away: asyncio.TimerHandle | None = None
        self._stamp = f"{secrets.token_hex(4)}-"
        self._stamps = count()

    @property
    def is_connected(self) -> bool:
        """Whether it is there."""
        return self._link is not None

    def room(self) -> int:
        """Return how many more calls it takes now."""
        takes = self._link is not None and self._is_well and not self.is_draining
        return max(0, self.place.most_calls - len(self.channels)) if takes else 0

    def now(self) -> datetime:
        """Return the present instant."""
        return self._clock.now()

    def stamp(self) -> str:
        """Return something that no other name on the node has, of an earlier process neither."""
        return f"{self._stamp}{next(self._stamps):x}"

    async def ask(self, ask: Ask, *, leave: Leave = nobody_forbids) -> RESTResponse:
        """Return the node's answer. Raises NodeAway, Withheld."""
        if self._link is None:
            raise NodeAway("the node is not connected", was_sent=False)
        return await self._link.ask(ask, seconds=self._patience.answer_seconds, leave=leave)

    async def shelve(self, sound: Sound) -> str:
        """Put a sound where the node finds it, once; return its name there."""
        return await self.place.files.shelve(sound)

    def begin(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside. What breaks in it is logged, and ends nothing else."""
        task = asyncio.get_running_loop().create_task(self._do(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("asterisk.event_broke", voice_node=self.name)

    def forget(self, channel: Channel) -> None:
        """Take notice that a call is over, or that nobody here leads it."""
        if self.channels.get(channel.id) is channel:
            del self.channels[channel.id]
            if self._looking.locked():
                self._ended.add(channel.id)
            self._tell_free()

    # The link.

    async def serve(self, link: Link) -> None:
        """Be connected by a link, until it ends."""
        before, self._link = self._link, link
        if before is not None:
            before.end()
        self._stay()
        log.info("asterisk.connected", voice_node=self.name, calls=len(self.channels))
        watching = asyncio.get_running_loop().create_task(self._watch(link))
        try:
            await link.read(self._hear)
        finally:
            watching.cancel()
            if self._link is link:
                self._leave()

    def _stay(self) -> None:
        """Take notice that its calls are not given up."""
        if self._away is not None:
            self._away.cancel()
            self._away = None

    def _leave(self) -> None:
        self._link = None
        self._is_well = False
        log.warning("asterisk.disconnected", voice_node=self.name, calls=len(self.channels))
        seconds = self._patience.away_seconds
        self._away = asyncio.get_running_loop().call_later(
            seconds, self.lose_all, "its node is away", lambda: self._link is None
        )

    async def _watch(self, link: Link) -> None:
        """Compare its channels with our calls: when it has told what waited for us, and again and again."""
        is_new = True
        silent = 0
        while True:
            was_well = self._is_well
            try:
                self._is_well = await self._look()
                silent = 0
                if self._is_well and is_new:
                    is_new = False
                    for channel in list(self.channels.values()):
                        await channel.find_playing()
            except NodeAway:
                self._is_well = False
                silent += 1
            except Exception:
                # It is looked at again: without that, an event that gets lost would leave a call behind for ever.
                log.exception("asterisk.event_broke", voice_node=self.name)
                self._is_well = False
            if was_well and not self._is_well:
                log.warning("asterisk.unwell", voice_node=self.name, calls=len(self.channels))
            elif self._is_well and not was_well:
                self._tell_free()
            if silent == _MOST_SILENT:
                link.end()  # it stays deaf: a new connection, or nothing
            await self._pause()

    async def _pause(self) -> None:
        """Wait until it is time for the next look, or somebody wants one; never less than for the shortest while."""
        least = min(self._patience.again_seconds, self._patience.watch_seconds)
        await self._clock.sleep(least)
        left = self._patience.watch_seconds - least
        if not self._is_well or left <= 0:
            return
        pause = asyncio.get_running_loop().create_task(self._clock.sleep(left))
        wanted = asyncio.get_running_loop().create_task(self._wanted.wait())
        try:
            await asyncio.wait((pause, wanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            wanted.cancel()

    async def is_well(self) -> bool:
        """Tell whether it answers, and does what it should."""
        try:
            return await self._look()
        except NodeAway:
            return False

    async def _look(self) -> bool:
        """Ask it things that a node answers at once, and compare what it has with what we have.

        False: it is there, and does not work yet. Raises NodeAway.
        """
        async with self._looking:
            self._ended.clear()
            asked = set(self.channels)
            pong = await self.ask(Ask("GET", "asterisk/ping"))
            listed = await self.ask(Ask("GET", "channels"))
            bridged = await self.ask(Ask("GET", "bridges"))
            if not (pong.is_ok and listed.is_ok and bridged.is_ok):
                return False
            try:
                bridges = wire.read_bridges(bridged.message_body)
                self._compare(asked, wire.read_channels(listed.message_body))
                self._drop_bridges(bridges)
            except DecodeError:
                meters.asterisk_troubles.labels("unreadable").inc()
                return False
            return True

    # Calls that broke.

    def lose_all(self, why: str, is_so: Callable[[], bool] = lambda: True) -> None:
        """Take notice that the node is gone, and all its calls with it, if that `is_so` when its records are read."""
        gone = list(self.channels.values())
        for finish in list(self.tapes.values()):
            finish(is_whole=False)
        if gone:
            meters.asterisk_troubles.labels("lost").inc(len(gone))
            log.warning("asterisk.calls_lost", voice_node=self.name, calls=len(gone))
        self.begin(self._settle(gone, why, is_so))

    async def _settle(self, gone: Sequence[Channel], why: str, is_so: Callable[[], bool]) -> None:
        """End calls that are not there any more: as the node's records say, if we can read them."""
        records = await self._find_records(gone)
        if not is_so():
            return
        for channel in gone:
            try:
                channel.settle(records.get(channel.id), self.now(), why)
            except Exception:
                # One call must not end all others, nor keep us from ending.
                log.exception("asterisk.event_broke", voice_node=self.name)

    async def _find_records(self, gone: Sequence[Channel]) -> Mapping[str, Record]:
        try:
            return await self.place.files.find_records([channel.id for channel in gone]) if gone else {}
        except Exception:
            # They are lost then, and told all the same.
            log.exception("asterisk.event_broke", voice_node=self.name)
            return {}

    def _compare(self, asked: set[str], listed: Sequence[wire.Channel]) -> None:
        """Take notice of what is there, and of what is not. `asked`: the calls that there were before we asked."""
        there = {channel.id: channel for channel in listed}
        self._unwanted &= there.keys()
        for name in self._unwanted:
            self._hang_up(name)
        for name, found in there.items():
            channel = self.channels.get(name)
            if channel is not None:
                channel.is_heard = True
                if channel.is_ending:
                    self._hang_up(name)
            elif _OURS.fullmatch(name) and name not in self._ended:
                self._adopt(found, is_answered=found.state == wire.UP)
            elif _OURS.fullmatch(name.partition(".")[0]) and name not in self.helpers and name not in self.ears:
                self._hang_up(name)
        gone = [self.channels[name] for name in asked - there.keys() if name in self.channels]
        missed = [
            (channel, found)
            for name, found in there.items()
            if found.state == wire.UP and (channel := self.channels.get(name)) and not channel.is_answered
        ]
        if gone or missed:
            self.begin(self._look_later([channel for channel in gone if channel.is_heard], missed))
        self._wanted.clear()
        self._compared.set()

    def _drop_bridges(self, listed: Sequence[wire.Bridge]) -> None:
        """Delete those of ours that nobody hears by: who would have done it could not ask the node."""
        for bridge in listed:
            if _OURS.fullmatch(bridge.id.partition(".")[0]) and bridge.id not in self.bridges:
                self.begin(self._ask_in_vain(Ask("DELETE", f"bridges/{bridge.id}")))

    async def _look_later(self, gone: Sequence[Channel], missed: Sequence[tuple[Channel, wire.Channel]]) -> None:
        """Wait for events that may be on their way, and do without them then."""
        await self._clock.sleep(self._patience.late_seconds)
        for channel, found in missed:
            if self.channels.get(channel.id) is channel:
                channel.catch_up(self.now(), found.created_at)
        left = [channel for channel in gone if self.channels.get(channel.id) is channel]
        if left:
            log.warning("asterisk.calls_lost", voice_node=self.name, calls=len(left))
        await self._settle(left, "it was gone when its node came back", lambda: True)

    async def close(self) -> None:
        """End: what is not over yet is lost to us."""
        if self._link is not None:
            self._link.end()
        self.lose_all("we stopped")
        while self._tasks:
            await asyncio.gather(*self._tasks)
        self._stay()

    async def wait_compared(self) -> None:
        """Wait until the node is there and is compared, from now on; not for ever.

        What it was asked for before, it has done or not done by then: it takes requests in their order.
        """
        self._compared.clear()
        self._wanted.set()
        try:
            async with asyncio.timeout(self._patience.return_seconds):
                await self._compared.wait()
        except TimeoutError:
            return

    # What it tells.

    def _hear(self, event: Event) -> None:
        match event:
            case wire.ChannelEvent():
                self._hear_channel(event.channel, event)
            case wire.Dial():
                self._hear_channel(event.peer, event)
            case wire.PlaybackFinished():
                channel = self.channels.get(event.playback.id.partition(".")[0])
                if channel is not None:
                    channel.take(event)
            case wire.RecordingFinished() | wire.RecordingFailed():
                finish = self.tapes.get(event.recording.name)
                if finish is not None:
                    finish(is_whole=isinstance(event, wire.RecordingFinished))
            case _:
                pass

    def _hear_channel(self, about: wire.Channel, event: Event) -> None:
        channel = self.channels.get(about.id)
        if channel is None and isinstance(event, wire.ChannelEvent):
            helper = self.helpers.get(about.id)
            if helper is not None:
                helper(event)
            elif _OURS.fullmatch(about.id):
                was_answered = about.state == wire.UP and not isinstance(
                    event, wire.StasisStart | wire.ChannelStateChange
                )
                channel = self._adopt(about, is_answered=was_answered, is_over=isinstance(event, wire.ChannelDestroyed))
        if channel is not None:
            channel.take(event)

    def _adopt(self, found: wire.Channel, *, is_answered: bool, is_over: bool = False) -> Channel | None:
        """Ask whose a call is; None: nobody's, and it is hung up."""
        if found.id in self._unwanted:
            return None
        channel = Channel(self, found.id, "", lambda _: None, None)
        channel.is_answered = is_answered
        channel.is_heard = True
        try:
            told = Found(channel, is_answered, found.created_at)
            self.channels[found.id] = channel
            hear = self._find(told)
        except Exception:
            # Nobody leads it then; it must hold no place, nor keep others from being looked at.
            log.exception("asterisk.event_broke", voice_node=self.name)
            hear = None
        if hear is not None:
            channel.hear = hear
            return channel
        self.channels.pop(found.id, None)
        if not is_over:
            self._unwanted.add(found.id)
            self._hang_up(found.id)
        return None

    def _hang_up(self, channel_id: str) -> None:
        self.begin(self._ask_in_vain(Ask("DELETE", f"channels/{channel_id}")))

    async def _ask_in_vain(self, ask: Ask) -> None:
        """Ask for something that is asked again, when the node is compared the next time."""
        try:
            await self.ask(ask)
        except NodeAway:
            return
