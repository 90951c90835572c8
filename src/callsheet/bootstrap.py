"""Put together what runs in one process: Settings become a Runtime. The only file that knows every room."""

from __future__ import annotations

import asyncio
import os
import random
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag

from callsheet.carriers.known import Given
from callsheet.carriers.one_by_one import OneByOne
from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.clock import Clock, SystemClock
from callsheet.core.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from callsheet.engine import schedules
from callsheet.engine.asker import Asker
from callsheet.engine.calling.prefetching import Prefetcher
from callsheet.engine.calling.prompts import Prompts
from callsheet.engine.calling.sip_feed import SipFeed
from callsheet.engine.calling.speaking import speaking
from callsheet.engine.calling.switchboard import Engines
from callsheet.engine.conductor import Conductor
from callsheet.engine.deliverer import Deliverer
from callsheet.engine.dialout_teller import DialoutTeller
from callsheet.engine.doors import Ingest, doors_of
from callsheet.engine.failpoints import FailpointCountError, Failpoints, UnknownFailpointError
from callsheet.engine.importer import Importer
from callsheet.engine.outside import Outside
from callsheet.engine.puller import Puller
from callsheet.engine.recorder import Recorder
from callsheet.engine.runtime import Runtime
from callsheet.engine.sandbox import Sandbox
from callsheet.engine.sign_in import SignIn
from callsheet.engine.sms_line import SmsLine
from callsheet.engine.surroundings import Surroundings
from callsheet.engine.trunks import Trunks
from callsheet.engine.tuning import Tuning
from callsheet.folder import Credentials, DataFolder
from callsheet.settings import Settings, variable
from callsheet.store import migrate as steps
from callsheet.store.apps import Trunk
from callsheet.store.clients import Client
from callsheet.store.database import Database
from callsheet.store.defaults import make_defaults
from callsheet.store.looking import Seen, look
from callsheet.store.sessions import Limits
from callsheet.store.sqlite.database import SqliteDatabase
from callsheet.store.sqlite.hot import SqliteHot
from callsheet.store.store import Store
from callsheet.store.vault import Vault
from callsheet.voice.asterisk.embedded import EmbeddedAsterisk
from callsheet.voice.nodes import VoiceNodes
from callsheet.voice_places import door_of, local_of

log = structlog.get_logger()

RESTART_SECONDS = 1.0
"""How long to wait before a loop that broke is started again."""

_WRONG_KEY = (
    "The master key does not open this database: it is the key of another one. Every node on one database needs the"
    " same."
)
_USUAL_TIMINGS = Timings()
_USUAL_TUNING = Tuning()


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    tuning: Tuning = _USUAL_TUNING,
    timings: Timings = _USUAL_TIMINGS,
    start_engine: bool = True,
    inline: bool = False,
) -> AsyncIterator[Runtime]:
    """Open the data folder and everything that runs on it; leaving drains and closes it.

    The first start makes keys, database and a default app. `inline` keeps SQLite and the ledgers on the loop's thread,
    for simulated time. Without `start_engine` nobody is contacted. Raises FolderInUse, Invalid for a wrong setting,
    Unavailable when the database does not let us in, Conflict when folder, key or database is not what it should be.
    """
    _pin_zones()
    clock, rng = clock or SystemClock(), rng or random.Random()  # noqa: S311 (it spreads retries, it keeps no secret)
    failpoints, folder = _failpoints(settings), _made_folder(settings)
    async with AsyncExitStack() as stack:
        stack.enter_context(folder.owned())
        vault = Vault(_master_key(settings, folder))
        with _naming_the_setting(settings):
            store, database = await _open_store(settings, folder, vault, clock, inline=inline)
        stack.push_async_callback(store.close)
        _write_credentials(settings, folder, await _default_client(store, database, vault, clock))
        sandbox = stack.enter_context(closing(_sandbox(settings, folder, clock, timings, inline=inline)))
        outside = await stack.enter_async_context(Outside(settings.fence))
        trunks = Trunks(store, clock, settings.fence, partial(_given, settings, store, clock, rng, outside, sandbox))
        spoken = await stack.enter_async_context(speaking(store, outside.ask, folder.sounds, clock))
        engines, feed, nodes = _engines(settings, folder, clock, sandbox, trunks)
        conductor = _make_conductor(settings, store, clock, rng, tuning, trunks, failpoints, spoken[1], engines)
        importer = _make_importer(settings, store, clock, folder, conductor, alone=not start_engine)
        told = sandbox.outbox, sandbox.calls, clock.now(), *_telling(settings, store, clock, rng, outside, conductor)
        heard = trunks, Ingest(store, trunks, conductor, clock, public_url=settings.public_url), *spoken
        runtime = Runtime(store, conductor, importer, clock, folder.path, *told, *heard, nodes)
        if start_engine:
            await stack.enter_async_context(_conducting(runtime, feed, rng, sole_owner=not settings.is_shared))
        await stack.enter_async_context(_running("importer", importer, clock))
        yield runtime


