"""Person keys and sealed numbers.

Each app has a key of 32 random bytes, sealed by the master key of the data folder. From it come the key that makes
person keys (HMAC-SHA-256, RFC 2104, its first 16 bytes) and the key that seals numbers and secrets (AES-256-GCM, NIST
SP 800-38D, with a random nonce of 12 bytes). What a value is sealed for goes in as associated data, so that a sealed
number moved to another row does not open.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from callsheet.core.ids import PERSON_BYTES

KEY_BYTES = 32
_NONCE_BYTES = 12
_DOOR_BYTES = 16
_DIGEST_BYTES = 16
_APP = re.compile(r"[0-9a-f]{1,15}", re.ASCII)


class Seal:
    """One AES-256-GCM key."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, plain: bytes, purpose: bytes) -> bytes:
        """Seal a value for a purpose."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """Open a sealed value. Raises InvalidTag when it was changed, moved, or sealed by another key."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose)


def _hmac_sha256(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes.

    Both pads are hashed once: a person is looked up for every contact and every receipt.
    """
    padded = key.ljust(64, b"\0")
    inner, outer = (sha256(bytes(octet ^ pad for octet in padded)) for pad in (0x36, 0x5C))

    def digest(text: bytes) -> bytes:
        inside, outside = inner.copy(), outer.copy()
        inside.update(text)
        outside.update(inside.digest())
        return outside.digest()

    return digest


class AppKey:
    """What an app's key is good for."""

    __slots__ = ("_key", "_person", "seal")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._person = _hmac_sha256(hmac.digest(key, b"callsheet person", "sha256"))
        self.seal = Seal(hmac.digest(key, b"callsheet seal", "sha256"))

    def reveal(self) -> bytes:
        """Return the key itself, for a process of ours that seals in our stead. It goes through a pipe only."""
        return self._key

    def person(self, number: str) -> bytes:
        """Return the person key of an E.164 number: the same for every list, run and DNC list of the app."""
        return self._person(number.encode())[:PERSON_BYTES]

    def digest(self, said: bytes) -> bytes:
        """Return what equal words have in common, and nobody can guess who has not the key."""
        return hmac.digest(self._key, b"callsheet digest\0" + said, "sha256")[:_DIGEST_BYTES]

    def flow_secret(self, flow_id: str) -> bytes:
        """Return what signs the webhooks of a flow: every node makes the same, and none keeps it."""
        return hmac.digest(self._key, b"callsheet flow webhook\0" + flow_id.encode(), "sha256")

    def close_number(self, number: str, person: bytes) -> bytes:
        """Seal a number for the person it belongs to."""
        return self.seal.close(number.encode(), person)

    def open_number(self, sealed: bytes, person: bytes) -> str:
        """Open a number that was sealed for this person."""
        return self.seal.open(sealed, person).decode()


class Vault:
    """The master key of a data folder, and the app keys that it opened."""

    def __init__(self, master_key: bytes) -> None:
        self._master = Seal(master_key)
        self._door_key = hmac.digest(master_key, b"callsheet door", "sha256")
        self._apps: dict[int, AppKey] = {}

    def make_app_key(self, app_id: str) -> bytes:
        """Make a new app key and return it sealed."""
        return self._master.close(os.urandom(KEY_BYTES), app_id.encode())

    def learn(self, app: int, app_id: str, key_sealed: bytes) -> AppKey:
        """Open an app's key and keep it."""
        key = self._apps.get(app)
        if key is None:
            key = self._apps[app] = AppKey(self._master.open(key_sealed, app_id.encode()))
        return key

    def app(self, app: int) -> AppKey | None:
        """Return the key of an app that was opened before."""
        return self._apps.get(app)

    def door_secret(self, app: int, trunk_id: str) -> str:
        """Return what is secret of the address of a trunk's door, and names its app.

        Every node makes the same, and none keeps it.
        """
        made = hmac.digest(self._door_key, f"{app}:{trunk_id}".encode("utf-8", "replace"), "sha256")
        return f"{app:x}-{made[:_DOOR_BYTES].hex()}"

    def app_of_door(self, trunk_id: str, secret: str) -> int | None:
        """Return the app of a door's address; None when we never gave it out. How long it takes tells nothing."""
        named = secret.partition("-")[0]
        app = int(named, 16) if _APP.fullmatch(named) else 0
        is_right = hmac.compare_digest(self.door_secret(app, trunk_id).encode(), secret.encode("utf-8", "replace"))
        return app if is_right else None

    def close_bytes(self, plain: bytes, purpose: str) -> bytes:
        """Seal what is no text, perhaps."""
        return self._master.close(plain, purpose.encode())

    def open_bytes(self, sealed: bytes, purpose: str) -> bytes:
        """Open it."""
        return self._master.open(sealed, purpose.encode())

    def close_secret(self, secret: str, purpose: str) -> bytes:
        """Seal a secret of ours (a client's, a trunk's)."""
        return self.close_bytes(secret.encode(), purpose)

    def open_secret(self, sealed: bytes, purpose: str) -> str:
        """Open a secret of ours."""
        return self.open_bytes(sealed, purpose).decode()
