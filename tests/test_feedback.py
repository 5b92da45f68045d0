"""Feedback: words, marks and a hint; never a hidden test, a script, or a request to anywhere."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.apps import GenerateFeedbackApp
from nbgrader.preprocessors import GetGrades
from nbgrader.server_extensions.formgrader import handlers
from small_course import ASSIGNMENT, NOTEBOOK, SECRET, grade_in_this_process
from traitlets.config import Config

from autograder.__main__ import main
from autograder.exercises import find_exercise
from autograder.nbgrader_steps.feedback import Grades, card_of_hidden_test
from autograder.nbgrader_steps.formulas import with_formulas
from autograder.nbgrader_steps.seen import Seen
from autograder.nbgrader_steps.settings import configure_feedback

pytestmark = pytest.mark.usefixtures("confined")

OVER_EVERYTHING = (
    "def softmax(scores):\n"
    "    shifted = np.exp(scores - scores.max())\n"
    "    return shifted / shifted.sum()\n"
)
TRIPLED = "def double(x):\n    return 3 * x\n"
CALLING = "def softmax(scores):\n    return double(scores)  # and not exp\n"
# Prints, keeps and raises whatever it is given: the hidden values among it.
NOSY = (
    "seen = []\n"
    "def double(x):\n"
    "    seen.append(x)\n"
    "    print('given', x)\n"
    "    raise ValueError(f'I was given {x!r}')\n"
)
DRAWING = (
    "import matplotlib.pyplot as plt\n"
    "plt.plot([1, 2])\n"
    "plt.show()\n"
    "from IPython.display import HTML, display\n"
    "display(HTML('<script>alert(1)</script><img src=\"http://example.org/x.png\">'))"
)


STUDENTS = ["ada", "bob", "dan", "eve", "fay", "nosy"]


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """A class that is graded, and of whom two have something of a person's."""
    patch = pytest.MonkeyPatch()
    course = released.copy(tmp_path_factory.mktemp("course"))
    course.write_settings("settings.configure_feedback(c)\n")
    course.hand_in("ada", essay="Because it is computed.")
    course.hand_in("bob", softmax=OVER_EVERYTHING)
    course.hand_in("nosy", double=NOSY, softmax="print(seen)")
    notebook = course.released()
    notebook.cells += [
        nbformat.v4.new_code_cell(DRAWING),
        nbformat.v4.new_markdown_cell("<script>alert(1)</script><img src=x onerror=alert(1)>"),
    ]
    course.hand_in("eve", notebook)
    (course.hand_in("dan") / f"{NOTEBOOK}.ipynb").write_text("no notebook")
    course.hand_in("fay", double=TRIPLED, softmax=CALLING)
    patch.chdir(course.root)
    grade_in_this_process(patch)
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        comment = gradebook.find_comment("essay", NOTEBOOK, ASSIGNMENT, "ada")
        comment.manual_comment = r"A **good** start: $\sqrt{d}$, not $\nothing$."
        grade = gradebook.find_grade("double_check", NOTEBOOK, ASSIGNMENT, "fay")
        grade.manual_score, grade.needs_manual_grade = 1, True  # as after grading again
        gradebook.db.commit()
    patch.undo()
    return course


@pytest.fixture(scope="module")
def pages(graded):
    """The class's feedback, made by nbgrader's own command with our settings."""
    patch = pytest.MonkeyPatch()
    patch.chdir(graded.root)
    GenerateFeedbackApp.clear_instance()
    GenerateFeedbackApp.launch_instance([ASSIGNMENT])
    GenerateFeedbackApp.clear_instance()
    patch.undo()
    return {
        path.parent.parent.name: path.read_text(encoding="utf-8")
        for path in graded.root.glob(f"feedback/*/{ASSIGNMENT}/{NOTEBOOK}.html")
    }


def part(page: str, grade_id: str) -> str:
    """The text of one graded cell."""
    soup = BeautifulSoup(re.sub(r"<wbr/?>", "", page), "html.parser")
    return soup.find(id=grade_id).get_text(" ", strip=True)


