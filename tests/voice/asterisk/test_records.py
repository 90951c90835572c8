"""Call records that are read from the middle of a file, and what is kept of a node."""

import errno
import os

import pytest

from callsheet.voice.asterisk import records
from callsheet.voice.asterisk.keep import free_port
from callsheet.voice.asterisk.records import find_records

ROW = '"","","","ctx","","PJSIP/x-1","","Dial","","{start}","","{end}",1,0,"BUSY","DOCUMENTATION","{id}",""\n'


def test_records_are_found_wherever_the_file_is_cut(tmp_path, monkeypatch):
    path = tmp_path / "Master.csv"
    lines = [ROW.format(start=1_800_000_000 + i, end=1_800_000_001 + i, id=f"call-{i}") for i in range(4)]
    path.write_text("".join(lines))
    for octets in range(len(lines[-1]) + 1, len(path.read_text())):
        monkeypatch.setattr(records, "MOST_OCTETS", octets)
        found = find_records(path, ["call-3"])
        assert found["call-3"].cause == 17


def test_records_that_were_put_aside_are_read_too_and_nothing_but_files(tmp_path):
    path = tmp_path / "Master.csv"
    path.with_name("Master.old.csv").write_text(ROW.format(start=1_800_000_000, end=1_800_000_001, id="call-1"))
    assert find_records(path, ["call-1"])["call-1"].cause == 17

    os.mkfifo(path)
    assert find_records(path, ["call-1"])["call-1"].cause == 17


def test_an_address_that_is_not_ours_has_no_free_port():
    with pytest.raises(OSError, match="is it an address of this machine") as raised:
        free_port("203.0.113.7")
    assert raised.value.errno == errno.EADDRNOTAVAIL
