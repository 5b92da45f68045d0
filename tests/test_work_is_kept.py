"""What somebody wrote in a notebook is never lost: not by our commands, not by nbgrader's."""

import re
import shlex
import shutil

import nbformat
import pytest
from classroom import ROOT, Clone, Terminal, filled_in, read_release, solution_sources
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from small_course import ASSIGNMENT, NOTEBOOK, grade_in_this_process, source_notebook
from traitlets.config import PyFileConfigLoader

from autograder.__main__ import main
from autograder.authoring import build
from autograder.nbgrader_steps.release import is_written_in, write_release
from autograder.nbgrader_steps.stamp import fits_stamp

LESSON = "01_self_attention"
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NOTE = "# my own words"

# Commands of other programs in the docs, each looked at: none of them writes into notebooks/ what
# is not there already. `make build` and `make clean` have tests of their own below.
OTHERS = {
    *("make lab", "make class", "make test", "make build", "make fix", "make lock"),
    *("make clean", "make students", "make lite", "make site", "%pip"),
    *("git clone", "git archive", "git push", "mkdir", "export", "chmod", ". .venv/bin/activate"),
    *("conda", "py", ".venv", "pip", "createdb", "dask", "apt"),
    "git pull --rebase --autostash",  # what does not fit comes back marked, and stays in the stash
    # docs/hub.md, on a machine where nobody has worked yet; `git pull` there writes over no change
    *("npm install", "useradd", "passwd", "runuser -u grader -- git", "install -d", "cp -r /srv"),
    *("cd /srv", "/opt/attention/bin/", "systemctl restart"),
    "runuser -u grader -- sed -i 's/^EDITION",  # a line of nbgrader_config.py
    *("python scripts/open_lab.py", "python -m benchmarks", "WEBSITE=", "PYODIDE="),
    *(".venv/bin/python -m pytest", ".venv/bin/ruff", ".venv/bin/python -m tests.attacks"),
}

# Our own that never come near notebooks/, or that take long and have a test of their own.
ELSEWHERE = {"doctor", "build", "translations", "looked-at", "fuzz"}

# nbgrader's commands that can be told to write over what is there.
FORCED = {
    *("generate_assignment", "release_assignment", "zip_collect", "autograde"),
    *("generate_feedback", "quickstart"),
}


def commands():
    """Every command in the docs: the lines of code blocks, and code in sentences that is one."""
    for path in DOCS:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for _language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
            if _language in ("", "sh", "bash"):
                yield from (line.split("  #")[0].strip() for line in block.splitlines())
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for code in re.findall(r"`([^`]+)`", prose):
            if re.match(r"(nbgrader|python -m|\.venv/bin|make|git|pip|conda) \S", code):
                yield " ".join(code.split())


def ours(line):
    """The words of a command of nbgrader's or ours, or None."""
    line = re.sub(r"^(\.venv/bin/)?python -m autograder", "autograder", line)
    line = re.sub(r"^\.venv/bin/nbgrader", "nbgrader", line)
    line = line.replace("ASSIGNMENT", LESSON).replace(" …", f" {LESSON}").replace("02_", "01_")
    return shlex.split(line) if line.split()[:1] in (["nbgrader"], ["autograder"]) else None


@pytest.fixture
def clone(tmp_path):
    with Terminal(tmp_path) as terminal:
        yield make_clone(tmp_path, terminal)


@pytest.fixture
def quiet_clone(tmp_path):
    """A clone in which no command of nbgrader's is run."""
    return make_clone(tmp_path, None)


def make_clone(folder, terminal):
    exchange = folder / "exchange"
    exchange.mkdir()
    clone = Clone(folder / "clone", exchange, terminal)
    shutil.copytree(ROOT / "solutions" / LESSON, clone.folder / "solutions" / LESSON)
    return clone


def work_in(clone):
    """Somebody works in the lesson. Return the notebook's path."""
    notebook = filled_in(LESSON, solution_sources(LESSON))
    notebook.cells[0].source += f"\n\n{NOTE}"
    path = clone.folder / "notebooks" / LESSON / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    (path.parent / "helpers.py").write_text(NOTE)
    return path


def contents(clone):
    return {path: path.read_bytes() for path in clone.folder.rglob("*") if path.is_file()}


def only_a_page_is_new(clone, before, said):
    """Somebody who is alone has graded the solved lesson."""
    page = clone.folder / "autograder" / "mine" / f"{LESSON}.html"
    assert f"{LESSON}: 15 of 15 points" in said and page.as_uri() in said
    after = contents(clone)
    assert "Hidden tests: passed" in after.pop(page).decode()
    assert after == before


def test_the_docs_name_no_command_that_was_not_looked_at():
    lines = {line for line in commands() if line and not ours(line)}
    known = tuple(OTHERS)
    assert {line for line in lines if not line.startswith(known)} == set()