def _sandbox(settings: Settings, folder: DataFolder, clock: Clock, timings: Timings, *, inline: bool) -> Sandbox:
    seed, window = settings.sandbox_seed, settings.sandbox_window
    return Sandbox(folder.sandbox, clock, timings, seed=seed, window=window, inline=inline)


def _telling(
    settings: Settings, store: Store, clock: Clock, rng: random.Random, outside: Outside, conductor: Conductor
) -> tuple[Outside, Deliverer, DialoutTeller, Puller, SignIn]:
    """Return the way to others, and make those who tell them, fetch from them, and let them in."""
    puller = Puller(store, outside, clock, on_rows=conductor.wake, sole_owner=not settings.is_shared)
    told = Deliverer(store, outside, clock, rng), DialoutTeller(store, outside, clock)
    idle, longest = timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
    return outside, *told, puller, SignIn(store, clock, Limits(idle, longest))


def _made_folder(settings: Settings) -> DataFolder:
    folder = DataFolder(settings.data)
    folder.create()
    return folder


def _failpoints(settings: Settings) -> Failpoints:
    try:
        return Failpoints.parse(settings.failpoint)
    except (UnknownFailpointError, FailpointCountError) as error:
        raise Invalid([FieldError(variable("failpoint"), str(error))]) from None


@contextmanager
def _naming_the_setting(settings: Settings) -> Iterator[None]:
    """Say what to look at when a database does not let us in."""
    try:
        yield
    except Unavailable as error:
        if not settings.is_shared:
            raise
        hint = f"See that PostgreSQL runs there, and that {variable('database_url')} names it, a user and the password."
        raise Unavailable(f"{error.message} {hint}") from error


def _make_importer(
    settings: Settings, store: Store, clock: Clock, folder: DataFolder, conductor: Conductor, *, alone: bool
) -> Importer:
    """Make the importer. Where it is `alone` on the database nobody is contacted, so nobody is waited for."""
    return Importer(
        store,
        clock,
        folder.imports,
        on_rows=conductor.wake,
        forbid=None if alone and not settings.is_shared else conductor.forbid,
        sole_owner=not settings.is_shared,
    )


def _pin_zones() -> None:
    """Let the pinned tzdata wheel rule, here and in processes of ours, whatever the machine has."""
    os.environ["PYTHONTZPATH"] = ""
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()


@asynccontextmanager
async def opened_store(settings: Settings, folder: DataFolder, clock: Clock) -> AsyncIterator[Store]:
    """Open the store of a folder that the caller owns, and nothing else; it has the schema of this program then.

    Raises Unavailable when the database does not let us in, and Conflict when its key is another one.
    """
    vault = Vault(_master_key(settings, folder))
    with _naming_the_setting(settings):
        store, database = await _open_store(settings, folder, vault, clock, inline=False)
    try:
        await _default_client(store, database, vault, clock)
        yield store
    finally:
        await store.close()


async def look_into(settings: Settings, folder: DataFolder, clock: Clock) -> Seen:
    """Look at a store that has the schema of this program, beside those who work on it; nothing is changed.

    Raises Unavailable, and Conflict when there is no master key, or it opens another database.
    """
    if not settings.master_key.get_secret_value() and not folder.key.exists():
        # Who starts makes one; who looks does not.
        raise Conflict(f"There is no master key in {folder.path}, and {variable('master_key')} is not set.")
    vault = Vault(_master_key(settings, folder))
    with _naming_the_setting(settings):
        store, database = await _connect(settings, folder, vault, clock, inline=True)
    try:
        if await store.apps.open_all():
            raise Conflict(_WRONG_KEY)
        return await look(database, clock.now())
    finally:
        await store.close()


async def migrate(settings: Settings) -> Sequence[steps.Revision]:
    """Bring the database to the schema of this program, and return the steps that this took."""
    folder = _made_folder(settings)
    with folder.owned(), _naming_the_setting(settings):
        # A database without a key looks like one whose key was lost.
        _master_key(settings, folder)
        return await steps.migrate(_prepared(settings, folder))


async def waiting_steps(settings: Settings) -> Sequence[steps.Revision]:
    """Return the steps that `migrate` would take, and change nothing."""
    folder = DataFolder(settings.data)
    url = settings.database_url.get_secret_value()
    if not url and not folder.database.exists():
        # Looking into a file that is not there would make it.
        return await steps.pending(":memory:")
    with _naming_the_setting(settings):
        return await steps.pending(url or folder.database)


def _prepared(settings: Settings, folder: DataFolder) -> str | Path:
    url = settings.database_url.get_secret_value()
    if not url:
        folder.prepare_database()
    return url or folder.database


def _master_key(settings: Settings, folder: DataFolder) -> bytes:
    text = settings.master_key.get_secret_value()
    return bytes.fromhex(text) if text else folder.master_key()


async def _open_store(
    settings: Settings, folder: DataFolder, vault: Vault, clock: Clock, *, inline: bool
) -> tuple[Store, Database]:
    """Migrate the database, and open it."""
    for revision, sentence in await steps.migrate(_prepared(settings, folder)):
        log.info("database.migrated", revision=revision, step=sentence)
    return await _connect(settings, folder, vault, clock, inline=inline)


