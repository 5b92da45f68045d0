"""`nbgrader collect` takes in what strangers wrote into the exchange."""

import datetime
import io
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from from_platforms import downloaded, notebook_of, zip_collect
from nbgrader.api import Gradebook
from nbgrader.apps import ZipCollectApp
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.utils import notebook_hash
from small_course import ASSIGNMENT, FULL, NOTEBOOK

from autograder.nbgrader_steps import refused_files
from autograder.nbgrader_steps import zip_collect as collecting
from autograder.nbgrader_steps.exchange import exchange_problem
from autograder.nbgrader_steps.settings import configure_grading

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nbgrader has no exchange there")


@pytest.fixture
def inbound(course):
    folder = course.root / "exchange" / "small" / "inbound"
    folder.mkdir(parents=True)
    return folder


def submit(course, inbound, student, when="2026-01-01 10:00:00 UTC+abc", name=ASSIGNMENT):
    """Put what a student handed in where `nbgrader submit` would put it."""
    folder = inbound / f"{student}+{name}+{when}"
    made = course.hand_in("at home")  # what was collected of this student stays
    made.rename(folder)
    made.parent.rmdir()
    (folder / "timestamp.txt").write_text(when.split("+")[0])
    return folder


def settings(course):
    config = course.config
    configure_grading(config)
    config.Exchange.root = str(course.root / "exchange")
    config.ExchangeCollect.check_owner = False
    return config


def collect(course, **options):
    config = settings(course)
    config.Collect.update(options)
    ExchangeFactory(config=config).Collect(coursedir=course.course, config=config).start()
    return {path.parent.name for path in (course.root / "submitted").glob(f"*/{ASSIGNMENT}")}


def test_a_link_is_not_followed_and_its_owner_reads_why(course, inbound, tmp_path):
    (tmp_path / "secret").write_text("the instructor's")
    submit(course, inbound, "ada")
    (submit(course, inbound, "file") / "data.txt").symlink_to(tmp_path / "secret")
    (submit(course, inbound, "folder") / "data").symlink_to(tmp_path)
    notebook = submit(course, inbound, "notebook") / f"{NOTEBOOK}.ipynb"
    notebook.unlink()
    notebook.symlink_to(course.root / "source" / ASSIGNMENT / notebook.name)
    os.mkfifo(submit(course, inbound, "pipe") / "pipe")
    assert collect(course) == {"ada", "file", "folder", "notebook", "pipe"}
    for student in ("file", "folder", "notebook", "pipe"):
        files = {path.name: path for path in course.submitted(student).iterdir()}
        assert set(files) == {f"{NOTEBOOK}.ipynb", "timestamp.txt", "refused.txt"}
        assert files["timestamp.txt"].read_text() == "2026-01-01 10:00:00 UTC\n"
        assert "link or no ordinary file" in files[f"{NOTEBOOK}.ipynb"].read_text()
    assert (inbound / "file+week+2026-01-01 10:00:00 UTC+abc" / "data.txt").is_symlink()


@pytest.mark.usefixtures("confined")
def test_what_was_refused_is_graded_as_blank_and_the_rest_as_always(course, inbound):
    submit(course, inbound, "ada")
    (submit(course, inbound, "eve") / "data").symlink_to("/etc")
    collect(course)
    course.autograde()
    assert course.scores("ada") == FULL
    assert course.total("eve") == 0
    assert "link or no ordinary file" in course.graded("eve").cells[0].source


def test_names_that_nbgrader_did_not_give_stop_nobody(course, inbound, tmp_path, caplog):
    submit(course, inbound, "ada")
    submit(course, inbound, "bob", when="garbage")
    submit(course, inbound, "bob", when="9" * 40)
    submit(course, inbound, "cleo", when="a+b+c")
    folder = submit(course, inbound, "dan")
    folder.rename(inbound / f"..+{ASSIGNMENT}+2026-01-01 10:00:00 UTC")
    (inbound / f"eve+{ASSIGNMENT}+2026-01-01 10:00:00 UTC").symlink_to(tmp_path / "nowhere")
    (inbound / f"fred+{ASSIGNMENT}+2026-01-01 10:00:00 UTC").write_text("no folder")
    (course.root / "submitted").mkdir(exist_ok=True)
    odd = ["<img src=x onerror=alert(1)>", "e\x1b[2Jve", "a b", "-rf", ".hidden", "a|b"]
    for name in odd:
        submit(course, inbound, "odd").rename(inbound / f"{name}+{ASSIGNMENT}+2026 UTC")
    submit(course, inbound, "bad").rename(inbound / os.fsdecode(b"caf\xe9+week+2026-01-01 UTC"))
    before = set(course.root.iterdir())
    assert {"ada", "bob"} <= collect(course) <= {"ada", "bob", "cleo"}
    said = "".join(caplog.messages)
    assert "<img src=x onerror=alert(1)>+week+2026 UTC is left out" in said
    assert "e?[2Jve+week" in said and "\x1b" not in said
    assert set(course.root.iterdir()) == before
    assert (course.submitted("bob") / "timestamp.txt").read_text() == "1970-01-01 00:00:00 UTC\n"


