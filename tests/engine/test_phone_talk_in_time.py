"""Flows in calls in virtual time: how long is waited for a key, for a word, for a webhook, and for the store."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from calling import SPEAKS, Phone, heard, noted
from callsheet.core.campaign import Mode, VoicePlan
from callsheet.core.errors import Unavailable
from callsheet.engine.virtual_time import VirtualClock, run
from callsheet.store.sqlite.database import SqliteDatabase
from callsheet.store.sqlite.hot import SqliteHot
from callsheet.store.store import Store
from callsheet.store.vault import Vault
from conversing import ASK, LATER, QUESTION, THANKS, block, exit_to, message
from databases import make_file, rows
from engine.test_phone_talk import ASKING, OPEN, PAYMENT, asked, document, ended, values
from factories import MONDAY_NOON, Node, make_app

Play = Callable[[Phone, Node], Awaitable[None]]
TWICE = document(
    asked(ASK, QUESTION, 1, exit_to(THANKS, "yes", "block.value = 1"), exit_to(LATER, "other")),
    message(THANKS, "thanks", "Thank you"),
    asked(LATER, "Again?", 4, exit_to(THANKS, "said", "block.value = 12"), exit_to(None, "other")),
)


def play(folder: Path, main: Play) -> None:
    """Play with a phone in virtual time."""

    async def played(clock: VirtualClock) -> None:
        await make_file(folder / "callsheet.db")
        database, vault = SqliteDatabase(folder / "callsheet.db", inline=True), Vault(bytes(32))
        store = Store(database, SqliteHot(database, vault, clock), vault)
        app = await make_app(store, clock)
        phone = Phone(store, app, clock, folder)
        phone.prompts.seconds = 5.0
        await main(phone, await Node.enter(store, clock))  # type: ignore[arg-type]
        await store.close()

    run(played, start=MONDAY_NOON)


def test_who_presses_nothing_is_asked_as_the_flow_says_and_the_time_counts_from_the_end_of_the_prompt(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, TWICE)
        began_at = phone.clock.now()
        await phone.talk.lead(live, "human")

        # Five seconds a prompt, and what the flow waits after each.
        assert heard(live) == [QUESTION, "Again?"]
        assert [ending for ending, _ in await ended(phone.store)] == ["silent"]
        waited = (phone.clock.now() - began_at).total_seconds() - 10
        assert waited == 2 * 120, "the interaction timeout of the document"

    play(tmp_path, main)


def test_keys_are_gathered_until_none_comes_any_more(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, TWICE, {QUESTION: [(7, "2")], "Again?": [(1, "1"), (3, "2")]})
        await phone.talk.lead(live, "human")

        assert heard(live) == [QUESTION, "Again?", "Thank you"]
        assert await values(phone.store, phone.app) == ["2", "12"]

    play(tmp_path, main)


def test_a_recording_ends_when_its_time_is_over(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, OPEN, {"(recorded)": [(1, SPEAKS)]})
        began_at = phone.clock.now()
        await phone.talk.lead(live, "human")

        assert len(await values(phone.store, phone.app, "value")) == 1
        assert phone.clock.now() - began_at == timedelta(seconds=5 + 120 + 5)

    play(tmp_path, main)


def test_a_webhook_that_is_never_asked_is_the_default_exit(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        live = await phone.call(node, ASKING)
        await phone.talk.lead(live, "human")

        assert heard(live) == ["One moment"]
        assert [ending for ending, _ in await ended(phone.store)] == ["done"]
        assert await rows(phone.store, "select 1 from errand") == []

    play(tmp_path, main)


def test_a_machine_that_never_beeps_hears_it_all_the_same(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        config = {"prompt": "Call us", "longest_wait_seconds": 45}
        live = await phone.call(node, document(block(ASK, "mail", "Callsheet.LeaveVoicemail", config)))
        began_at = phone.clock.now()
        await phone.talk.lead(live, "machine")

        assert heard(live) == ["Call us"]
        assert noted(live, "no_beep") == [{}]
        assert phone.clock.now() - began_at == timedelta(seconds=45 + 5)

    play(tmp_path, main)


def test_a_campaign_may_say_how_long_the_beep_is_waited_for(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        config = {"prompt": "Call us", "longest_wait_seconds": 45}
        live = await phone.call(node, document(block(ASK, "mail", "Callsheet.LeaveVoicemail", config)))
        plan = VoicePlan(Mode.agentless, detection={"tone_seconds": 20.0})
        live.run = replace(live.run, definition=replace(live.run.definition, voice=plan))
        began_at = phone.clock.now()
        await phone.talk.lead(live, "machine")

        assert heard(live) == ["Call us"]
        assert phone.clock.now() - began_at == timedelta(seconds=20 + 5)

    play(tmp_path, main)


def test_while_the_store_is_away_the_caller_holds_the_line_for_a_while(tmp_path: Path):
    async def main(phone: Phone, node: Node) -> None:
        first, second = await phone.calls(node, PAYMENT, [{QUESTION: [(1, "1")]}] * 2)
        write, away = phone.store.flow_sessions.write, [3]

        async def later(*args: object) -> set[int]:
            if away[0]:
                away[0] -= 1
                raise Unavailable
            return await write(*args)  # type: ignore[arg-type]

        phone.store.flow_sessions.write = later  # type: ignore[method-assign]
        await phone.talk.lead(first, "human")
        assert heard(first) == [QUESTION, "Thank you"]
        away[0] = 1000
        await phone.talk.lead(second, "human")
        assert heard(second) == []
        assert [ending for ending, _ in await ended(phone.store)] == ["done", ""], "its call's record closes it"

    play(tmp_path, main)
