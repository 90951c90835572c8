"""`asyncio.wait_for` is forbidden: on Python 3.11 it hung for ever under virtual time.

`asyncio.timeout` does not.

ruff's banned-api says the same while one writes; a `noqa` would silence it there, and not here.
"""

import pytest

from house.tree import PACKAGE, modules_that_say, planted, references

NAMES = {"asyncio.wait_for", "asyncio.tasks.wait_for"}


def waits(module):
    return [f"{module.path}:{line}: use asyncio.timeout" for name, line in references(module) if name in NAMES]


def test_nobody_waits_by_wait_for():
    suspects = modules_that_say("wait_for", PACKAGE, "tests", "bench")

    assert not [wait for module in suspects for wait in waits(module)]


@pytest.mark.parametrize("text", ["import asyncio\nx = asyncio.wait_for", "from asyncio import wait_for as w"])
def test_the_rule_sees_wait_for(text):
    assert waits(planted(text))
