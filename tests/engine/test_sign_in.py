"""Whoever guesses learns nothing and is soon stopped; a session ends when it should; a password is kept as argon2id."""

import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters

from callsheet.clock import Clock
from callsheet.core.audit import ActorKind
from callsheet.core.errors import (
    Conflict,
    Invalid,
    LastAdmin,
    NameTaken,
    TooManySignIns,
    Unauthenticated,
    UserNotFound,
)
from callsheet.core.permissions import Role
from callsheet.engine.passwords import Passwords
from callsheet.engine.sign_in import MOST_FAILURES, USUAL_LIMITS, WINDOW_SECONDS, SignIn
from callsheet.store.apps import App
from callsheet.store.audit import Chain
from callsheet.store.store import Store
from callsheet.store.users import User
from databases import rows
from factories import make_app

PASSWORD = "correct horse battery"
HERE = "192.0.2.1"


class Recording(PasswordHasher):
    """A hasher that costs little, and tells what it was asked to compare with."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.asked: list[str] = []

    def verify(self, kept: str | bytes, password: str | bytes) -> bool:
        self.asked.append(str(kept))
        return super().verify(kept, password)


@pytest.fixture
def hasher() -> Recording:
    return Recording()


@pytest.fixture
def door(store: Store, clock: Clock, hasher: Recording) -> SignIn:
    return SignIn(store, clock, passwords=Passwords(hasher))


async def make_user(door: SignIn, store: Store, app: App, clock: Clock, login: str, role: Role = Role.viewer) -> User:
    kept = await door.new_password("password", login, PASSWORD)
    return await store.users.create(app, login, login, role, kept, clock.now())


@pytest.fixture
async def ada(door: SignIn, store: Store, app: App, clock: Clock) -> User:
    return await make_user(door, store, app, clock, "Ada", Role.admin)


async def test_who_signs_in_is_known_by_the_token_and_the_token_is_not_stored(door, store, app, ada):
    token, session = await door.sign_in(" ADA ", PASSWORD, None, HERE)

    assert (session.user_id, session.account_id, session.roles) == (ada.id, app.account_id, {app.id: (app, Role.admin)})
    assert len(token) >= 43
    assert await door.session(token) == session
    for table in ("user_session", "audit", "account_user"):
        for row in await rows(store, f"select * from {table}"):
            assert not any(token in str(value) or PASSWORD in str(value) for value in row)
            assert not any(token.encode() in bytes(value) for value in row if isinstance(value, bytes | memoryview))


async def test_a_password_is_kept_as_argon2id_with_the_usual_cost():
    kept = await Passwords().hash(PASSWORD)

    assert kept.startswith("$argon2id$v=19$")
    assert extract_parameters(kept).memory_cost >= 64 * 1024
    assert await Passwords().is_right(kept, PASSWORD)
    assert not await Passwords().is_right(kept, PASSWORD + "x")


async def test_one_password_written_in_two_ways_is_one(door):
    kept = await door.new_password("password", "x", "Grüße aus Köln")

    assert await door.passwords.is_right(kept, "Gru\N{COMBINING DIAERESIS}ße aus Ko\N{COMBINING DIAERESIS}ln")


async def test_hashing_does_not_hold_the_loop(clock, store):
    passwords, beats, most = Passwords(), 0, 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.001)

    heart = asyncio.create_task(beat())
    for _ in range(20):  # a machine that stands still may let the thread come to its end first, but not each time
        before = beats
        await passwords.hash(PASSWORD)
        if (most := max(most, beats - before)) > 3:
            break
    heart.cancel()

    assert most > 3


async def test_a_login_that_nobody_has_costs_what_a_wrong_password_costs(door, hasher, ada):
    for login in ("Ada", "nobody"):
        with pytest.raises(Unauthenticated) as refused:
            await door.sign_in(login, "wrong", None, HERE)
        assert "login or the password" in refused.value.message

    right, dummy = hasher.asked
    assert extract_parameters(right) == extract_parameters(dummy)
    assert right != dummy


async def test_failures_and_successes_are_in_the_log_of_the_account(door, store, app, ada):
    await door.sign_in("Ada", PASSWORD, None, HERE)
    for login, account in (("Ada", None), ("nobody", app.account_id), ("nobody", "ffff")):
        with pytest.raises(Unauthenticated):
            await door.sign_in(login, "wrong", account, HERE)

    found = [one.line.deed for one in await store.audit.lines(Chain(account_id=app.account_id), before=None, limit=9)]

    assert [(deed.actor_kind, deed.actor_id, deed.thing, deed.details["status"]) for deed in found] == [
        (ActorKind.nobody, "", "", 401),
        (ActorKind.nobody, "", "", 401),
        (ActorKind.nobody, "", ada.id, 401),
        (ActorKind.user, ada.id, ada.id, 201),
    ]


async def fail(door: SignIn, login: str, address: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            await door.sign_in(login, "wrong", None, address)


async def test_who_guesses_a_password_is_stopped_and_the_right_one_does_not_help(door, clock, ada):
    await fail(door, "ada", HERE, MOST_FAILURES["both"])

    with pytest.raises(TooManySignIns) as stopped:
        await door.sign_in("ADA", PASSWORD, None, HERE)
    assert 0 < stopped.value.retry_seconds <= WINDOW_SECONDS
    await door.sign_in("Ada", PASSWORD, None, "192.0.2.2")
    clock.advance(WINDOW_SECONDS)
    await door.sign_in("Ada", PASSWORD, None, HERE)


async def test_who_guesses_logins_is_stopped_by_his_address(door, ada):
    for number in range(MOST_FAILURES["address"]):
        await fail(door, f"guess {number}", HERE)

    with pytest.raises(TooManySignIns):
        await door.sign_in("Ada", PASSWORD, None, HERE)


async def test_who_guesses_from_many_addresses_is_stopped_by_the_login(door, ada):
    for number in range(MOST_FAILURES["login"]):
        await fail(door, "Ada", f"192.0.3.{number}")

    with pytest.raises(TooManySignIns):
        await door.sign_in("Ada", PASSWORD, None, "192.0.4.1")


async def test_the_right_password_forgives_what_went_before(door, ada):
    for _ in range(3):
        await fail(door, "Ada", HERE, MOST_FAILURES["both"] - 1)
        await door.sign_in("Ada", PASSWORD, None, HERE)


async def test_a_login_of_two_accounts_needs_the_account(door, store, app, ada, clock):
    other = await make_app(store, clock, name="Rival")
    rival = await make_user(door, store, other, clock, "ada")

    with pytest.raises(Unauthenticated):
        await door.sign_in("Ada", PASSWORD, None, HERE)
    for account, user in ((app.account_id, ada), (other.account_id, rival)):
        _, session = await door.sign_in("Ada", PASSWORD, account, HERE)
        assert session.user_id == user.id


async def test_a_login_is_taken_whatever_its_case_within_its_account_only(door, store, app, ada, clock):
    with pytest.raises(NameTaken):
        await make_user(door, store, app, clock, "ADA")
    await make_user(door, store, await make_app(store, clock, name="Rival"), clock, "ADA")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
async def test_a_password_has_twelve_characters_or_more(door, password):
    with pytest.raises(Invalid) as refused:
        await door.new_password("password", "somebody", password)
    assert [fault.path for fault in refused.value.fields] == ["password"]


async def test_a_password_is_not_the_login(door):
    with pytest.raises(Invalid):
        await door.new_password("password", "Ada.Lovelace", "ada.lovelace")
    assert await door.new_password("password", "Ada", "x" * 12)
    assert await door.new_password("password", "Ada", "x" * 1024)


async def test_a_session_ends_when_nobody_is_there(door, ada, clock):
    token, _ = await door.sign_in("Ada", PASSWORD, None, HERE)
    for _ in range(3):
        clock.advance(USUAL_LIMITS.idle.total_seconds() - 1)
        await door.session(token)
    clock.advance(USUAL_LIMITS.idle.total_seconds())

    with pytest.raises(Unauthenticated):
        await door.session(token)


async def test_a_session_ends_at_last_whatever_somebody_does(door, ada, clock):
    token, _ = await door.sign_in("Ada", PASSWORD, None, HERE)
    for _ in range(23):
        clock.advance(minutes=30)
        await door.session(token)
    clock.advance(minutes=30)

    with pytest.raises(Unauthenticated):
        await door.session(token)


async def test_sessions_that_are_over_are_forgotten(door, store, ada, clock):
    await door.sign_in("Ada", PASSWORD, None, HERE)
    clock.advance(hours=1)
    await door.sign_in("Ada", PASSWORD, None, HERE)

    assert await rows(store, "select count(*) from user_session") == [(1,)]


@pytest.mark.parametrize("token", ["", "x", "é" * 40, "x" * 10_000])
async def test_a_token_that_nobody_gave_out_is_none(door, token):
    with pytest.raises(Unauthenticated):
        await door.session(token)


async def end_by_password(store, app, user):
    await store.users.set_password(user.no, "other")


async def end_by_disabling(store, app, user):
    await store.users.change(app.no, user.id, is_disabled=True)


async def end_by_deleting(store, app, user):
    await store.users.leave(app.no, user.id)


@pytest.mark.parametrize("end", [end_by_password, end_by_disabling, end_by_deleting])
async def test_a_new_password_and_a_closed_door_end_all_sessions_of_that_user_only(door, store, app, clock, ada, end):
    bob = await make_user(door, store, app, clock, "Bob")
    tokens = [(await door.sign_in("Bob", PASSWORD, None, HERE))[0] for _ in range(2)]
    mine, _ = await door.sign_in("Ada", PASSWORD, None, HERE)

    await end(store, app, bob)

    for token in tokens:
        with pytest.raises(Unauthenticated):
            await door.session(token)
    with pytest.raises(Unauthenticated):
        await door.sign_in("Bob", PASSWORD, None, HERE)
    assert (await door.session(mine)).user_id == ada.id


async def test_the_last_enabled_admin_stays(door, store, app, clock, ada):
    bob = await make_user(door, store, app, clock, "Bob", Role.admin)
    await store.users.change(app.no, bob.id, is_disabled=True)

    for last in (
        store.users.change(app.no, ada.id, role=Role.viewer),
        store.users.change(app.no, ada.id, is_disabled=True),
        store.users.join(app, ada.id, Role.operator),
        store.users.leave(app.no, ada.id),
    ):
        with pytest.raises(LastAdmin):
            await last
    await store.users.change(app.no, ada.id, name="Ada L.", role=Role.admin, is_disabled=False)
    await store.users.change(app.no, bob.id, is_disabled=False)
    await store.users.leave(app.no, ada.id)
    with pytest.raises(LastAdmin):
        await store.users.leave(app.no, bob.id)


async def test_two_admins_who_remove_each_other_at_once_leave_one(place, door, store, app, clock, ada):
    bob = await make_user(door, store, app, clock, "Bob", Role.admin)
    other = store if place.kind == "sqlite" else await place.open()

    done = await asyncio.gather(
        store.users.change(app.no, ada.id, role=Role.viewer),
        other.users.leave(app.no, bob.id),
        return_exceptions=True,
    )

    assert [type(one) for one in done].count(LastAdmin) == 1
    assert [user.role for user in await store.users.of_app(app.no, after=0, limit=9)].count(Role.admin) == 1


async def test_an_app_neither_sees_nor_changes_the_users_of_another(door, store, app, clock, ada):
    other = await make_app(store, clock, name="Rival")

    for reach in (
        store.users.find(other.no, ada.id),
        store.users.change(other.no, ada.id, name="x"),
        store.users.leave(other.no, ada.id),
        store.users.join(other, ada.id, Role.admin),
    ):
        with pytest.raises(UserNotFound):
            await reach
    assert await store.users.of_app(other.no, after=0, limit=9) == []
    assert await store.users.find(app.no, ada.id) == ada


async def test_a_user_of_two_apps_of_an_account_is_something_else_in_each(door, store, app, clock, ada):
    second = await store.apps.create(app.account_id, "Second", clock.now())
    bob = await make_user(door, store, app, clock, "Bob", Role.operator)
    await store.users.join(second, bob.id, Role.admin)

    _, session = await door.sign_in("Bob", PASSWORD, None, HERE)
    assert {app_id: role for app_id, (_, role) in session.roles.items()} == {
        app.id: Role.operator,
        second.id: Role.admin,
    }
    await store.users.change(app.no, bob.id, is_disabled=True)
    _, session = await door.sign_in("Bob", PASSWORD, None, HERE)
    assert set(session.roles) == {second.id}
    assert await store.users.roles(bob.id) == {second.no: Role.admin}


async def test_the_first_user_is_made_once_with_the_token_of_the_link(door, store, app):
    token = door.invitation.make()
    for wrong in ("", "x", token + "x"):
        with pytest.raises(Unauthenticated):
            await door.set_up(wrong, "Root", PASSWORD)
    with pytest.raises(Invalid):
        await door.set_up(token, "Root", "short")

    first = await door.set_up(token, "Root", PASSWORD)

    assert first.role is Role.admin
    with pytest.raises(Unauthenticated):
        await door.set_up(token, "Second", PASSWORD)
    with pytest.raises(Conflict):
        await door.set_up(door.invitation.make(), "Second", PASSWORD)
    assert (await door.sign_in("Root", PASSWORD, None, HERE))[1].user_id == first.id


async def test_of_two_first_users_at_once_there_is_one(place, door, store, app, clock, hasher):
    doors = [door, SignIn(await place.open(), clock, passwords=Passwords(hasher)) if place.kind != "sqlite" else door]
    tokens = [one.invitation.make() for one in dict.fromkeys(doors)]

    done = await asyncio.gather(
        doors[0].set_up(tokens[0], "Root", PASSWORD),
        doors[1].set_up(tokens[-1], "Admin", PASSWORD),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in done) == ["Conflict", "User"]


async def test_the_token_of_the_link_is_over_after_half_an_hour(door, app, clock):
    token = door.invitation.make()
    clock.advance(minutes=30)

    with pytest.raises(Unauthenticated):
        await door.set_up(token, "Root", PASSWORD)


async def test_ones_own_password_is_changed_by_who_knows_it(door, ada):
    token, session = await door.sign_in("Ada", PASSWORD, None, HERE)
    with pytest.raises(Unauthenticated):
        await door.change_own(session, "wrong", "another long one", HERE)

    await door.change_own(session, PASSWORD, "another long one", HERE)

    with pytest.raises(Unauthenticated):
        await door.session(token)
    await door.sign_in("Ada", "another long one", None, HERE)
