"""No hand-in gains marks it has not earned, gets out of its process, or hurts anyone else's."""

import os

import pytest
from arena import Arena
from bank import ATTACKS
from small_course import FULL
from traitlets.config import Config

pytestmark = pytest.mark.usefixtures("confined")
# Short, because many attacks wait until they are stopped.
LIMITS = Config({"ConfinedExecute": {"cpu_seconds": 0.5, "wall_seconds": 2.0}})


@pytest.fixture(scope="module")
def arena(released, tmp_path_factory):
    os.environ["GRADER_SECRET"] = "ESCAPED"
    course = released.copy(tmp_path_factory.mktemp("course"))
    arena = Arena(course, tmp_path_factory.mktemp("outside"))
    yield arena
    arena.close()
    del os.environ["GRADER_SECRET"]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: f"{a.kind}: {a.name}")
def test_the_attack_fails(arena, attack):
    assert not arena.try_out(attack, stock=False, **LIMITS)


def test_honest_work_between_attacks_gets_full_marks(arena):
    arena.course.hand_in("ada")
    arena.course.autograde("ada")
    assert arena.course.scores("ada") == FULL


def test_there_are_enough_attacks_of_every_kind():
    kinds = {attack.kind for attack in ATTACKS}
    assert len(ATTACKS) >= 60
    assert all(sum(a.kind == kind for a in ATTACKS) >= 5 for kind in kinds)
