"""A hand-in is answered in the language of its notebook, and gets the same marks."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from classroom import ROOT, nbgrader_data, read_release
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from autograder.authoring.catalogues import languages
from autograder.class_run.own_course import OwnCourse
from autograder.class_run.report import make_page
from autograder.class_run.rows import read_class
from autograder.exercises import find_exercise
from autograder.nbgrader_steps import execute, hand_in
from autograder.nbgrader_steps.course import make_gradebooks_quickly
from autograder.nbgrader_steps.execute import VERDICT
from autograder.nbgrader_steps.spoken import language_of
from autograder.nbgrader_steps.transplant import has_work, is_untouched, transplant
from illustrated_attention.language import _, speaking

LESSON = "01_self_attention"
CHINESE = "zh_CN"
HAN = re.compile("[\u4e00-\u9fff]")

# Planted, beside one that is right: a known mistake, a factor, no function any more, an error.
WRONG = {
    "make_qkv": "def make_qkv(x, w_q, w_k, w_v):\n    return x @ w_q, x @ w_k, x @ w_v",
    "softmax": (
        "def softmax(scores):\n    e = np.exp(scores - scores.max())\n    return e / e.sum()"
    ),
    "scaled_scores": "def scaled_scores(q, k):\n    return 3 * (q @ k.swapaxes(-1, -2))",
    "weighted_sum": "weighted_sum = None",
    "self_attention": "def self_attention(q, k, v):\n    return q.nothing",
}


def edition(language):
    if language == "en":
        return read_release(LESSON)
    path = ROOT / f"notebooks-{language}" / LESSON / f"{LESSON}.ipynb"
    return nbformat.read(path, as_version=4)


def written(notebook, sources):
    for cell in notebook.cells:
        if nbgrader_data(cell).get("solution"):
            cell.source = sources.get(nbgrader_data(cell)["grade_id"], cell.source)
    return notebook


def first_code(notebook):
    return next(cell for cell in notebook.cells if cell.cell_type == "code")


@pytest.fixture(scope="module")
def course(confined, tmp_path_factory):
    make_gradebooks_quickly()
    course = OwnCourse(
        tmp_path_factory.mktemp("course"), ROOT / "solutions" / LESSON, ignore=[f"{LESSON}.py"]
    )
    unknown = written(edition(CHINESE), WRONG)
    first = first_code(unknown)
    first.source = first.source.replace(f'"{CHINESE}"', '"../../secret"')
    works = {
        "ada": written(edition("en"), WRONG),
        "lin": written(edition(CHINESE), WRONG),
        "unknown": unknown,
    }
    for student, notebook in works.items():
        course.hand_in(student, {LESSON: notebook})
        course.grade(student)
    execute.close_grader()
    config = course.config()
    GenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
    return course


def verdicts(course, student):
    cells = course.graded(student)[LESSON].cells
    return {
        nbgrader_data(c)["grade_id"]: c.metadata[VERDICT] for c in cells if VERDICT in c.metadata
    }


def page_of(course, student):
    path = course.folder / "feedback" / student / LESSON / f"{LESSON}.html"
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_both_editions_get_the_same_marks_for_the_same_reasons(course):
    assert course.marks("ada") == course.marks("lin")
    one, two = verdicts(course, "ada"), verdicts(course, "lin")
    assert one.keys() == two.keys() and one
    for part, verdict in one.items():
        assert (verdict["exercise"], verdict["mistake"]) == (
            two[part]["exercise"],
            two[part]["mistake"],
        )
        assert bool(verdict["message"]) == bool(two[part]["message"])


def test_planted_mistakes_cost_marks(course):
    assert sum(course.marks("lin").values()) > 0
    assert not any(
        course.marks("lin")[LESSON, f"{name}_hidden"] for name in WRONG if name != "make_qkv"
    )


def test_the_judge_speaks_the_hand_ins_language(course):
    for part, verdict in verdicts(course, "lin").items():
        if verdict["message"]:
            assert HAN.search(verdict["message"]), part
    assert not any(HAN.search(verdict["message"]) for verdict in verdicts(course, "ada").values())


def test_cards_of_test_cells_and_of_the_students_own_cells_speak_it_too(course):
    """The judge makes the first; the second is said in the locked process."""
    for student, chinese in (("lin", True), ("ada", False)):
        for cell in course.graded(student)[LESSON].cells:
            if cell.cell_type != "code":
                continue
            for output in cell.outputs:
                html = output.get("data", {}).get("text/html", "")
                text = BeautifulSoup(html, "html.parser").get_text()
                if text.strip():
                    assert bool(HAN.search(text)) == chinese, (student, cell.id, text)


def test_a_feedback_page_is_in_the_notebooks_language(course):
    page, english = page_of(course, "lin"), page_of(course, "ada")
    assert (page.html["lang"], english.html["lang"]) == ("zh-CN", "en")
    assert [tag["id"] for tag in page.find_all(id=True)] == [
        tag["id"] for tag in english.find_all(id=True)
    ]
    header = page.header.get_text(" ", strip=True)
    for sentence in re.findall(r"\b[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+", header):
        pytest.fail(f"not Chinese: {sentence}")
    with speaking(CHINESE):
        mistake = next(m for m in find_exercise("softmax").mistakes if m.id == "over_everything")
        assert _same(_(mistake.message)) in _same(page.get_text())
        assert _("✗ Hidden tests: not yet") in page.get_text()
    assert mistake.message[:40] not in page.get_text()
    assert not HAN.search(english.get_text())


def _same(text):
    return re.sub(r"[\s`]+", "", text)


def test_the_report_is_in_the_language_of_who_asks_for_it(course):
    rows, exercises = read_class(CourseDirectory(config=course.config()), LESSON)
    mistake = next(m for m in find_exercise("softmax").mistakes if m.id == "over_everything")
    for language in ("en", CHINESE):
        with speaking(language):
            html = make_page(LESSON, rows, exercises)
            assert _("What went wrong") in html
            text = _same(BeautifulSoup(html, "html.parser").get_text())
            assert _same(_(mistake.message)) in text  # whoever was told it, in whatever language
            told = {verdicts(course, "lin")["scaled_scores_hidden"]["message"]: CHINESE}
            told |= {verdicts(course, "ada")["scaled_scores_hidden"]["message"]: "en"}
            for message, its in told.items():  # a cause that was found: one of their own words
                assert (_same(message) in text) == (its == language)
            # The cause stands in the table of marks, too: by its id, which is English, or in words.
            begins = _same(_(mistake.message)).partition("。")[0]
            assert ("overeverything" in text, text.count(begins) > 1) == (
                language == "en",
                language == CHINESE,
            )


def test_a_language_that_nobody_knows_is_english_and_changes_no_mark(course):
    assert course.marks("unknown") == course.marks("ada")
    assert page_of(course, "unknown").html["lang"] == "en"


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ('language.use("zh_CN")', "zh_CN"),
        ("x = 1\nlanguage.use('zh_CN')  # mine", "zh_CN"),
        ('language.use("en")', "en"),
        ('language.use("de")', "en"),
        ('language.use("../locale/zh_CN")', "en"),
        ('language.use("zh_CN" or exit())', "en"),
        ('# language.use("zh_CN")', "en"),
        ("language.use(" * 10_000, "en"),
    ],
)
def test_a_notebook_can_choose_a_language_and_nothing_else(line, language):
    assert language_of(new_notebook(cells=[new_code_cell(line)])) == language


@pytest.mark.parametrize("language", languages())
def test_a_class_of_an_edition_keeps_its_language(language, tmp_path):
    """What cannot be read is answered in the class's language, what can be in its own."""
    released, english = edition(language), read_release(LESSON)
    assert language_of(transplant(edition(language), english)) == language
    assert language_of(transplant(english, released)) == "en"

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / f"{LESSON}.ipynb").write_text("{")
    taken = hand_in.take_in(tmp_path / "in", tmp_path / "out", {LESSON: released})
    assert HAN.search(taken.refused)
    nbformat.write(edition(language), tmp_path / "in" / "other.ipynb")
    (tmp_path / "in" / f"{LESSON}.ipynb").unlink()
    taken = hand_in.take_in(tmp_path / "in", tmp_path / "out2", {LESSON: english})
    assert HAN.search(taken.notes[0]) and not taken.refused