@pytest.mark.usefixtures("confined")
def test_no_command_of_the_docs_loses_what_somebody_wrote(clone, monkeypatch, capfd):
    monkeypatch.chdir(clone.folder)
    monkeypatch.setenv("ILLUSTRATED_ATTENTION_EXCHANGE", str(clone.exchange))
    grade_in_this_process(monkeypatch)
    archive = clone.folder / "autograder" / "downloaded" / LESSON / "archive"
    archive.mkdir(parents=True)
    shutil.copy(work_in(clone), archive / f"ada+{LESSON}.ipynb")
    seen = set()
    for words in filter(None, map(ours, commands())):
        if words[1] in FORCED and "--force" not in words:
            words = [*words, "--force"]  # the worst that it can do
        if tuple(words) in seen or "--db" in " ".join(words) or words[1] in ELSEWHERE:
            continue
        seen.add(tuple(words))
        path = work_in(clone)
        before = contents(clone)
        if words[0] == "nbgrader":
            said = clone.nbgrader(*words[1:], may_fail=True)
        else:
            capfd.readouterr()
            main(words[1:])
            said = "".join(capfd.readouterr())
            if words[1] == "mine":
                only_a_page_is_new(clone, before, said)
        assert (path.parent / "helpers.py").read_text() == NOTE, words
        if path.read_bytes() != before[path]:
            [kept] = set(path.parents[1].glob("kept/*/*")) - set(before)
            assert kept.read_bytes() == before[path] and str(kept) in said, words
    names = {words[1] for words in seen}
    assert {"generate_assignment", "release_assignment", "collect", "zip_collect"} <= names
    assert {"autograde", "grade", "mine", "generate_feedback", "release_feedback"} <= names


def gradebook_of(clone):
    return f"sqlite:///{clone.folder / 'autograder' / 'gradebook.db'}"


def test_a_worked_notebook_stays_and_with_force_it_gets_another_name(clone):
    path = work_in(clone)
    before = path.read_bytes()
    said = clone.nbgrader("generate_assignment", LESSON)
    assert path.read_bytes() == before and "stays as it is" in said
    clone.nbgrader("db", "student", "add", "ada")
    with Gradebook(gradebook_of(clone)) as gradebook:
        assert gradebook.find_assignment(LESSON).max_score == 15

    said = clone.nbgrader("generate_assignment", LESSON, "--force")
    [kept] = clone.folder.glob("notebooks/kept/*/*.ipynb")
    assert kept.read_bytes() == before and str(kept) in said
    assert nbformat.read(path, 4) == read_release(LESSON)
    assert not is_written_in(path)

    # Not even by a step that fails: a cell is taken away from a lesson with hand-ins.
    with Gradebook(gradebook_of(clone)) as gradebook:
        gradebook.add_submission(LESSON, "ada")
    work_in(clone)
    source = clone.folder / "solutions" / LESSON / f"{LESSON}.ipynb"
    notebook = nbformat.read(source, 4)
    notebook.cells = [c for c in notebook.cells if c.get("id") != "softmax_hidden"]
    nbformat.write(notebook, source)
    said = clone.nbgrader("generate_assignment", LESSON, "--force", may_fail=True)
    assert "Cannot add or remove" in said
    assert path.read_bytes() == before and (path.parent / "helpers.py").exists()

    # Nor by formgrader's button, which always forces.
    shutil.copy(ROOT / "solutions" / LESSON / f"{LESSON}.ipynb", source)
    config = PyFileConfigLoader("nbgrader_config.py", path=str(clone.folder)).load_config()
    result = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(LESSON)
    assert result["success"]
    [new] = set(clone.folder.glob("notebooks/kept/*/*.ipynb")) - {kept}
    assert new.read_bytes() == before and str(new) in result["log"]


def test_the_build_keeps_it_and_says_where(quiet_clone):
    clone = quiet_clone
    path = work_in(clone)
    before = path.read_bytes()
    kept = build.release(clone.folder / "solutions" / LESSON, path)
    assert kept.read_bytes() == before and not is_written_in(path)
    assert build.release(clone.folder / "solutions" / LESSON, path) is None  # nothing to keep


def test_text_counts_and_outputs_do_not(tmp_path):
    path = tmp_path / "notebooks" / "week" / "week.ipynb"
    assert write_release(source_notebook(), path) is None
    notebook = nbformat.read(path, 4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="hello")]
    notebook.cells[0].id = "another"
    notebook.metadata.kernelspec.name = "other"
    nbformat.write(notebook, path)
    assert not is_written_in(path)
    notebook.cells[-1].source += " Because."
    nbformat.write(notebook, path)
    assert is_written_in(path)
    path.write_text("half a notebook")
    assert is_written_in(path)
    assert write_release(source_notebook(), path).read_text() == "half a notebook"


@pytest.mark.usefixtures("at_work")
def test_nobody_is_graded_on_a_notebook_that_somebody_solved(course, capsys):
    course.hand_in("ada")
    released = course.released()
    write_release(released, course.root / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb")
    assert fits_stamp(course.released())
    course.hand_in("solved").joinpath(f"{NOTEBOOK}.ipynb").rename(
        course.root / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    )
    assert main(["grade", ASSIGNMENT]) == 2
    assert "generate_assignment week --force" in capsys.readouterr().err
    assert course.graded_students() == set()


def test_what_cannot_be_graded_alone_is_said(quiet_clone, monkeypatch, capsys):
    monkeypatch.chdir(quiet_clone.folder)
    assert main(["mine", "09_nothing"]) == 2
    assert f"There is no lesson 09_nothing. The lessons are: {LESSON}." in capsys.readouterr().err
    assert main(["mine", LESSON]) == 2
    assert f"{LESSON}.ipynb is not there." in capsys.readouterr().err
