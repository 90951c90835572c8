"""What every command does first: read the settings, set up the log, and warn of settings that mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from callsheet import logs, settings

if TYPE_CHECKING:
    from callsheet.settings import Settings

log = structlog.get_logger()


def prepare(*, quiet: bool = False, **flags: object) -> Settings:
    """Return the settings of this process; flags that are None were not given.

    `quiet` is for commands that talk to a person: they log from `warning` on, unless somebody asked for more.
    Raises Invalid.
    """
    chosen = settings.load(**flags)
    level = "warning" if quiet and "log_level" not in chosen.model_fields_set else chosen.log_level
    logs.set_up(level, chosen.log_format)
    unknown = settings.unknown_names()
    if unknown:
        log.warning("settings.unknown", names=unknown)
    return chosen


def log_failure(error: Exception) -> None:
    """Write down what broke, with its trace, through the log."""
    if not structlog.is_configured():
        logs.set_up("info", "auto")
    log.error("command.failed", exc_info=error)
