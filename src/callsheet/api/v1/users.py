"""Users: people who may sign in, and what each of them is in an app."""

from __future__ import annotations

from fastapi import Request
from pydantic import BaseModel, StrictBool

from callsheet.api.caller import Caller, note
from callsheet.api.v1.asked import Calling, Served, Tenant
from callsheet.api.v1.contract import problems
from callsheet.api.v1.sessions import Password
from callsheet.api.v1.shapes import USUAL_LIMIT, After, Body, Instant, Limit, LongName, Page, no_cursor, page_of
from callsheet.api.v1.strict import Router
from callsheet.core.audit import ActorKind
from callsheet.core.errors import BodyTooLarge, Forbidden, LastAdmin, NameTaken, UserNotFound
from callsheet.core.permissions import Role
from callsheet.engine.runtime import Runtime
from callsheet.store.users import User

router = Router(prefix="/v1/apps/{app}/users", tags=["users"])

_ELSEWHERE = "This user belongs to other apps too: whoever is admin in all of them, or the user himself, can do this."


class NewUser(Body):
    """A user to be."""

    login: LongName
    """What he signs in with; no two users of an account have the same, and case does not count."""
    password: Password
    """12 characters or more, and not the login name."""
    role: Role
    """What he is in this app."""
    name: LongName | None = None
    """What he is called; without it, his login name."""


class ChangedUser(Body):
    """What to change of a user; what is not named stays as it is."""

    name: LongName | None = None
    """What he is called, in all apps."""
    role: Role | None = None
    """What he is in this app from now on."""
    disabled: StrictBool | None = None
    """Whether this app is closed to him. Who is disabled is signed out."""


class RoleOfUser(Body):
    """What a user is to be in this app."""

    role: Role
    """His role."""


class NewPassword(Body):
    """A new password of a user."""

    password: Password
    """12 characters or more, and not the login name."""


class ShownUser(BaseModel):
    """A user, as this app sees him."""

    id: str
    login: str
    name: str
    role: Role
    disabled: bool
    created_at: Instant


@router.post("", status_code=201, responses=problems(NameTaken, BodyTooLarge))
async def create_user(runtime: Served, app: Tenant, new: NewUser, request: Request) -> ShownUser:
    """Create a user."""
    kept = await runtime.sign_in.new_password("password", new.login, new.password)
    created = await runtime.store.users.create(
        app, new.login, new.name or new.login, new.role, kept, runtime.clock.now()
    )
    note(request.scope, user=created.id, role=created.role.value)
    return _show(created)


@router.get("")
async def list_users(runtime: Served, app: Tenant, after: After = None, limit: Limit = USUAL_LIMIT) -> Page[ShownUser]:
    """Return the users of the app, oldest first."""
    try:
        last = (await runtime.store.users.find(app.no, after)).no if after else 0
    except UserNotFound:
        raise no_cursor() from None
    found = await runtime.store.users.of_app(app.no, after=last, limit=limit + 1)
    return page_of([_show(user) for user in found], limit, lambda one: one.id)


@router.get("/{user_id}", responses=problems(UserNotFound))
async def get_user(runtime: Served, app: Tenant, user_id: str) -> ShownUser:
    """Return a user."""
    return _show(await runtime.store.users.find(app.no, user_id))


@router.patch("/{user_id}", responses=problems(UserNotFound, LastAdmin, BodyTooLarge))
async def change_user(runtime: Served, app: Tenant, user_id: str, changed: ChangedUser, request: Request) -> ShownUser:
    """Rename a user, change his role, or disable him in this app. The last enabled admin stays one."""
    user = await runtime.store.users.change(
        app.no, user_id, name=changed.name, role=changed.role, is_disabled=changed.disabled
    )
    note(request.scope, **changed.model_dump(mode="json", exclude_none=True, exclude={"name"}))
    return _show(user)


@router.put("/{user_id}/role", responses=problems(UserNotFound, LastAdmin, BodyTooLarge))
async def put_role(runtime: Served, app: Tenant, user_id: str, chosen: RoleOfUser, request: Request) -> ShownUser:
    """Make a user of the account, who may be of another app so far, something in this one."""
    user = await runtime.store.users.join(app, user_id, chosen.role)
    note(request.scope, role=chosen.role.value)
    return _show(user)


@router.delete("/{user_id}", status_code=204, responses=problems(UserNotFound, LastAdmin))
async def delete_user(runtime: Served, app: Tenant, user_id: str) -> None:
    """Take a user out of this app; who is in no other app is deleted. He is signed out."""
    await runtime.store.users.leave(app.no, user_id)


@router.put("/{user_id}/password", status_code=204, responses=problems(UserNotFound, BodyTooLarge))
async def set_password(runtime: Served, app: Tenant, caller: Calling, user_id: str, new: NewPassword) -> None:
    """Give a user another password. He is signed out everywhere."""
    user = await runtime.store.users.find(app.no, user_id)
    if not set(await runtime.store.users.roles(user.id, with_disabled=True)) <= await _administered(runtime, caller):
        raise Forbidden(_ELSEWHERE)
    kept = await runtime.sign_in.new_password("password", user.login, new.password)
    await runtime.store.users.set_password(user.no, kept)


async def _administered(runtime: Runtime, caller: Caller) -> set[int]:
    """Return the apps that a caller administers: whose password one sets, in his place one can act."""
    if caller.kind is not ActorKind.user:
        return {caller.app.no}
    return {app for app, role in (await runtime.store.users.roles(caller.id)).items() if role is Role.admin}


def _show(user: User) -> ShownUser:
    return ShownUser(
        id=user.id,
        login=user.login,
        name=user.name,
        role=user.role,
        disabled=user.is_disabled,
        created_at=user.created_at,
    )
