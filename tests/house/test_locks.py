"""What runs is what was tested: every package pinned, every file hashed, no address written down.

An address in a lock ties the project to one machine's mirror, and may carry its password.
"""

import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from house.tree import declared, page

LOCKS = {name: f"requirements/{name}.lock" for name in ("bootstrap", "run", "dev")}
OURS = "callsheet (pyproject.toml)"


def entries(lock: str) -> dict[str, str]:
    """Return package -> its entry: pin, hashes and who wants it."""
    blocks = re.split(r"^(?=[a-z0-9])", page(LOCKS[lock]), flags=re.MULTILINE | re.IGNORECASE)
    return {canonicalize_name(block.partition("==")[0]): block for block in blocks if "==" in block}


def version(entry: str) -> str:
    return re.match(r"[^=\[]+(?:\[[^]]*])?==([^ ;]+)", entry)[1]


def wanted(*kinds: str) -> dict[str, Requirement]:
    found = (Requirement(text) for kind in kinds for text in declared(kind))
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def test_no_lock_holds_an_address():
    for path in LOCKS.values():
        assert not re.findall(r"://|--(?:index|extra-index|find-links|trusted)", page(path)), path


def test_every_pinned_package_is_hashed():
    for lock in LOCKS:
        assert entries(lock)
        assert not [name for name, entry in entries(lock).items() if "--hash=sha256:" not in entry], lock


def test_the_locks_pin_what_the_project_declares_and_nothing_else_directly():
    for lock, kinds in {"run": ["run"], "dev": ["run", "dev"]}.items():
        pinned = {name for name, entry in entries(lock).items() if OURS in entry}

        assert pinned == set(wanted(*kinds)), f"{lock}.lock is behind pyproject.toml: make lock"


def test_the_pins_satisfy_the_project():
    pinned = entries("dev")
    wrong = [
        f"{r}: {version(pinned[n])}" for n, r in wanted("run", "dev").items() if version(pinned[n]) not in r.specifier
    ]

    assert not wrong


def test_what_is_tested_is_what_runs():
    tested, runs = entries("dev"), entries("run")

    assert {name: version(entry) for name, entry in runs.items()} == {name: version(tested[name]) for name in runs}


def test_the_build_backend_is_pinned_too():
    assert set(wanted("build")) <= set(entries("dev"))


def test_setup_installs_one_pinned_installer():
    assert list(entries("bootstrap")) == ["uv"]