def test_a_later_hand_in_takes_the_place_of_the_first_when_that_is_asked_for(
    course, inbound, caplog
):
    def taken():
        return {path.name for path in course.submitted("ada").glob("*.txt")} - {"timestamp.txt"}

    (submit(course, inbound, "ada") / "first.txt").touch()
    collect(course)
    second = submit(course, inbound, "ada", when="2026-01-02 10:00:00 UTC+abc")
    (second / "second.txt").touch()
    collect(course)
    assert taken() == {"first.txt"}
    assert "ada has handed in again: take it with --update." in caplog.messages
    collect(course, update=True)
    assert taken() == {"second.txt"}


def test_a_false_timestamp_does_not_stop_the_next_collection(course, inbound):
    folder = submit(course, inbound, "ada")
    (folder / "timestamp.txt").write_text("noon")
    collect(course)
    assert (course.submitted("ada") / "timestamp.txt").read_text() == "2026-01-01 10:00:00 UTC\n"
    submit(course, inbound, "ada", when="2026-01-02 10:00:00 UTC")
    collect(course, update=True)
    assert (course.submitted("ada") / "timestamp.txt").read_text() == "2026-01-02 10:00:00 UTC"


def test_before_the_due_date_means_the_date_that_each_student_has(course, inbound):
    with Gradebook(course.config.CourseDirectory.db_url) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-01 12:00:00 UTC")
        for student in ("ada", "bob", "cleo"):
            gradebook.add_student(student)
        day = datetime.timedelta(days=1)
        gradebook.update_or_create_submission(ASSIGNMENT, "bob", extension=day)
    in_time, late = "2026-01-01 10:00:00 UTC", "2026-01-01 20:00:00 UTC"
    for student in ("ada", "bob"):
        submit(course, inbound, student, when=in_time)
        submit(course, inbound, student, when=late)
    submit(course, inbound, "cleo", when=late)
    collect(course, before_duedate=True)
    taken = {
        student: (course.submitted(student) / "timestamp.txt").read_text()
        for student in ("ada", "bob", "cleo")
    }
    assert taken == {"ada": in_time, "bob": late, "cleo": late}  # cleo's only one, though late


def test_the_formgraders_button_collects_in_the_same_way(course, inbound):
    (submit(course, inbound, "eve") / "data").symlink_to("/etc")
    result = NbGraderAPI(course.course, config=settings(course)).collect(ASSIGNMENT)
    assert result["success"]
    assert not (course.submitted("eve") / "data").exists()


def test_one_name_in_two_spellings_is_one_student(course, inbound):
    submit(course, inbound, "jose\N{COMBINING ACUTE ACCENT}")
    submit(course, inbound, "jos\N{LATIN SMALL LETTER E WITH ACUTE}", "2026-01-02 10:00:00 UTC")
    assert collect(course) == {"jos\N{LATIN SMALL LETTER E WITH ACUTE}"}


def test_a_folder_that_cannot_be_read_or_is_gone_again_stops_nobody(course, inbound, monkeypatch):
    for student in ("ada", "closed", "deep", "gone", "zoe"):
        submit(course, inbound, student)
    deep = inbound / f"deep+{ASSIGNMENT}+2026-01-01 10:00:00 UTC+abc"
    at = os.getcwd()
    os.chdir(deep)
    for _ in range(30):  # a path of 6,000 characters
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    os.chdir(at)
    copy_folder = refused_files.copy_folder

    def copy(source, target, *limits):
        if Path(source).name.startswith("closed"):  # as mode 744 is, for whoever is not root
            raise PermissionError(13, "Permission denied", str(source))
        if Path(source).name.startswith("gone"):
            shutil.rmtree(source)
        return copy_folder(source, target, *limits)

    monkeypatch.setattr(refused_files, "copy_folder", copy)
    assert {"ada", "zoe", "closed", "deep"} <= collect(course)
    assert "cannot be copied" in (course.submitted("closed") / f"{NOTEBOOK}.ipynb").read_text()
    assert (course.submitted("ada") / f"{NOTEBOOK}.ipynb").read_text().count("softmax") > 1


