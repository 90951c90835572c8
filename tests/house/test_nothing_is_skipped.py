"""A test that is skipped proves nothing: where something is missing that others wrote, whoever needs it fails,
or, where no mirror is to be reached, is counted as not run in the summary, and fails in CI."""

import pytest

from house.tree import modules_that_say, planted, references, unexcused

SKIPS = ("pytest.skip", "pytest.mark.skip", "pytest.mark.xfail", "pytest.xfail", "pytest.importorskip", "unittest.skip",
         "unittest.case.SkipTest", "unittest.SkipTest")  # fmt: skip
EXCUSES = {
    "tests/cli/test_deploy.py": "A container and a laptop have no systemd that could read its unit.",
    "tests/e2e/test_papers.py": "What a newcomer types calls curl, which not every machine has.",
    "tests/strangers/lacking.py": "The one door for what others wrote and no mirror gives: loud, and a failure in CI.",
}


def skips(module):
    # `skip` and `skipif`, `skipIf` and `skipUnless`.
    return [f"{module.path}:{line}" for name, line in references(module) if name.startswith(SKIPS)]


def test_no_test_is_skipped_because_something_is_missing():
    suspects = modules_that_say("skip|Skip|xfail", "tests")
    found = {module.path: ", ".join(places) for module in suspects if (places := skips(module))}

    assert unexcused(found, EXCUSES) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\n@pytest.mark.skip\ndef test(): ...",
        "import pytest\npytestmark = pytest.mark.skipif(True, reason='')",
        "from pytest import importorskip as wants\nwants('twilio')",
        "import pytest\npytest.skip('no Node here')",
        "import pytest\nx = pytest.param(1, marks=pytest.mark.xfail)",
        "import unittest\n@unittest.skipUnless(False, '')\ndef test(): ...",
    ],
)
def test_the_rule_sees_a_skip(text):
    assert skips(planted(text))
