"""Permissions: what a call needs, decided as data.

An API client has scopes, a user has a role in each app. What a call needs follows from where it goes (the area and the
first words of the path there) and from whether it only looks. A path without a line in the table needs the most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """What an API client may be granted; the documentation names the first five, and only `administration` is ours."""

    campaign_management = "campaign_management"
    analytics = "analytics"
    outbound_sms = "outbound_sms"
    dialout = "dialout"
    configuration = "configuration"
    administration = "administration"


class Role(StrEnum):
    """What a user is in an app: an admin may do what an operator may, an operator what a viewer may."""

    viewer = "viewer"
    operator = "operator"
    admin = "admin"
    agent = "agent"
    """Answers calls and conversations, and sees nothing of campaigns."""

    def covers(self, needed: Role) -> bool:
        """Tell whether this role may do what another one may."""
        return needed in _COVERED[self]

    @staticmethod
    def highest(roles: Iterable[Role]) -> Role:
        """Return the role that covers most: what somebody is for the account, who is this and that in its apps."""
        return max(roles, key=lambda role: (len(_COVERED[role]), role is not Role.agent), default=Role.agent)


_COVERED: Mapping[Role, frozenset[Role]] = {
    Role.viewer: frozenset({Role.viewer}),
    Role.operator: frozenset({Role.viewer, Role.operator, Role.agent}),
    Role.admin: frozenset({Role.viewer, Role.operator, Role.agent, Role.admin}),
    Role.agent: frozenset({Role.agent}),
}


class Area(StrEnum):
    """Where a path is."""

    compat = "compat"
    """The documented API, below an app."""
    app = "app"
    """Our resources of an app, below `/v1/apps/{app}`."""
    account = "account"
    """Our resources beside the apps, below `/v1`."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a call needs: of an API client this scope, of a user this role or one that covers it."""

    scope: Scope
    role: Role
    or_role: Role | None = None
    """One that may make the call as well, although it does not cover the other."""

    def is_met(self, *, scopes: Collection[str] = (), role: Role | None = None) -> bool:
        """Tell whether a client with these scopes, or a user with this role, may make the call."""
        if role is None:
            return self.scope in scopes
        return role.covers(self.role) or (self.or_role is not None and role.covers(self.or_role))


class _Needs(NamedTuple):
    to_read: Need
    to_write: Need


def _needs(scope: Scope, *, to_read: Role = Role.viewer, to_write: Role = Role.operator) -> _Needs:
    return _Needs(Need(scope, to_read), Need(scope, to_write))


_CAMPAIGNS = _needs(Scope.campaign_management)
_SETUP = _needs(Scope.campaign_management, to_write=Role.admin)
_CONFIGURATION = _needs(Scope.configuration, to_write=Role.admin)
_ADMINISTRATION = _needs(Scope.administration, to_read=Role.admin, to_write=Role.admin)
_SHOWN = _needs(Scope.administration, to_write=Role.admin)

_CONVERSATIONS = _Needs(
    Need(Scope.campaign_management, Role.viewer, Role.agent), Need(Scope.campaign_management, Role.agent)
)

# Whoever answers conversations chooses the queue.
_QUEUES = _Needs(Need(Scope.configuration, Role.viewer, Role.agent), _CONFIGURATION.to_write)