def test_what_is_no_folder_hides_no_hand_in(course, inbound):
    submit(course, inbound, "ada")
    (inbound / f"ada+{ASSIGNMENT}+2027-01-01 10:00:00 UTC+abc").write_text("later, and no folder")
    assert collect(course) == {"ada"}


def feedback(course, student, secret=None):
    """The page that grading made, with what nbgrader copied along."""
    folder = course.root / "feedback" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / f"{NOTEBOOK}.html").write_text(f"for {student}")
    if secret:
        (folder / "submission_secret.txt").write_text(secret)
    return folder


def fetched(course, secret, name=NOTEBOOK):
    """What `nbgrader fetch_feedback` would find, with the secret that it has kept."""
    code = notebook_hash(secret=secret, notebook_id=name)
    path = course.root / "exchange" / "small" / "feedback" / f"{code}.html"
    return path.read_text() if path.exists() else None


def test_feedback_reaches_everybody_whatever_one_of_them_handed_in(course, inbound, caplog):
    for student in ("ada", "bob", "eve", "text"):
        secret = submit(course, inbound, student) / "submission_secret.txt"
        secret.write_text(f"secret of {student}")
        if student == "bob":  # browsers number second downloads
            (secret.parent / f"{NOTEBOOK}.ipynb").rename(secret.parent / f"{NOTEBOOK} (1).ipynb")
        if student == "eve":
            (secret.parent / "data").symlink_to("/etc")
        if student == "text":  # nbgrader looks for feedback to .ipynb only
            (secret.parent / f"{NOTEBOOK}.ipynb").rename(secret.parent / f"{NOTEBOOK}.ipynb.txt")
    collect(course)
    feedback(course, "ada", "secret of ada")
    feedback(course, "text", "secret of text")
    feedback(course, "bob", "secret of bob")
    feedback(course, "eve")  # refused: grading has thrown away what was handed in
    feedback(course, "file")  # came by mail
    (feedback(course, "binary") / "submission_secret.txt").write_bytes(b"\xff\xfe\x00")
    (feedback(course, "folder") / "submission_secret.txt").mkdir()
    (feedback(course, "long", "x" * 2000)).chmod(0o755)
    (course.root / "feedback" / "<b>").mkdir()
    config = settings(course)
    factory = ExchangeFactory(config=config)
    factory.ReleaseFeedback(coursedir=course.course, config=config).start()
    assert fetched(course, "secret of ada") == "for ada"
    assert fetched(course, "secret of eve") == "for eve"
    assert fetched(course, "secret of bob", f"{NOTEBOOK} (1)") == "for bob"
    assert len(list((course.root / "exchange" / "small" / "feedback").iterdir())) == 4
    assert "binary, file, folder, long, text" in "".join(caplog.messages)
    assert NbGraderAPI(course.course, config=config).release_feedback(ASSIGNMENT)["success"]


def test_no_student_can_rename_what_the_instructor_put_into_the_exchange(course):
    root = course.root / "exchange"
    root.mkdir()
    root.chmod(0o777)
    assert "chmod 1777" in exchange_problem(root)
    config = settings(course)
    ExchangeFactory(config=config).ReleaseAssignment(coursedir=course.course, config=config).start()
    assert root.stat().st_mode & 0o7777 == 0o1777 and exchange_problem(root) is None


def test_who_instructs_is_told_of_an_exchange_that_a_student_can_take_over(
    course, monkeypatch, caplog
):
    root = course.root / "exchange"
    config = settings(course)
    factory = ExchangeFactory(config=config)
    factory.ReleaseAssignment(coursedir=course.course, config=config).start()
    steps = (factory.Collect, factory.ReleaseFeedback)
    (course.root / "feedback").mkdir()
    root.chmod(0o777)
    for step in steps:
        step(coursedir=course.course, config=config).start()
    assert caplog.text.count("chmod 1777") == 2
    root.chmod(0o1777)
    course_folder = (root / "small").stat()
    there = Path.lstat

    def of_somebody(path):
        status = there(path)
        somebody = os.stat_result((*status[:4], 54321, *status[5:]))
        return somebody if os.path.samestat(status, course_folder) else status

    monkeypatch.setattr(Path, "lstat", of_somebody)
    for step in (factory.ReleaseAssignment, *steps):
        config.ExchangeReleaseAssignment.force = True
        step(coursedir=course.course, config=config).start()
    assert caplog.text.count("Remove it, unless") == 3


