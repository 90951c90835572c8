"""A voice campaign over two nodes of other hosts: it spreads, one node is emptied, and one dies."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from nodes_campaign import call_over_nodes

ROUND_TRIP = timedelta(seconds=2)
"""A call that was on its way to a node when that was to get no more."""


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_a_campaign_spreads_over_nodes_spares_an_emptied_one_and_outlives_a_dead_one() -> None:
    told = asyncio.run(call_over_nodes(40))

    assert told.books.faults() == []
    assert {call.node for call in told.calls} == {"east", "west"}
    began_at, ended_at = told.emptied
    meanwhile = [call for call in told.calls if began_at + ROUND_TRIP < call.dialed_at < ended_at]
    assert {call.node for call in meanwhile} <= {"west"}
    # Who was on the dead node hears nothing more, or is in doubt; all others go on.
    assert {call.node for call in told.calls if call.outcome in ("lost", "uncertain")} <= {"east"}
    struck = [call for call in told.calls if call.node == "east" and call.dialed_at < told.killed_at < call.ended_at]
    assert struck
    assert all(call.ended_at - told.killed_at < timedelta(minutes=1) for call in struck)
    assert not [call for call in told.calls if call.node == "east" and call.dialed_at > told.killed_at + ROUND_TRIP]
    # Machines were told from people, and what was heard of them came to the server.
    machines = [call for call in told.calls if call.outcome == "machine"]
    assert {call.node for call in machines} == {"east", "west"}
    assert all(call.recordings for call in machines)
    assert told.left_recordings == []