@pytest.mark.parametrize("student", ["ada", "fay"])
def test_points_and_comments_are_those_that_nbgrader_reads(graded, pages, student):
    url = graded.config.CourseDirectory.db_url
    with Gradebook(url) as gradebook:
        gradebook.find_grade("double_check", NOTEBOOK, ASSIGNMENT, student).extra_credit = 0.5
        its = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, student)
        its.late_submission_penalty = 1.5
        gradebook.db.commit()
    about = {"db_url": url, "notebook": NOTEBOOK, "assignment": ASSIGNMENT, "student": student}
    path = graded.root / "autograded" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    read = [
        step().preprocess(nbformat.read(path, 4), {"nbgrader": dict(about)})
        for step in (GetGrades, Grades)
    ]
    assert read[0] == read[1]
    assert read[1][1]["nbgrader"]["late_penalty"] == 1.5


def test_everyone_gets_a_page(pages):
    assert sorted(pages) == STUDENTS


@pytest.mark.parametrize("student", STUDENTS)
def test_nothing_of_a_hidden_test_is_on_a_page(pages, student):
    page = pages[student]
    secrets = ["HIDDEN TESTS", "assert_allclose", "judge(", "verdict.passed", "Traceback"]
    secrets += [str(SECRET), str(2 * SECRET), repr(SECRET)[:5]]
    assert [secret for secret in secrets if secret in page] == []


def test_a_hidden_test_that_failed_shows_the_named_mistake(pages):
    words = part(pages["bob"], "softmax_hidden")
    exercise = find_exercise("softmax")
    [mistake] = [m for m in exercise.mistakes if m.id == "over_everything"]
    assert "0 of 2 points" in words and "✗ Hidden tests: not yet" in words
    assert _same(mistake.message) in _same(words)
    assert "Hint:" not in words  # the message says what to look at


def test_what_is_not_written_gets_the_first_hint():
    not_written = Seen("not_written", "not_written", "It is not written yet.", "softmax")
    meta = {"grade_id": "softmax_hidden", "grade": True, "solution": False, "score": 0, "points": 2}
    cell = nbformat.v4.new_code_cell(metadata={"nbgrader": meta})
    told = str(card_of_hidden_test(cell, not_written))
    assert "It is not written yet." in told and find_exercise("softmax").hints[0] in told


def _same(text: str) -> str:
    return re.sub(r"[\s`]+", "", text)


def test_the_card_of_check_is_there(pages):
    assert "✗ softmax: not yet" in part(pages["bob"], "softmax_check")
    assert "✓ softmax: passed" in part(pages["ada"], "softmax_check")


def test_a_hidden_test_without_a_verdict_says_only_that_it_failed(pages):
    words = part(pages["nosy"], "double_hidden")
    assert "A hidden test failed with ValueError." in words
    assert "I was given" not in words


def test_what_passed_is_said_too_with_the_marks_and_comments(pages):
    page = pages["ada"]
    assert "✓ Hidden tests: passed" in part(page, "softmax_hidden")
    assert "8 of 11 points" in BeautifulSoup(page, "html.parser").header.get_text(" ")
    assert "<strong>good</strong> start" in page


@pytest.mark.parametrize("student", STUDENTS)
def test_a_page_runs_nothing_and_loads_nothing(pages, student):
    soup = BeautifulSoup(pages[student], "html.parser")
    assert soup.find_all(["script", "iframe", "object", "embed", "form", "link", "base"]) == []
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            assert not name.startswith("on")
            if name == "src":
                assert value.startswith("data:image/")
            if name == "href":
                assert value.startswith("#")
    # Should something slip through all the same, the browser refuses it.
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_pictures_are_shown_with_an_alternative_text(pages):
    images = BeautifulSoup(pages["eve"], "html.parser").find_all("img")
    drawn = [image for image in images if image.get("src", "").startswith("data:image/png;base64,")]
    assert len(drawn) == 1 and drawn[0]["alt"]


