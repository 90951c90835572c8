"""Sessions: people sign in with login and password, and their browsers keep a cookie."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response, Security
from pydantic import BaseModel, StringConstraints

from callsheet.api.session_cookie import (
    give_cookie,
    read_cookie,
    refuse_known_strangers,
    refuse_strangers,
    take_cookie,
)
from callsheet.api.v1.asked import Served, session_scheme
from callsheet.api.v1.contract import problems
from callsheet.api.v1.shapes import Body, Instant, LongName
from callsheet.api.v1.strict import Router
from callsheet.core.errors import BodyTooLarge, Conflict, TooManySignIns
from callsheet.core.passwords import MOST_CHARACTERS
from callsheet.core.permissions import Role
from callsheet.store.sessions import Session

router = Router(prefix="/v1", tags=["sessions"])

Password = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]


class SigningIn(Body):
    """Who wants to sign in."""

    login: LongName
    """The login name; case does not count."""
    password: Password
    """The password."""
    account_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The account, where several have this login."""


class ChangedPassword(Body):
    """A new password of one's own."""

    current: Password
    """The password until now."""
    new: Password
    """The password from now on: 12 characters or more."""


class FirstUser(Body):
    """The first user of a new server, who becomes its admin."""

    token: Annotated[str, StringConstraints(max_length=128)]
    """What stands behind `/welcome/` in the sign-in link that `callsheet serve` prints."""
    login: LongName
    """The login name."""
    password: Password
    """The password: 12 characters or more."""


class RoleInApp(BaseModel):
    """What somebody is in an app."""

    id: str
    name: str
    role: Role


class ShownSession(BaseModel):
    """Who is signed in, and what he is where."""

    user_id: str
    login: str
    name: str
    account_id: str
    apps: list[RoleInApp]
    until: Instant
    """When he has to sign in again at the latest."""


class MadeUser(BaseModel):
    """A user who was made."""

    id: str
    login: str


async def _session(request: Request, runtime: Served, _: Annotated[str | None, Security(session_scheme)]) -> Session:
    session = await runtime.sign_in.session(read_cookie(request.headers))
    refuse_strangers(request.method, request.headers)
    return session


_SignedIn = Annotated[Session, Depends(_session)]


@router.post("/sessions", status_code=201, responses=problems(TooManySignIns, BodyTooLarge))
async def sign_in(runtime: Served, asked: SigningIn, request: Request, response: Response) -> ShownSession:
    """Sign in. The session is a cookie that no script can read; it comes back with every call of the browser."""
    refuse_known_strangers(request.headers)
    token, session = await runtime.sign_in.sign_in(asked.login, asked.password, asked.account_id, _address(request))
    give_cookie(response, token, is_secure=_is_secure(request))
    return _show(session)


@router.get("/sessions/current")
async def get_session(session: _SignedIn) -> ShownSession:
    """Return who is signed in."""
    return _show(session)


@router.delete("/sessions/current", status_code=204)
async def sign_out(runtime: Served, session: _SignedIn, request: Request, response: Response) -> None:  # noqa: ARG001
    """Sign out."""
    await runtime.store.sessions.end(read_cookie(request.headers))
    take_cookie(response, is_secure=_is_secure(request))


@router.put("/sessions/current/password", status_code=204, responses=problems(TooManySignIns, BodyTooLarge))
async def change_own_password(runtime: Served, session: _SignedIn, changed: ChangedPassword, request: Request) -> None:
    """Change one's own password. All one's sessions end, this one too."""
    await runtime.sign_in.change_own(session, changed.current, changed.new, _address(request))


@router.post("/setup", status_code=201, responses=problems(Conflict, BodyTooLarge))
async def set_up(runtime: Served, first: FirstUser, request: Request) -> MadeUser:
    """Make the first user with the token of the one-time sign-in link: an admin in every app of the first account."""
    refuse_known_strangers(request.headers)
    user = await runtime.sign_in.set_up(first.token, first.login, first.password)
    return MadeUser(id=user.id, login=user.login)


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _show(session: Session) -> ShownSession:
    return ShownSession(
        user_id=session.user_id,
        login=session.login,
        name=session.name,
        account_id=session.account_id,
        apps=[RoleInApp(id=app.id, name=app.name, role=role) for app, role in session.roles.values()],
        until=session.until,
    )
