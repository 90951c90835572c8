"""A URL of a stranger must not read what only we can reach: every spelling of an address that is ours is refused."""

import pytest

from callsheet.core.fence import Fence, is_public

OURS = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::7f00:1"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254"),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1", "", "localhost", "2130706433", "0177.0.0.1"),
]
THEIRS = ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111", "2001:4860:4860::8888"]


@pytest.mark.parametrize("address", OURS)
def test_no_address_of_ours_is_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", THEIRS)
def test_addresses_of_the_internet_are(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "//example.com", "example.com", ""),
        *("https://", "https:///x", "http://user@example.com/", "http://user:password@example.com/", "http://@a.com/"),
        *("http://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest"),
        *(
            "https://localhost/",
            "http://LocalHost.:80/",
            "http://app.localhost/",
            "http://127.0.0.1./",
            "http://[fe80::1%25a]/",
        ),
        *("http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0X7F.1/", "http://0177.0.0.01/"),
        *("http://example.com:99999/", "http://example.com:x/", "http://[::1/", "http://exa mple.com/"),
        *("http://example.com\\@127.0.0.1/", "http://exämple.com/", "http://a.com/\r\nHost: b", "https://a.com:22/"),
        "https://a.com/" + "a" * 2000,
    ],
)
def test_a_url_that_is_not_to_be_called_is_told_why(url):
    assert Fence(ports=frozenset({80, 443})).fault_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://localhost.example.com/",
        "https://1.2.3.example/",
        "http://8.8.8.8:80/a?b=c#d",
        "https://a.b:443/%C3%A4",
    ],
)
def test_a_plain_url_passes(url):
    assert Fence(ports=frozenset({80, 443})).fault_of(url) is None


def test_a_laptop_may_call_itself_on_any_port():
    for host in ("127.0.0.1", "localhost", "app.localhost", "127.1"):
        assert Fence(allow_private=True).fault_of(f"http://{host}:5000/") is None