@pytest.fixture
def archive(course):
    return downloaded(course)


@pytest.mark.parametrize("seconds", [2**60, -(2**60)])
def test_an_impossible_date_of_one_file_leaves_out_no_other_of_its_archive(
    course, archive, monkeypatch, caplog, seconds
):
    with tarfile.open(archive / "all.tar.gz", "w:gz") as all_:
        for name, when in (("ada", 1e9), ("bob", seconds), ("cleo", 1e9)):
            member = tarfile.TarInfo(f"{name}+week.ipynb")
            member.size, member.mtime = len(notebook_of(name)), when
            all_.addfile(member, io.BytesIO(notebook_of(name)))
    found, _said = zip_collect(course, monkeypatch, caplog)
    assert found == {name: name for name in ("ada", "bob", "cleo")}


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "cp437"])
def test_names_in_an_archive_are_read_as_its_program_wrote_them(
    course, archive, monkeypatch, caplog, encoding
):
    """Windows writes them in the country's own encoding, and no program says which that is."""
    name = "Ren\xe9e" if encoding == "cp437" else "\u674e\u96f7"
    written = name.encode(encoding)
    there = b"Q" * len(written)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        zipped.writestr(f"{there.decode()}+week.ipynb", notebook_of("here"))
    (archive / "all.zip").write_bytes(made.getvalue().replace(there, written))
    found, _said = zip_collect(course, monkeypatch, caplog)
    assert found == {name: "here"}


