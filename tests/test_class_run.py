"""A whole class from release to feedback, with the real nbgrader commands."""

import csv
import html
import re
import shutil

import nbformat
import pytest
from classroom import (
    QUIET,
    ROOT,
    Clone,
    Terminal,
    exercise_names,
    filled_in,
    graded_cells,
    read_release,
    read_solution,
    solution_sources,
)
from small_course import SmallCourse

from autograder.exercises import LESSONS, find_exercise

# The id of a known mistake, and how a student would write it.
KNOWN_MISTAKES = {
    "embed": (
        "no_positions",
        "def embed(token_ids, wte, wpe, start=0):\n"
        "    if start + token_ids.shape[-1] > len(wpe):\n"
        "        raise ValueError('too many tokens')\n"
        "    return wte[token_ids]\n",
    ),
    "make_qkv": (
        "order_kqv",
        "def make_qkv(x, w_q, w_k, w_v):\n    return x @ w_k, x @ w_q, x @ w_v\n",
    ),
    "scaled_scores": (
        "not_scaled",
        "def scaled_scores(q, k):\n    return q @ np.swapaxes(k, -1, -2)\n",
    ),
    "softmax": (
        "no_max_subtracted",
        "def softmax(scores):\n"
        "    return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)\n",
    ),
    "weighted_sum": (
        "weights_transposed",
        "def weighted_sum(weights, v):\n    return np.swapaxes(weights, -1, -2) @ v\n",
    ),
}


def nonsense(name):
    return f"def {name}(*args):\n    return 'something else'\n"


def hand_ins(lesson):
    """Four students: their notebooks, and the exercises that each of them has right."""
    names = exercise_names(lesson)
    solved = solution_sources(lesson)
    half = names[: len(names) // 2]
    mistaken = {
        name: KNOWN_MISTAKES[name][1] if name in KNOWN_MISTAKES else nonsense(name)
        for name in names
    }
    return {
        "perfect": (filled_in(lesson, solved), names),
        "blank": (filled_in(lesson, {}), []),
        "half-done": (filled_in(lesson, {name: solved[name] for name in half}), half),
        "mistaken": (filled_in(lesson, mistaken), []),
    }


@pytest.fixture
def terminal(tmp_path):
    with Terminal(tmp_path) as terminal:
        yield terminal


# What each lesson's cells are worth is tried below.
def test_a_class_from_release_to_feedback(tmp_path, terminal):
    lesson = "01_self_attention"
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    students = hand_ins(lesson)

    # The instructor makes the student's version and releases it.
    instructor = Clone(tmp_path / "instructor", exchange, terminal)
    shutil.copytree(ROOT / "solutions" / lesson, instructor.folder / "solutions" / lesson)
    instructor.nbgrader("generate_assignment", lesson)
    released = instructor.folder / "notebooks" / lesson
    assert [path.name for path in released.iterdir()] == [f"{lesson}.ipynb"]
    assert nbformat.read(released / f"{lesson}.ipynb", as_version=4) == read_release(lesson)
    instructor.nbgrader("release_assignment", lesson)

    # Every student has a clone. One of them sees the lesson in the list and fetches it.
    clones = {name: Clone(tmp_path / name, exchange, terminal) for name in students}
    perfect = clones["perfect"]
    assert lesson in perfect.nbgrader("list")
    perfect.nbgrader("fetch_assignment", lesson)
    fetched = perfect.folder / "notebooks" / lesson / f"{lesson}.ipynb"
    assert nbformat.read(fetched, as_version=4) == read_release(lesson)

    # They work, and hand in.
    for name, (notebook, _right) in students.items():
        path = clones[name].folder / "notebooks" / lesson / f"{lesson}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, path)
    terminal.run(*((clones[name], ["submit", lesson, "--student", name]) for name in students))

    # The instructor collects, grades, and writes the feedback.
    instructor.nbgrader("collect", lesson)
    said = instructor.nbgrader("autograde", lesson)
    assert "Error" not in said and "Warning" not in said, said
    instructor.nbgrader("generate_feedback", lesson)
    instructor.nbgrader("release_feedback", lesson)
    instructor.nbgrader("export", "--to", "grades.csv")

    # Everybody has exactly the marks that the work deserves, cell by cell.
    points = {
        id: c.metadata.nbgrader.points for id, c in graded_cells(read_solution(lesson)).items()
    }
    marks = marks_by_cell(instructor, lesson)
    for name, (_notebook, right) in students.items():
        cells = {f"{exercise}_{part}" for exercise in right for part in ("check", "hidden")}
        assert marks[name] == {id: points[id] if id in cells else 0 for id in points}, name
    with open(instructor.folder / "grades.csv", newline="") as file:
        exported = {row["student_id"]: row for row in csv.DictReader(file)}
    for name in students:
        assert float(exported[name]["score"]) == sum(marks[name].values())
        assert float(exported[name]["max_score"]) == sum(points.values())

    # The feedback is there, a student can fetch it, and it names the mistake.
    for name in students:
        assert (instructor.folder / "autograder" / "feedback" / name / lesson).is_dir()
    perfect.nbgrader("fetch_feedback", lesson, "--student", "perfect")
    pages = list((perfect.folder / "notebooks" / lesson / "feedback").glob(f"*/{lesson}.html"))
    assert len(pages) == 1
    page = instructor.folder / "autograder" / "feedback" / "mistaken" / lesson / f"{lesson}.html"
    words = html.unescape(re.sub("<[^>]*>", "", page.read_text(encoding="utf-8")))
    for exercise in exercise_names(lesson):
        assert f"✗ {exercise}: not yet" in words
        if exercise in KNOWN_MISTAKES:
            known = {mistake.id: mistake for mistake in find_exercise(exercise).mistakes}
            message = known[KNOWN_MISTAKES[exercise][0]].message.replace("`", "")
            # In both of its graded cells; the first one also in what to look at next.
            first = exercise == exercise_names(lesson)[0]
            assert words.count(message) == (3 if first else 2), exercise


@pytest.fixture(scope="module")
def all_lessons(tmp_path_factory):
    """The marks of two students for every lesson: one wrote nothing, the other has all right."""
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.release({lesson: read_solution(lesson) for lesson in LESSONS})
    for student in ("blank", "perfect"):
        folder = course.submitted(student)
        folder.mkdir(parents=True)
        for lesson in LESSONS:
            answers = solution_sources(lesson) if student == "perfect" else {}
            nbformat.write(filled_in(lesson, answers), folder / f"{lesson}.ipynb")
        course.autograde(student, **QUIET)
    return course


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_solution_gets_every_point_and_the_released_notebook_none(lesson, all_lessons):
    points = {
        id: c.metadata.nbgrader.points for id, c in graded_cells(read_solution(lesson)).items()
    }
    assert all_lessons.scores("perfect", lesson) == points
    assert all_lessons.scores("blank", lesson) == dict.fromkeys(points, 0)


def marks_by_cell(instructor, lesson):
    """What the gradebook says: for every student the points of every graded cell."""
    from nbgrader.api import Gradebook

    url = f"sqlite:///{instructor.folder / 'autograder' / 'gradebook.db'}"
    with Gradebook(url, "illustrated-attention") as gradebook:
        return {
            submission.student.id: {
                grade.name: grade.score
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions(lesson)
        }
