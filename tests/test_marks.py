"""Marks go back into the gradebook that a platform exported, and pages into its zip."""

import csv
import io
import zipfile

import pytest
from nbgrader.api import Gradebook
from small_course import ASSIGNMENT, NOTEBOOK, SmallCourse
from test_platforms import STUDENTS, notebook_of, pack

from autograder.__main__ import main

POINTS = {"ada": 3, "gus": 2, "jürgen": 1.5, "kim1": 3, "kim2": 0.25}  # of 4; zoe handed in nothing
PENALTY = {"gus": 0.5}


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A class with marks: kim2's essay is not marked yet."""
    course = SmallCourse(tmp_path_factory.mktemp("marked"))
    course.write_settings("c.CourseTime.zone = 'Europe/Berlin'\n")
    (course.root / "students.csv").write_text(STUDENTS, encoding="utf-8")
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        gradebook.add_assignment(ASSIGNMENT)
        gradebook.add_notebook(NOTEBOOK, ASSIGNMENT)
        gradebook.add_grade_cell("work", NOTEBOOK, ASSIGNMENT, max_score=4, cell_type="code")
        for row in csv.DictReader(io.StringIO(STUDENTS)):
            known = {name: row[name] for name in ("first_name", "last_name", "email")}
            gradebook.add_student(row["id"], **known)
            if row["id"] not in POINTS:
                continue
            gradebook.add_submission(ASSIGNMENT, row["id"])
            grade = gradebook.find_grade("work", NOTEBOOK, ASSIGNMENT, row["id"])
            grade.auto_score = POINTS[row["id"]]
            grade.needs_manual_grade = row["id"] == "kim2"
            work = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, row["id"])
            work.late_submission_penalty = PENALTY.get(row["id"])
            for folder in ("submitted", "autograded"):
                (course.root / folder / row["id"] / ASSIGNMENT).mkdir(parents=True)
        gradebook.db.commit()
    return course


@pytest.fixture
def enter(marked, tmp_path, monkeypatch, capsys):
    """Run `marks` on a file; return what the platform reads, what was said, and the exit code."""
    monkeypatch.chdir(marked.root)

    def run(text, encoding="utf-8", name="export.csv", delimiter=",", *options):
        file = tmp_path / name
        file.write_bytes(text.encode(encoding))
        code = main(["marks", ASSIGNMENT, "--into", str(file), *options])
        assert file.read_bytes() == text.encode(encoding)  # what was exported stays
        said = capsys.readouterr()
        made = tmp_path / name.replace(".", "-marks.")
        if not made.exists():
            return None, said.err, code
        written = made.read_bytes().decode(encoding)
        made.unlink()
        return list(csv.reader(io.StringIO(written), delimiter=delimiter)), said.out, code

    return run


