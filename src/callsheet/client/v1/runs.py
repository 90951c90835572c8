"""Runs: what one execution of a campaign does, contact by contact, and its reports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from callsheet.client.call import Call
from callsheet.client.method import Mode, Paged, Resource, Single
from callsheet.client.record import Page
from callsheet.client.v1.reports import Attempt, Codes, Dispositions, Run, RunReport, Suppression, Timeline

_ALL = "/v1/apps/{app}/runs"
_ONE = "/v1/apps/{app}/runs/{run_id}"


class Runs(Resource[Mode]):
    """Runs: what one execution of a campaign does."""

    @Paged
    def list(
        self,
        *,
        campaign_id: str | None = None,
        status: str | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        limit: int = 1000,
    ) -> Call[Page[Run]]:
        """Give runs, the latest first."""
        times = {"started_after": started_after, "started_before": started_before}
        return Call(
            "GET", _ALL, Page[Run], query={"campaign_id": campaign_id, "status": status, "limit": limit, **times}
        )

    @Single
    def get(self, run_id: str) -> Call[RunReport]:
        """Return a run with its outcome."""
        return Call("GET", _ONE, RunReport, {"run_id": run_id})

    @Paged
    def attempts(
        self,
        run_id: str,
        *,
        state: str | None = None,
        code: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1000,
    ) -> Call[Page[Attempt]]:
        """Give the attempts of a run, each with its events."""
        query = {"state": state, "code": code, "since": since, "until": until, "limit": limit}
        return Call("GET", f"{_ONE}/attempts", Page[Attempt], {"run_id": run_id}, query)

    @Paged
    def suppressions(self, run_id: str, *, limit: int = 1000) -> Call[Page[Suppression]]:
        """Give who was not contacted, and why."""
        return Call("GET", f"{_ONE}/suppressions", Page[Suppression], {"run_id": run_id}, {"limit": limit})

    @Single
    def timeline(
        self, run_id: str, *, step: str = "hour", since: datetime | None = None, until: datetime | None = None
    ) -> Call[Timeline]:
        """Return what happened in each minute, hour or day."""
        query = {"step": step, "since": since, "until": until}
        return Call("GET", f"{_ONE}/timeline", Timeline, {"run_id": run_id}, query)

    @Single
    def dispositions(self, run_id: str) -> Call[Dispositions]:
        """Return how many contacts ended how, after how many attempts."""
        return Call("GET", f"{_ONE}/dispositions", Dispositions, {"run_id": run_id})

    @Single
    def codes(self, run_id: str) -> Call[Codes]:
        """Return how often the carrier said what."""
        return Call("GET", f"{_ONE}/codes", Codes, {"run_id": run_id})

    @Single
    def save_attempts(
        self,
        run_id: str,
        to: Path | BinaryIO,
        *,
        state: str | None = None,
        code: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        bom: bool = False,
    ) -> Call[None]:
        """Write the attempts into a file, as CSV; `bom` is for spreadsheets that ask for it."""
        query = {"state": state, "code": code, "since": since, "until": until, "bom": bom}
        return Call("GET", f"{_ONE}/attempts.csv", type(None), {"run_id": run_id}, query, save_to=to)

    @Single
    def save_suppressions(self, run_id: str, to: Path | BinaryIO, *, bom: bool = False) -> Call[None]:
        """Write who was not contacted into a file, as CSV."""
        return Call("GET", f"{_ONE}/suppressions.csv", type(None), {"run_id": run_id}, {"bom": bom}, save_to=to)

    @Single
    def save_outcomes(self, run_id: str, to: Path | BinaryIO, *, bom: bool = False) -> Call[None]:
        """Write what became of every contact into a file, as CSV."""
        return Call("GET", f"{_ONE}/outcomes.csv", type(None), {"run_id": run_id}, {"bom": bom}, save_to=to)

    @Single
    def acknowledge_restore(self, run_id: str, choice: str) -> Call[Run]:
        """Say that somebody has looked at a run that came out of a backup, and what becomes of it."""
        return Call("POST", f"{_ONE}/acknowledge-restore", Run, {"run_id": run_id}, body={"choice": choice})
