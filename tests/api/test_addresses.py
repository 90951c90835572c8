"""Where a request goes, as its path and its query say."""

from api.callers import PREFIXES, V2
from callsheet.api.paths import Dialect, find_address, read_query


def test_the_generation_comes_from_the_prefix():
    generations = [find_address(f"{prefix}/st-1/campaign".encode(), "").generation for prefix in PREFIXES]

    assert generations == [1, 1, 2, 2, 1, 1]


def test_a_segment_stays_whole_when_it_holds_a_slash():
    address = find_address(f"{V2}/st-1/Campaign/a%2Fb/STATUS/".encode(), "")

    assert (address.dialect, address.app_id, address.path) == (Dialect.compat, "st-1", "/campaign/a%2Fb/status")


def test_a_query_is_read_in_any_case_and_without_backslashes():
    query = read_query(rb"accountId=a1\&CampaignType=sms\&trigger=play\&empty=")

    assert query == {"accountid": ["a1"], "campaigntype": ["sms"], "trigger": ["play"], "empty": [""]}
