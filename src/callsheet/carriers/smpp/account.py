"""An account with an SMPP carrier: where it is, who we are there, and in which of SMPP's ways it wants to be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from ssl import SSLError
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from callsheet.account import Account, Place, Written, refuse
from callsheet.carriers.smpp.alphabets import Alphabet
from callsheet.carriers.smpp.receipts import Ids
from callsheet.carriers.smpp.text import LongTexts, TextRules
from callsheet.carriers.smpp.tls import tls_of
from callsheet.carriers.smpp.tlv import DLT_ENTITY_ID, DLT_TEMPLATE_ID
from callsheet.core.segments import Writing

LONGEST_ANSWER_SECONDS: Final = 25.0
"""A submit is answered, or given up, before the lease of what was armed runs out: 30 seconds."""

LAST_LATIN: Final = 0xFF

Octet = Annotated[int, Field(ge=0, le=255)]
Tag = Annotated[int, Field(ge=0x0001, le=0xFFFF)]
Window = Annotated[int, Field(ge=1, le=10_000)]


class BindMode(StrEnum):
    """How we bind."""

    transceiver = "transceiver"
    pair = "pair"
    """A transmitter and a receiver, two connections."""


class SmppAccount(Account):
    """An account with an SMPP 3.4 carrier."""

    host: Annotated[str, Written(r"^[^\s/@]{1,253}$", "Give a name or an address, without port and path.")]
    """The name or address of the carrier's SMSC."""
    port: int = Field(default=2775, ge=1, le=65_535)
    """Its TCP port."""
    system_id: Annotated[str, Written(r"^[\x21-\x7e]{1,15}$", "Give 1 to 15 ASCII characters without blanks.")]
    """Our name there."""
    password: SecretStr = Field(default=SecretStr(""), max_length=64)
    """Our password there; SMPP knows 8 characters, many carriers take more."""
    system_type: Annotated[str, Written(r"^[\x20-\x7e]{0,12}$", "Give at most 12 ASCII characters.")] = ""
    """What some carriers want to be told about us, as `SMPP` or `VMA`."""
    address_range: Annotated[str, Written(r"^[\x20-\x7e]{0,40}$", "Give at most 40 ASCII characters.")] = ""
    """Which of our senders a receiver hears, where the carrier asks for it."""

    bind: BindMode = BindMode.transceiver
    """`transceiver` (one connection both ways), or `pair` (a transmitter plus a receiver)."""
    binds: int = Field(default=1, ge=1, le=32)
    """How many connections (or pairs) at once."""
    window: Window = 100
    """How many messages may wait for an answer on one connection; of a long text each part counts."""
    enquire_link_seconds: float = Field(default=30, ge=1, le=3600)
    """After how much silence we ask whether the other side is there."""
    answer_seconds: float = Field(default=10, ge=0.1, le=LONGEST_ANSWER_SECONDS)
    """How long an answer may take; after that nobody knows whether the message was taken. At most 25."""
    bind_seconds: float = Field(default=10, ge=0.1, le=60)
    """How long connecting and binding may take."""

    tls: bool = False
    """Whether the connection is encrypted."""
    tls_verify: bool = True
    """Whether the carrier's certificate is checked."""
    tls_ca: str = Field(default="", max_length=100_000)
    """The certificates that vouch for the carrier's (PEM); empty: those that the machine trusts."""
    tls_server_name: str = Field(default="", max_length=253)
    """The name in the carrier's certificate; empty: `host`."""
    tls_certificate: str = Field(default="", max_length=100_000)
    """Our certificate (PEM), where the carrier asks for one."""
    tls_key: SecretStr = Field(default=SecretStr(""), max_length=100_000)
    """The private key of our certificate (PEM, without a passphrase)."""

    gsm_data_coding: Octet = 0
    """The `data_coding` of a text in the GSM alphabet."""
    data_coding_0: Literal["gsm", "latin-1", "ascii"] = "gsm"
    """What `data_coding` 0 means there: `gsm` (one septet in each octet), `latin-1` or `ascii`."""
    concatenation: LongTexts = LongTexts.udh
    """How long texts leave: `udh`, `sar` or `payload`."""
    reference_bits: int = Field(default=8, ge=8, le=16, multiple_of=8)
    """The size of the number that the parts of a text share: 8, or 16, which takes one more octet of each part."""

    source_ton: Annotated[int, Field(ge=0, le=7)] | None = None
    """Type of number of our senders; none: 1 for an international number, 5 for a name, 3 for a short code."""
    source_npi: Annotated[int, Field(ge=0, le=18)] | None = None
    """Numbering plan of our senders; none: 1 for an international number, else 0."""
    destination_ton: Annotated[int, Field(ge=0, le=7)] | None = None
    """Type of number of contacts; none: 1."""
    destination_npi: Annotated[int, Field(ge=0, le=18)] | None = None
    """Numbering plan of contacts; none: 1."""
    plus: bool = False
    """Whether numbers are written with a leading `+`."""
    service_type: Annotated[str, Written(r"^[\x20-\x7e]{0,5}$", "Give at most 5 ASCII characters.")] = ""
    """The `service_type` of our messages."""
    validity_seconds: Annotated[int, Field(ge=60, le=31 * 86_400)] | None = 48 * 3600
    """For how long the carrier tries, at most; the end of a contact's window may be sooner. None: as it likes."""
    receipt_id: Ids = Ids.auto
    """How receipts write the id that the answer gave: `hex`, `decimal`, or `auto`, which tries all."""
    user_message_reference: bool = True
    """Whether 16 bits of ours go along, which some carriers give back in receipts."""
    dlt_entity_tag: Tag = DLT_ENTITY_ID
    """The TLV of India's entity id."""
    dlt_template_tag: Tag = DLT_TEMPLATE_ID
    """The TLV of India's template id."""

    @field_validator("password")
    @classmethod
    def _can_be_written(cls, password: SecretStr) -> SecretStr:
        text = password.get_secret_value()
        if not text.isprintable() or any(ord(char) > LAST_LATIN for char in text):
            raise ValueError("SMPP writes passwords in Latin letters, digits and signs.")
        return password

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        refuse(self._faults_of_tls())
        return self

    def _faults_of_tls(self) -> Iterator[tuple[str, str]]:
        key = self.tls_key.get_secret_value()
        if not self.tls and (self.tls_ca or self.tls_certificate or key):
            yield "tls", "Certificates are given, but TLS is off."
        if self.tls_ca and not _makes_tls(self.tls_ca):
            yield "tls_ca", "These are no certificates in PEM."
        if bool(self.tls_certificate) != bool(key):
            yield "tls_key" if self.tls_certificate else "tls_certificate", "A certificate and its key go together."
        elif key and not _makes_tls("", self.tls_certificate, key):
            yield "tls_certificate", "It and tls_key are no certificate and its key in PEM."

    def texts(self) -> TextRules:
        """Return how texts are written there."""
        return TextRules(
            zero=Alphabet(self.data_coding_0),
            gsm_coding=self.gsm_data_coding,
            long_texts=self.concatenation,
            reference_bits=self.reference_bits,
        )

    def writing(self) -> Writing:
        """Return what of that decides into how many segments a text goes."""
        return self.texts().writing

    def places(self) -> Mapping[str, Place]:
        """Return where it binds."""
        return {"host": Place("smpp", self.host.removesuffix("."), self.port)}


def _makes_tls(*given: str) -> bool:
    try:
        tls_of(*given)
    except (SSLError, ValueError):
        return False
    return True