def test_formgraders_page_loads_nothing_from_elsewhere():
    """Its own scripts come from its own server; MathJax came from a CDN."""
    config = Config()
    # In this order: formgrader has its own settings first, and reads the course's then.
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    configure_feedback(config)
    resources = dict.fromkeys(
        ("assignment_id", "notebook_id", "submission_id", "student", "notebook_path"), "x"
    )
    resources |= {"base_url": "/base", "index": 0, "total": 1, "last_name": "", "first_name": ""}
    cell = nbformat.v4.new_markdown_cell("hello <img src=x onerror=alert(1)>")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    page, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources)
    soup = BeautifulSoup(page, "html.parser")
    assert "hello" in soup.body.get_text()
    sources = [t.get("src") or t.get("href") for t in soup.head.find_all(["script", "link"])]
    assert all(source.startswith("/base/formgrader/") for source in sources if source)
    assert "cdnjs" not in page and "onerror=alert" not in page


def top(page):
    return BeautifulSoup(re.sub(r"<wbr/?>", "", page), "html.parser").header.get_text(
        " ", strip=True
    )


def test_a_page_begins_with_marks_comments_and_what_to_look_at_next(pages):
    ada, bob = top(pages["ada"]), top(pages["bob"])
    assert "essay A good start" in ada and "Comments" not in bob
    assert "What to look at next" not in ada  # what waits for a person is not wrong
    assert "essay ✎ not marked yet, of 3 points" in ada
    [mistake] = [m for m in find_exercise("softmax").mistakes if m.id == "over_everything"]
    order = ["Handed in: 20", "8 of 11 points", "not among them yet.", "Comments", "Your points"]
    assert sorted(order, key=ada.index) == order
    assert "softmax_check is the first that is not right yet" in bob
    assert _same(mistake.message) in _same(bob) and "Hint:" not in bob
    assert "softmax_hidden 0 of 2 points ✗ over everything" in bob
    assert "double_hidden 2 of 2 points ✓ right" in bob


def test_a_formula_in_a_comment_is_drawn_if_it_is_one(pages):
    comments = BeautifulSoup(pages["ada"], "html.parser").select(".comment")
    assert len(comments) == 2  # on top, and at the part
    for comment in comments:
        [drawn] = comment.find_all("img")
        assert drawn["alt"] == r"\sqrt{d}" and drawn["src"].startswith("data:image/svg+xml;")
        assert r"$\nothing$" in comment.get_text()


def test_a_formula_with_characters_that_no_font_of_ours_has_stays_as_it_was_typed(recwarn):
    comment = with_formulas(r"$\sqrt{d}$ $\text{查询}$")
    assert comment.count("<img") == 1 and r"$\text{查询}$" in comment
    assert not recwarn.list


def test_of_a_refused_hand_in_the_page_says_why_and_nothing_else(pages):
    page = BeautifulSoup(pages["dan"], "html.parser")
    words = page.body.get_text(" ", strip=True)
    assert "⊘ This hand-in could not be graded. The file is no notebook" in words
    assert page.main is None and page.table is None and len(words) < 300


def test_what_follows_from_another_function_says_so(pages):
    fay = pages["fay"]
    assert "softmax_hidden 0 of 2 points ↳ follows from double" in top(fay)
    assert "Itcallsdouble,whichisnotrightyet." in _same(part(fay, "softmax_hidden"))
    assert "double_hidden is the first that is not right yet" in top(fay)


def test_points_given_by_hand_are_not_called_wrong(pages):
    words = part(pages["fay"], "double_check")
    assert "1 of 1 points" in words and "✍ A person gave these points" in words


@pytest.mark.parametrize("student", ["ada", "bob", "eve", "nosy"])
def test_only_what_is_the_learners_own_is_unfolded_and_every_link_leads_to_it(pages, student):
    page = BeautifulSoup(pages[student], "html.parser")
    for link in page.header.find_all("a"):
        target = page.find(id=link["href"].removeprefix("#"))
        assert target is not None and target.find_parent("details") is None
    for name in ("double", "softmax", "softmax_check", "essay"):
        assert page.find(id=name).find_parent("details") is None
    folds = {part.summary.get_text(" ", strip=True): part for part in page.find_all("details")}
    [lesson] = [part for title, part in folds.items() if title.startswith("The lesson")]
    assert "import numpy as np" in lesson.get_text() and "def softmax" not in lesson.get_text()
    assert ("Other cells of yours (2)" in folds) == (student == "eve")
    assert any(title.startswith("double_check : ✓ right") for title in folds) == (student != "nosy")
