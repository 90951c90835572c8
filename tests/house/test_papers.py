"""The papers of the house are in order: licence, readme, changelog, how to take part, how to report a hole.

A verb of the Makefile that nobody explains is a verb that nobody finds.
"""

import os
import re

import pytest

import callsheet
from house.tree import ROOT, page, project


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE",
        "mkdocs.yml",
        "src/callsheet/py.typed",
    ],
)
def test_the_paper_exists(name):
    assert (ROOT / name).is_file()


def test_the_licence_is_the_one_that_the_project_names():
    assert project()["project"]["license"] == "Apache-2.0"
    assert "Apache License" in page("LICENSE")


def test_the_version_is_the_same_everywhere_and_the_changelog_has_room_for_the_next():
    assert project()["project"]["version"] == callsheet.__version__
    assert "## [Unreleased]" in page("CHANGELOG.md")


def test_every_verb_says_what_it_does():
    verbs = re.findall(r"^([a-z][a-z-]*):(.*)$", page("Makefile"), flags=re.MULTILINE)

    assert verbs
    assert not [verb for verb, rest in verbs if "## " not in rest]


def test_the_checks_can_be_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make test" in page(".ci/run")
