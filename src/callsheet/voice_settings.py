"""Settings of what carries calls: the Asterisk beside us, and voice nodes on other hosts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings

from callsheet.core.sip import MOST_NODE_CALLS, USUAL_NODE_CALLS

REFUSED: Final = "setting"
_SHORTEST_KEY: Final = 32
_NODE_TRUNKS: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*=[0-9A-Za-z_-]+(,[0-9A-Za-z_-]+)*")


class VoiceSettings(BaseSettings):
    """What can be chosen for calls."""

    sip_private_addresses: bool = Field(
        default=True,
        title="true or false",
        description="whether SIP trunks may be at addresses of this machine and of private networks, as a PBX is",
    )
    sip_address: str = Field(
        default="0.0.0.0",  # noqa: S104 - providers are somewhere out there
        title="an address of this machine, or 0.0.0.0",
        description="where the Asterisk that carries calls listens for SIP and media; it starts when there is a SIP"
        " trunk",
    )
    sip_external_address: str = Field(
        default="",
        title="an address",
        description="what SIP providers call this machine, where it is behind a NAT; empty: it is not",
    )
    sip_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        title="a whole number from 0 to 65535",
        description="where Asterisk listens for SIP by UDP and TCP; 0 takes a free one, and then always the same",
    )
    rtp_port: int = Field(
        default=0,
        ge=0,
        le=61536,
        title="a whole number from 0 to 61536",
        description="the first of the 4,000 UDP ports of the media of calls; 0 chooses, and then always the same",
    )
    debian_mirror: str = Field(
        default="",
        title="the URL of a mirror of Debian",
        description="from where Asterisk is fetched; empty: from the mirrors that this machine's apt uses",
    )
    asterisk_tree: str = Field(
        default="",
        title="the path of a folder",
        description="where Asterisk is, or is fetched to; empty: in the data folder",
    )
    drain_seconds: int = Field(
        default=60,
        ge=0,
        le=7200,
        title="a whole number from 0 to 7200",
        description="how long calls that were answered may go on when `serve` or `work` is told to stop",
    )
    voice_node_local: bool = Field(
        default=True,
        title="true or false",
        description="whether an Asterisk runs beside this process; false: calls go through voice nodes elsewhere only",
    )
    voice_node_most_calls: int = Field(
        default=USUAL_NODE_CALLS,
        ge=1,
        le=MOST_NODE_CALLS,
        title=f"a whole number from 1 to {MOST_NODE_CALLS}",
        description="how many calls may go on at once on the Asterisk beside this process",
    )
    voice_node_key: SecretStr = Field(
        default=SecretStr(""),
        title="32 signs or more, as text",
        description="of this the keys of voice nodes on other hosts are made (`callsheet voice-node-key`); empty: none"
        " may join. On such a host: the key of that node",
    )
    voice_node_trunks: str = Field(
        default="",
        title="names of nodes with their trunks, such as berlin-1=trk-a,trk-b",
        description="the trunks that a voice node on another host may have, nodes with a space between:"
        " `berlin-1=trk-a,trk-b oslo-1=trk-c`; one that is not named may have all",
    )
    voice_node_host: str = Field(
        default="127.0.0.1",
        title="a host name or an address",
        description="the address that voice nodes on other hosts join at, when there is a key",
    )
    voice_node_port: int = Field(
        default=8032, ge=1, le=65535, title="a whole number from 1 to 65535", description="its port"
    )
    voice_node_certificate: Path | None = Field(
        default=None,
        title="the path of a file",
        description="the certificate (PEM, with those that it hangs on) for voice nodes that join by https; none: they"
        " join by http",
    )
    voice_node_certificate_key: Path | None = Field(
        default=None, title="the path of a file", description="the private key of that certificate (PEM)"
    )

    @property
    def trunks_of_nodes(self) -> Mapping[str, frozenset[str]]:
        """Return which trunks a node may have, by its name; one that is not named may have all."""
        named = (node.partition("=") for node in self.voice_node_trunks.split())
        return {name: frozenset(trunks.split(",")) for name, _, trunks in named}

    @field_validator("voice_node_trunks")
    @classmethod
    def _check_trunks(cls, written: str) -> str:
        names = [node.partition("=")[0] for node in written.split()]
        # A node that is named twice, or wrongly, would have more than somebody believes.
        if not all(map(_NODE_TRUNKS.fullmatch, written.split())) or len(set(names)) < len(names):
            raise refusal("Give names of nodes with their trunks, such as berlin-1=trk-a,trk-b oslo-1=trk-c.")
        return written

    @field_validator("sip_address", "sip_external_address")
    @classmethod
    def _check_address(cls, address: str) -> str:
        try:
            if address:
                ip_address(address)
        except ValueError:
            raise refusal("Give an address such as 203.0.113.7.") from None
        return address

    @field_validator("debian_mirror")
    @classmethod
    def _check_mirror(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[^\s\[\]]+", url):
            raise refusal("Give a URL that begins with http:// or https://, the part before /dists.")
        return url.rstrip("/")

    @field_validator("voice_node_key")
    @classmethod
    def _check_node_key(cls, key: SecretStr) -> SecretStr:
        """Refuse one that somebody could guess: it opens the passwords of SIP trunks."""
        if 0 < len(key.get_secret_value()) < _SHORTEST_KEY:
            raise refusal("Give 32 signs or more, such as `openssl rand -hex 32` makes.")
        return key


def refusal(sentence: str) -> PydanticCustomError:
    """Return what is raised for a setting that is wrong; the sentence says what it takes."""
    return PydanticCustomError(REFUSED, "{sentence}", {"sentence": sentence})
