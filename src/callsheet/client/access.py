"""Who calls, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from callsheet.folder import Credentials
from callsheet.signing import sign

Token = str | Callable[[], str]
"""A ready token, or what gives one; it is asked before every try."""


@dataclass(frozen=True, slots=True)
class Access:
    """The address of the API, the app, and what proves who calls for it."""

    base_url: str
    app_id: str
    account_id: str
    token: Token = field(repr=False)

    def headers(self) -> dict[str, str]:
        """Return the documented headers."""
        token = self.token if isinstance(self.token, str) else self.token()
        account = {"accountId": self.account_id} if self.account_id else {}
        return {"auth": token, "iid": self.app_id, **account}


def access_to(
    base_url: str, app_id: str, account_id: str, client_id: str, client_secret: str, token: Token | None
) -> Access:
    """Return the access of a ready token, or of an API client that signs its own. Raises ValueError for neither."""
    if token is None:
        if not (client_id and client_secret):
            raise ValueError("Give client_id and client_secret, or a token.")
        token = sign(Credentials(base_url, account_id, app_id, client_id, client_secret))
    return Access(base_url.rstrip("/"), app_id, account_id, token)
