"""The map of GPT-2: what passes lights up, and while grading nothing is kept."""

import pytest

from autograder.exercises import all_exercises
from autograder.exercises.reference import reference
from illustrated_attention import CheckFailed, being_graded, check, checking, progress
from illustrated_attention.progress import PARTS


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch):
    """A notebook of somebody with a new home."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(checking, "ipython", object)
    monkeypatch.setattr(checking, "_show", lambda card: None)


def test_every_function_of_the_course_has_its_place_on_the_map():
    placed = [name for _part, names in PARTS for name in names]
    assert sorted(placed) == sorted(exercise.name for exercise in all_exercises())


def test_what_passes_lights_up_and_goes_out_when_it_fails_again():
    check(reference("softmax"), "softmax")
    check(reference("embed"), "embed")
    assert progress().passed == {"softmax", "embed"}
    assert "✓ softmax" in str(progress()) and "✓ softmax" in progress()._repr_html_()
    assert f"2 of {len(all_exercises())}" in str(progress())
    with pytest.raises(CheckFailed):
        check(lambda scores: scores, "softmax")
    assert progress().passed == {"embed"}


def test_the_map_says_where_it_is_kept_and_deleting_that_file_begins_anew(tmp_path):
    check(reference("embed"), "embed")
    [file] = tmp_path.rglob("*.json")
    assert str(file) in str(progress())
    file.unlink()
    assert progress().passed == set()


def test_in_a_browser_the_map_promises_no_file(monkeypatch):
    monkeypatch.setattr("sys.platform", "emscripten")
    assert "until the kernel is restarted" in str(progress())


@pytest.mark.parametrize("content", ["", "7", '{"a": 1}', '["no_such"]'])
def test_a_file_that_is_damaged_lights_nothing_and_is_written_anew(tmp_path, content):
    check(reference("embed"), "embed")
    [file] = tmp_path.rglob("*.json")
    file.write_text(content)
    assert progress().passed == set()
    check(reference("embed"), "embed")
    assert progress().passed == {"embed"}


def test_a_home_that_cannot_be_written_stops_no_check(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    check(reference("embed"), "embed")
    assert progress().passed == set()


def test_while_grading_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(being_graded, "in_sandbox", True)
    check(reference("embed"), "embed")
    assert not list(tmp_path.iterdir())
    assert "nothing is kept" in str(progress())


def test_the_passing_card_says_what_one_can_do_now():
    assert all(exercise.can.startswith("You can now ") for exercise in all_exercises())
