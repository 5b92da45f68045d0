"""The class report: who has what, which mistake how often, and who needs attention."""

import csv
import datetime
import json
import os
import time

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from small_course import ASSIGNMENT, NOTEBOOK, SmallCourse

from autograder.__main__ import main
from autograder.class_run.replies import count_replies, replies_in
from autograder.class_run.report import findings
from autograder.class_run.rows import Row, Work, read_class
from autograder.nbgrader_steps.execute import VERDICT
from autograder.nbgrader_steps.refused_files import refusal
from autograder.nbgrader_steps.seen import Seen, label, look
from autograder.nbgrader_steps.tables import CsvExport, inert

STUDENTS = 500
CELLS = {"scores_check": 1, "scores_hidden": 2, "softmax_check": 1, "softmax_hidden": 2}
ODD_NAMES = {
    498: ("=HYPERLINK(1)", "First 498"),
    499: ("<script>alert(1)</script>", "E & V"),
}
LATE, LATE_FOR_NOTHING, ALLOWED = "student200", "student201", "student202"
SCALED = "You divide by d_model. Divide by the length of one key."


@pytest.fixture(scope="module")
def large_class(tmp_path_factory):
    """A class of 500: 34 % scale by d_model, 10 % have not written softmax, 2 % hand in nothing."""
    course = SmallCourse(tmp_path_factory.mktemp("large"))
    course.write_settings("c.CourseTime.zone = 'UTC'\n")
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        gradebook.add_assignment(ASSIGNMENT, duedate="2026-03-01 12:30:00 UTC")
        gradebook.add_notebook(NOTEBOOK, ASSIGNMENT)
        for name in ("scores", "softmax"):
            gradebook.add_solution_cell(name, NOTEBOOK, ASSIGNMENT)
        for name, points in CELLS.items():
            gradebook.add_grade_cell(name, NOTEBOOK, ASSIGNMENT, max_score=points, cell_type="code")
        notebook = gradebook.find_notebook(NOTEBOOK, ASSIGNMENT)
        for n in range(STUDENTS):
            student = f"student{n:03}"
            last, first = ODD_NAMES.get(n, (f"Last {n}", f"First {n}"))
            gradebook.db.add(Student(id=student, first_name=first, last_name=last))
            if n >= 490:
                continue
            verdicts = {}
            if n < 167:  # 34 % of 490
                verdicts["scores_hidden"] = ("scaled_by_d_model", SCALED)
            if 100 <= n < 149:
                unwritten = ("not_written", "softmax is not written yet.")
                verdicts |= {"softmax_check": unwritten, "softmax_hidden": unwritten}
            enter_marks(gradebook.db, notebook, student, verdicts)
            hand_in_and_grade(course, student, verdicts)
        gradebook.db.commit()
    return course


def enter_marks(db, notebook, student, verdicts):
    """What nbgrader's own functions do one cell at a time: 500 students take them a minute."""
    when = datetime.datetime(2026, 3, 1, 13 if student in (LATE_FOR_NOTHING, ALLOWED) else 12, 0)
    hand_in = SubmittedAssignment(
        student_id=student, assignment_id=notebook.assignment_id, timestamp=when
    )
    hand_in.extension = datetime.timedelta(hours=1) if student == ALLOWED else None
    db.add(hand_in)
    db.flush()
    penalty = 2 if student == LATE else None
    copy = SubmittedNotebook(
        assignment_id=hand_in.id, notebook_id=notebook.id, late_submission_penalty=penalty
    )
    db.add(copy)
    db.flush()
    for cell in notebook.grade_cells:
        score = 0 if cell.name in verdicts else cell.max_score
        db.add(
            Grade(notebook_id=copy.id, cell_id=cell.id, auto_score=score, needs_manual_grade=False)
        )


