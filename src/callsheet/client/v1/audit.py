"""The audit log: what was done, by whom, and whether the log is as it was written."""

from __future__ import annotations

from typing import Any

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_OF_APP = "/v1/apps/{app}/audit"
_OF_ACCOUNT = "/v1/accounts/{account_id}/audit"


class Actor(Record, frozen=True):
    """Who did something."""

    kind: str
    id: str


class AuditLine(Record, frozen=True):
    """A line of the audit log; `seq` is its place, `hash` covers it and the line before."""

    seq: int
    at: str
    """As it is hashed: ISO 8601 with six decimals."""
    actor: Actor
    action: str
    thing: str
    details: dict[str, Any]
    hash: str


class Verdict(Record, frozen=True):
    """What came of walking the log from its first line on; keep `hash` elsewhere to prove it later."""

    intact: bool
    lines: int
    hash: str
    first_broken: int | None


class Audit(Resource[Mode]):
    """The audit log of the app, and that of its account, where apps are made and people sign in."""

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[AuditLine]]:
        """Give the lines of the app, the newest first."""
        return Call("GET", _OF_APP, Page[AuditLine], query={"limit": limit})

    @Single
    def verify(self) -> Call[Verdict]:
        """Say whether the log of the app is as it was written."""
        return Call("GET", f"{_OF_APP}/verify", Verdict)

    @Paged
    def list_of_account(self, account_id: str, *, limit: int = 1000) -> Call[Page[AuditLine]]:
        """Give the lines of the account, the newest first."""
        return Call("GET", _OF_ACCOUNT, Page[AuditLine], {"account_id": account_id}, {"limit": limit})

    @Single
    def verify_of_account(self, account_id: str) -> Call[Verdict]:
        """Say whether the log of the account is as it was written."""
        return Call("GET", f"{_OF_ACCOUNT}/verify", Verdict, {"account_id": account_id})
