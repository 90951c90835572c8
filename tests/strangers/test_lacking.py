"""What could not be fetched leaves its tests not run, loudly; where every test has to run, they fail."""

from pathlib import Path

import pytest

from strangers import lacking


def fails() -> None:
    raise OSError("no way to the mirror")


@pytest.fixture(autouse=True)
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lacking, "NOTE", tmp_path / "cache" / "lacking.json")
    monkeypatch.delenv(lacking.EVERY_TEST, raising=False)


def test_what_could_not_be_had_is_said_and_its_tests_are_not_run(capsys: pytest.CaptureFixture[str]):
    had = []
    lacking.have({"asterisk": fails, "kannel": lambda: had.append("kannel")})

    with pytest.raises(lacking.NOT_RUN, match=r"asterisk could not be had.*no way to the mirror"):
        lacking.require("asterisk")
    lacking.require("kannel")

    assert had == ["kannel"]
    assert "asterisk CANNOT BE HAD" in capsys.readouterr().err
    assert lacking.tell(2) == [
        "*** NOT RUN: 2 tests lack what others wrote ***",
        "asterisk: OSError: no way to the mirror",
    ]


def test_it_is_a_failure_where_every_test_has_to_run(monkeypatch: pytest.MonkeyPatch):
    lacking.have({"asterisk": fails})
    monkeypatch.setenv(lacking.EVERY_TEST, "1")

    with pytest.raises(RuntimeError, match="no way to the mirror"):
        lacking.require("asterisk")


def test_nothing_is_said_once_all_of_it_is_there():
    lacking.have({"asterisk": fails})
    lacking.have({"asterisk": lambda: None})

    lacking.require("asterisk")

    assert lacking.lacking() == {}
    assert lacking.tell(0) == []