@pytest.mark.parametrize("language", languages())
def test_who_deletes_the_line_is_answered_in_the_language_of_the_text(language, tmp_path):
    released = edition(language)
    for work, its in ((edition(language), language), (edition("en"), "en")):
        work.cells = [cell for cell in work.cells if cell.id != first_code(released).id]
        assert language_of(transplant(work, released)) == its
        (tmp_path / its).mkdir()
        nbformat.write(work, tmp_path / its / "other.ipynb")
        notes = hand_in.take_in(tmp_path / its, tmp_path / f"{its}-out", {LESSON: released}).notes
        assert bool(HAN.search(notes[0])) == (its == language)
    work = edition(language)
    first_code(work).source = 'language.use("en")'  # chosen, and not forgotten
    assert language_of(transplant(work, released)) == "en"
    work.cells, work.metadata["spoken_language"] = [new_code_cell("x = 1")], language
    assert language_of(transplant(work, edition("en"))) == "en"  # what a stranger notes there


@pytest.mark.parametrize("language", languages())
def test_a_blank_notebook_is_blank_in_every_language(language):
    blank, english = edition(language), read_release(LESSON)
    assert is_untouched(blank, english) and not has_work(blank, english)
    work = written(edition(language), WRONG)
    assert has_work(work, english) and not is_untouched(work, english)
