"""What an operator copies out of `deploy/` must fit the program: a flag that is gone is noticed at the next reboot.

No image is built and no service started here: only what can be read is compared.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from callsheet import settings
from callsheet.cli import app
from house.tree import ROOT

DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
UNIT = DEPLOY / "callsheet.service"
MADE_BY_MAKE = {"dist/"}
"""What `make wheel` makes before an image is built."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def unit() -> dict[str, list[tuple[str, str]]]:
    """Read the unit: sections with keys that may stand more than once."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            mine = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            mine.append((key, value))
    return sections


def check_command(words: list[str]) -> None:
    """Say that a command is one of ours, and that it has these flags."""
    group: Any = typer.main.get_command(app)
    command = group.commands[words[0]]
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert {word.partition("=")[0] for word in words[1:] if word.startswith("-")} <= flags


def instructions(word: str) -> list[str]:
    joined = CONTAINERFILE.replace("\\\n", " ")
    return re.findall(rf"^{word} +(.*)$", joined, flags=re.MULTILINE)


def test_what_the_image_copies_is_there():
    for copied in instructions("COPY"):
        words = copied.split()
        if not words[0].startswith("--from="):
            assert all(word in MADE_BY_MAKE or (ROOT / word).exists() for word in words[:-1]), copied


def test_the_image_is_of_a_base_without_an_address_and_runs_as_nobody_special():
    assert {base.split()[0] for base in instructions("FROM")} == {"python:${PYTHON}-slim"}
    assert instructions("USER") == ["10001:10001"]
    assert instructions("ENTRYPOINT") == ['["callsheet"]']
    check_command(yaml.safe_load(instructions("CMD")[-1]))
    assert "curl" not in CONTAINERFILE


def test_the_images_settings_are_settings():
    words = shlex.split(" ".join(instructions("ENV")))
    environ = dict(word.split("=", 1) for word in words if word.startswith("CALLSHEET_"))

    assert environ
    assert settings.unknown_names(environ) == []


def test_the_health_check_is_python_and_asks_where_the_server_is(tmp_path: Path):
    (check,) = (re.search(r"CMD (\[.*\])", one)[1] for one in instructions("HEALTHCHECK"))
    program, flag, code = yaml.safe_load(check)

    assert (program, flag) == ("python", "-c")
    # Nobody listens there: it runs, and says no.
    done = subprocess.run([sys.executable, "-c", code], env={"CALLSHEET_PORT": "1"}, capture_output=True, check=False)
    assert done.returncode != 0
    assert b"URLError" in done.stderr


def test_services_run_commands_of_ours_with_settings_that_mean_something(compose):
    for name in ("api", "worker"):
        service = compose["services"][name]
        check_command(service["command"])
        assert settings.unknown_names(service["environment"]) == []
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_every_secret_is_a_file_and_every_volume_is_named(compose):
    wanted = {secret for service in compose["services"].values() for secret in service.get("secrets", ())}
    mounted = {volume.partition(":")[0] for service in compose["services"].values() for volume in service["volumes"]}

    assert wanted == set(compose["secrets"])
    assert all(secret["file"].startswith("./secrets/") for secret in compose["secrets"].values())
    assert {volume for volume in mounted if not volume.startswith("/")} == set(compose["volumes"])
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
                assert value.removeprefix("/run/secrets/") in compose["secrets"]


def test_no_image_names_a_registry(compose):
    images = {service["image"] for service in compose["services"].values()}

    assert images == {"callsheet", "postgres:17"}
    assert (DEPLOY / compose["services"]["api"]["build"]["context"] / "pyproject.toml").resolve().exists()
    assert (ROOT / compose["services"]["api"]["build"]["dockerfile"]).exists()


def test_how_to_make_the_secrets_is_told_for_each(compose):
    page = (ROOT / "docs" / "how-to" / "run-in-a-container.md").read_text()

    assert all(f"secrets/{name}" in page for name in compose["secrets"])


def test_the_unit_starts_a_command_of_ours_with_settings_that_mean_something(unit):
    service = unit["Service"]
    (start,) = (value for key, value in service if key == "ExecStart")
    program, *words = shlex.split(start)
    environ = dict(word.split("=", 1) for key, value in service if key == "Environment" for word in value.split())

    assert Path(program).name == "callsheet"
    check_command(words)
    assert settings.unknown_names(environ) == []
    assert ("EnvironmentFile", "-/etc/callsheet/callsheet.env") in service


def test_the_unit_gives_time_to_drain_and_does_not_repeat_what_cannot_succeed(unit):
    service = dict(unit["Service"])

    assert (service["KillSignal"], service["KillMode"]) == ("SIGTERM", "process")
    assert service.get("ProtectProc") is None, "the next start must see the Asterisk that a killed one left"
    assert int(service["TimeoutStopSec"]) >= 60
    assert service["RestartPreventExitStatus"].split() == ["2", "3"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_understands_the_unit_and_finds_it_strict(tmp_path: Path):
    text = UNIT.read_text().replace("/opt/callsheet/bin/callsheet", "/bin/true")
    copy = tmp_path / UNIT.name
    copy.write_text(text)
    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert judged.returncode == 0, judged.stdout[-300:]


def test_the_pages_name_only_commands_and_flags_that_there_are():
    for name in ("run-in-a-container", "run-as-a-service", "run-a-cluster", "back-up-and-restore", "run-voice-nodes"):
        page = (ROOT / "docs" / "how-to" / f"{name}.md").read_text()
        for block in re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL):
            for words in re.findall(
                r"(?:^|[ /])callsheet ((?:serve|work|voice-node|doctor|backup|restore|import)\b[^\n|&>]*)", block
            ):
                check_command(shlex.split(words.partition("#")[0]))
