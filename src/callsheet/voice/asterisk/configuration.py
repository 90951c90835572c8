"""What a node's configuration says: a pure function from values to files.

A node loads only what it needs, listens only for SIP, dials in to us by websocket, and writes call records without
a phone number in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from callsheet.core.sip import SipTrunk
from callsheet.voice.asterisk.modules import MODULES
from callsheet.voice.asterisk.pjsip import REFUSED, SipSide, ca_file, pjsip_conf
from callsheet.voice.asterisk.sections import Section, write_sections
from callsheet.voice.asterisk.tree import Tree
from callsheet.voice.asterisk.wire import APP, MEDIA_CLIENT, MEDIA_PATH, NODE_PATH

RUN_FOLDER: Final = "run"
"""Relative to the folder in which the node is started: a socket's path has at most 107 letters."""
RECORDS: Final = "log/cdr-custom/Master.csv"
"""The call records, below the node's folder."""
PJSIP: Final = "pjsip.conf"
"""The file with the trunks and their passwords, in `etc`."""
LOG: Final = "log/messages"
"""What went wrong, below the node's folder."""

# The columns of Asterisk's own `Master.csv`; those that hold numbers are empty, for the file is kept.
_RECORD: Final = ",".join(
    ('""',) * 9
    # Seconds since 1970: a node may live in any time zone.
    + tuple(f"${{CDR({name},u)}}" for name in ("start", "answer", "end"))
    + tuple(f"${{CDR({name})}}" for name in ("duration", "billsec", "disposition"))
    + ('""', "${CDR(uniqueid)}", '""')
)
_TONES: Final = "[general]\ncountry = us\n\n[us]\ndescription = US\nringcadence = 2000,4000\ndial = 350+440\n"
_CA_FILE: Final = "dispatcher.pem"
_EMPTY: Final = (
    "acl.conf", "ccss.conf", "cel.conf", "chan_websocket.conf", "features.conf", "manager.conf",
    "pjproject.conf", "stasis.conf", "udptl.conf",
)  # fmt: skip
"""Asterisk complains when it does not find them."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Where the node dials in, and as whom."""

    uri: str
    """`ws://host:port`, or `wss://`."""
    name: str
    secret: str = field(repr=False)
    ca_certificate: str = ""
    """Whom a node trusts that dials `wss://`, as PEM; empty: whom its machine trusts."""
    instance: str = ""
    """Which of several of its name it is; empty: there is one."""

    @property
    def login(self) -> str:
        """The user that it logs in as."""
        return f"{self.name}.{self.instance}" if self.instance else self.name


@dataclass(frozen=True, slots=True)
class NodePlan:
    """All that a node is to be."""

    folder: Path
    tree: Tree
    dispatcher: Dispatcher
    sip: SipSide
    rtp_ports: tuple[int, int]
    """The first and the last; each call takes two."""
    trunks: tuple[SipTrunk, ...] = ()


def configure(plan: NodePlan) -> Mapping[str, str]:
    """Return the files of the node's `etc`, by name; some hold secrets. Raises NotWritable."""
    first, last = plan.rtp_ports
    certificates = {ca_file(trunk): trunk.ca_certificate for trunk in plan.trunks if trunk.ca_certificate}
    return {
        **dict.fromkeys(_EMPTY, ""),
        **certificates,
        **({_CA_FILE: plan.dispatcher.ca_certificate} if plan.dispatcher.ca_certificate else {}),
        "asterisk.conf": _asterisk(plan),
        "modules.conf": write_sections(
            [Section("modules", {"autoload": False}, tuple(("load", f"{name}.so") for name in MODULES))]
        ),
        PJSIP: pjsip_conf(plan.sip, plan.trunks, plan.folder / "etc"),
        "rtp.conf": write_sections([Section("general", {"rtpstart": first, "rtpend": last, "icesupport": False})]),
        # Nobody asks the node by HTTP: it dials in.
        "http.conf": write_sections([Section("general", {"enabled": False})]),
        "ari.conf": _ari(plan.dispatcher),
        "websocket_client.conf": _websockets(plan.dispatcher, plan.folder / "etc" / _CA_FILE),
        "extensions.conf": f"[general]\nstatic = yes\n\n[{REFUSED}]\nexten => _[!-~]!,1,Hangup(21)\n",
        "cdr.conf": write_sections([Section("general", {"enable": True, "unanswered": True, "congestion": True})]),
        "cdr_custom.conf": f"[mappings]\nMaster.csv => {_RECORD}\n",
        "logger.conf": write_sections(
            [
                Section("general", {"dateformat": "%F %T", "use_callids": False, "queue_log": False}),
                # Not to the console: what goes there is read only while it starts, and may hold numbers.
                Section("logfiles", {"messages": "warning,error"}),
            ]
        ),
        "indications.conf": _TONES,
        # The module does not load without one.
        "amd.conf": "[general]\n",
    }


def _asterisk(plan: NodePlan) -> str:
    folder = plan.folder
    directories = {
        "astetcdir": folder / "etc", "astmoddir": plan.tree.modules, "astvarlibdir": folder / "lib",
        "astdbdir": folder / "lib", "astkeydir": folder / "lib", "astdatadir": folder / "data",
        "astagidir": folder / "lib", "astspooldir": folder / "spool", "astrundir": RUN_FOLDER,
        "astlogdir": folder / "log",
    }  # fmt: skip
    options: dict[str, str | int | bool] = {
        "systemname": plan.dispatcher.name,
        "hideconnect": True,
        "nocolor": True,
        "live_dangerously": False,
        "documentation_language": "en_US",
    }
    return write_sections(
        (
            Section("directories", {name: str(path) for name, path in directories.items()}),
            Section("options", options),
            Section("files", {"astctlpermissions": "0600"}),
        )
    )


def _ari(dispatcher: Dispatcher) -> str:
    return write_sections(
        (
            # The usual 100 ms would drop us when our machine is busy.
            Section("general", {"enabled": True, "websocket_write_timeout": 5000}),
            # Nobody can use this password: there is no HTTP server.
            Section(APP, {"type": "user", "password": dispatcher.secret}),
            Section(
                "events",
                {
                    "type": "outbound_websocket", "websocket_client_id": "dispatcher", "apps": APP,
                    "local_ari_user": APP,
                },
            ),
        )
    )  # fmt: skip


def _websockets(dispatcher: Dispatcher, ca_file: Path) -> str:
    common: dict[str, str | int | bool] = {
        "type": "websocket_client",
        "username": dispatcher.login,
        "password": dispatcher.secret,
        "connection_timeout": 2000,
    }
    if dispatcher.uri.startswith("wss:"):
        common |= {"tls_enabled": True}
        common |= {"ca_list_file": str(ca_file)} if dispatcher.ca_certificate else {"ca_list_path": "/etc/ssl/certs"}
    return write_sections(
        (
            Section(
                "dispatcher",
                {
                    **common, "uri": dispatcher.uri + NODE_PATH, "protocols": "ari", "connection_type": "persistent",
                    "reconnect_interval": 500, "reconnect_attempts": 5,
                },
            ),
            Section(
                MEDIA_CLIENT,
                {
                    **common, "uri": dispatcher.uri + MEDIA_PATH, "protocols": "media",
                    "connection_type": "per_call_config", "reconnect_interval": 100, "reconnect_attempts": 1,
                },
            ),
        )
    )  # fmt: skip
