"""What learning platforms put into a zip, as they name it, comes to the right students."""

import io
import zipfile

import pytest
from from_platforms import downloaded, notebook_of, zip_collect

from autograder.nbgrader_steps.labels import label
from autograder.nbgrader_steps.roster import Roster, Unknown, key

# Two of one name, letters that are typed in two ways, a name like a formula.
STUDENTS = """\
id,first_name,last_name,email,login,number,section
ada,Ada,Lovelace,ada@example.org,al12,501,A
gus,Gus,van Sant,gus@example.org,gv1,502,A
jürgen,Jürgen,Groß,j.gross@example.org,jg7,503,B
kim1,Kim,Lee,kim1@example.org,kl1,504,A
kim2,Kim,Lee,kim2@example.org,kl2,505,A
zoe,Zoë,Łukasz-Brontë,zoe@example.org,z_b,506,B
"""


def pack(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def unmarked(data, *names):
    """The archive as programs make it that write names as UTF-8 and do not say so."""
    for name in names:
        raw = name.encode()
        at = -1
        while (at := data.find(raw, at + 1)) >= 0:
            start = at - (30 if data[at - 30 : at - 26] == b"PK\x03\x04" else 46)
            flags = start + (6 if at - start == 30 else 8)
            data = data[:flags] + bytes([data[flags], data[flags + 1] & ~8]) + data[flags + 2 :]
    return data


@pytest.fixture
def archive(course):
    (course.root / "students.csv").write_text(STUDENTS, encoding="utf-8")
    return downloaded(course)


def handed_in_at(course, student):
    path = course.submitted(student) / "timestamp.txt"
    return path.read_text() if path.exists() else None


def test_moodle(course, archive, monkeypatch, caplog):
    of = "assignsubmission_file"
    files = {
        f"Ada Lovelace_4711_{of}/week.ipynb": "ada",
        f"Ada Lovelace_4711_{of}/scratch.ipynb": "ada's scratch paper",
        f"Ada Lovelace_4711_{of}/notes.pdf": "no notebook",
        "Ada Lovelace_4711_assignsubmission_onlinetext/onlinetext.html": "<p>Hello</p>",
        f"Group B-Gus van Sant_4712_{of}_/work/week (2).ipynb": "gus",  # groups; Moodle before 4.1
        f"Jürgen Groß_4713_{of}_week.ipynb": "jürgen",  # not in folders
        f"Kim Lee_4714_{of}/week.ipynb": "one of two",
        f"Nobody Known_4715_{of}/week.ipynb": "nobody",
    }
    content = {name: notebook_of(who) for name, who in files.items()}
    inner = pack({"mine/week.ipynb": notebook_of("zoe"), "gus+week.ipynb": notebook_of("zoe too")})
    content[f"Zoë Łukasz-Brontë_4716_{of}/all of it.zip"] = inner
    (archive / "COURSE-week-99.zip").write_bytes(pack(content))
    found, said = zip_collect(course, monkeypatch, caplog)
    assert found == {"ada": "ada", "gus": "gus", "jürgen": "jürgen", "zoe": "zoe"}
    for words in [
        f"scratch.ipynb is left out: COURSE-week-99.zip/Ada Lovelace_4711_{of}/week.ipynb is taken",
        "notes.pdf is left out: it is no notebook",
        "1 files that the platform adds are left out",
        "several in the roster are called Kim Lee: kim1, kim2",
        "nobody in the roster is called Nobody Known",
        "its name says gus, the platform says zoe",
    ]:
        assert words in said


def test_moodles_worksheet_tells_apart_two_of_one_name(course, archive, monkeypatch, caplog):
    files = {
        "Kim Lee_4714_assignsubmission_file/week.ipynb": notebook_of("kim1"),
        "Group B-Kim Lee_4715_assignsubmission_file/week.ipynb": notebook_of("kim2"),
        "Kim Lee_4716_assignsubmission_file/week.ipynb": notebook_of("another Kim Lee"),
    }
    (archive / "week.zip").write_bytes(pack(files))
    worksheet = (
        '\ufeffID;"Vollständiger Name";E-Mail-Adresse;Bewertung\n"Teilnehmer/in 4715";"Kim Lee";'
        'kim2@example.org;\n"Teilnehmer/in 4714";"Kim Lee";kim1@example.org;"1,5"\n'
    )
    # What a student has handed in beside the notebook says nothing of others.
    forged = archive / "Kim Lee_4714_assignsubmission_file" / "forged.csv"
    forged.parent.mkdir()
    forged.write_text(worksheet.replace("4715", "4716"))
    (archive / "Bewertungen.csv").write_text(worksheet)
    found, said = zip_collect(course, monkeypatch, caplog)
    assert found == {"kim1": "kim1", "kim2": "kim2"}
    assert "several in the roster are called Kim Lee" in said  # of the number that nobody has
    assert "Bewertungen.csv tells whose Moodle's numbers are" in said
    assert "forged.csv is left out: it is no notebook" in said


def test_canvas(course, archive, monkeypatch, caplog):
    files = {
        "lovelaceada_501_9001_week.ipynb": "before",
        "lovelaceada_501_9007_week-1.ipynb": "ada",
        "vansantgus_LATE_502_9002_week.ipynb": "gus",
        "großjürgen_503_9003_week.ipynb": "jürgen",
        "leekim_504_9004_week.ipynb": "kim1",  # the number tells which
        "leekim_505_9005_week.ipynb": "kim2",
        "lovelaceada_506_9008_week.ipynb": "ada's name, zoe's number",
        "studenttest_599_9006_week.ipynb": "the test student",
        "łukaszbrontëzoë_506_text.html": "<p>typed</p>",
    }
    data = pack({name: notebook_of(who) for name, who in files.items()})
    odd = ("großjürgen_503_9003_week.ipynb", "łukaszbrontëzoë_506_text.html")
    (archive / "submissions.zip").write_bytes(unmarked(data, *odd))
    found, said = zip_collect(course, monkeypatch, caplog)
    expected = {"ada": "ada", "gus": "gus", "jürgen": "jürgen", "kim1": "kim1", "kim2": "kim2"}
    assert found == expected
    assert "The platform says that these are late: gus" in said
    assert "its number is that of zoe, and its name that of ada" in said
    assert "nobody in the roster is called studenttest" in said
    assert "1 files that the platform adds are left out, such as submissions.zip/łukasz" in said
    assert handed_in_at(course, "ada") is None  # Canvas tells no time


def test_brightspace(course, archive, monkeypatch, caplog):
    files = {
        "11-70 - Ada Lovelace - Oct 25, 2026 1159 PM/week.ipynb": "ada",
        "11-71 - Ada Lovelace - Oct 24, 2026 900 AM/week.ipynb": "earlier",
        "12-72 - Jürgen Groß - Oct 24, 2026 1159 PM - week.ipynb": "jürgen",
        "13-73 - Gus van Sant - 24 October, 2026 1201 AM/week.zip": pack({"week.ipynb": b"{}"}),
        "14-74 - Zoë Łukasz-Brontë - Oct 24, 2026 105 PM/week.ipynb": "zoe",
        "index.html": "<html>",
    }
    content = {
        name: who if isinstance(who, bytes) else notebook_of(who) for name, who in files.items()
    }
    gus = "13-73 - Gus van Sant - 24 October, 2026 1201 AM/week.zip"
    content[gus] = pack({"week.ipynb": notebook_of("gus")})
    (archive / "week Download Oct 26, 2026 100 PM.zip").write_bytes(pack(content))
    zone = "c.CourseTime.zone = 'Europe/Berlin'\n"
    found, said = zip_collect(course, monkeypatch, caplog, zone)
    assert found == {"ada": "ada", "jürgen": "jürgen", "gus": "gus", "zoe": "zoe"}
    assert "900 AM/week.ipynb is left out" in said
    # The clocks in Berlin were put back on the 25th, at three in the morning.
    assert handed_in_at(course, "ada") == "2026-10-25 22:59:00"
    assert handed_in_at(course, "jürgen") == "2026-10-24 21:59:00"
    assert handed_in_at(course, "gus") == "2026-10-23 22:01:00"
    assert handed_in_at(course, "zoe") == "2026-10-24 11:05:00"  # 1:05, not 10:5

    # What comes with an earlier time does not take the place of what is there.
    (archive / "week Download Oct 26, 2026 100 PM.zip").unlink()
    (archive / "late.zip").write_bytes(
        pack({"11-71 - Ada Lovelace - Oct 24, 2026 900 AM/week.ipynb": notebook_of("earlier")})
    )
    found, said = zip_collect(course, monkeypatch, caplog, zone)
    assert found["ada"] == "ada" and "there is a later hand-in" in said


def test_blackboard(course, archive, monkeypatch, caplog):
    files = {
        "Lab_1 week_al12_attempt_2026-10-24-10-00-00_week.ipynb": "first attempt",
        "Lab_1 week_al12_attempt_2026-10-24-11-30-05_week.ipynb": "ada",
        "Lab_1 week_al12_attempt_2026-10-24-11-30-05.txt": "There are no comments.",
        "Lab_1 week_z_b_attempt_2026-10-24-12-00-00_my_week.ipynb": "zoe",
        "Lab_1 week_who9_attempt_2026-10-24-12-00-00_week.ipynb": "unknown",
    }
    content = {name: notebook_of(who) for name, who in files.items()}
    (archive / "gradebook_week.zip").write_bytes(pack(content))
    found, said = zip_collect(
        course, monkeypatch, caplog, "c.CourseTime.zone = 'America/New_York'\n"
    )
    assert found == {"ada": "ada", "zoe": "zoe"}
    assert handed_in_at(course, "ada") == "2026-10-24 15:30:05"
    assert "nobody in the roster is called who9" in said
    assert "1 files that the platform adds" in said


def test_without_a_roster_everybody_has_the_name_that_the_platform_gives(
    course, archive, monkeypatch, caplog
):
    (course.root / "students.csv").unlink()
    files = [
        "Ada Lovelace_1_assignsubmission_file/week.ipynb",
        "x_bo_attempt_2026-10-24-10-00-00_week.ipynb",
    ]
    (archive / "a.zip").write_bytes(pack({name: notebook_of(name) for name in files}))
    (archive / "cleo+week.ipynb").write_bytes(notebook_of("cleo"))
    found, _said = zip_collect(course, monkeypatch, caplog)
    assert set(found) == {"Ada_Lovelace", "bo", "cleo"}


def test_a_file_that_came_by_mail_is_of_somebody_in_the_roster(
    course, archive, monkeypatch, caplog
):
    for name in ("ada+week.ipynb", "adda+week.ipynb", "GV1+week.ipynb"):
        (archive / name).write_bytes(notebook_of(name))
    found, said = zip_collect(course, monkeypatch, caplog)
    assert found == {"ada": "ada+week.ipynb", "gus": "GV1+week.ipynb"}
    assert "nobody in the roster is called adda" in said


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("Ada Lovelace_77_assignsubmission_file_week.ipynb", "Moodle"),
        ("lovelaceada_LATE_12345_678_week.ipynb", "Canvas"),
        ("39786-640693 - Ada Lovelace - Oct 10, 2025 1022 AM - week.ipynb", "Brightspace"),
        ("Week 1_ada_attempt_2025-10-10-10-22-05_week.ipynb", "Blackboard"),
    ],
)
def test_behind_a_label_stands_the_files_own_name(name, platform):
    assert (label(name).platform, label(name).rest) == (platform, "week.ipynb")


