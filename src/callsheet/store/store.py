"""The store as one thing: the hot operations of a database, and the nouns that are the same on both."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from callsheet.core.ids import Prefix
from callsheet.store.acquaintances import Acquaintances
from callsheet.store.agent_mappings import AgentMappings
from callsheet.store.ai_endpoints import AiEndpoints
from callsheet.store.answers import Answers
from callsheet.store.apps import Apps
from callsheet.store.audit import Audit
from callsheet.store.callbacks import Callbacks
from callsheet.store.calls import Calls
from callsheet.store.campaigns import Campaigns
from callsheet.store.clients import Client, Clients
from callsheet.store.contact_groups import ContactGroups
from callsheet.store.contacts import Contacts
from callsheet.store.conversations import Conversations
from callsheet.store.database import Database
from callsheet.store.day_uses import DayUses
from callsheet.store.defaults import found_app
from callsheet.store.deliveries import Deliveries
from callsheet.store.dialouts import Dialouts
from callsheet.store.dnc import DncLists
from callsheet.store.dnc_entries import DncEntries
from callsheet.store.documents import Documents
from callsheet.store.erasing import Erasing
from callsheet.store.errands import Errands
from callsheet.store.flow_queue import FlowQueue
from callsheet.store.flow_results import FlowResults
from callsheet.store.flow_sessions import FlowSessions
from callsheet.store.flow_versions import FlowVersions
from callsheet.store.hang_ups import HangUps
from callsheet.store.histories import Histories
from callsheet.store.imports import Imports
from callsheet.store.inbox import Inbox
from callsheet.store.lists import Lists
from callsheet.store.opt_outs import OptOuts
from callsheet.store.outbox import Outbox
from callsheet.store.outcomes import Outcomes
from callsheet.store.parked_receipts import ParkedReceipts
from callsheet.store.preflights import Preflights
from callsheet.store.protocol import BulkStore, HotStore
from callsheet.store.pulls import Pulls
from callsheet.store.queues import Queues
from callsheet.store.recording_wishes import RecordingWishes
from callsheet.store.recordings import Recordings
from callsheet.store.replacing import Replacing
from callsheet.store.replies import Replies
from callsheet.store.reports import Reports
from callsheet.store.restoring import Restoring
from callsheet.store.ringing import Ringing
from callsheet.store.runs import Runs
from callsheet.store.schedules import Schedules
from callsheet.store.senders import Senders
from callsheet.store.sending import Sending
from callsheet.store.sessions import Sessions
from callsheet.store.singles import Singles
from callsheet.store.slots import Slots
from callsheet.store.sounds import Sounds
from callsheet.store.speech_services import SpeechServices
from callsheet.store.standings import Standings
from callsheet.store.tallies import Tallies
from callsheet.store.told_calls import ToldCalls
from callsheet.store.transcripts import Transcripts
from callsheet.store.trunks import Trunks
from callsheet.store.users import Users
from callsheet.store.vault import Vault
from callsheet.store.webhooks import Webhooks


class Hot(HotStore, BulkStore, Protocol):
    """Everything that a database does by hand."""


class Store:
    """The memory of Callsheet."""

    def __init__(self, database: Database, hot: Hot, vault: Vault) -> None:
        self._database, self.hot, self.vault = database, hot, vault
        self.acquaintances, self.answers = Acquaintances(database), Answers(database, vault)
        self.ai_endpoints, self.apps = AiEndpoints(database, vault), Apps(database, vault)
        self.agent_mappings, self.audit = AgentMappings(database, vault), Audit(database)
        self.callbacks = Callbacks(database)
        self.calls, self.campaigns = Calls(database, vault), Campaigns(database)
        self.clients = Clients(database, vault)
        self.dnc_entries = DncEntries(database, vault)
        self.contacts, self.contact_groups = Contacts(database, vault), ContactGroups(database, vault)
        self.conversations = Conversations(database, vault)
        self.deliveries, self.dialouts = Deliveries(database, vault), Dialouts(database, vault)
        self.day_uses, self.dnc_lists = DayUses(database), DncLists(database)
        self.erasing, self.errands = Erasing(database), Errands(database, vault)
        self.flow_queue, self.flow_sessions = FlowQueue(database, vault), FlowSessions(database, vault)
        self.flow_results, self.flow_versions = FlowResults(database, vault), FlowVersions(database)
        self.histories = Histories(database, vault)
        self.imports, self.lists = Imports(database), Lists(database)
        self.opt_outs = OptOuts(database, vault)
        self.outbox, self.outcomes = Outbox(database), Outcomes(database, vault)
        self.preflights = Preflights(database, vault)
        self.parked_receipts = ParkedReceipts(database)
        self.pulls, self.queues = Pulls(database, vault), Queues(database)
        self.inbox, self.replies = Inbox(database, vault), Replies(database, vault)
        self.hang_ups = HangUps(database)
        self.recordings, self.recording_wishes = Recordings(database, vault), RecordingWishes(database)
        self.replacing = Replacing(database)
        self.reports = Reports(database, vault)
        self.restoring = Restoring(database)
        self.runs = Runs(database, vault)
        self.ringing, self.slots = Ringing(database), Slots(database)
        self.schedules, self.standings = Schedules(database), Standings(database)
        self.senders, self.singles = Senders(database), Singles(database)
        self.sounds, self.speech_services = Sounds(database), SpeechServices(database, vault)
        self.told_calls = ToldCalls(database, vault)
        self.transcripts, self.trunks = Transcripts(database, vault), Trunks(database, vault)
        self.sending, self.tallies = Sending(database), Tallies(database)
        self.templates, self.flows = (Documents(database, prefix) for prefix in (Prefix.template, Prefix.flow))
        self.webhooks = Webhooks(database, vault)
        self.sessions, self.users = Sessions(database, vault), Users(database)

    async def found_app(self, account_id: str, name: str, now: datetime) -> Client:
        """Make an app of an account with what the default one has, and return its API client, which knows the app."""
        client = await self.clients.find(await found_app(self._database, self.vault, account_id, name, now))
        assert client is not None, "it was made a moment ago"
        return client

    async def close(self) -> None:
        """Finish what is queued and close the database."""
        await self._database.close()
