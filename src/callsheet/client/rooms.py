"""Where the calls of a client are: a resource for each noun, and any other call."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from callsheet.client.access import Token, access_to
from callsheet.client.call import Call, JsonObject
from callsheet.client.compat.campaigns import Campaigns as CompatCampaigns
from callsheet.client.compat.contact_lists import ContactLists as CompatContactLists
from callsheet.client.compat.dialouts import Dialouts
from callsheet.client.compat.interactions import Interactions
from callsheet.client.compat.outbound_sms import OutboundSms
from callsheet.client.compat.queues import Queues as CompatQueues
from callsheet.client.method import Carrier, Mode, Resource, Single
from callsheet.client.transport import Transport
from callsheet.client.v1.accounts import Accounts, Apps
from callsheet.client.v1.agent_mappings import AgentMappings
from callsheet.client.v1.ai_endpoints import AiEndpoints
from callsheet.client.v1.api_clients import ApiClients
from callsheet.client.v1.audit import Audit
from callsheet.client.v1.calls import Calls
from callsheet.client.v1.campaigns import Campaigns
from callsheet.client.v1.contact_groups import ContactGroups
from callsheet.client.v1.contact_lists import ContactLists
from callsheet.client.v1.contacts import Contacts
from callsheet.client.v1.conversations import Conversations
from callsheet.client.v1.dnc_lists import DncLists
from callsheet.client.v1.flow_starters import FlowStarters
from callsheet.client.v1.flows import Flows
from callsheet.client.v1.imports import Imports
from callsheet.client.v1.messages import Messages
from callsheet.client.v1.opt_outs import OptOuts
from callsheet.client.v1.parked_receipts import ParkedReceipts
from callsheet.client.v1.pulls import Pulls
from callsheet.client.v1.queues import Queues
from callsheet.client.v1.recordings import Recordings
from callsheet.client.v1.runs import Runs
from callsheet.client.v1.sandbox import Sandbox
from callsheet.client.v1.schedules import Schedules
from callsheet.client.v1.senders import Senders
from callsheet.client.v1.sending import Sending
from callsheet.client.v1.settings import Settings
from callsheet.client.v1.sounds import Sounds
from callsheet.client.v1.speech import Speech
from callsheet.client.v1.speech_services import SpeechServices
from callsheet.client.v1.templates import Templates
from callsheet.client.v1.trunks import Trunks
from callsheet.client.v1.users import Users
from callsheet.client.v1.voice_nodes import VoiceNodes
from callsheet.client.v1.webhooks import Webhooks

TRIES = 6
"""With the waits between them this outlasts a restart of the server."""
READ_SECONDS = 120.0
"""A call that forbids may wait for a lease; nothing takes longer than that."""


class Compat(Resource[Mode]):
    """The documented API."""

    def __init__(self, carrier: Carrier) -> None:
        super().__init__(carrier)
        self.campaigns: CompatCampaigns[Mode] = CompatCampaigns(carrier)
        self.contact_lists: CompatContactLists[Mode] = CompatContactLists(carrier)
        self.queues: CompatQueues[Mode] = CompatQueues(carrier)
        self.outbound_sms: OutboundSms[Mode] = OutboundSms(carrier)
        self.dialouts: Dialouts[Mode] = Dialouts(carrier)
        self.interactions: Interactions[Mode] = Interactions(carrier)


class Own(Resource[Mode]):
    """Our own API."""

    def __init__(self, carrier: Carrier) -> None:
        super().__init__(carrier)
        self.templates: Templates[Mode] = Templates(carrier)
        self.flows: Flows[Mode] = Flows(carrier)
        self.ai_endpoints: AiEndpoints[Mode] = AiEndpoints(carrier)
        self.flow_starters: FlowStarters[Mode] = FlowStarters(carrier)
        self.sounds: Sounds[Mode] = Sounds(carrier)
        self.speech: Speech[Mode] = Speech(carrier)
        self.speech_services: SpeechServices[Mode] = SpeechServices(carrier)
        self.conversations: Conversations[Mode] = Conversations(carrier)
        self.calls: Calls[Mode] = Calls(carrier)
        self.recordings: Recordings[Mode] = Recordings(carrier)
        self.contact_groups: ContactGroups[Mode] = ContactGroups(carrier)
        self.contact_lists: ContactLists[Mode] = ContactLists(carrier)
        self.contacts: Contacts[Mode] = Contacts(carrier)
        self.pulls: Pulls[Mode] = Pulls(carrier)
        self.dnc_lists: DncLists[Mode] = DncLists(carrier)
        self.messages: Messages[Mode] = Messages(carrier)
        self.opt_outs: OptOuts[Mode] = OptOuts(carrier)
        self.imports: Imports[Mode] = Imports(carrier)
        self.campaigns: Campaigns[Mode] = Campaigns(carrier)
        self.schedules: Schedules[Mode] = Schedules(carrier)
        self.runs: Runs[Mode] = Runs(carrier)
        self.queues: Queues[Mode] = Queues(carrier)
        self.agent_mappings: AgentMappings[Mode] = AgentMappings(carrier)
        self.senders: Senders[Mode] = Senders(carrier)
        self.trunks: Trunks[Mode] = Trunks(carrier)
        self.voice_nodes: VoiceNodes[Mode] = VoiceNodes(carrier)
        self.parked_receipts: ParkedReceipts[Mode] = ParkedReceipts(carrier)
        self.sending: Sending[Mode] = Sending(carrier)
        self.settings: Settings[Mode] = Settings(carrier)
        self.accounts: Accounts[Mode] = Accounts(carrier)
        self.apps: Apps[Mode] = Apps(carrier)
        self.users: Users[Mode] = Users(carrier)
        self.api_clients: ApiClients[Mode] = ApiClients(carrier)
        self.audit: Audit[Mode] = Audit(carrier)
        self.webhooks: Webhooks[Mode] = Webhooks(carrier)
        self.sandbox: Sandbox[Mode] = Sandbox(carrier)


class Rooms(Own[Mode]):
    """All calls of one app."""

    def __init__(
        self,
        base_url: str,
        app_id: str,
        *,
        account_id: str = "",
        client_id: str = "",
        client_secret: str = "",
        token: Token | None = None,
        tries: int = TRIES,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """Take what `callsheet credentials --json` prints; or a ready token instead of the client's id and secret.

        A call that gets no answer within `read_seconds` is tried again, `tries` times in all.
        """
        self.base_url = base_url.rstrip("/")
        self.app_id = app_id
        access = access_to(base_url, app_id, account_id, client_id, client_secret, token)
        carrier = self._carrier_on(Transport(access, tries=tries, read_seconds=read_seconds))
        super().__init__(carrier)
        self.compat: Compat[Mode] = Compat(carrier)

    @abstractmethod
    def _carrier_on(self, transport: Transport) -> Carrier:
        """Return what carries the calls."""

    @Single
    def call(
        self,
        method: str,
        path: str,
        *,
        query: JsonObject | None = None,
        json: JsonObject | list[Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Any]:
        """Make any call, and return its JSON. `{app}` in the path stands for the app."""
        answer: Any = Any
        return Call(method.upper(), path, answer, query=query or {}, body=json, key=idempotency_key)
