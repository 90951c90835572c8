"""Which setting counts is what one wants to know when nothing works; a secret must not come along."""

import json
from pathlib import Path

import pytest

from e2e.running import callsheet


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


def test_settings_are_shown_with_their_origin_and_without_secrets_and_nothing_is_made(data):
    secret = "postgresql://me:hunter2@host/x"
    told = callsheet("config", "show", "--json", data=data, DATABASE_URL=secret, PORT="9000", PROT="1")
    plain = callsheet("config", "show", data=data, DATABASE_URL=secret, PORT="9000", PROT="1")
    shown = json.loads(told.stdout)
    by_name = {one["name"]: one for one in shown["settings"]}

    assert (told.returncode, plain.returncode) == (0, 0)
    assert by_name["port"] == {
        "name": "port", "variable": "CALLSHEET_PORT", "value": 9000, "source": "environment", "place": "CALLSHEET_PORT"
    }  # fmt: skip
    assert by_name["data"]["source"] == "flag"
    assert shown["unknown"] == ["CALLSHEET_PROT"]
    assert "CALLSHEET_PROT" in plain.stderr
    assert "hunter2" not in told.stdout + told.stderr + plain.stdout + plain.stderr
    assert not data.exists()


def test_a_wrong_setting_is_named_here_too(data):
    refused = callsheet("config", "show", data=data, PORT="ninety")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("CALLSHEET_PORT: ")
