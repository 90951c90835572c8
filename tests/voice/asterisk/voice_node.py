"""A voice node of a test: an Asterisk that dials in to the engine under test, with one trunk to the phone network."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.configuration import RECORDS, Dispatcher, NodePlan, configure
from callsheet.voice.asterisk.files import LocalFiles
from callsheet.voice.asterisk.pjsip import SipSide
from callsheet.voice.asterisk.place import NodePlace
from ports import free_port
from strangers.asterisk import ask, asterisk, running_asterisk
from strangers.phone_network import PhoneNetwork

TRUNK = "tr-test"


class VoiceNode:
    """One, which can be killed and started again."""

    def __init__(self, folder: Path, name: str, port: int, network_port: int, media_timeout_seconds: int = 60) -> None:
        self.folder = folder
        self.port = port
        """Where it dials in to."""
        self.files = LocalFiles(folder / "data/sounds", folder / "spool/recording", folder / RECORDS)
        self.place = NodePlace(name, f"secret of {name}", self.files)
        self.trunk = SipTrunk(TRUNK, "127.0.0.1", network_port, media_timeout_seconds=media_timeout_seconds)
        self.sip_port = free_port()
        self._stack = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        for path in (self.files.sounds, self.files.recordings, self.files.records.parent):
            path.mkdir(parents=True, exist_ok=True)
        self.process = self._stack.enter_context(running_asterisk(self.folder, self._files()))

    def stop(self) -> None:
        self._stack.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, command: str) -> str:
        return ask(self.folder, command)

    def _files(self) -> dict[str, str]:
        first = 2 * (free_port() // 2)
        plan = NodePlan(
            self.folder,
            asterisk(),
            Dispatcher(f"ws://127.0.0.1:{self.port}", self.place.name, self.place.secret),
            SipSide("127.0.0.1", self.sip_port),
            (first, first + 2000),
            (self.trunk,),
        )
        # The folders are those of any Asterisk of the tests.
        return {name: text for name, text in configure(plan).items() if name != "asterisk.conf"}


@contextmanager
def running_voice_node(name: str, port: int, network: PhoneNetwork, **options: int) -> Iterator[VoiceNode]:
    """Run one until the block ends."""
    with TemporaryDirectory(prefix="node-") as folder:
        node = VoiceNode(Path(folder), name, port, network.port, **options)
        node.start()
        try:
            yield node
        finally:
            node.stop()
