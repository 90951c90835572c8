"""The tree: there in an instant when it was fetched, never half there, and a sentence where it cannot be."""

import json
import platform
import shutil
import threading

import pytest

from callsheet.voice.asterisk import fetching
from callsheet.voice.asterisk.apt import Commands, NotFetched, known_mirrors
from callsheet.voice.asterisk.fetching import Step, fetch_tree, find_tree
from callsheet.voice.asterisk.modules import MODULES
from callsheet.voice.asterisk.tree import Tree
from ports import deaf_port
from strangers.asterisk import asterisk


@pytest.fixture
def nowhere():
    with deaf_port() as port:
        yield f"http://127.0.0.1:{port}/debian"


def test_a_tree_that_was_fetched_is_whole_and_found_without_a_step():
    tree = asterisk()
    steps = []

    assert fetch_tree(tree.root.parent, steps.append) == tree
    assert not steps
    assert tree.lacks(MODULES) == []
    assert tree.version


def test_a_tree_for_another_kind_of_machine_is_not_taken(monkeypatch, tmp_path):
    (tmp_path / "stamp.json").write_text(json.dumps({"version": "1", "architecture": "amd64"}))

    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert find_tree(tmp_path) is None
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert find_tree(tmp_path)


@pytest.mark.parametrize("stamp", ["", "[]", "{}", '{"architecture": "amd64"}'])
def test_a_damaged_stamp_is_none(tmp_path, stamp):
    (tmp_path / "stamp.json").write_text(stamp)

    assert find_tree(tmp_path) is None


def test_a_library_or_a_module_that_is_missing_is_named(tmp_path):
    whole = asterisk()
    shutil.copytree(whole.root, tmp_path / "root", symlinks=True)
    tree = Tree(tmp_path / "root", whole.architecture, whole.version)
    for library in tree.libraries.glob("libjansson.so*"):
        library.unlink()

    assert "libjansson.so.4" in tree.lacks(MODULES)
    (tree.modules / "app_stasis.so").unlink()
    assert [path.rpartition("/")[2] for path in tree.lacks(MODULES)] == ["app_stasis.so"]


def test_a_mirror_that_is_away_leaves_nothing_and_says_what_to_do(tmp_path, nowhere):
    with pytest.raises(NotFetched) as refusal:
        fetch_tree(tmp_path / "tree", mirror=nowhere)

    assert "debian_mirror" in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["tree.lock"]


def test_a_machine_without_apt_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotFetched, match="no apt-get on this machine"):
        fetch_tree(tmp_path / "tree")


def test_another_kind_of_machine_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "this_architecture", lambda: None)

    with pytest.raises(NotFetched, match="amd64 or arm64"):
        fetch_tree(tmp_path / "tree")


def test_who_gives_up_waits_for_nobody(tmp_path):
    holder, given_up, steps = threading.Event(), threading.Event(), []

    def hold(_: Step) -> None:
        holder.set()
        given_up.wait(60)
        raise NotFetched("enough")

    def fetch_first() -> None:
        with pytest.raises(NotFetched):
            fetch_tree(tmp_path / "tree", hold)

    first = threading.Thread(target=fetch_first)
    first.start()
    assert holder.wait(60)

    def give_up(step: Step) -> None:
        steps.append(step)
        given_up.set()

    with pytest.raises(NotFetched, match="broken off"):
        fetch_tree(tmp_path / "tree", give_up, given_up)
    first.join(60)
    assert steps == [Step.waits]


def test_this_machines_own_mirrors_are_known(tmp_path):
    mirrors = known_mirrors(Commands(), tmp_path)

    assert mirrors
    assert all("://" in mirror or mirror.startswith("file:") for mirror in mirrors)


@pytest.mark.full
def test_two_who_want_it_at_once_fetch_it_once(tmp_path):
    steps: list[Step] = []
    trees = []
    threads = [
        threading.Thread(target=lambda: trees.append(fetch_tree(tmp_path / "tree", steps.append))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)

    assert trees[0] == trees[1]
    assert steps.count(Step.unpacks) == 1


@pytest.mark.full
def test_where_the_short_list_is_not_enough_apt_finds_the_rest(tmp_path):
    steps: list[Step] = []
    tree = fetch_tree(tmp_path / "tree", steps.append, packages=("asterisk", "asterisk-modules"))

    assert tree.lacks(MODULES) == []
    assert Step.all_packages in steps
