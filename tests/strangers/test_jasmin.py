"""Jasmin is a peer of the benchmark alone; what is told of it without fetching it."""

from pathlib import Path

import pytest

from strangers import debian, jasmin


def test_a_change_that_does_not_apply_is_an_error_and_not_a_jasmin_that_is_as_broken_as_before(tmp_path: Path) -> None:
    listeners = tmp_path / "listeners.py"
    listeners.write_text("status = r.response.status\n")
    with pytest.raises(RuntimeError, match=r"listeners\.py is not the one we know"):
        jasmin._change(listeners, "_pdu.response.", "r.response.")


def test_where_there_is_no_apt_the_reason_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="jasmin cannot be unpacked: there is no apt-get here"):
        debian.unpack(tmp_path / "jasmin", jasmin.SERVERS)
