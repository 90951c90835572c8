"""`callsheet demo`: the main job, from a CSV to receipts, on the sandbox carrier."""

from __future__ import annotations

import base64
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import typer

from callsheet.cli.options import DataOption, HostOption, PortOption

if TYPE_CHECKING:
    from callsheet.cli.demo_people import Around, Person
    from callsheet.cli.target import Target
    from callsheet.client import AsyncClient, Import
    from callsheet.client.v1.reports import Outcome, RunReport
    from callsheet.settings import Settings

EXAMPLE = "Example: callsheet demo --keep --port 8031"

PEOPLE = 1_900
IN_BOTH_LISTS = 60
TWICE_IN_A_LIST = 15
BAD_ROWS = 20
ON_DNC = 50
ASK_SECONDS = 0.25
QUIET_SECONDS = 8.0
"""Longer than a late receipt takes."""

BODY = 'Hello {{first_name | default: "there"}}, your order {{order}} is ready. Reply STOP to opt out.'
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", short_help="Run a campaign with made-up contacts, on the sandbox.", epilog=EXAMPLE)(demo)


def demo(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    keep: bool = typer.Option(False, "--keep", help="Leave the server up until Ctrl-C."),
) -> None:
    """Run a campaign with made-up contacts on the sandbox carrier, and say what became of each.

    Four time zones, in three of which it is day; bad rows, duplicates, a DNC list, and handsets that misbehave in
    every way they can. Uses the server that runs on the data folder, or one of its own. It may be run again.
    """
    from callsheet.cli.preparing import prepare
    from callsheet.cli.stopping import run

    run(_demo(prepare(quiet=True, data=data, host=host, port=port), keep=keep))


async def _demo(settings: Settings, *, keep: bool) -> None:
    from callsheet.cli.announcing import announce
    from callsheet.cli.demo_outcome import say_what_next
    from callsheet.cli.reaching import reached
    from callsheet.cli.serving import serving
    from callsheet.cli.stopping import until_told
    from callsheet.client import AsyncClient
    from callsheet.folder import DataFolder

    folder = DataFolder(settings.data)
    runs_already = folder.server() is not None
    async with AsyncExitStack() as stack:
        if keep and not runs_already:
            server = await stack.enter_async_context(serving(settings))
            announce(server, suggest_demo=False)
            client = await stack.enter_async_context(AsyncClient(**asdict(server.known)))
        else:
            client = await stack.enter_async_context(reached(settings, start_engine=True))
        run_id, campaign_id = await _play(client)
        stays = keep or runs_already
        say_what_next(settings, client.base_url if stays else None, campaign_id, run_id)
        if keep and not runs_already:
            print("The server stays up until Ctrl-C.", flush=True)
            await until_told()


@dataclass(frozen=True, slots=True)
class _Cast:
    """What the demo made before its campaign."""

    no: int
    lists: tuple[Target, Target]
    imports: tuple[Import, Import]
    dnc_list: Target
    template: str
    zone: str
    """The campaign's own."""


async def _play(client: AsyncClient) -> tuple[str, str]:
    """Do everything, and return the ids of the run and of its campaign."""
    from callsheet.cli.demo_encore import play_encore
    from callsheet.cli.demo_outcome import say_outcome
    from callsheet.client.compat.campaigns import ALL, TRIGGER
    from callsheet.console.first_campaign import CALLER_ID

    cast = await _seed(client)
    print("4  The campaign, by the documented request")
    campaign = (await client.compat.campaigns.create(_documented(cast))).data
    print(f"     POST {ALL.format(app=client.app_id)}?campaignType=sms  ->  {campaign.status}")
    started = await client.compat.campaigns.start(campaign.id)
    path = TRIGGER.format(app=client.app_id, campaign_id=campaign.id)
    print(f"     POST {path}?campaignType=sms&trigger=play  ->  {started.status}")
    run_id = str(started.campaign_instance_id)
    report = await _watch(client, run_id, sum(done.accepted for done in cast.imports))
    rejects = [await _reasons(client, *one) for one in zip(cast.lists, cast.imports, strict=True)]
    say_outcome(report, cast.imports, rejects)
    await play_encore(client, cast.no, CALLER_ID)
    return run_id, campaign.id


