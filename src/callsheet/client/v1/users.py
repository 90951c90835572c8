"""Users: people who may sign in, and what each of them is in the app."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET

from callsheet.client.call import Call, Given, given
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page, Record

_ALL = "/v1/apps/{app}/users"
_ONE = "/v1/apps/{app}/users/{user_id}"


class User(Record, frozen=True):
    """A user, as this app sees him. `role` is viewer, operator, admin or agent."""

    id: str
    login: str
    name: str
    role: str
    disabled: bool
    created_at: datetime


class Users(Resource[Mode]):
    """Users: people who may sign in."""

    @Single
    def create(self, login: str, password: str, role: str, *, name: Given[str] = UNSET) -> Call[User]:
        """Create a user with a password of 12 characters or more."""
        return Call("POST", _ALL, User, body=given(login=login, password=password, role=role, name=name))

    @Paged
    def list(self, *, limit: int = 1000) -> Call[Page[User]]:
        """Give the users of the app, oldest first."""
        return Call("GET", _ALL, Page[User], query={"limit": limit})

    @Single
    def get(self, user_id: str) -> Call[User]:
        """Return a user."""
        return Call("GET", _ONE, User, {"user_id": user_id})

    @Single
    def change(
        self,
        user_id: str,
        *,
        name: Given[str] = UNSET,
        role: Given[str] = UNSET,
        disabled: Given[bool] = UNSET,
    ) -> Call[User]:
        """Rename a user, change his role, or close the app to him. The last enabled admin stays one."""
        return Call("PATCH", _ONE, User, {"user_id": user_id}, body=given(name=name, role=role, disabled=disabled))

    @Single
    def let_in(self, user_id: str, role: str) -> Call[User]:
        """Give a user of the account, who may be of another app so far, a role in this one."""
        return Call("PUT", f"{_ONE}/role", User, {"user_id": user_id}, body={"role": role})

    @Single
    def set_password(self, user_id: str, password: str) -> Call[None]:
        """Give a user another password. He is signed out everywhere."""
        return Call("PUT", f"{_ONE}/password", type(None), {"user_id": user_id}, body={"password": password})

    @Single
    def delete(self, user_id: str) -> Call[None]:
        """Take a user out of this app; who is in no other one is deleted."""
        return Call("DELETE", _ONE, type(None), {"user_id": user_id})
