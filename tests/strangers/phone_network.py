"""The phone network: a second Asterisk with phones that answer, are busy, ring for ever (`phones.py`).

It is the carrier of a trunk, and keeps a ledger: which numbers were called, when, by whom, and how each call ended.
"""

import datetime as dt
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from callsheet.voice.asterisk.modules import MODULES
from ports import free_port
from strangers.asterisk import ask, running_asterisk
from strangers.phone_dialplan import dialplan
from strangers.phones import number_of
from strangers.self_signed import certificate

ANSWER_SECONDS = 60
USERNAME, PASSWORD = "account", "wonderful;secret"
MORE_MODULES = (
    "app_senddtmf", "app_record", "res_clioriginate", "func_env", "func_global",
    "res_pjsip_endpoint_identifier_anonymous",
)  # fmt: skip
_CODECS = "disallow=all\nallow=ulaw,alaw\ndirect_media=no\nrtp_symmetric=yes\ndtmf_mode=rfc4733\ncontext=pstn\n"


class PhoneCall(NamedTuple):
    """A call, as the network saw it."""

    id: str
    number: str
    """As it was dialed."""
    caller: str
    """The header From."""
    asserted: str
    """The header P-Asserted-Identity; empty: there was none."""
    at: dt.datetime
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    cause: int = 0
    is_encrypted: bool = False
    """Speech is."""


class PhoneNetwork:
    """A running one. Numbers that `number` gives are used by nobody else of this process."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, *, asks_password: bool) -> None:
        self.folder = folder
        self.port = free_port()
        """UDP and TCP."""
        self.tls_port = free_port()
        self.certificate = folder / "certificate.pem"
        """Its own, and whom to trust for it."""
        self.asks_password = asks_password
        """By digest, and it takes registrations; else it knows its callers by their address."""
        self.username, self.password = (USERNAME, PASSWORD) if asks_password else ("", "")
        self._ledger = folder / "ledger"
        self._recordings = folder / "recordings"
        self._indexes = count()

    def prepare(self) -> None:
        """Make what Asterisk expects to find."""
        self._recordings.mkdir()
        self._ledger.touch()
        self.certificate.write_bytes(certificate(self.host))

    def number(self, ending: str) -> str:
        """Return a number of its own for a test, E.164; the ending says what its phone does."""
        return number_of(ending, next(self._indexes))

    def calls(self, number: str | None = None) -> list[PhoneCall]:
        """Return the calls so far, oldest first: all, or those to a number (as it was dialed, or with + before it)."""
        found: dict[str, PhoneCall] = {}
        for event, at, call, *fields in self._read():
            moment = dt.datetime.fromtimestamp(float(at), dt.UTC)
            if event == "called":
                found[call] = PhoneCall(call, *fields, at=moment)
            elif event == "answered":
                found[call] = found[call]._replace(answered_at=moment, is_encrypted=fields[0] == "1")
            elif event == "ended":
                found[call] = found[call]._replace(ended_at=moment, cause=int(fields[0] or 0))
        wanted = {number, (number or "").lstrip("+")}
        return [call for call in found.values() if number is None or call.number in wanted]

    def _read(self) -> list[list[str]]:
        # The last line may be half written.
        return [line.split("\t") for line in self._ledger.read_text("utf-8").split("\n")[:-1]]

    def call_back(self) -> int:
        """Call whoever registered; return the cause (Q.850) with which that call ended."""
        before = len(self._ended_back())
        self.ask(f"channel originate Local/{self.username}@back application Wait 30")
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if len(causes := self._ended_back()) > before:
                return causes[-1]
            time.sleep(0.02)
        raise AssertionError("The call to whoever registered did not end")

    def _ended_back(self) -> list[int]:
        return [int(fields[0] or 0) for event, _, _, *fields in self._read() if event == "called_back"]

    def times_dialed(self) -> Counter[str]:
        """Return how often each number was called."""
        return Counter(call.number for call in self.calls())

    def await_calls(self, number: str, *, ended: int = 0, answered: int = 0, came: int = 0) -> list[PhoneCall]:
        """Wait until so many calls of a number came, were answered, and ended; return them."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            calls = self.calls(number)
            done = sum(call.ended_at is not None for call in calls), sum(call.answered_at is not None for call in calls)
            if done[0] >= ended and done[1] >= answered and len(calls) >= came:
                return calls
            time.sleep(0.02)
        raise AssertionError(f"The network waited for calls of {number}; it saw {self.calls(number)}")

    def recording(self, call: PhoneCall) -> Path:
        """Return what a phone that keeps what it hears heard: a WAV file, whole when the call has ended."""
        return self._recordings / f"{call.id}.wav"

    def ask(self, command: str) -> str:
        """Return what its console answers."""
        return ask(self.folder, command)

    def files(self) -> dict[str, str]:
        """Return its configuration."""
        modules = "\n".join(f"load = {name}.so" for name in (*MODULES, *MORE_MODULES))
        start = 2 * (free_port() // 2)
        return {
            "modules.conf": f"[modules]\nautoload = no\n{modules}\n",
            "extensions.conf": dialplan(self._ledger, self._recordings),
            "pjsip.conf": self._transports() + (_KNOWS_PASSWORD if self.asks_password else _KNOWS_ADDRESS),
            "rtp.conf": f"[general]\nrtpstart={start}\nrtpend={start + 4000}\n",
            "http.conf": "[general]\nenabled=no\n",
            "amd.conf": "[general]\n",
            "logger.conf": "[logfiles]\nmessages => notice,warning,error\n",
            "cdr.conf": "[general]\nenable=no\n",
        }

    def _transports(self) -> str:
        order = "auth_username" if self.asks_password else "ip,anonymous"
        transports = "".join(
            f"[{name}]\ntype=transport\nprotocol={name}\nbind={self.host}:{port}\n"
            for name, port in (("udp", self.port), ("tcp", self.port), ("tls", self.tls_port))
        )
        tls = f"cert_file={self.certificate}\npriv_key_file={self.certificate}\nmethod=tlsv1_2\n"
        return f"[global]\ntype=global\nendpoint_identifier_order={order}\n{transports}{tls}"


_KNOWS_ADDRESS = f"[anonymous]\ntype=endpoint\n{_CODECS}media_encryption_optimistic=yes\nmedia_encryption=sdes\n"
_KNOWS_PASSWORD = (
    f"[{USERNAME}]\ntype=endpoint\nidentify_by=auth_username\nauth={USERNAME}\naors={USERNAME}\n{_CODECS}"
    f"[{USERNAME}]\ntype=auth\nauth_type=digest\nusername={USERNAME}\npassword={PASSWORD.replace(';', chr(92) + ';')}\n"
    f"[{USERNAME}]\ntype=aor\nmax_contacts=10\n"
)


@contextmanager
def running_phone_network(*, asks_password: bool = False) -> Iterator[PhoneNetwork]:
    """Run a phone network until the block ends."""
    # Not a folder of pytest's: the path of a socket has at most 107 letters.
    with tempfile.TemporaryDirectory(prefix="phones-") as name:
        network = PhoneNetwork(Path(name), asks_password=asks_password)
        network.prepare()
        with running_asterisk(network.folder, network.files()):
            yield network