def test_files_come_in_from_mail_and_platforms_and_nobody_stops_the_others(
    course, archive, monkeypatch, caplog
):
    for name in [
        *("ada+week.ipynb", "ada+week (1).ipynb", "bob+week.IPYNB", "cleo+week.ipynb.txt"),
        *("._dan+week.ipynb", "photo.png", "week.ipynb", "a b+week.ipynb", "=1+week.ipynb"),
        *("dora+.ipynb", "..+week.ipynb", "e\x1b[2J+week.ipynb", "jose\u0301+week.ipynb"),
        "lovelaceeve_12345_678_week.ipynb",  # Canvas
        "curiefay_LATE_12346_679_fay+week-1.ipynb",
        "Gus van Sant_77_assignsubmission_file_week.ipynb",  # Moodle
        "one_1_2_twin+week.ipynb",  # two people, one name
        "two_3_4_twin+week.ipynb",
    ]:
        (archive / name).write_bytes(notebook_of(name))
    (archive / "Hal Abelson_78_assignsubmission_file_").mkdir()
    (archive / "Hal Abelson_78_assignsubmission_file_" / "week.ipynb").write_bytes(
        notebook_of("Hal")
    )
    for n, name in enumerate(("ada+week.ipynb", "ada+week (1).ipynb")):
        os.utime(archive / name, (1e9 + n, 1e9 + n))
    with zipfile.ZipFile(archive / "all.zip", "w") as all_:
        for name in ["x/ian+week.ipynb", "x/.ipynb_checkpoints/ian+week-checkpoint.ipynb"]:
            all_.writestr(name, notebook_of(name))
        all_.writestr("__MACOSX/x/._ian+week.ipynb", b"junk")
        all_.writestr("../../../../evil+week.ipynb", notebook_of("evil"))
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as zipped:
            zipped.writestr("kim+week.ipynb", notebook_of("kim"))
        all_.writestr("inner.zip", inner.getvalue())
        all_.writestr("../__MACOSX/._inner.zip", b"junk")
        all_.writestr("torn.zip", inner.getvalue()[:-30])
        all_.writestr("holiday.zip", b"0" * (refused_files.MAX_NOTEBOOK + 1))
        all_.writestr("big+week.ipynb", b" " * (refused_files.MAX_NOTEBOOK + 1))
    (archive / "broken.zip").write_bytes(b"PK\x03\x04 no archive")
    with zipfile.ZipFile(archive / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        for n in range(3):
            bomb.writestr(f"bomb{n}+week.ipynb", b" " * (100 << 20))
    expected = {
        **{"ada": "ada+week (1).ipynb", "bob": "bob+week.IPYNB", "cleo": "cleo+week.ipynb.txt"},
        "jos\xe9": "jose\u0301+week.ipynb",
        "lovelaceeve": "lovelaceeve_12345_678_week.ipynb",
        "fay": "curiefay_LATE_12346_679_fay+week-1.ipynb",
        "Gus_van_Sant": "Gus van Sant_77_assignsubmission_file_week.ipynb",
        **{"Hal_Abelson": "Hal", "ian": "x/ian+week.ipynb", "evil": "evil", "kim": "kim"},
    }
    found, said = zip_collect(course, monkeypatch, caplog)
    assert found == expected
    for words in [
        "ada+week.ipynb is left out: ada+week (1).ipynb is taken",
        "photo.png is left out: it is no notebook",
        "week.ipynb is left out: its name does not say whose it is",
        "dora+.ipynb is left out: its name does not say whose it is",
        "twin is left out: these files come from different people",
        f"big+week.ipynb is left out: it is larger than {refused_files.MAX_NOTEBOOK >> 20} MB",
        "bomb.zip is left out: it would unpack to far more",
        "broken.zip is left out",
        "all.zip/torn.zip is left out",
        "all.zip/holiday.zip is left out: it is larger than",
    ]:
        assert words in said
    assert "\x1b" not in said and "._inner" not in said
    assert not (course.root.parent / "evil+week.ipynb").exists()

    # Again, with one more: nothing has to be forced, and nobody is lost.
    (archive / "lea+week.ipynb").write_bytes(notebook_of("lea"))
    (course.submitted("ada") / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")  # exchange
    found, said = zip_collect(course, monkeypatch, caplog)
    assert found == {**expected, "lea": "lea"}
    assert "there is a later hand-in" in said


def packed(files, links=(), mode="w:gz"):
    """A tar archive, in bytes."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1e9
            archive.addfile(member, io.BytesIO(content))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return made.getvalue()


def test_tar_archives_are_taken_as_zip_files_are(course, archive, monkeypatch, caplog):
    deep = {"lea+week.ipynb": notebook_of("lea")}
    for n in range(4):
        deep = {f"deep{n}.tar": packed(deep, mode="w")}
    (archive / "all.tar.gz").write_bytes(
        packed(
            {
                "x/ada+week.ipynb": notebook_of("ada"),
                "../../bob+week.ipynb": notebook_of("bob"),
                "big+week.ipynb": b" " * (refused_files.MAX_NOTEBOOK + 1),
                "dan.tgz": packed({"dan+week.ipynb": notebook_of("dan")}),
                "torn.tgz": packed({"eve+week.ipynb": notebook_of("eve")})[:40],
                **deep,
                "fay+week.ipynb": notebook_of("fay"),
            },
            links=[("gus+week.ipynb", "/etc/passwd"), ("hal+week.ipynb", "x/ada+week.ipynb")],
        )
    )
    (archive / "bomb.tar.gz").write_bytes(
        packed({f"bomb{n}+week.ipynb": b" " * (60 << 20) for n in range(2)})
    )
    monkeypatch.setattr(collecting, "ROOM", 100 << 20)
    found, said = zip_collect(course, monkeypatch, caplog)
    assert found == {name: name for name in ("ada", "bob", "dan", "fay")}
    for words in [
        f"big+week.ipynb is left out: it is larger than {refused_files.MAX_NOTEBOOK >> 20} MB",
        "all.tar.gz/torn.tgz is left out",
        "/deep2.tar/deep1.tar is left out: it is an archive too deep in others",
        "bomb.tar.gz is left out: it would unpack to far more",
    ]:
        assert words in said, said
    assert not (course.root.parent / "bob+week.ipynb").exists()


@pytest.mark.parametrize("step", ["Collect", "ReleaseFeedback"])
def test_a_lesson_that_there_is_not_is_no_success(course, inbound, caplog, step):
    config = settings(course)
    config.CourseDirectory.assignment_id = "weak"
    its = getattr(ExchangeFactory(config=config), step)
    with pytest.raises(ExchangeError):
        its(coursedir=CourseDirectory(config=config), config=config).start()
    assert "There is no lesson weak. The lessons are: week." in caplog.messages


def test_files_that_are_nowhere_are_no_success(course, monkeypatch, caplog):
    archive = course.root / "downloaded" / ASSIGNMENT / "archive"
    with pytest.raises(SystemExit, match=f"There is no folder {archive}: make it, and put"):
        zip_collect(course, monkeypatch, caplog)
    app = ZipCollectApp()
    app.initialize(["weak"])
    with pytest.raises(SystemExit, match=r"There is no lesson weak. The lessons are: week\."):
        app.start()
