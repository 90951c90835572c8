"""The pages of the documented API contradict each other in 45 places: each has a test that bears its number."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1] / "api"
CONTRADICTIONS = 45


def test_every_discrepancy_has_a_test_of_its_number():
    names = [
        int(number)
        for path in TESTS.glob("test_*.py")
        for number in re.findall(r"def test_discrepancy_(\d\d)_\w+", path.read_text())
    ]
    assert set(range(1, CONTRADICTIONS + 1)) - set(names) == set()
    assert max(names) == CONTRADICTIONS