_TABLE: Mapping[tuple[str, ...], _Needs] = {
    (Area.compat, "agentmappings"): _CONFIGURATION,
    (Area.compat, "campaign"): _CAMPAIGNS,
    (Area.compat, "interactiondetails"): _needs(Scope.analytics),
    (Area.compat, "outboundsms"): _needs(Scope.outbound_sms),
    (Area.compat, "queues"): _CONFIGURATION,
    (Area.compat, "smartassist", "dialout"): _needs(Scope.dialout),
    (Area.app,): _SHOWN,
    (Area.app, "agent-mappings"): _CONFIGURATION,
    (Area.app, "ai-endpoints"): _CONFIGURATION,
    (Area.app, "allow-sending"): _SETUP,
    (Area.app, "audit"): _ADMINISTRATION,
    (Area.app, "calls"): _CAMPAIGNS,
    (Area.app, "campaigns"): _CAMPAIGNS,
    (Area.app, "clients"): _ADMINISTRATION,
    (Area.app, "contact-groups"): _CAMPAIGNS,
    (Area.app, "contact-lists"): _CAMPAIGNS,
    (Area.app, "contacts"): _CAMPAIGNS,
    (Area.app, "conversations"): _CONVERSATIONS,
    (Area.app, "dnc-lists"): _CAMPAIGNS,
    (Area.app, "flow-starters"): _CAMPAIGNS,
    (Area.app, "flows"): _CAMPAIGNS,
    # Who knows it may speak for a flow.
    (Area.app, "flows", "*", "webhook-secret"): _Needs(_CONFIGURATION.to_write, _CONFIGURATION.to_write),
    (Area.app, "messages"): _CAMPAIGNS,
    (Area.app, "opt-outs"): _CAMPAIGNS,
    (Area.app, "parked-receipts"): _CONFIGURATION,
    (Area.app, "queues"): _QUEUES,
    (Area.app, "recordings"): _CAMPAIGNS,
    (Area.app, "runs"): _CAMPAIGNS,
    (Area.app, "sandbox"): _CAMPAIGNS,
    (Area.app, "schedules"): _CAMPAIGNS,
    (Area.app, "senders"): _SETUP,
    (Area.app, "settings"): _Needs(_CAMPAIGNS.to_read, _ADMINISTRATION.to_write),
    (Area.app, "sounds"): _CAMPAIGNS,
    # It may cost something: whoever runs campaigns listens.
    (Area.app, "speech"): _Needs(_CAMPAIGNS.to_write, _CAMPAIGNS.to_write),
    (Area.app, "speech-services"): _CONFIGURATION,
    (Area.app, "stop-all"): _CAMPAIGNS,
    (Area.app, "templates"): _CAMPAIGNS,
    (Area.app, "trunks"): _CONFIGURATION,
    # The addresses are secret: who knows them may speak for a carrier.
    (Area.app, "trunks", "*", "callbacks"): _Needs(_CONFIGURATION.to_write, _CONFIGURATION.to_write),
    (Area.app, "users"): _ADMINISTRATION,
    (Area.app, "webhooks"): _CONFIGURATION,
    (Area.account, "accounts"): _SHOWN,
    (Area.account, "accounts", "*", "audit"): _ADMINISTRATION,
    (Area.account, "apps"): _SHOWN,
    (Area.account, "voice-nodes"): _SHOWN,
}
"""By area and first words of the path there, `*` for any; the longest line that fits counts."""

_READ_BY_POST: frozenset[tuple[str, ...]] = frozenset(
    {
        (Area.compat, "campaign", "getallcampaigndetails"),
        (Area.compat, "campaign", "*", "status"),
        (Area.compat, "campaign", "contactlist", "getalllistdetails"),
        (Area.compat, "campaign", "contactlist", "*", "getallcontacts"),
        (Area.compat, "interactiondetails"),
        (Area.app, "calls", "find"),
        (Area.app, "campaigns", "*", "why"),
        (Area.app, "campaigns", "test-filter"),
        (Area.app, "contact-lists", "*", "contacts", "find"),
        (Area.app, "contacts", "history"),
        (Area.app, "conversations", "find"),
        (Area.app, "dnc-lists", "*", "numbers", "find"),
        (Area.app, "flows", "*", "dry-run"),
        (Area.app, "flows", "dry-run"),
        (Area.app, "flows", "validate"),
        (Area.app, "schedules", "preview"),
        (Area.app, "speech"),
        (Area.app, "templates", "*", "preview"),
        (Area.app, "templates", "preview"),
    }
)
"""Calls that only look, although they are made by POST; `*` is the id of anything."""

_NO_IDS = frozenset({"trigger", "contactlist", "schedule"})
"""Words of routes that stand where an id may: what follows them is named `status` only by chance."""

_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})


def only_reads(area: Area, path: Sequence[str], method: str) -> bool:
    """Tell whether a call changes nothing, by its method and the words of its path below the area."""
    return method in _LOOKS or (
        method == "POST" and any(_fits((area, *path), pattern) for pattern in _READ_BY_POST if pattern[0] == area)
    )


def need_of(area: Area, path: Sequence[str], method: str) -> Need:
    """Return what a call needs."""
    needs = find_needs(area, path) or _ADMINISTRATION
    return needs.to_read if only_reads(area, path, method) else needs.to_write


def find_needs(area: Area, path: Sequence[str]) -> _Needs | None:
    """Return the line of the table that fits a path, or None. The bare area stands for itself alone."""
    words = (area, *path)
    if len(words) == 1:
        return _TABLE.get(words)
    fitting = [line for line in _TABLE if len(line) > 1 and _fits(words[: len(line)], line)]
    return _TABLE[max(fitting, key=len)] if fitting else None


def _fits(words: Sequence[str], pattern: Sequence[str]) -> bool:
    return len(words) == len(pattern) and all(
        word.lower() not in _NO_IDS if meant == "*" else meant == word.lower()
        for word, meant in zip(words, pattern, strict=True)
    )
