"""The pulse of a node: whether it answers at its console, and whether who leads its calls hears it.

The two are not the same. A console that does not answer is that of an Asterisk that hangs. One that answers, of an
Asterisk that nobody hears, may be that of a healthy one behind a broken network, and its calls go on.
"""

from __future__ import annotations

from enum import StrEnum

from callsheet.voice.asterisk.calls import Calls
from callsheet.voice.asterisk.control import NoControl, ask
from callsheet.voice.asterisk.local import Watch
from callsheet.voice.asterisk.process import NodeProcess


class Fault(StrEnum):
    """Why a node is to be started anew, in words for people."""

    hangs = "Asterisk did not answer any more."
    unheard = "Asterisk was well, and who leads its calls did not hear it any more."


class Pulse:
    """Feels the pulse of a node that runs."""

    def __init__(self, name: str, process: NodeProcess, watch: Watch) -> None:
        self._name = name
        self._process = process
        self._watch = watch
        self._silent = 0
        self.unheard = 0
        """So often in a row its console answered, and who leads its calls did not hear it."""

    async def feel(self, calls: Calls) -> Fault | None:
        """Ask it something, once; None: nothing is wrong for so long that it would have to be started anew."""
        try:
            command, seconds = "core show uptime", self._watch.answer_seconds
            await ask(self._process.run, command, seconds, of=self._process.pid)
        except NoControl:
            self._silent += 1
            return Fault.hangs if self._silent >= self._watch.most_silent else None
        self._silent = 0
        self.unheard = 0 if await calls.is_well(self._name) else self.unheard + 1
        return Fault.unheard if self.unheard >= self._watch.most_unheard else None
