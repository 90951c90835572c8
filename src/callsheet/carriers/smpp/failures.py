"""What can be wrong with a PDU: a closed family, whatever the other side sends."""

from __future__ import annotations

from callsheet.carriers.smpp.commands import Status


class PduError(Exception):
    """A PDU that cannot be read, or not be written.

    `status` is what to answer with. `command` and `sequence` are those of its header, 0 where it had none.
    """

    status = Status.SYSTEM_ERROR
    ends_session = False
    """Whether the stream cannot be read on: the place where the next PDU begins is unknown."""

    def __init__(self, said: str, command: int = 0, sequence: int = 0) -> None:
        """Say what is wrong, without quoting what was sent: that may be a number or a text."""
        self.command = command
        self.sequence = sequence
        super().__init__(said)


class BadLength(PduError):
    """The length in its header is no length of a PDU."""

    status = Status.INVALID_COMMAND_LENGTH
    ends_session = True


class BadBody(PduError):
    """Its fields do not fit into its length."""

    status = Status.INVALID_MESSAGE_LENGTH


class BadTlvs(PduError):
    """Its optional parameters do not fit into its length."""

    status = Status.INVALID_TLV_STREAM


class Unencodable(PduError):
    """A field of ours is longer than the protocol lets it be, or holds what it cannot write."""


class UnreadableReceipt(PduError):
    """A delivery receipt that names no message, or no state that we know."""
