"""An account with Twilio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, SecretStr, StrictBool, model_validator

from callsheet.account import Account, Place, Written, place_of, refuse
from callsheet.carriers.web_url import WebUrl

LONGEST_VALIDITY_SECONDS = 36_000
"""The longest that Twilio keeps a message for: https://www.twilio.com/docs/messaging/api/message-resource."""


class TwilioAccount(Account):
    """What Twilio's console shows under Account info, and how messages are sent with it."""

    account_sid: Annotated[str, Written(r"^AC[0-9a-fA-F]{32}$", "Give AC and 32 hexadecimal digits.")]
    """The Account SID: `AC` and 32 hexadecimal digits."""
    auth_token: SecretStr = Field(min_length=1, max_length=100)
    """The Auth Token. Twilio signs its callbacks with it, so it is needed beside an API key too."""
    api_key_sid: Annotated[str, Written(r"^(SK[0-9a-fA-F]{32})?$", "Give SK and 32 hexadecimal digits.")] = ""
    """The SID of an API key to send with, in place of the Auth Token."""
    api_key_secret: SecretStr = Field(default=SecretStr(""), max_length=100)
    """The secret of that API key."""
    messaging_service_sid: Annotated[str, Written(r"^(MG[0-9a-fA-F]{32})?$", "Give MG and 32 hexadecimal digits.")] = ""
    """The Messaging Service that chooses the sender; empty: the sender of the campaign."""
    base_url: WebUrl = "https://api.twilio.com"
    """Where the API is: another region, or an emulator."""
    validity_seconds: Annotated[int, Field(ge=1, le=LONGEST_VALIDITY_SECONDS, strict=True)] = LONGEST_VALIDITY_SECONDS
    """How long Twilio may try at most; what the window of a contact leaves is asked for when that is less."""
    smart_encoded: StrictBool = False
    """Whether Twilio replaces signs that would need UCS-2 (curly quotes, for instance) by similar ones."""
    window: Annotated[int, Field(ge=1, le=1000, strict=True)] = 100
    """How many messages may wait for an answer at once."""

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if bool(self.api_key_sid) != bool(self.api_key_secret.get_secret_value()):
            missing = "api_key_secret" if self.api_key_sid else "api_key_sid"
            refuse([(missing, "An API key is its SID and its secret; give both, or neither.")])
        return self

    def places(self) -> Mapping[str, Place]:
        """Return where it is asked."""
        return {"base_url": place_of(self.base_url)}

    def credentials(self) -> tuple[str, str]:
        """Return the user and the password of a request."""
        if self.api_key_sid:
            return self.api_key_sid, self.api_key_secret.get_secret_value()
        return self.account_sid, self.auth_token.get_secret_value()
