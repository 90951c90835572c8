"""People and machines are told apart: a fair sample here, every clip in `test-all`.

The clips are of the half that nothing was tuned on. What is asserted are counts, never times of this machine: seconds
are counted in audio.
"""

from collections import Counter

import numpy as np
import pytest

from callees.beeps import find_beeps
from callees.corpus import MACHINES as MACHINE_SHARES
from callees.corpus import PEOPLE as PEOPLE_SHARES
from callees.corpus import Half, clips, kind_of
from callees.scoring import Share, count, listen, score
from strangers.asterisk_amd import FEWEST, STOCK, detect

PEOPLE, MACHINES = 500, 200


@pytest.fixture(scope="module")
def all_clips():
    return clips(Half.held_out, PEOPLE, MACHINES)


def test_a_sample_is_told_apart():
    told = score(clips(Half.held_out, 40, 20))

    assert told.people_as_machines.count <= 1
    assert told.machines_as_people.count <= 4
    assert told.within(0.5) <= 1.6


def test_a_clip_is_always_the_same_whatever_is_made_beside_it():
    few, more = clips(Half.tuned, 3, 2), clips(Half.tuned, 5, 3)

    assert [clip for clip in more if clip.name in {clip.name for clip in few}] == few


@pytest.mark.parametrize("count", [100, 500, 1400])
def test_each_kind_has_its_share_of_the_clips(count):
    for shares in (PEOPLE_SHARES, MACHINE_SHARES):
        kinds = Counter(kind_of(at, shares) for at in range(count))

        assert all(abs(kinds[kind] - share * count) < 5 for kind, share in shares.items())


def test_the_halves_share_no_text():
    tuned, held_out = ({clip.pcm for clip in clips(half, 4, 4)} for half in Half)

    assert not tuned & held_out


def test_the_bound_of_a_share_is_wilsons():
    assert abs(Share(0, 100).upper - 0.0370) < 0.0001
    assert abs(Share(5, 100).upper - 0.1118) < 0.0001


@pytest.mark.full
def test_people_are_no_machines_and_machines_no_people(all_clips):
    told = score(all_clips)

    assert told.people_as_machines.rate <= 0.01
    assert told.machines_as_people.rate <= 0.10
    assert told.within(0.5) <= 1.6
    # The aim is 95 %: of the people 2 % speak for longer than that, and who speaks for nearly as long is a machine as
    # often as not. docs/explanation/machine-detection.md says what it would cost.
    assert told.within(0.92) <= 2.5


@pytest.mark.full
def test_beeps_are_found_and_nothing_else(all_clips):
    found, false = find_beeps(all_clips)

    assert found.rate >= 0.98
    assert false.rate <= 0.005


@pytest.mark.full
def test_fewer_errors_than_asterisk_makes(all_clips):
    ours = count((clip.is_machine, listen(clip).outcome == "machine") for clip in all_clips)
    stock, fewest = (
        count((clip.is_machine, said[clip.name] == "MACHINE") for clip in all_clips)
        for said in detect(all_clips, (STOCK, FEWEST))
    )

    assert ours[0].rate < stock[0].rate
    assert ours[0].rate < fewest[0].rate
    # As many, by the clips of the benchmark; its calls are real, and one or two of them come out differently each time.
    assert ours[1].count <= fewest[1].count + 3
    assert sum(share.count for share in ours) < sum(share.count for share in fewest) / 2


def test_noise_after_a_person_is_not_a_machine():
    """A crowd behind the person who answers is no greeting that goes on."""
    people = [clip for clip in clips(Half.tuned, 60, 0) if clip.noise == "crowd"]
    assert people
    assert np.mean([listen(clip).outcome == "machine" for clip in people]) <= 0.1
