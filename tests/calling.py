"""A call whose other side plays a part: what it hears decides what it presses. And what leads it."""

import asyncio
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from callsheet.clock import Clock
from callsheet.core.attempt import Happening, Kind
from callsheet.core.campaign import Channel
from callsheet.core.flow.effects import Say
from callsheet.core.ids import AttemptKey, encode_attempt
from callsheet.engine.calling.awaiting_beep import BeepWaiter
from callsheet.engine.calling.call_events import CallEvents
from callsheet.engine.calling.listening import Listener
from callsheet.engine.calling.live_call import LiveCall
from callsheet.engine.calling.phone_talk import PhoneTalk
from callsheet.engine.calling.playing import Player
from callsheet.engine.calling.recordings import RecordingKeeper
from callsheet.engine.calling.turn_book import TurnBook
from callsheet.engine.failpoints import Failpoints
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.store.apps import App
from callsheet.store.store import Store
from callsheet.voice.base import (
    CallGone,
    HearAudio,
    HungUp,
    Lost,
    Played,
    Pressed,
    Recording,
    Sound,
)
from factories import Node
from store.test_flow_sessions import armed

HANGS_UP = "(hangs up)"
BEEPS = "(beeps)"
SPEAKS = "(speaks)"
Part = Mapping[str, Sequence[tuple[float, str]]]
"""What somebody does, so many seconds after he began to hear something: keys, or one of the words above."""


