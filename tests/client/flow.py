"""The shortest flow that says something."""

_HELLO = "11111111-1111-4111-8111-111111111111"
_EXITS = [{"uuid": "22222222-2222-4222-8222-222222222222", "default": True}]
_BLOCK = {"uuid": _HELLO, "type": "MobilePrimitives.Message", "config": {"prompt": "Hello"}, "exits": _EXITS}
FLOW = {"blocks": [_BLOCK], "first_block_id": _HELLO}
