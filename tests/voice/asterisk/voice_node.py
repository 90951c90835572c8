"""A voice node of a test: an Asterisk that dials in to the engine under test, with one trunk to the phone network."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.modules import MODULES
from callsheet.voice.asterisk.place import NodePlace
from ports import free_port
from strangers.asterisk import ask, running_asterisk
from strangers.phone_network import PhoneNetwork

TRUNK = "tr-test"


class VoiceNode:
    """One, which can be killed and started again."""

    def __init__(self, folder: Path, name: str, port: int, network_port: int, media_timeout_seconds: int = 60) -> None:
        self.folder = folder
        self.port = port
        """Where it dials in to."""
        self.place = NodePlace(
            name, f"secret of {name}", folder / "data/sounds", folder / "spool/recording",
            folder / "log/cdr-csv/Master.csv",
        )  # fmt: skip
        self.trunk = SipTrunk(TRUNK, "127.0.0.1", network_port)
        self._media_timeout_seconds = media_timeout_seconds
        self._stack = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        for path in (self.place.sounds, self.place.recordings, self.place.records.parent):
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
        modules = "\n".join(f"load = {name}.so" for name in MODULES)
        start = 2 * (free_port() // 2)
        login = f"username={self.place.name}\npassword={self.place.secret}\n"
        client = "type=websocket_client\nconnection_timeout=500\nreconnect_interval=100\n" + login
        address = f"ws://127.0.0.1:{self.port}"
        return {
            "modules.conf": f"[modules]\nautoload = no\n{modules}\n",
            "extensions.conf": "[general]\nstatic=yes\n[inbound]\nexten => _.,1,Hangup(21)\n",
            "rtp.conf": f"[general]\nrtpstart={start}\nrtpend={start + 2000}\n",
            "http.conf": "[general]\nenabled=no\n",
            "amd.conf": "[general]\n",
            "logger.conf": "[logfiles]\nmessages => notice,warning,error\n",
            "cdr.conf": "[general]\nenable=yes\nunanswered=yes\ncongestion=yes\n"
            "[csv]\nusegmtime=yes\nloguniqueid=yes\n",
            "ari.conf": "[general]\nenabled=yes\nwebsocket_write_timeout=5000\n"
            "[callsheet]\ntype=user\npassword=unused\n"
            "[out]\ntype=outbound_websocket\nwebsocket_client_id=node\napps=callsheet\nlocal_ari_user=callsheet\n",
            "websocket_client.conf": f"[node]\nuri={address}/node\nprotocols=ari\nconnection_type=persistent\n{client}"
            f"[media]\nuri={address}/media\nprotocols=media\nconnection_type=per_call_config\n{client}",
            "pjsip.conf": f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{free_port()}\n"
            f"[{TRUNK}]\ntype=endpoint\ntransport=udp\ncontext=inbound\ndisallow=all\nallow=ulaw,alaw\ndirect_media=no\n"
            f"send_pai=yes\ntrust_id_outbound=yes\nsend_connected_line=no\nrtp_symmetric=yes\ndtmf_mode=rfc4733\n"
            f"rtp_timeout={self._media_timeout_seconds}\naors={TRUNK}\n"
            f"[{TRUNK}]\ntype=aor\ncontact=sip:127.0.0.1:{self.trunk.port}\n",
        }


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