async def _connect(
    settings: Settings, folder: DataFolder, vault: Vault, clock: Clock, *, inline: bool
) -> tuple[Store, Database]:
    url = settings.database_url.get_secret_value()
    if url:
        # Half a second that SQLite does without.
        from callsheet.store.postgres.database import PostgresDatabase  # noqa: PLC0415
        from callsheet.store.postgres.hot import PostgresHot  # noqa: PLC0415

        postgres = await PostgresDatabase.open(url)
        # Many nodes, one clock: the database's. Only a clock that was made for a test stands in for it.
        test_clock = None if isinstance(clock, SystemClock) else clock
        return Store(postgres, PostgresHot(postgres, vault, test_clock), vault), postgres
    sqlite = SqliteDatabase(folder.database, inline=inline)
    return Store(sqlite, SqliteHot(sqlite, vault, clock), vault), sqlite


async def _default_client(store: Store, database: Database, vault: Vault, clock: Clock) -> Client:
    try:
        client = await store.clients.find(await make_defaults(database, vault, clock.now()))
    except InvalidTag:
        raise Conflict(_WRONG_KEY) from None
    assert client is not None, "it was made a moment ago"
    return client


def _write_credentials(settings: Settings, folder: DataFolder, client: Client) -> None:
    """Write down who may call; the address stays the one of the last server, until one serves elsewhere."""
    try:
        base_url = folder.credentials().base_url
    except (Conflict, NotFound):  # none yet, or one that somebody edited
        base_url = address(settings.host, settings.port)
    app = client.app
    folder.write_credentials(Credentials(base_url, app.account_id, app.id, client.id, client.secret))


def address(host: str, port: int) -> str:
    """Return the URL under which this machine reaches a server; one that listens everywhere is reached at home."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 (as compared)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _make_conductor(
    settings: Settings,
    store: Store,
    clock: Clock,
    rng: random.Random,
    tuning: Tuning,
    trunks: Trunks,
    failpoints: Failpoints,
    prompts: Prompts,
    engines: Engines,
) -> Conductor:
    def make_line(trunk: Trunk, recorder: Recorder) -> SmsLine:
        return SmsLine(trunks.carrier(trunk), recorder, clock, conductor.hearing(trunk), rng)

    conductor = Conductor(
        Surroundings(store, clock, rng, make_line, failpoints, tuning, not settings.is_shared, engines, prompts)
    )
    return conductor


def _engines(
    settings: Settings, folder: DataFolder, clock: Clock, sandbox: Sandbox, trunks: Trunks
) -> tuple[Engines, SipFeed, VoiceNodes]:
    """Return what places calls, by the carriers of trunks, what tells Asterisk of its trunks, and the voice nodes."""
    asterisk = EmbeddedAsterisk(
        local_of(settings, folder), clock, door=door_of(settings, folder), has_own=settings.voice_node_local
    )
    return {"sandbox": sandbox.voice, "sip": asterisk}, SipFeed(trunks.sip_trunks, asterisk.use), asterisk


def _given(
    settings: Settings,
    store: Store,
    clock: Clock,
    rng: random.Random,
    outside: Outside,
    sandbox: Sandbox,
    trunk: Trunk,
) -> Given:
    """Return what a trunk's carrier finds here."""
    return Given(
        trunk.id,
        clock,
        rng,
        settings.fence,
        sandbox=lambda: OneByOne(sandbox.carrier(trunk)),
        ask=outside.ask,
        doors=doors_of(store, settings.public_url, trunk),
    )


@asynccontextmanager
async def _conducting(runtime: Runtime, feed: SipFeed, rng: random.Random, *, sole_owner: bool) -> AsyncIterator[None]:
    """Contact people while inside, those of campaigns that start by themselves too, tell and ask others, and fetch."""
    conductor, deliverer, clock = runtime.conductor, runtime.deliverer, runtime.clock
    asker = Asker(runtime.store, runtime.outside, clock, rng, conductor.talker, sole_owner=sole_owner)
    conductor.notifier.on_told = deliverer.wake
    prefetcher = Prefetcher(runtime.prompts, conductor.flows)
    conductor.agenda.on_begun = prefetcher.begin
    schedules.attend(runtime)
    await conductor.start()
    try:
        async with (
            _running("deliverer", deliverer, clock),
            _running("puller", runtime.puller, clock),
            _running("asker", asker, clock),
            _running("dialouts", runtime.dialouts, clock),
            _running("sip feed", feed, clock),
        ):
            yield
    finally:
        await conductor.stop()
        await prefetcher.close()


_Worker = Importer | Deliverer | Puller | Asker | DialoutTeller | SipFeed


@asynccontextmanager
async def _running(name: str, worker: _Worker, clock: Clock) -> AsyncIterator[None]:
    """Let one work while inside; what is half done at the end goes on at the next start."""
    task = asyncio.create_task(_again(name, worker.run, clock), name=name)
    try:
        yield
    finally:
        worker.stop()
        await task


async def _again(name: str, loop: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Run a loop, and again when it breaks."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("loop.broke", loop=name)
            await clock.sleep(RESTART_SECONDS)
        else:
            return
