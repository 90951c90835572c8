"""What a flow says to everybody is on the disk of a node before the calls of a run need it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from callsheet.core.campaign import Channel
from callsheet.core.run import Run
from callsheet.engine.agenda import Agenda
from callsheet.engine.calling.prefetching import Prefetcher
from callsheet.engine.calling.speaking import speaking
from callsheet.engine.flow_shelf import FlowShelf
from callsheet.engine.outside import Outside
from callsheet.store.store import Store
from factories import make_app, start_run
from flow_documents import document, say


@dataclass
class Node:
    """What makes prompts beforehand, and a run that needs them."""

    store: Store
    prefetcher: Prefetcher
    agenda: Agenda
    run: Run
    folder: Path

    def sounds(self) -> int:
        return len(list(self.folder.rglob("*.wav")))


@pytest.fixture
async def node(store, clock, tmp_path) -> AsyncIterator[Node]:
    app = await make_app(store, clock)
    body = msgspec.json.encode(document(say("a", "Hello"), say("b", "Hello @contact.name"), say("c", "Good bye")))
    made = await store.flows.create(app.no, "Calling", body.decode(), clock.now())
    run = await start_run(store, app, clock, 1)
    run = replace(run, channel=Channel.voice, flow_no=made.named.no, flow_version=1)
    folder = tmp_path / "sounds"
    async with Outside(None) as outside, speaking(store, outside.ask, folder, clock) as (_, prompts):
        flows = FlowShelf(store.flows, clock)
        prefetcher = Prefetcher(prompts, flows)
        agenda = Agenda(flows)
        agenda.on_begun = prefetcher.begin
        yield Node(store, prefetcher, agenda, run, folder)
        await prefetcher.close()


async def test_the_prompts_of_a_run_are_made_when_it_comes_to_this_node(node):
    await node.agenda.update([node.run])
    await node.agenda.update([node.run])
    await node.prefetcher.rest()
    assert node.sounds() == 2


async def test_a_run_that_sends_texts_or_has_no_flow_needs_none(node):
    for other in (replace(node.run, channel=Channel.sms), replace(node.run, flow_no=0)):
        node.prefetcher.begin(other)
    assert not node.prefetcher._tasks


@pytest.mark.parametrize("change", [{"flow_version": 9}, {"flow_no": 999}])
async def test_a_flow_that_is_gone_is_left_to_the_calls(node, change):
    with capture_logs() as logs:
        node.prefetcher.begin(replace(node.run, **change))
        await node.prefetcher.rest()
    assert (node.sounds(), logs) == (0, [])


async def test_a_stop_does_not_wait_for_what_is_being_made(node):
    node.prefetcher.begin(node.run)
    await node.prefetcher.close()
    assert not node.prefetcher._tasks