def test_an_ordinary_name_bears_no_label():
    ordinary = ["week.ipynb", "01_self_attention.ipynb", "12_text", "my notes_2", "x_attempt_2026"]
    assert [name for name in [*ordinary, "a - b - c", "1-2 - a"] if label(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "_" * 60_000 + "_attempt_2025-10-10-10-22-05_x.ipynb",
        "-" * 60_000 + "_1_assignsubmission_file_x.ipynb",
        "1-1 - a - " + "2025 " * 12_000 + "\0 - ",
    ],
    ids=lambda name: name[-30:].strip("\0 "),
)
def test_a_name_that_no_file_can_have_bears_no_label(name):
    """A student's archive may hold it: each part of it as a name would fill the memory."""
    assert label(name) is None


def test_names_are_found_however_they_are_typed_and_never_guessed():
    rows = [
        {"id": "m1", "first_name": "Eva", "last_name": "Müller"},
        {"id": "m2", "first_name": "Eva", "last_name": "Muller"},
        {"id": "o", "first_name": "Søren", "last_name": "Ødegård", "number": "007"},
        {"id": "", "first_name": "No", "last_name": "Body"},
    ]
    roster = Roster(rows)
    assert roster.ids == ["m1", "m2", "o"]
    assert roster.whose(["Eva Mu\u0308ller"]) == roster.whose(["müllereva"]) == "m1"
    assert roster.whose(["MULLER, Eva"]) == "m2"
    assert roster.whose(["Mueller Eva"]) == "m1"  # nobody else is written so
    assert roster.whose(["Soren Odegard"]) == roster.whose(["whoever"], "#007") == "o"
    for names in (["Eva"], ["Müller"], ["No Body"], [""], ["?"]):
        with pytest.raises(Unknown):
            roster.whose(names)
    assert key("Łukasz-Brontë, ZOË") == "łukaszbrontëzoë"
