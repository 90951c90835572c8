"""Where calls are carried: what the settings say of our Asterisk, of the door for others, and of a node that joins."""

from __future__ import annotations

import ssl
from pathlib import Path

from callsheet.core.errors import FieldError, Invalid
from callsheet.folder import DataFolder
from callsheet.settings import Settings, variable
from callsheet.voice.asterisk.local import Local
from callsheet.voice.asterisk.remote.door import DoorPlace


def local_of(settings: Settings, folder: DataFolder) -> Local:
    """Return what the Asterisk of this machine is to be."""
    tree = Path(settings.asterisk_tree) if settings.asterisk_tree else None
    return Local(
        folder.asterisk, settings.sip_address, settings.sip_external_address, settings.sip_port, settings.rtp_port,
        settings.voice_node_most_calls, settings.debian_mirror, tree, pass_through=(folder.path,),
    )  # fmt: skip


def door_of(settings: Settings, folder: DataFolder) -> DoorPlace | None:
    """Return where nodes of other hosts come in; None: they do not. Raises Invalid for a certificate that is none."""
    key = settings.voice_node_key.get_secret_value()
    if not key:
        return None
    recordings = folder.asterisk / "brought"
    return DoorPlace(
        settings.voice_node_host, settings.voice_node_port, key, recordings, _tls(settings), settings.trunks_of_nodes
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.voice_node_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.voice_node_certificate, settings.voice_node_certificate_key)
    except (OSError, ValueError) as error:
        path = settings.voice_node_certificate
        raise Invalid(
            [FieldError(variable("voice_node_certificate"), f"{path} and its key cannot be used: {error}.")]
        ) from None
    return context
