"""What TLS needs: whom we trust, and who we are, from texts."""

from __future__ import annotations

import os
import ssl
import tempfile


def tls_of(ca: str = "", certificate: str = "", key: str = "", *, verify: bool = True) -> ssl.SSLContext:
    """Return what a client's connection is made with; all in PEM. Raises SSLError or ValueError for what is none."""
    context = ssl.create_default_context(cadata=ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        _load(context, f"{certificate.strip()}\n{key.strip()}\n".encode())
    return context


def _load(context: ssl.SSLContext, chain: bytes) -> None:
    """Give it our certificate. The library reads keys from files only: one in memory, where there are such."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("key", os.MFD_CLOEXEC), "wb") as file:
            file.write(chain)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=_no_passphrase)
        return
    with tempfile.NamedTemporaryFile() as file:  # readable by us only
        file.write(chain)
        file.flush()
        context.load_cert_chain(file.name, password=_no_passphrase)


def _no_passphrase() -> str:
    """Fail instead of asking at the terminal."""
    raise ValueError("the key has a passphrase")