class Stranger:
    """A call. Sounds are as long as their prompts say; only what is heard to its end, or until a key, is `heard`."""

    def __init__(self, reference: str, clock: Clock, part: Part, folder: Path) -> None:
        self.id, self.node = reference, "node-1"
        self.events = CallEvents()
        self.heard: list[str] = []
        self.is_over = False
        self.speech_seconds = 0.0
        self._clock, self._part, self._folder = clock, part, folder
        self._tokens = count(1)
        self._waiting: list[tuple[str, Sound]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._hear: HearAudio | None = None
        self._is_recorded = False

    def do(self, what: str) -> None:
        """Let somebody do something."""
        if self.is_over:
            return
        if what == HANGS_UP:
            self.over(HungUp(self._clock.now(), 16, 200))
        elif what == BEEPS:
            if self._hear is not None:
                self._hear(b"beep")
        elif what == SPEAKS:
            self.speech_seconds = 2.0
        else:
            for digit in what:
                self.events.put_nowait(Pressed(self._clock.now(), digit))

    def over(self, end: HungUp | Lost) -> None:
        """Let it be over."""
        self.is_over = True
        self.events.put_nowait(end)

    def react(self, to: str) -> None:
        """Let somebody react to something."""
        for after, what in self._part.get(to, ()):
            asyncio.get_running_loop().call_later(after, self.do, what)

    async def play(self, sound: Sound) -> str:
        self._live()
        token = str(next(self._tokens))
        self._waiting.append((token, sound))
        if len(self._waiting) == 1:
            self._next()
        return token

    def _next(self) -> None:
        _, sound = self._waiting[0]
        self.heard.append(sound.path.name)
        self._timer = asyncio.get_running_loop().call_later(sound.seconds, self._through)
        self.react(sound.path.name)

    def _through(self) -> None:
        token, _ = self._waiting.pop(0)
        self.events.put_nowait(Played(self._clock.now(), token))
        if self._waiting:
            self._next()

    async def stop_playing(self) -> None:
        self._live()
        if self._timer is not None:
            self._timer.cancel()
        for token, _ in self._waiting:
            self.events.put_nowait(Played(self._clock.now(), token, is_whole=False))
        self._waiting.clear()

    async def listen(self, hear: HearAudio) -> datetime:
        self._live()
        self._hear = hear
        self.react("(listened to)")
        return self._clock.now()

    async def stop_listening(self) -> None:
        self._live()
        self._hear = None

    @property
    def ear(self) -> HearAudio | None:
        """Who listens to what somebody says."""
        return self._hear

    async def record(self, *, both_sides: bool) -> bool:
        self._live()
        assert not both_sides, "only the answer"
        self._is_recorded = True
        self.react("(recorded)")
        return True

    async def stop_recording(self, *, both_sides: bool) -> Recording | None:
        assert not both_sides, "only the answer"
        if not self._is_recorded or not self.speech_seconds:
            return None
        path = self._folder / f"{self.id}.wav"
        with wave.open(str(path), "wb") as audio:
            audio.setnchannels(1)
            audio.setsampwidth(2)
            audio.setframerate(8000)
            audio.writeframes(b"\1\0" * round(8000 * self.speech_seconds))
        return Recording(path, self.speech_seconds)

    async def hang_up(self) -> None:
        self._live()
        self.over(HungUp(self._clock.now(), 16, 200, by_us=True))

    def _live(self) -> None:
        if self.is_over:
            raise CallGone


class PlainPrompts:
    """Each prompt is a sound that is called as it says, and takes a second."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.languages: list[str] = []

    async def prepare(self, app: int, say: Say, language: str) -> Sequence[Sound]:
        assert app
        self.languages.append(language)
        said = say.audio or say.text
        if said == "(broken)":
            raise OSError("no voice")
        # A path may not say everything: what is heard is told by its name.
        return [Sound("s", Path("/sounds") / said.replace("/", " "), self.seconds)]


class HearsBeep:
    """Takes one word for a beep."""

    has_stopped_speaking = False
    has_beeped = False

    def __init__(self, completion_seconds: float) -> None:
        self.completion_seconds = completion_seconds

    def feed(self, pcm: bytes) -> bool:
        self.has_beeped |= pcm == b"beep"
        return self.has_beeped


@dataclass
class Phone:
    """A node that leads calls."""

    store: Store
    app: App
    clock: Clock
    folder: Path
    prompts: PlainPrompts = field(default_factory=PlainPrompts)
    failpoints: Failpoints = field(default_factory=Failpoints)
    talk: PhoneTalk = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin as a new process would."""
        shelf = FlowShelf(self.store.flows, self.clock)
        turns = TurnBook(self.store, self.clock, shelf, self.failpoints, node_no=1)
        self.talk = PhoneTalk(
            self.clock,
            shelf,
            turns,
            Player(self.prompts, self.clock),
            Listener(RecordingKeeper(self.store), self.clock),
            BeepWaiter(HearsBeep, self.clock),
        )

    async def call(self, node: Node, flow: Mapping[str, object], part: Part | None = None) -> LiveCall:
        """Call somebody who plays a part, until it is durable that he answered."""
        (live,) = await self.calls(node, flow, [part or {}])
        return live

    async def calls(self, node: Node, flow: Mapping[str, object], parts: Sequence[Part]) -> list[LiveCall]:
        """Call several people of one campaign, each of whom plays a part."""
        run, intents = await armed(self.store, self.app, self.clock, node, len(parts), flow, channel=Channel.voice)  # type: ignore[arg-type]
        found = []
        for intent, part in zip(sorted(intents, key=lambda intent: intent.pos), parts, strict=True):
            key = AttemptKey(intent.run_no, intent.person, intent.n)
            stranger = Stranger(encode_attempt(*key), self.clock, part, self.folder)
            live = LiveCall(key, run, stranger, run.sender.trunk_no, stranger.events)
            live.note(self.clock.now(), "dialed")
            live.answered_from = self.clock.now()
            await node.record([Happening(*key, Kind.delivered, self.clock.now(), "human")])
            found.append(live)
        return found


def stranger_of(live: LiveCall) -> Stranger:
    """Return the other side of a call."""
    assert isinstance(live.call, Stranger)
    return live.call


def heard(live: LiveCall) -> list[str]:
    """Return what the other side has heard."""
    return stranger_of(live).heard


def noted(live: LiveCall, what: str) -> list[Mapping[str, str | int | float]]:
    """Return the facts of what happened, of one kind."""
    return [facts for _, word, facts in live.timeline if word == what]
