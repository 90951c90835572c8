"""The account with the sandbox: there is nothing to know."""

from __future__ import annotations

from callsheet.account import Account


class SandboxAccount(Account):
    """The handset simulator inside this process wants no account."""
