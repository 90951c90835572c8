"""Whom a flow may hand over to: telephone numbers and SIP addresses, and nobody who must not be called."""

import pytest

from callsheet.core.transferring import Target, Transferred, read_target


@pytest.mark.parametrize(
    ("said", "region"),
    [
        ("sip:911@pbx", "DE"),
        ("sip:999@pbx", "DE"),
        ("sip:000@pbx", "US"),
        ("sip:0112@pbx", "DE"),
        ("sip:00112@pbx", "DE"),
        ("sip:9911@pbx", "US"),
        ("sip:+49112@pbx", "DE"),
        ("sip:+1911@pbx", None),
        ("SIPS:110@pbx", "DE"),
        ("110", "DE"),
    ],
)
def test_no_emergency_service_is_reached_by_a_sip_address(said: str, region: str | None):
    assert read_target(said, region) is Transferred.forbidden


@pytest.mark.parametrize(
    ("said", "region", "to", "numbers"),
    [
        ("sip:+4930123456@pbx", None, "sip:+4930123456@pbx", ("+4930123456",)),
        ("sip:4930123456@pbx", None, "sip:4930123456@pbx", ("+4930123456",)),
        ("sip:030123456@pbx", "DE", "sip:030123456@pbx", ("+4930123456",)),
        ("SIP:Agent.Smith@PBX:5062", None, "sip:Agent.Smith@PBX:5062", ()),
        ("Sips:1001@pbx", "DE", "sips:1001@pbx", ()),
        ("tel:+4930123456", None, "+4930123456", ("+4930123456",)),
    ],
)
def test_what_is_called_and_the_numbers_it_may_reach(said: str, region: str | None, to: str, numbers: tuple[str, ...]):
    assert read_target(said, region) == Target(to, numbers)