async def _seed(client: AsyncClient) -> _Cast:
    from callsheet.cli.demo_people import People, around, write_csv
    from callsheet.cli.target import create_target
    from callsheet.client import Kind
    from callsheet.clock import SystemClock

    no, customers = await _first_list(client)
    newsletter = await create_target(client, Kind.contact_lists, f"Demo {no} newsletter", "Made up")
    places = around(SystemClock().now())
    zone = places.by_day[0].zone
    people = People(places, no, total=PEOPLE)
    everybody = people.shuffled()
    both, complaints = people.plain[:IN_BOTH_LISTS], people.plain[IN_BOTH_LISTS : IN_BOTH_LISTS + ON_DNC]
    cut = len(everybody) * 3 // 5
    in_second = _with_those_of_both(everybody[:cut], everybody[cut:], both)
    print(f"Demo {no} on the sandbox carrier: nothing leaves this machine")
    _say_places(places)
    print("1  Two contact lists, from CSV")
    made = []
    for target, persons in ((customers, everybody[:cut]), (newsletter, in_second)):
        written = write_csv(persons, twice=TWICE_IN_A_LIST, bad=BAD_ROWS, plain_zone=zone)
        made.append(await _import(client, target, written))
    dnc_list = await create_target(client, Kind.dnc_lists, f"Demo {no} complaints")
    added = await client.dnc_lists.add(dnc_list.id, [person.number for person in complaints])
    print(f"2  A DNC list: {dnc_list.name}, {added.added} numbers")
    template = f"Demo {no} order"
    await client.templates.create(template, BODY)
    print(f"3  A template: {template}\n     {BODY}")
    return _Cast(no, (customers, newsletter), (made[0], made[1]), dnc_list, template, zone)


async def _first_list(client: AsyncClient) -> tuple[int, Target]:
    """Make the first list under the first number that is free."""
    from callsheet.cli.target import create_target
    from callsheet.client import ApiError, Kind

    no = 1
    while True:
        try:
            return no, await create_target(client, Kind.contact_lists, f"Demo {no} customers", "Made up")
        except ApiError as error:
            if error.code != "name_taken":
                raise
            no += 1


def _with_those_of_both(first: list[Person], second: list[Person], both: list[Person]) -> list[Person]:
    """Return the second list with those added who are to stand in both, and stand in the first."""
    here = set(first)
    return [*second, *(person for person in both if person in here)]


def _say_places(places: Around) -> None:
    from callsheet.cli.demo_people import CLOSES_HOUR, OPENS_HOUR

    day = ", ".join(place.zone for place in places.by_day)
    print(f"   calling hours {OPENS_HOUR}:00 to {CLOSES_HOUR}:00 where each contact lives")
    print(f"   open now: {day}; closed now: {places.by_night.zone}")


async def _import(client: AsyncClient, target: Target, written: bytes) -> Import:
    from callsheet.cli.counting import counted
    from callsheet.cli.importing import follow
    from callsheet.cli.progress import Bar

    with Bar(target.name) as bar:
        started = await client.imports.start(target.kind, target.id, written, filename=f"{target.name}.csv")
        done = await follow(client, target, started.id, bar)
    print(
        f"     {target.name}: {counted(done.rows, 'row')}, {counted(done.accepted, 'contact')},"
        f" {done.duplicates} twice in the file, {done.rejected} rejected"
    )
    return done


def _documented(cast: _Cast) -> dict[str, Any]:
    """Return the body of the documented request for a campaign with a template."""
    from callsheet.cli.demo_people import CLOSES_HOUR, OPENS_HOUR
    from callsheet.console.first_campaign import CALLER_ID

    start, end = f"{OPENS_HOUR}:00 AM", f"{CLOSES_HOUR - 12}:00 PM"
    return {
        "name": f"Demo {cast.no}",
        "description": "Made-up contacts, on the sandbox carrier",
        "contactLists": [target.name for target in cast.lists],
        "dncLists": {"name": cast.dnc_list.name},
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {
            "template_name": cast.template,
            "message": quote(base64.b64encode(BODY.encode()).decode(), safe=""),
        },
        "dialingStrategy": {
            "callerId": {"phoneNumber": CALLER_ID},
            "callingHours": {
                "frequency": "WEEKLY",
                "timezone": cast.zone,
                "days": [{"day": day, "start": start, "end": end} for day in _DAYS],
            },
        },
        "schedule": {"isSchedulingEnabled": False},
    }


async def _watch(client: AsyncClient, run_id: str, contacts: int) -> RunReport:
    """Show the progress until everybody who may be contacted now has an outcome, and return the report."""
    import asyncio

    from callsheet.cli.demo_outcome import deferred, nothing_moves, settled
    from callsheet.cli.progress import Bar

    loop = asyncio.get_running_loop()
    before: Outcome | None = None
    since = loop.time()
    with Bar("Sending") as bar:
        while True:
            report = await client.runs.get(run_id)
            outcome = report.outcome
            waits = deferred(outcome)
            done = settled(outcome)
            words = (
                f"{outcome.delivered:,} delivered, {outcome.accepted:,} wait for a receipt,"
                f" {outcome.in_flight:,} for an answer"
            )
            if outcome != before:
                before, since = outcome, loop.time()
            if nothing_moves(outcome, quiet=loop.time() - since > QUIET_SECONDS):
                bar.show(1, 1, words)
                return report
            bar.show(done, contacts - waits, words)
            await asyncio.sleep(ASK_SECONDS)


async def _reasons(client: AsyncClient, target: Target, done: Import) -> list[str]:
    """Return the reason of each rejected row."""
    import csv
    from io import BytesIO

    written = BytesIO()
    await client.imports.save_rejects(target.kind, target.id, done.id, written)
    return [row["reason"] for row in csv.DictReader(written.getvalue().decode().splitlines())]
