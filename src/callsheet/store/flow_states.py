"""The session of a flow as octets, and back. What a release adds has its default in what was stored before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from callsheet.core.flow.session import Awaits, Ending, Frame, Mode, Result, Session

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, Any])


def write_state(session: Session) -> bytes:
    """Write a session."""
    return _encoder.encode(session)


def read_state(octets: bytes) -> Session:
    """Read a session. Raises what `DAMAGE` names, and KeyError."""
    said = _decoder.decode(octets)
    wakes_at, ending = said["wakes_at"], said["ending"]
    return Session(
        **{
            **said,
            "mode": Mode(said["mode"]),
            "frames": tuple(map(_frame, said["frames"])),
            "awaits": Awaits(said["awaits"]),
            "wakes_at": datetime.fromisoformat(wakes_at) if wakes_at is not None else None,
            "written": tuple(said.get("written", ())),
            "ending": Ending(ending) if ending is not None else None,
        }
    )


def _frame(said: Mapping[str, Any]) -> Frame:
    return Frame(
        **{
            **said,
            "began_at": datetime.fromisoformat(said["began_at"]),
            "entered_at": datetime.fromisoformat(said["entered_at"]),
            "results": {name: _result(result) for name, result in said["results"].items()},
            "child": {name: _result(result) for name, result in said["child"].items()},
        }
    )


def _result(said: Mapping[str, Any]) -> Result:
    at = {name: datetime.fromisoformat(said[name]) for name in ("entered_at", "exited_at")}
    return Result(**{**said, **at})
