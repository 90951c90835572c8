"""Agent mappings: read whose a customer is, from objects or from a CSV. What is wrong with a row is said, not kept."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Final, NamedTuple

from callsheet.core.contacts import HIGHEST_PRIORITY
from callsheet.core.phone import BadNumber, Number
from callsheet.engine.runtime import Runtime
from callsheet.store.agent_mappings import AgentMapping, MappedCustomer
from callsheet.store.apps import App

LONGEST_AGENT: Final = 256
MOST_ROWS: Final = 10_000
"""In one call."""

_NUMBERS: Final = frozenset({"number", "phonenumber", "phone", "customer", "customernumber", "customerphone"})
_AGENTS: Final = frozenset({"agent", "agentid", "agentemail", "email"})
_PRIORITIES: Final = frozenset({"priority", "customerpriority", "contactpriority"})


class RejectedRow(NamedTuple):
    """A row that was not taken."""

    row: int
    """From 1 on; of a CSV the line after the header is the first."""
    number: str
    reason: str


class Put(NamedTuple):
    """What came of rows."""

    added: int
    changed: int
    rejected: Sequence[RejectedRow]


def read_csv(text: str) -> list[dict[str, Any]]:
    """Return the rows of a CSV whose first line names its columns."""
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"))))


async def put(
    runtime: Runtime, app: App, mapping: AgentMapping, rows: Sequence[Mapping[str, Any]], *, anew: bool = False
) -> Put:
    """Write the customers of rows; `anew`: nobody else is on the mapping afterwards."""
    rejected: list[RejectedRow] = []
    customers = list(_read(runtime, app, rows, rejected))
    added = await runtime.store.agent_mappings.put(mapping, customers, runtime.clock.now(), anew=anew)
    people = len({one.person for one in customers})
    return Put(added, people - added, rejected)


def _read(
    runtime: Runtime, app: App, rows: Sequence[Mapping[str, Any]], rejected: list[RejectedRow]
) -> Iterator[MappedCustomer]:
    key = runtime.store.vault.app(app.no)
    assert key is not None, "the app was opened when its token was read"
    for place, row in enumerate(rows, start=1):
        said = {str(name).replace("_", "").replace(" ", "").lower(): value for name, value in row.items() if name}
        number, agent = _text(said, _NUMBERS), _text(said, _AGENTS)
        try:
            e164 = Number.parse(number, app.settings.region).e164
            priority = _priority(_text(said, _PRIORITIES))
            _check_agent(agent)
        except BadNumber as error:
            rejected.append(RejectedRow(place, number, error.message))
        except ValueError as error:
            rejected.append(RejectedRow(place, number, str(error)))
        else:
            yield MappedCustomer(key.person(e164), e164, agent, priority)


def _text(said: Mapping[str, Any], names: frozenset[str]) -> str:
    value = next((value for name, value in said.items() if name in names and value is not None), "")
    return str(value).strip()


def _check_agent(agent: str) -> None:
    if not agent or len(agent) > LONGEST_AGENT:
        raise ValueError(f"Say whose he is: an agent of at most {LONGEST_AGENT} characters.")


def _priority(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or int(text[:9]) > HIGHEST_PRIORITY:
        raise ValueError(f"A priority is a whole number from 0 to {HIGHEST_PRIORITY}.")
    return int(text)
