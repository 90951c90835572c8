"""A campaign that leaves a message on machines, through a phone network of its own, the newest contacts first."""

from __future__ import annotations

import os
import signal
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from voice_campaign import NAME, LaterServer, Plan, asterisks_of, prepare, until_completed

from callsheet.client.v1.reports import Attempt
from strangers.asterisk import asterisk
from strangers.packages import CACHE
from strangers.phone_network import PhoneCall, running_phone_network

BLOCK, MESSAGE, FLOW = (f"{i:08d}-0000-4000-8000-00000000000b" for i in (1, 2, 3))
_QUIET = 500
"""Of 32,768: less is no speech."""


class Left(NamedTuple):
    """What came of it."""

    numbers: Sequence[str]
    calls: Sequence[PhoneCall]
    attempts: Sequence[Attempt]
    spoken_seconds: float
    """So much of the tape of the first machine is speech."""


def document() -> dict[str, Any]:
    """Return a flow that leaves a message after the beep, and says it to people at once."""
    value = {
        "language_id": "eng", "modes": ["IVR"], "content_type": "TEXT", "mime_type": "text/plain",
        "value": "Your parcel is at the station. Please call us back.",
    }  # fmt: skip
    block = {
        "uuid": BLOCK, "name": "leave", "type": "Callsheet.LeaveVoicemail", "config": {"prompt": MESSAGE},
        "exits": [{"uuid": "e1", "name": "done", "default": True}],
    }  # fmt: skip
    flow = {
        "uuid": FLOW, "name": NAME, "label": "", "last_modified": "2026-11-01T00:00:00.000Z",
        "interaction_timeout": 20, "vendor_metadata": {}, "supported_modes": ["IVR"],
        "languages": [{"id": "eng", "iso_639_3": "eng", "label": "English"}], "first_block_id": BLOCK,
        "blocks": [block],
    }  # fmt: skip
    return {
        "specification_version": "1.0.0-rc4", "uuid": FLOW, "name": NAME, "description": "", "vendor_metadata": {},
        "flows": [flow], "resources": [{"uuid": MESSAGE, "values": [value]}],
    }  # fmt: skip


async def leave_messages(endings: Sequence[str]) -> Left:
    """Call phones with these endings, one at a time."""
    with running_phone_network() as network, tempfile.TemporaryDirectory(prefix="callsheet-voice-") as name:
        numbers = [network.number(ending) for ending in endings]
        asterisk()
        settings = {"CALLSHEET_ASTERISK_TREE": str(CACHE / "asterisk" / "tree"), "CALLSHEET_SIP_ADDRESS": "127.0.0.1"}
        server = LaterServer(Path(name) / "data", settings)
        try:
            await server.start()
            async with server.client() as client:
                campaign_id = await prepare(client, network, numbers, 1, Plan(document(), "LIFO", "detect"))
                await client.compat.campaigns.start(campaign_id)
                await until_completed(server, client, network, campaign_id)
                run_id = [run.id async for run in client.runs.list()].pop()
                attempts = [attempt async for attempt in client.runs.attempts(run_id)]
            tapes = [network.recording(call) for call in network.calls() if network.recording(call).exists()]
            return Left(numbers, network.calls(), attempts, _speech_seconds(tapes[0]) if tapes else 0.0)
        except AssertionError:
            print((Path(name) / "server.log").read_text()[-20_000:])
            raise
        finally:
            server.stop()
            for pid in asterisks_of(server.folder):
                os.kill(pid, signal.SIGKILL)


def _speech_seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    pieces = [samples[start : start + 160] for start in range(0, len(samples), 160)]
    return sum(max(map(abs, piece)) > _QUIET for piece in pieces) * 0.02
