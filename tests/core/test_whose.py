"""A number in national form is its own country's, and nobody else's; who may be meant is never forgotten."""

import pytest

from callsheet.core.phone import Number
from callsheet.core.whose import read_number, region_of, whose


def e164(written: str, region: str | None, *, known: tuple[str, ...] = (), is_national: bool = False) -> list[str]:
    readings = read_number(written, region, is_national=is_national)
    return [one.e164 for one in whose(readings, {Number.parse(one) for one in known})]


HOME = [
    ("GB", "07400123456", "+447400123456"),
    ("US", "2125550100", "+12125550100"),
    ("US", "2025550111", "+12025550111"),
    ("IN", "9876543210", "+919876543210"),
    ("IN", "09876543210", "+919876543210"),
    ("DE", "015112345678", "+4915112345678"),
    ("FR", "0612345678", "+33612345678"),
    ("TR", "5321234567", "+905321234567"),
]


@pytest.mark.parametrize(("region", "written", "meant"), HOME)
@pytest.mark.parametrize("is_national", [True, False])
def test_a_number_as_it_is_dialed_at_home_is_of_home(region: str, written: str, meant: str, is_national: bool) -> None:
    assert e164(written, region, is_national=is_national) == [meant]
    if written.startswith("0"):
        assert e164("+" + written, region) == [meant], "no country code begins like this, whatever the carrier says"


@pytest.mark.parametrize("region", ["GB", "US", "IN", "DE", "BR", None])
@pytest.mark.parametrize("front", ["", "+", "00"])
@pytest.mark.parametrize("digits", ["447400123456", "12125550100", "919876543210", "4915112345678", "5511961234567"])
def test_an_international_number_is_read_with_its_plus_and_without(region: str | None, front: str, digits: str) -> None:
    assert e164(front + digits, region) == ["+" + digits]


def test_what_says_that_it_is_international_is_believed() -> None:
    for written in ("+34912345678", "0034912345678"):
        assert e164(written, "BR", known=("+5534912345678",)) == ["+34912345678"]
        assert read_number(written, "BR").is_certain
        assert not read_number(written, "BR").is_open


TWO = [("TR", "5321234567", "+905321234567", "+5321234567"), ("BR", "34912345678", "+5534912345678", "+34912345678")]


@pytest.mark.parametrize(("region", "written", "local", "abroad"), TWO)
def test_of_two_who_may_be_meant_it_is_whom_we_know(region: str, written: str, local: str, abroad: str) -> None:
    readings = read_number(written, region)
    assert readings.is_open
    assert e164(written, region) == [local]
    assert e164(written, region, known=(local,)) == [local]
    assert e164(written, region, known=(abroad,)) == [abroad]
    assert e164(written, region, known=(local, abroad)) == [abroad, local], "answered is the number as it was written"
    assert e164(written, region, known=(local, abroad), is_national=True) == [local, abroad]


def test_what_its_carrier_calls_local_is_nobody_abroad_whom_we_do_not_know() -> None:
    assert e164("34912345678", None, is_national=True) == []
    assert e164("34912345678", None, is_national=True, known=("+34912345678",)) == ["+34912345678"]


@pytest.mark.parametrize("written", ["", "+", "00", "INFO", "12", "123456", "+0", "9" * 40, "\0"])
def test_what_is_no_number_is_nobodys(written: str) -> None:
    assert e164(written, "GB") == []
    assert e164(written, None) == []


def test_a_sender_is_at_home_where_its_number_is() -> None:
    assert region_of("+447400123456") == "GB"
    assert region_of("12345") is None
    assert region_of("+") is None
