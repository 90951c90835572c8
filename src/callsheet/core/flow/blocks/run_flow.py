"""`Core.RunFlow`: runs another flow of the document, and goes on when that has ended."""

from __future__ import annotations

from collections.abc import Iterator

from callsheet.core.flow.blocks.kind import Finding, Look, Outcome, Passing, RunFlow, Turn
from callsheet.core.flow.document import Block, Json, Reader, text_of


class AnotherFlow(Passing):
    """A flow that runs in the flow."""

    def read(self, config: Json, reader: Reader) -> str:  # noqa: ARG002 (as every kind)
        """Return the uuid of the other flow."""
        return flow_of(config)

    def find(self, config: Json, at: str, look: Look) -> Iterator[Finding]:
        """Find a flow that is not there."""
        uuid = flow_of(config)
        if not uuid:
            yield Finding(f"{at}.flow_id", "Give the uuid of the flow that is to run.")
        elif not look.has_flow(uuid):
            yield Finding(f"{at}.flow_id", f"There is no flow {uuid[:80]} in the document.")

    def enter(self, turn: Turn, block: Block) -> Outcome:  # noqa: ARG002 (as every kind)
        """Run it."""
        return RunFlow(block.config)


def flow_of(config: Json) -> str:
    """Return the uuid of the flow that a config names; empty: none."""
    return text_of(config, "flow_id")
