"""A trunk that can never be reached is not made: what its settings say of ports and addresses is looked at first."""

from typing import Any

import pytest

from callsheet.core.errors import Invalid
from callsheet.core.fence import Fence
from callsheet.engine.trunks import Trunks, Wanted


@pytest.mark.parametrize(
    ("carrier", "settings", "named"),
    [
        ("http", {"url": "https://api.example.com:8443/send"}, ["settings.url"]),
        (
            "http",
            {"url": "https://10.0.0.1/send", "probe_url": "http://localhost/me"},
            ["settings.url", "settings.probe_url"],
        ),
        ("smpp", {"host": "127.0.0.1", "system_id": "us"}, ["settings.host"]),
        ("smpp", {"host": "::1", "system_id": "us"}, ["settings.host"]),
        ("plivo", {"auth_id": "MA1", "auth_token": "t", "base_url": "http://192.168.1.1"}, ["settings.base_url"]),
    ],
)
async def test_what_the_fence_never_lets_through_is_named(carrier, settings, named):
    nothing: Any = None
    trunks = Trunks(nothing, nothing, Fence(ports=frozenset({80, 443})), nothing)
    with pytest.raises(Invalid) as caught:
        await trunks.create(1, Wanted("Trunk", carrier, settings, takes_any_sender=False))
    assert [fault.path for fault in caught.value.fields] == named


@pytest.mark.parametrize(("fence", "named"), [(Fence(), []), (Fence(sip_allows_private=False), ["settings.host"])])
async def test_a_pbx_of_the_own_network_is_called_unless_the_owner_forbids_it(fence, named):
    nothing: Any = None
    trunks = Trunks(nothing, nothing, fence, nothing)
    new = Wanted("PBX", "sip", {"host": "192.168.1.20"}, takes_any_sender=False)
    with pytest.raises(Invalid if named else AttributeError) as caught:
        await trunks.create(1, new)
    assert [fault.path for fault in getattr(caught.value, "fields", ())] == named