def rows_of(text, delimiter=","):
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def differences(before, after):
    """Where two tables differ: line, column, and what stands there now."""
    assert [len(row) for row in before] == [len(row) for row in after]
    return {
        (n, m): cell
        for n, (old, new) in enumerate(zip(before, after, strict=True))
        for m, (was, cell) in enumerate(zip(old, new, strict=True))
        if was != cell
    }


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,week (4567),Week 9 (4568),Current Score
,,,,,Manual Posting,,
"    Points Possible",,,,,8.00,10.00,(read only)
"Groß, Jürgen",503,u3,jg7,=HYPERLINK(1),,-2,
"Lee, Kim",504,u4,kl1,A,1,,
"Lee, Kim",505,u5,kl2,A,7,,
"Lovelace, Ada",501,u1,al12,A,6,,
"Stranger, A",599,u9,xx,A,,,
"van Sant, Gus",502,u2,gv1,A,,,
"Łukasz-Brontë, Zoë",506,u6,z_b,B,,,
"Student, Test",600,,9f86d08,A,,,
"""


def test_canvas(enter):
    after, said, code = enter(CANVAS)
    # The column has 8 points, the lesson 4; gus was late; a formula is shown and not run.
    assert differences(rows_of(CANVAS), after) == {
        **{(3, 5): "3", (4, 5): "6", (8, 5): "3"},  # jürgen, kim1, gus; ada has 6 already
        (3, 4): "'=HYPERLINK(1)",
    }
    assert code == 0
    for words in [
        "4 marks are in the column week (4567); 1 cells held another one",
        "The column has 8 points and the lesson 4: the marks are scaled",
        "it waits for marks by hand: kim2",
        "nothing was handed in: zoe",
        "Points Possible, Stranger, A 599, Student, Test 600",
    ]:
        assert words in said


MOODLE = """\
\ufeffID;"Vollständiger Name";E-Mail-Adresse;Status;Bewertung;Bestwertung;"Feedback als Kommentar"
"Participant 4711";"Ada Lovelace";ada@example.org;"Zur Bewertung";;"4,00";
"Participant 4712";"Gus van Sant";gus@example.org;"Zur Bewertung";1,5;"4,00";"two
lines"
"Participant 4713";"Jürgen Groß";j.gross@example.org;"2 Tage verspätet";-;"4,00";
"Participant 4714";"Kim Lee";kim1@example.org;"Zur Bewertung";;"4,00";
"Participant 4716";"Zoë Łukasz-Brontë";zoe@example.org;"Keine Abgabe";;"4,00";
"""


def test_moodles_worksheet_in_another_language(enter):
    after, said, code = enter(MOODLE, delimiter=";")
    changed = differences(rows_of(MOODLE, ";"), after)
    assert changed == {(1, 4): "3", (3, 4): "1,5", (4, 4): "3"}  # gus has his 1,5 already
    assert after[2][6] == "two\nlines" and after[0][0] == "\ufeffID"
    assert "0 cells held another one" in said and "scaled" not in said
    assert code == 0  # kim2 has no line, and no mark yet either


def test_moodles_points_are_known_in_any_language(enter):
    export = MOODLE.replace("4,00", "100,00")
    after, said, _code = enter(export, delimiter=";")
    assert [row[4] for row in after[1:4]] == ["75", "37,5", "37,5"]
    assert "The column has 100 points and the lesson 4: the marks are scaled" in said


@pytest.mark.parametrize(
    "text, mark",
    [
        ('"A b";"id";"Week";"N"\r\n"x y";"ada";"";""\r\n', '"x y";"ada";"3";""\r\n'),  # all
        ('"A b";id;Week;N\n"x y";ada;;"c;d"\n', '"x y";ada;3;"c;d"\n'),  # with blanks: Moodle
        ('A b,id,Week,N\nx y,ada,,"c, d"\n', 'x y,ada,3,"c, d"\n'),  # where there is need
    ],
)
def test_a_file_has_the_quotation_marks_it_had(marked, monkeypatch, tmp_path, text, mark):
    monkeypatch.chdir(marked.root)
    (tmp_path / "export.csv").write_bytes(text.encode())
    main(["marks", ASSIGNMENT, "--into", str(tmp_path / "export.csv")])
    first = text.splitlines(keepends=True)[0]
    assert (tmp_path / "export-marks.csv").read_bytes().decode() == first + mark


BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,First Name,Week Points Grade <Numeric MaxPoints:4>,"
    "End-of-Line Indicator\r\n"
    "#501,#al12,Lovelace,Ada,,#\r\n#502,#gv1,van Sant,Gus,,#\r\n#503,#jg7,Groß,Jürgen,,#\r\n"
    "#503,#jg7,Groß,Jürgen,,#\r\n#505,#kl2,Lee,Kim,,#\r\n"
)


def test_brightspace_and_what_cannot_be_entered(enter):
    after, said, code = enter(BRIGHTSPACE)
    assert differences(rows_of(BRIGHTSPACE), after) == {(1, 4): "3", (2, 4): "1.5"}
    assert code == 1
    assert "NOT ENTERED, because the file has no line of theirs: kim1" in said
    assert "NOT ENTERED, because the file has several lines of theirs: jürgen" in said


BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Lab [Total Pts: 4 Score] |11"\t"Week 1 [Total Pts: 4'
    ' Score] |12"\n"Groß"\t"Jürgen"\t"jg7"\t"2"\t""\n"Lovelace"\t"Ada"\t"al12"\t"2"\t"1.00"\n'
    '"van Sant"\t"Gus"\t"gv1"\t""\t""\n"Lee"\t"Kim"\t"kl1"\t""\t""\n'
)


def test_blackboard_in_utf_16(enter):
    before = rows_of(BLACKBOARD, "\t")
    after, said, code = enter(
        BLACKBOARD, "utf-16", "gc_export.xls", "\t", "--column", "Week 1 [Total Pts: 4 Score] |12"
    )
    assert code == 0 and "1 cells held another" in said
    assert differences(before, after) == {
        (1, 4): "1.5",
        (2, 4): "3",
        (3, 4): "1.5",
        (4, 4): "3",
    }


@pytest.mark.parametrize(
    "text, options, why",
    [
        ("Student,Total\nada,\n", (), "It is not plain which column"),
        ("Student,Week 1,Week 2\nada,,\n", (), "Name it with --column: Week 1 | Week 2"),
        ("Student,Week 1\nnobody,\nno one,\n", (), "The class knows nobody in this file"),
        ("Student,Week\n", (), "is no table"),
    ],
)
def test_what_is_not_plain_is_asked_and_nothing_is_written(enter, text, options, why):
    after, said, code = enter(text, "utf-8", "export.csv", ",", *options)
    assert after is None and code == 2 and why in said


def test_pages_go_back_under_the_labels_that_hand_ins_came_with(marked, monkeypatch, capsys):
    monkeypatch.chdir(marked.root)
    assert main(["feedback-zip", ASSIGNMENT]) == 2
    assert "nbgrader generate_feedback week" in capsys.readouterr().err
    for student in ("ada", "gus", "jürgen", "kim1"):
        page = marked.root / "feedback" / student / ASSIGNMENT / f"{NOTEBOOK}.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"for {student}")
    archive = marked.root / "downloaded" / ASSIGNMENT / "archive"
    archive.mkdir(parents=True)
    inner = pack({"week.ipynb": notebook_of("gus")})
    files = {
        "Ada Lovelace_4711_assignsubmission_file/week.ipynb": notebook_of("ada"),
        "vansantgus_LATE_502_9002_work.zip": inner,
        "12-72 - Jürgen Groß - Oct 24, 2026 1159 PM/old.ipynb": notebook_of("jürgen"),
        "12-73 - Jürgen Groß - Oct 25, 2026 1159 PM/week.ipynb": notebook_of("jürgen"),
        "Zoë Łukasz-Brontë_4716_assignsubmission_file_week.ipynb": notebook_of("zoe"),
    }
    (archive / "all.zip").write_bytes(pack(files))
    assert main(["feedback-zip", ASSIGNMENT]) == 1
    said = capsys.readouterr().out
    assert "did not hand in through a platform: kim1" in said
    assert "handed in and have no page: zoe" in said
    with zipfile.ZipFile(marked.root / "reports" / f"{ASSIGNMENT}-feedback.zip") as made:
        assert {name: made.read(name).decode() for name in made.namelist()} == {
            "Ada Lovelace_4711_assignsubmission_file/week.html": "for ada",
            "vansantgus_LATE_502_9002_week.html": "for gus",
            "12-73 - Jürgen Groß - Oct 25, 2026 1159 PM/week.html": "for jürgen",
            "kim1/week.html": "for kim1",
        }
