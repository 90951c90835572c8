"""How trunks stand, as the server that runs sees it: asked over its API, as any program would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from callsheet.client import AsyncClient
from callsheet.client.v1.trunks import Trunk
from callsheet.core.checkup import Finding, Level, judge_callbacks, judge_line, ok, warn
from callsheet.core.errors import CallsheetError
from callsheet.folder import DataFolder

_PATIENCE_SECONDS = 10.0


async def ask_lines(folder: DataFolder, url: str) -> list[Finding]:
    """Say how the trunks of the default app stand: at least one finding."""
    try:
        known = asdict(replace(folder.credentials(), base_url=url))
        async with AsyncClient(**known, tries=1, read_seconds=_PATIENCE_SECONDS) as client:
            return list(_judge([trunk async for trunk in client.trunks.list()]))
    except CallsheetError as error:
        advice = "It is asked as the client of the default app, which credentials.json names."
        return [warn("lines", f"The server does not say how trunks stand: {error.message}", advice)]


def _judge(trunks: Sequence[Trunk]) -> Iterator[Finding]:
    """Yield what is not well, trunk by trunk, and how many are well."""
    well = 0
    for one in trunks:
        name = f"The trunk {one.name} ({one.id})"
        line = judge_line(name, one.condition.state, one.condition.why, one.breaker.state, one.breaker.why)
        if line.level is Level.ok:
            well += 1
        else:
            yield line
        yield from (judge_callbacks(name, finding.message) for finding in one.findings)
    yield ok("lines", f"{well} of {len(trunks)} trunks of the default app are open.")
