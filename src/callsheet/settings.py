"""Settings: what can be chosen from outside, each with its type, its default and a description.

A flag of the command line wins over the environment (`CALLSHEET_...`), the environment over the optional TOML file
that `CALLSHEET_CONFIG` names, the file over the default. A secret can be read from a file: `CALLSHEET_..._FILE`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from callsheet.core.errors import FieldError, Invalid
from callsheet.core.fence import Fence
from callsheet.voice_settings import REFUSED, VoiceSettings, refusal

PREFIX = "CALLSHEET_"
CONFIG = "CALLSHEET_CONFIG"
_TWIN = "_FILE"
_KEY_BYTES = 32
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(:\d+)?")


class Settings(VoiceSettings):
    """Everything that can be chosen for one process. A title says what a setting takes, after the word "Give"."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    data: Path = Field(
        default=Path("var"),
        title="the path of a folder",
        description="the data folder: database, keys, credentials, files that are being imported, sandbox ledgers",
    )
    host: str = Field(
        default="127.0.0.1", title="a host name or an address", description="the address that the HTTP API listens on"
    )
    port: int = Field(
        default=8030,
        ge=0,
        le=65535,
        title="a whole number from 0 to 65535",
        description="its port; 0 takes a free one",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        title="the URL of a PostgreSQL database, as text",
        description="`postgresql://user:password@host/name`; empty: SQLite in the data folder",
    )
    master_key: SecretStr = Field(
        default=SecretStr(""),
        title="64 hexadecimal digits, as text",
        description="64 hexadecimal digits that open every app's key; empty: `master.key` in the data folder, made at"
        " the first start. Several nodes on one PostgreSQL need the same",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        title="debug, info, warning or error",
        description="the least that is logged: `debug`, `info`, `warning` or `error`",
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto",
        title="auto, console or json",
        description="`console` or `json`; `auto` is console in a terminal and JSON elsewhere",
    )
    sandbox_seed: int | None = Field(
        default=None,
        title="a whole number",
        description="makes the simulated handsets behave the same in every run; none: at random",
    )
    sandbox_window: int = Field(
        default=1000,
        ge=1,
        title="a whole number, 1 or more",
        description="how many messages may wait for the sandbox carrier's answer at once",
    )
    allow_private_addresses: bool = Field(
        default=False,
        title="true or false",
        description="whether webhooks and pulls may call addresses of this machine and of private networks",
    )
    outside_ports: str = Field(
        default="80,443,8080,8443",
        title="port numbers with commas between, or *",
        description="the ports that webhooks, pulls and HTTP carriers may call; `*`: any",
    )
    public_url: str = Field(
        default="",
        title="a URL that begins with https:// or http://, without a query",
        description="the URL under which carriers reach the HTTP API from outside, as they will call and sign it;"
        " empty: they are not asked to call",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        title="addresses and networks with commas between",
        description="the proxies in front of the HTTP API that are believed when they say (`X-Forwarded-For`,"
        " `X-Forwarded-Proto`) who calls, and how",
    )
    session_idle_minutes: int = Field(
        default=60,
        ge=1,
        le=60 * 24 * 30,
        title="a whole number of minutes, from 1 to 43200",
        description="after how many minutes without a call somebody who is signed in is signed out",
    )
    session_hours: int = Field(
        default=12,
        ge=1,
        le=24 * 30,
        title="a whole number of hours, from 1 to 720",
        description="after how many hours somebody who is signed in has to sign in again, whatever he does",
    )
    failpoint: str = Field(
        default="",
        title="the name of a failpoint",
        description="kills the process at a named place of the engine, such as `after_arm:3`",
    )

    @field_validator("database_url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        """Refuse another database: its URL would be taken for a path."""
        if url and not _is_postgres(url.get_secret_value()):
            raise refusal(
                "Give postgresql://user:password@host:port/name, or leave it empty: SQLite in the data folder."
                " Signs such as / # @ in the password are written %2F %23 %40."
            )
        return url

    @field_validator("master_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        try:
            good = len(bytes.fromhex(key.get_secret_value())) in (0, _KEY_BYTES)
        except ValueError:
            good = False
        if not good:
            raise refusal(f"Give {2 * _KEY_BYTES} hexadecimal digits.")
        return key

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        # The form alone: it is we who are called there.
        if url and (Fence(allow_private=True).fault_of(url) is not None or "?" in url or "#" in url):
            raise refusal("Give a URL such as https://callsheet.example.com, without a query.")
        return url.rstrip("/")

    @field_validator("outside_ports")
    @classmethod
    def _check_ports(cls, ports: str) -> str:
        if ports.strip() != "*" and not all(_is_port(text) for text in ports.split(",")):
            raise refusal("Give port numbers with commas between, such as 80,443, or * for any.")
        return ports

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, proxies: str) -> str:
        try:
            for proxy in proxies.split(","):
                ip_network(proxy.strip())
        except ValueError:
            raise refusal("Give addresses and networks with commas between, such as 127.0.0.1,10.1.0.0/16.") from None
        return proxies

    @property
    def fence(self) -> Fence:
        """Return what webhooks and pulls may call."""
        any_port = self.outside_ports.strip() == "*"
        ports = () if any_port else map(int, self.outside_ports.split(","))
        return Fence(self.allow_private_addresses, frozenset(ports), self.sip_private_addresses)

    @property
    def is_shared(self) -> bool:
        """Tell whether more than one node can work on the database."""
        return bool(self.database_url.get_secret_value())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (a signature of pydantic's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the sources in order, the strongest first."""
        twins = InitSettingsSource(settings_cls, _read_twins(os.environ))
        file = InitSettingsSource(settings_cls, _read_file(os.environ))
        return init_settings, env_settings, twins, file


def load(**flags: object) -> Settings:
    """Read the settings; a flag that is None was not given. Raises Invalid with every wrong one."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        # Without the input: it may be a secret.
        wrong = error.errors(include_input=False, include_url=False)
        raise Invalid(_explain(str(one["loc"][0]), one["type"], one["msg"]) for one in wrong) from None


def _explain(name: str, kind: str, message: str) -> FieldError:
    """Name a wrong setting by its variable; where pydantic found it wrong, say what it takes in our own words."""
    sentence = message if kind == REFUSED else f"Give {Settings.model_fields[name].title}."
    return FieldError(variable(name), sentence)


def _is_port(text: str) -> bool:
    number = text.strip()
    return number.isascii() and number.isdecimal() and 0 < int(number[:6]) < 65536


def _is_postgres(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return parts.scheme in ("postgresql", "postgres") and all(map(_HOST.fullmatch, hosts))


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def unknown_names(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return variables that look like settings and are none, and what the TOML file has besides settings."""
    environ = os.environ if environ is None else environ
    known = {variable(name) for name in Settings.model_fields}
    known |= {variable(name) + _TWIN for name in _secrets()} | {CONFIG}
    unknown = [name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known]
    return sorted(unknown) + sorted(name for name in _read_file(environ) if name not in Settings.model_fields)


def _secrets() -> list[str]:
    return [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]


def _read_twins(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name in _secrets():
        path = environ.get(variable(name) + _TWIN)
        if path:
            try:
                found[name] = Path(path).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Invalid([FieldError(variable(name) + _TWIN, f"{path} cannot be read: {error}.")]) from error
    return found


def _read_file(environ: Mapping[str, str]) -> dict[str, Any]:
    path = environ.get(CONFIG)
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid([FieldError(CONFIG, f"{path} cannot be read: {error}.")]) from error


class Choice(NamedTuple):
    """One setting as this process has it."""

    name: str
    variable: str
    value: str | int | None
    """A secret is masked; None: it was not set, and nothing stands for it."""
    source: Literal["flag", "environment", "file", "default"]
    place: str
    """The flag, the variable or the file that it came from; empty for a default."""


MASK = "********"


def choices(**flags: object) -> list[Choice]:
    """Return every setting with where it came from; a flag that is None was not given. Raises Invalid."""
    chosen = load(**flags)
    given = {name: value for name, value in flags.items() if value is not None}
    return [
        Choice(name, variable(name), _show(name, getattr(chosen, name)), *_origin(name, given))
        for name in Settings.model_fields
    ]


def _origin(name: str, flags: Mapping[str, object]) -> tuple[Literal["flag", "environment", "file", "default"], str]:
    """Find the strongest source that gives a setting, in the order of `settings_customise_sources`."""
    environ = {key.upper(): value for key, value in os.environ.items()}
    if name in flags:
        return "flag", f"--{name.replace('_', '-')}"
    for key in (variable(name), variable(name) + _TWIN):
        if environ.get(key) and (name in _secrets() or not key.endswith(_TWIN)):
            return "environment", key
    if name in _read_file(os.environ):
        return "file", os.environ[CONFIG]
    return "default", ""


def _show(name: str, value: object) -> str | int | None:
    """Return a value as it may be shown: of a database's URL all but the password, of other secrets nothing."""
    if not isinstance(value, SecretStr):
        return value if isinstance(value, int) or value is None else str(value)
    secret = value.get_secret_value()
    if not secret or name != "database_url":
        return MASK if secret else None
    parts = urlsplit(secret)
    user, _, host = parts.netloc.rpartition("@")
    named = user.partition(":")[0]
    # Without the query: a password may stand there too.
    return f"{parts.scheme}://{f'{named}:{MASK}@' if named else ''}{host}{parts.path}"
