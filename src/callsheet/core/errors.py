"""The closed family of errors: what the user did, said once, in the class's own docstring.

Every dialect of the API renders the same family. `status` is the HTTP status (RFC 9110), `code` a stable whole word
for programs, and the docstring the sentence for people. Failures of carriers are values, not members of this family.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SHOWN_IDS = 20


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: where it stands (`dialingStrategy.callingHours.days[0].start`) and what is wrong."""

    path: str
    message: str


class CallsheetError(Exception):
    """Something went wrong that has no better name."""

    status = 500
    code = "internal"

    def __init__(self, message: str | None = None) -> None:
        """Take the docstring as the message, unless a more exact sentence is given."""
        self.message = message or inspect.getdoc(type(self)) or self.code
        super().__init__(self.message)


class Invalid(CallsheetError):
    """Some fields are wrong."""

    status = 400
    code = "invalid"

    def __init__(self, fields: Iterable[FieldError]) -> None:
        """Name every wrong field in one answer."""
        self.fields = tuple(fields)
        super().__init__("; ".join(f"{f.path}: {f.message}" for f in self.fields) or None)


class MalformedBody(CallsheetError):
    """The body is not valid JSON."""

    status = 400
    code = "malformed_body"


class BodyTooLarge(CallsheetError):
    """The body is larger than this call accepts."""

    status = 413
    code = "body_too_large"


class Unauthenticated(CallsheetError):
    """The token is missing, malformed, expired, or not signed by a known client."""

    status = 401
    code = "unauthenticated"


class Forbidden(CallsheetError):
    """This is not allowed: the token or session is not for this account or app, or its scope or role is not enough."""

    status = 403
    code = "forbidden"


class NotFound(CallsheetError):
    """There is no such thing here."""

    status = 404
    code = "not_found"


class MethodNotAllowed(CallsheetError):
    """This path does not take this method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, allowed: str = "") -> None:
        """Say which methods the path takes, with commas between."""
        self.allowed = allowed
        super().__init__()


class CampaignNotFound(NotFound):
    """There is no such campaign in this app."""

    code = "campaign_not_found"


class ContactListNotFound(NotFound):
    """There is no such contact list in this app."""

    code = "contact_list_not_found"


class ContactNotFound(NotFound):
    """There is no such contact in this app."""

    code = "contact_not_found"


class DncListNotFound(NotFound):
    """There is no such DNC list in this app."""

    code = "dnc_list_not_found"


class FlowNotFound(NotFound):
    """There is no such experience flow in this app."""

    code = "flow_not_found"


class ConversationNotFound(NotFound):
    """There is no such conversation in this app."""

    code = "conversation_not_found"


class FlowVersionNotFound(NotFound):
    """There is no such version of this experience flow."""

    code = "flow_version_not_found"


class StarterNotFound(NotFound):
    """There is no such starter flow in this release."""

    code = "starter_not_found"


class ClientNotFound(NotFound):
    """There is no such API client in this app."""

    code = "client_not_found"


class UserNotFound(NotFound):
    """There is no such user in this app."""

    code = "user_not_found"


class AiEndpointNotFound(NotFound):
    """There is no such AI endpoint in this app."""

    code = "ai_endpoint_not_found"


class QueueNotFound(NotFound):
    """There is no such queue in this app."""

    code = "queue_not_found"


class SenderNotFound(NotFound):
    """There is no such sender in this app."""

    code = "sender_not_found"


class TrunkNotFound(NotFound):
    """There is no such trunk in this app."""

    code = "trunk_not_found"


class TemplateNotFound(NotFound):
    """There is no such template in this app."""

    code = "template_not_found"


class RunNotFound(NotFound):
    """There is no such run in this app."""

    code = "run_not_found"


class ScheduleNotFound(NotFound):
    """This campaign has no schedule."""

    code = "schedule_not_found"


class ImportNotFound(NotFound):
    """There is no such import in this app."""

    code = "import_not_found"


class WebhookNotFound(NotFound):
    """There is no such webhook in this app."""

    code = "webhook_not_found"


class PullNotFound(NotFound):
    """This contact list is not pulled from anywhere."""

    code = "pull_not_found"


class PreflightNotFound(NotFound):
    """This campaign has had no preflight."""

    code = "preflight_not_found"


class DeliveryNotFound(NotFound):
    """There is no such delivery of this webhook."""

    code = "delivery_not_found"


class Conflict(CallsheetError):
    """This cannot be done in the present state."""

    status = 409
    code = "conflict"


class NameTaken(Conflict):
    """This name is already in use."""

    code = "name_taken"


class WebhookDisabled(Conflict):
    """This webhook is disabled: enable it first."""

    code = "webhook_disabled"


class NameAmbiguous(Conflict):
    """Several campaigns have this name: say by its id which one is meant."""

    code = "name_ambiguous"

    def __init__(self, ids: Sequence[str]) -> None:
        """Name the ids that fit, the newest first, so many that the answer stays short."""
        shown = ", ".join(ids[:_SHOWN_IDS]) + (" and more" if len(ids) > _SHOWN_IDS else "")
        super().__init__(f"Several campaigns have this name: say by its id which one is meant, {shown}.")


class WrongState(Conflict):
    """The campaign's present state does not allow this."""

    code = "wrong_state"