def hand_in_and_grade(course, student, verdicts):
    """Write the files that handing in and grading leave."""
    cells = [
        {
            "cell_type": "code",
            "source": "",
            "outputs": [],
            "metadata": {
                "nbgrader": {"grade_id": name},
                VERDICT: {"exercise": name, "mistake": mistake, "message": message},
            },
        }
        for name, (mistake, message) in verdicts.items()
    ]
    for folder in (course.submitted(student), course.root / "autograded" / student / ASSIGNMENT):
        folder.mkdir(parents=True)
        (folder / f"{NOTEBOOK}.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))


class Page:
    """What a page holds: its tags, its tables' rows as lists of text, and whatever it loads."""

    def __init__(self, path):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        self.tags = [(tag.name, tag.attrs) for tag in soup.find_all(True)]
        self.rows = [
            [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
            for row in soup.find_all("tr")
        ]
        self.loaded = [
            value
            for _, attributes in self.tags
            for name, value in attributes.items()
            if name in ("src", "href") and not value.startswith("#")
        ]


def report(course, monkeypatch):
    monkeypatch.chdir(course.root)
    assert main(["report", ASSIGNMENT]) == 0
    folder = course.root / "reports"
    with open(folder / f"{ASSIGNMENT}.csv", newline="", encoding="utf-8-sig") as file:
        table = {row["student_id"]: row for row in csv.DictReader(file)}
    return Page(folder / f"{ASSIGNMENT}.html"), table


def test_a_class_of_500_fits_on_a_page_in_seconds(large_class, monkeypatch):
    start = time.process_time()
    page, table = report(large_class, monkeypatch)
    assert time.process_time() - start < 20
    assert len(table) == STUDENTS
    assert sum(row[:1] == ["Last 7, First 7"] for row in page.rows) == 1  # among the marks
    assert (large_class.root / "reports" / f"{ASSIGNMENT}.html").stat().st_size < 1_000_000


def test_it_tells_how_often_each_mistake_was_made(large_class, monkeypatch):
    page, _ = report(large_class, monkeypatch)
    [scores] = [row for row in page.rows if row[0] == "scores"]
    assert scores == ["scores", "66 % (323)", "34 % (167)", "✗ scaled by d model", SCALED]
    [softmax] = [row for row in page.rows if row[0] == "softmax"]
    unwritten = ["10 % (49)", "○ not written", "softmax is not written yet."]
    assert softmax == ["softmax", "90 % (441)", *unwritten]


def test_it_tells_who_needs_attention_and_why(large_class, monkeypatch):
    page, table = report(large_class, monkeypatch)
    silent = [row for row in page.rows if row[-1] == "has not handed in"]
    assert len(silent) == 10
    # 100 to 148 have 3 - 2 = 1 point in scores and none in softmax: less than half of 6.
    assert table["student120"]["attention"] == "has 1 of 6 points"
    assert table["student020"]["attention"] == ""


def test_the_table_has_points_and_mistakes_of_every_exercise(large_class, monkeypatch):
    _, table = report(large_class, monkeypatch)
    row = table["student120"]
    assert (row["points"], row["of"], row["handed_in"]) == ("1", "6", "2026-03-01 12:00 UTC")
    assert (row["scores points"], row["scores seen"]) == ("1", "scaled_by_d_model")
    assert (row["softmax points"], row["softmax seen"]) == ("0", "not written")
    assert table["student495"]["points"] == ""


def test_who_was_late_has_the_points_that_count(large_class, monkeypatch):
    page, table = report(large_class, monkeypatch)
    assert (table[LATE]["points"], table[LATE]["late"]) == ("4", "2")
    old = "what was taken off for lateness is old: grade again with --force"  # no setting takes 2
    assert table[LATE]["attention"] == f"handed in late: 2 points less; {old}"
    assert (table[LATE_FOR_NOTHING]["points"], table[LATE_FOR_NOTHING]["late"]) == ("6", "0")
    assert table[LATE_FOR_NOTHING]["attention"] == "handed in late"
    assert table[ALLOWED]["attention"] == ""
    assert any(row[:2] == ["Last 200, First 200", LATE] and "4 of 6" in row for row in page.rows)


def test_cells_of_one_name_in_two_notebooks_are_two_exercises(tmp_path):
    course = SmallCourse(tmp_path)
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        gradebook.add_assignment(ASSIGNMENT)
        for notebook in ("first", "second"):
            gradebook.add_notebook(notebook, ASSIGNMENT)
            gradebook.add_solution_cell("f", notebook, ASSIGNMENT)
            gradebook.add_grade_cell("f_check", notebook, ASSIGNMENT, max_score=4, cell_type="code")
        gradebook.add_student("ada")
        gradebook.add_submission(ASSIGNMENT, "ada")
        gradebook.find_grade("f_check", "second", ASSIGNMENT, "ada").auto_score = 3
        gradebook.db.commit()
    (course.root / "autograded" / "ada" / ASSIGNMENT).mkdir(parents=True)
    [row], exercises = read_class(course.course, ASSIGNMENT)
    assert exercises == ["first: f", "second: f"]
    assert [(work.score, work.most) for work in row.works.values()] == [(0, 4), (3, 4)]


def test_nbgraders_export_runs_nothing_and_keeps_its_columns(large_class, monkeypatch):
    monkeypatch.chdir(large_class.root)
    path = large_class.root / "grades.csv"
    with Gradebook(large_class.config.CourseDirectory.db_url, "small") as gradebook:
        some = [f"student{n}" for n in (200, 498)]
        CsvExport(to=str(path), assignment=["another"]).export(gradebook)
        assert len(path.read_text(encoding="utf-8-sig").splitlines()) == 1
        CsvExport(to=str(path), student=some).export(gradebook)
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert sorted(rows) == some
    late, odd = rows["student200"], rows["student498"]
    columns = ("raw_score", "late_submission_penalty", "score", "max_score")
    assert [float(late[column]) for column in columns] == [6, 2, 4, 6]
    assert odd["last_name"] == "'=HYPERLINK(1)" and odd["score"] == "0.0"


@pytest.mark.parametrize("text", ["=1", " =1", "\t=1", "+1", "-1", "@x", "\uff1d1", "\r\n=1"])
def test_what_begins_like_a_formula_is_text(text):
    assert inert(text).startswith("'")
    assert inert(f"a{text}").startswith("a") and inert(-1.5) == -1.5


def test_the_page_is_accessible_and_loads_nothing(large_class, monkeypatch):
    page, _ = report(large_class, monkeypatch)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table") == 3
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")
    assert ("html", {"lang": "en"}) in page.tags
    assert page.loaded == [] and "script" not in tags


def test_names_are_text_and_no_formula(large_class, monkeypatch):
    page, table = report(large_class, monkeypatch)
    assert "script" not in [tag for tag, _ in page.tags]
    name, *rest = ["<script>alert(1)</script>, E & V", "student499", "no", "not graded"]
    assert [name, *rest] in page.rows
    assert table["student499"]["name"] == name
    assert table["student498"]["name"] == "'=HYPERLINK(1), First 498"


def test_an_unknown_assignment_is_said(large_class, monkeypatch, capsys):
    monkeypatch.chdir(large_class.root)
    assert main(["report", "weak"]) == 2
    assert "The gradebook does not know weak." in capsys.readouterr().err


@pytest.mark.usefixtures("confined")
@pytest.mark.usefixtures("at_work", "in_this_process")
def test_what_grading_found_is_in_the_report(course, monkeypatch):
    course.hand_in("ada", essay="Because it is computed.")
    wrong = (
        "def softmax(scores):\n"
        "    shifted = np.exp(scores - scores.max())\n"
        "    return shifted / shifted.sum()\n"
    )
    course.hand_in("bob", softmax=wrong)
    (course.hand_in("eve") / f"{NOTEBOOK}.ipynb").write_text("no notebook")
    course.hand_in("left", softmax="import os\n\ndef softmax(scores):\n    os._exit(1)\n")
    forged = course.released()
    forged.cells.insert(0, new_markdown_cell(refusal("Pay me.").cells[0].source))
    forged_folder = course.hand_in("forger", forged)
    (forged_folder / "refused.txt").write_text("Pay me.")
    (course.root / "submitted" / os.fsdecode(b"caf\xe9") / ASSIGNMENT).mkdir(parents=True)
    assert main(["grade", ASSIGNMENT, "--jobs", "1"]) == 0
    _, table = report(course, monkeypatch)
    assert table["ada"]["softmax seen"] == "" and table["ada"]["softmax points"] == "3"
    assert table["bob"]["softmax seen"] == "over_everything"
    assert table["bob"]["double points"] == "5"
    assert table["ada"]["essay seen"] == "to mark by hand"
    assert table["bob"]["essay seen"] == "not written"  # it is as it was released
    assert table["eve"]["attention"].startswith("was refused: The file is no notebook")
    assert table["eve"]["softmax seen"] == table["eve"]["double seen"] == "refused"
    assert table["left"]["softmax seen"] == "stopped"
    assert table["forger"]["attention"] == ""
    assert set(table) == {"ada", "bob", "eve", "forger", "left"}
    course.write_settings("c.ClassReport.anonymous = True\n")
    page, nameless = report(course, monkeypatch)
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        found = gradebook.notebook_submissions(NOTEBOOK, ASSIGNMENT)
        order = [one.student.id for one in sorted(found, key=lambda one: one.id)]
    numbers = {f"#{n}": id for n, id in enumerate(order, 1)}  # as formgrader has them
    assert {n: row["points"] for n, row in nameless.items()} == {
        n: table[id]["points"] for n, id in numbers.items()
    }
    names = {"ada", "bob", "eve", "left", "forger"}
    assert not any(names & set(cells) for cells in page.rows)
    words = json.dumps(course.graded("left"))  # what a student reads has no inner names
    assert "ProcessEnded" in words and "StudentDied" not in words and "/tmp" not in words
    assert "waits for marks by hand: essay" in table["ada"]["attention"]


def test_a_cause_is_counted_by_its_id_and_what_was_seen_where_there_is_none():
    def row(mistake, message):
        seen = Seen("cause" if mistake else "unknown", mistake, message)
        work = Work(score=0, most=3, seen=seen)
        return Row("a", "A", handed_in=True, graded=True, works={"softmax": work})

    rows = [
        row("wrong_name", "Look at `a` in your line `a + b`."),
        row("wrong_name", "Look at `c` in your line `c + b`."),
        row("wrong_name", "Look at `c` in your line `c + b`."),
        row("no_bias+relu", "Two things at once."),
        row("a|b", "One. Or: other."),
        row(None, "The result has the wrong shape."),
        row(None, "The result has the wrong shape."),
        row(None, "It is not the right value."),
    ]
    told = [(f.what, f.count, f.message) for f in findings(rows, "softmax")]
    assert told[0] == ("wrong name", 3, "Look at `c` in your line `c + b`.")
    assert told[1] == ("no cause found", 2, "The result has the wrong shape.")
    assert {what for what, count, _message in told[2:] if count == 1} == {
        "no bias and relu",
        "a or b",
        "no cause found",
    }


def cell(source, grade_id="", verdict=None, outputs=(), **kind):
    meta = {"nbgrader": {"grade_id": grade_id, **kind}} if grade_id else {}
    meta |= {VERDICT: verdict} if verdict else {}
    return {"cell_type": "code", "source": source, "metadata": meta, "outputs": list(outputs)}


def test_each_kind_has_a_sign_and_a_word_of_its_own():
    stopped = [{"output_type": "error", "ename": "Stopped", "evalue": "This cell was stopped."}]
    empty = 'def f(x):\n    """Not like g."""\n    raise NotImplementedError()'
    notebook = [
        cell("def g(x):\n    return x", "g", solution=True),
        cell("", "g_hidden", {"mistake": None, "message": "It differs."}),
        cell(empty, "f", solution=True),
        cell("", "f_hidden", {"mistake": "not_written", "message": "It is not written."}),
        cell("def h(x):\n    return g(x)", "h", solution=True),
        cell("", "h_hidden", {"mistake": "factor", "message": "Twice as large."}),
        cell("def k(x):\n    return 1  # not g(x)", "k", solution=True),
        cell("", "k_hidden", {"mistake": "factor", "message": "Twice as large."}),
        cell("exit()", "m", outputs=stopped, solution=True),
        cell("", "m_hidden", {"mistake": "not_defined", "message": "NameError"}),
        cell("def softmax(x):\n    return g(x)", "softmax", solution=True),
        cell("", "softmax_hidden", {"mistake": "over_everything", "exercise": "softmax"}),
    ]
    parts = {its["metadata"]["nbgrader"]["grade_id"] for its in notebook}
    seen = look(notebook, {part for part in parts if part.endswith("_hidden")})
    kinds = {part.removesuffix("_hidden"): its.kind for part, its in seen.items()}
    assert kinds == {
        **{"g": "unknown", "f": "not_written", "h": "follow_on", "k": "cause", "m": "stopped"},
        "softmax": "cause",  # a known mistake is its own, whatever it calls
    }
    assert seen["h_hidden"].words == "follows from g" and seen["k_hidden"].words == "factor"
    assert seen["m_hidden"].message == "This cell was stopped."
    labels = [label(kind) for kind in {*kinds.values(), "right", "refused", "to_mark", "by_hand"}]
    for column in zip(*labels, strict=True):
        assert len(set(column)) == 9


def test_no_cell_takes_the_report_long_to_read():
    """A second for a cell would be minutes for a notebook, and hours for a class of such."""
    spaces = [cell(begin + " " * 1900) for begin in ('answer("a"', 'answer("a",', "answer(")]
    start = time.process_time()
    assert replies_in(spaces) == {}
    assert time.process_time() - start < 0.5
    assert replies_in([cell('answer( "01-it" , "a, b" , )')]) == {"01-it": "a, b"}


def test_of_the_same_cause_the_words_of_check_are_told_which_name_the_line():
    card = {
        "output_type": "display_data",
        "data": {"text/plain": "✗ g: not yet\nIn your line `x.foo()`: no `foo`.\nWhat was seen"},
    }
    no_attribute = {"mistake": "no_attribute", "exercise": "g"}
    broken = [{"output_type": "error", "ename": "SyntaxError", "evalue": "x"}]
    hostile = [{"output_type": "error", "ename": "__import__", "evalue": "x"}]
    not_defined = {"mistake": "not_defined", "message": "A hidden test failed with NameError."}
    notebook = [
        cell("def g(x):\n    return x.foo()", "g", solution=True),
        cell("check(g)", "g_check", no_attribute, [card]),
        cell("", "g_hidden", no_attribute | {"message": "It stops with an error."}),
        cell("def f(x:", "f", outputs=broken, solution=True),
        cell("", "f_hidden", not_defined),
        cell("raise x", "k", outputs=hostile, solution=True),
        cell("", "k_hidden", not_defined),
    ]
    seen = look(notebook, {"g_check", "g_hidden", "f_hidden", "k_hidden"})
    line = "In your line `x.foo()`: no `foo`."
    assert seen["g_check"].message == seen["g_hidden"].message == line
    assert seen["f_hidden"].message.startswith("Its cell stops with SyntaxError")
    assert seen["k_hidden"].message == "A hidden test failed with NameError."


def test_replies_to_questions_are_read_and_counted():
    def typed(*lines):
        return replies_in([cell("\n".join(lines))])

    class_replies = [
        typed('answer("01-it", "c")', "answer('01-weight', 0.99)  # is it?"),
        typed('answer("01-it", "?")', 'answer("01-it", "C")', '# answer("01-weight", 3)'),
        typed('answer("01-it", "a")', 'answer("01-weight", ...)', 'answer("no-such", "a")'),
        typed('answer("01-it", "?")', f'answer("01-weight", {"9" * 500})'),
    ]
    it, weight = count_replies(class_replies)
    assert (it.id, it.right, it.none, it.wrong, it.asked) == ("01-it", 2, 1, [("a", 1)], 4)
    assert (weight.id, weight.none, weight.wrong) == ("01-weight", 1, [("0.99", 1)])
