"""Processes of the real program, and plain HTTP to them: what a stranger's script would do."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from callsheet.folder import DataFolder
from callsheet.signing import sign
from e2e.starting import Running, start

PATIENCE_SECONDS = 100.0


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without settings of ours, but with these."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CALLSHEET_")}
    return {**plain, **{f"CALLSHEET_{name}": value for name, value in settings.items()}}


def callsheet(*args: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    arguments = [*args, "--data", str(data)]
    with TemporaryFile() as out, TemporaryFile() as err:
        process = start(arguments, stdout=out, stderr=err, env=environment(**settings))
        try:
            code = process.wait(PATIENCE_SECONDS * 2)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read().decode(), err.read().decode())


def until(ready: Callable[[], Any], what: str) -> Any:
    """Ask until the answer is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = ready()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


@dataclass
class Process:
    """A command that runs; what it says is in files."""

    popen: Running
    said: Path
    data: Path
    known: dict[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def output(self) -> str:
        return self.said.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(PATIENCE_SECONDS)

    def request(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Make a call with the documented headers, and return status and JSON."""
        documented = {"auth": self.token, "iid": self.known["app_id"], "accountId": self.known["account_id"]}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        url = self.known["base_url"] + path
        request = urllib.request.Request(url, content, {**documented, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def v1(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.request(method, f"/v1/apps/{self.known['app_id']}{path}", body)
        assert status < 400, answer
        return answer

    def outbox(self) -> list[dict[str, Any]]:
        """Return everything that the sandbox carrier took."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = self.v1("GET", f"/sandbox/outbox?limit=1000&after={after}")
            found += page["items"]
            if page["next"] is None:
                return found
            after = page["next"]


@contextmanager
def started(*args: str, data: Path, said: Path, **settings: str) -> Iterator[Process]:
    """Start a command; it is killed at the end if it still runs."""
    with said.open("ab") as out:
        popen = start([*args, "--data", str(data)], stdout=out, stderr=out, env=environment(**settings))
    process = Process(popen, said, data)
    try:
        yield process
    finally:
        if popen.poll() is None:
            popen.kill()
        popen.wait()


@contextmanager
def server(
    data: Path, *args: str, command: Sequence[str] = ("serve", "--port", "0"), **settings: str
) -> Iterator[Process]:
    """Start a server on a free port, and wait until it answers."""
    said = data.with_name(f"{data.name}.said")
    with started(*command, *args, data=data, said=said, **settings) as process:
        wait_for(process)
        yield process


def wait_for(process: Process) -> None:
    """Wait until a server answers, and take its credentials."""

    def address() -> str | None:
        assert process.popen.poll() is None, process.output
        try:
            found = json.loads((process.data / "server.json").read_text())
        except FileNotFoundError:
            return None
        return str(found["base_url"]) if found["pid"] == process.popen.pid else None

    until(address, "server.json")
    known = DataFolder(process.data).credentials()
    process.known, process.token = asdict(known), sign(known)


def always_open() -> dict[str, Any]:
    """Return calling hours that never close."""
    days = [{"day": day, "start": "12:00 AM", "end": "11:59 PM"} for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")]
    return {"frequency": "WEEKLY", "timezone": "America/New_York", "days": days}


def campaign(name: str, lists: Sequence[str], message: str = "Hello {{first_name}}") -> dict[str, Any]:
    """Return the body of the documented request for an SMS campaign without a template."""
    return {
        "name": name,
        "description": "A campaign",
        "contactLists": list(lists),
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {"message": message},
        "dialingStrategy": {"callerId": {"phoneNumber": "+12025550100"}, "callingHours": always_open()},
        "schedule": {"isSchedulingEnabled": False},
    }


def create_and_start(process: Process, body: dict[str, Any]) -> tuple[str, str]:
    """Create a campaign and start it by the documented calls; return its id and the run's."""
    app = process.known["app_id"]
    status, created = process.request("POST", f"/agentassist/api/v1/public/{app}/campaign?campaignType=sms", body)
    assert (status, created["data"]["status"]) == (200, "Ready"), created
    campaign_id = created["data"]["_id"]
    path = f"/campaign/api/v1/public/{app}/campaign/{campaign_id}?campaignType=sms&trigger=play"
    status, answer = process.request("POST", path, {})
    assert (status, answer["status"]) == (200, "Active"), answer
    return campaign_id, answer["campaignInstanceId"]


def csv_of(numbers: Sequence[str]) -> bytes:
    """Write a list of these numbers."""
    return ("phone,first_name\n" + "".join(f"{number},Ada\n" for number in numbers)).encode()