class RestoreNotAcknowledged(Conflict):
    """This run came out of a backup, and whom it contacted afterwards is not recorded: acknowledge that first."""

    code = "restore_not_acknowledged"

    def __init__(self, run_id: str = "", since: str = "") -> None:
        """Say of which run, from when on records are missing, and which call acknowledges that."""
        super().__init__(
            f"The run {run_id} came out of a backup: whom it contacted after {since}, and who opted out, is not"
            " recorded. Say what becomes of it by POST /v1/apps/{app}/runs/{run}/acknowledge-restore."
            if run_id
            else None
        )


class LastAdmin(Conflict):
    """This is the last enabled admin of the app: make somebody else one first."""

    code = "last_admin"


class FlowIsEmpty(Conflict):
    """The experience flow of this campaign has no document with a message, so there is nothing to send."""

    code = "flow_is_empty"


class KeyReused(CallsheetError):
    """This Idempotency-Key belongs to a request with another path or body; a new request needs a new key."""

    status = 422
    code = "idempotency_key_reused"


class KeyInUse(Conflict):
    """A request with this Idempotency-Key has begun and has no answer yet; ask again in a moment."""

    code = "idempotency_key_in_use"


class KeyBrokenOff(Conflict):
    """The request with this Idempotency-Key broke off: look whether it took effect, then use a new key."""

    code = "idempotency_key_broken_off"


class ListInUse(Conflict):
    """A campaign uses this contact list."""

    code = "list_in_use"


class InUse(Conflict):
    """Something else uses this, so it cannot be deleted."""

    code = "in_use"


class ListNotEmpty(Conflict):
    """Whether a list takes a person twice can be changed only while nobody is on it."""

    code = "list_not_empty"


class LimitReached(Conflict):
    """This is more than a limit of the app allows."""

    code = "limit_reached"


class NoVoiceTrunk(Conflict):
    """No voice trunk is configured for this sender, so a voice campaign cannot start."""

    code = "no_voice_trunk"


class RunsElsewhere(Conflict):
    """This voice node runs on another machine: drain it, and start it anew there."""

    code = "runs_elsewhere"


class SendingStopped(Conflict):
    """All sending of this app was stopped; somebody has to allow it again first."""

    code = "sending_stopped"


class EmergencyRuns(Conflict):
    """Another campaign of this account runs as an emergency already, and only one may."""

    code = "emergency_runs"


class TooManyVoiceCampaigns(Conflict):
    """So many voice campaigns are running that no other may start."""

    code = "too_many_voice_campaigns"


class PreflightRequired(Conflict):
    """This campaign starts only after a preflight that holds and found nothing in the way."""

    code = "preflight_required"


class FolderInUse(Conflict):
    """Another process owns this data folder."""

    code = "folder_in_use"


class RateLimited(CallsheetError):
    """You've exceeded the per-minute rate limit. Please wait for sometime before retrying."""

    status = 429
    code = "rate_limited"

    def __init__(self, retry_seconds: float) -> None:
        """Say after how many seconds the next call is taken. The sentence is the documented one."""
        self.retry_seconds = retry_seconds
        super().__init__()


class TooManySignIns(RateLimited):
    """Too many tries to sign in failed. Wait, and try again."""

    code = "too_many_sign_ins"


class Unavailable(CallsheetError):
    """The service cannot take this now; nothing was stored, try again."""

    status = 503
    code = "unavailable"
