"""The first start makes what is needed, once, and every later one finds it."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callsheet import settings
from callsheet.bootstrap import migrate, open_runtime, waiting_steps
from callsheet.carriers.sandbox.behaviour import Timings
from callsheet.core.campaign import Status
from callsheet.core.contacts import Columns, Contact, read_contact
from callsheet.core.errors import Conflict, FolderInUse, Invalid, Unavailable
from callsheet.engine import campaigns, contacts
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.folder import DataFolder
from callsheet.settings import Settings
from callsheet.store.apps import App
from callsheet.store.dnc import GLOBAL_NAME
from databases import rows
from factories import make_definition, number
from postgres import create_database, drop_database

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return settings.load(data=tmp_path / "var")


async def default_app(runtime) -> App:
    app = await runtime.store.apps.by_no(1)
    assert app is not None
    return app


async def test_the_first_start_makes_an_app_that_can_send_at_once(chosen):
    async with open_runtime(chosen) as runtime:
        app = await default_app(runtime)
        known = DataFolder(chosen.data).credentials()
        client = await runtime.store.clients.find(known.client_id)
        (trunk,) = await runtime.store.apps.trunks(app.no)
        dnc_list = await runtime.store.dnc_lists.find(app.no, name=GLOBAL_NAME)

    assert (known.app_id, known.account_id, known.base_url) == (app.id, app.account_id, "http://127.0.0.1:8030")
    assert client is not None
    assert (client.secret, client.app) == (known.client_secret, app)
    assert (trunk.carrier, trunk.takes_any_sender) == ("sandbox", True)
    assert dnc_list is not None
    assert dnc_list.is_global


async def test_a_second_start_makes_nothing_again(chosen):
    async with open_runtime(chosen) as runtime:
        before = await counted(runtime)
        known = DataFolder(chosen.data).credentials()
    async with open_runtime(chosen) as runtime:
        assert await counted(runtime) == before == [1, 1, 1, 1, 1]
    assert DataFolder(chosen.data).credentials() == known


async def counted(runtime) -> list[int]:
    tables = ("account", "app", "client", "trunk", "dnc_list")
    return [(await rows(runtime.store, f"select count(*) from {table}"))[0][0] for table in tables]


async def test_credentials_that_were_deleted_or_spoilt_come_back(chosen):
    async with open_runtime(chosen):
        known = DataFolder(chosen.data).credentials()
    (chosen.data / "credentials.json").write_text("{}")

    async with open_runtime(chosen):
        assert DataFolder(chosen.data).credentials() == known


async def test_one_process_owns_the_folder(chosen):
    async with open_runtime(chosen):
        with pytest.raises(FolderInUse):
            async with open_runtime(chosen):
                pass


async def test_a_wrong_failpoint_is_found_before_anything_is_made(chosen):
    broken = chosen.model_copy(update={"failpoint": "nowhere"})
    with pytest.raises(Invalid, match=r"CALLSHEET_FAILPOINT: .*nowhere"):
        async with open_runtime(broken):
            pass

    assert not chosen.data.exists()


async def test_after_a_start_that_failed_the_folder_is_free(chosen):
    async with open_runtime(chosen):
        key = (chosen.data / "master.key").read_text()
    (chosen.data / "master.key").write_text("00" * 32)
    with pytest.raises(Conflict):
        async with open_runtime(chosen):
            pass
    (chosen.data / "master.key").write_text(key)

    async with open_runtime(chosen):
        pass


async def test_another_key_does_not_open_the_database_and_says_so(chosen):
    async with open_runtime(chosen):
        pass
    (chosen.data / "master.key").write_text("00" * 32)

    with pytest.raises(Conflict, match="key of another one"):
        async with open_runtime(chosen):
            pass


async def test_looking_for_steps_changes_nothing(chosen):
    assert await waiting_steps(chosen)
    assert not chosen.data.exists()

    assert await migrate(chosen)
    assert not await waiting_steps(chosen)
    assert not await migrate(chosen)


async def test_a_folder_that_was_migrated_before_its_first_start_has_the_key_of_its_database(chosen):
    await migrate(chosen)

    async with open_runtime(chosen) as runtime:
        assert await counted(runtime) == [1, 1, 1, 1, 1]


async def test_two_nodes_that_start_together_on_one_postgres_make_one_app(tmp_path):
    url = await create_database("template0")
    key = "5a" * 32
    nodes = [settings.load(data=tmp_path / name, database_url=url, master_key=key) for name in ("one", "two")]

    async def start(node: Settings) -> None:
        async with open_runtime(node) as runtime:
            assert await counted(runtime) == [1, 1, 1, 1, 1]

    try:
        await asyncio.gather(*(start(node) for node in nodes))
    finally:
        await drop_database(url)

    one, two = (DataFolder(node.data).credentials() for node in nodes)
    assert replace(one, base_url="") == replace(two, base_url="")


async def test_a_database_that_does_not_answer_is_a_sentence(tmp_path):
    with pytest.raises(Unavailable, match=r"does not let us in: .*CALLSHEET_DATABASE_URL"):
        async with open_runtime(settings.load(data=tmp_path, database_url="postgresql://127.0.0.1:1/x")):
            pass


def test_a_whole_process_runs_in_virtual_time(tmp_path):
    """What production opens, tests open: the same door, with another clock."""
    chosen = settings.load(data=tmp_path / "var", sandbox_seed=7)

    async def live(clock: VirtualClock) -> list[tuple[str, datetime]]:
        doors = {"clock": clock, "rng": random.Random(1), "timings": Timings(), "inline": True}
        async with open_runtime(chosen, **doors) as runtime:
            app = await default_app(runtime)
            contact_list = await runtime.store.lists.create(
                app.no, name="A", description="", source="test", allow_duplicates=False, now=clock.now()
            )
            await contacts.add(runtime, contact_list, people(3))
            campaign = await runtime.store.campaigns.create(
                app.no, make_definition([contact_list]), clock.now(), unique_names=True
            )
            campaign = await campaigns.start(runtime, app, campaign)
            while campaign.status is not Status.completed:
                await clock.sleep(1)
                campaign = await campaigns.find(runtime, app, campaign.id)
            await clock.sleep(10)
            return [(message.to, message.accepted_at) for message in runtime.sandbox_outbox(app.no, 0, 10, None)]

    sent = run(live, start=START)

    assert sorted(to for to, _ in sent) == [number(serial) for serial in range(3)]
    assert all(at.date() == START.date() for _, at in sent)


def people(count: int) -> list[Contact]:
    read = (read_contact({"phone": number(serial)}, Columns("phone"), None) for serial in range(count))
    return [contact for contact in read if isinstance(contact, Contact)]
