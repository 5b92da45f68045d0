"""`make students`: the copy for students works from what is committed, and holds no solution."""

import posixpath
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from classroom import ROOT, read_solution, surroundings

from autograder.authoring.catalogues import languages
from autograder.exercises import LESSONS

TOP = "illustrated-attention/"

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone")


def run(clone):
    """Make the copy in a clone; return the exit code and what was said."""
    who = {"GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.org"}
    who |= {"GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@example.org"}
    made = subprocess.run(
        [sys.executable, "scripts/students_copy.py"],
        cwd=clone,
        env=surroundings(**who),
        capture_output=True,
        text=True,
    )
    return made.returncode, made.stdout + made.stderr


def git(clone, *command):
    return subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *command],
        cwd=clone,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone with what is here now, committed."""
    folder = tmp_path_factory.mktemp("clone")
    git(ROOT, "clone", "-q", "--depth=1", f"file://{ROOT}", str(folder))
    (folder / "scripts" / "students_copy.py").write_bytes(
        (ROOT / "scripts" / "students_copy.py").read_bytes()
    )
    for name in ("README.md", "README.zh-CN.md", "Makefile"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "what is tested", "--allow-empty")
    code, said = run(folder)
    assert code == 0, said
    return folder


@pytest.fixture(scope="module")
def files(clone):
    """What is in the zip: contents by path."""
    with zipfile.ZipFile(clone / "students.zip") as opened:
        names = [name for name in opened.namelist() if not name.endswith("/")]
        assert all(name.startswith(TOP) for name in names)
        return {name.removeprefix(TOP): opened.read(name) for name in names}


def solution_bodies(lesson):
    """What stands between the solution's marks in each cell, as one stripped line after another."""
    for cell in read_solution(lesson).cells:
        _before, begin, rest = cell.source.partition("### BEGIN SOLUTION")
        if begin and cell.cell_type == "code":
            body = rest.partition("### END SOLUTION")[0]
            yield "\n".join(line.strip() for line in body.strip().splitlines())


def plain(text):
    return "\n".join(line.strip() for line in text.splitlines())


def test_the_copy_holds_what_a_student_needs_and_nothing_of_the_instructors(clone, files):
    tops = {name.split("/")[0] for name in files}
    assert not [top for top in tops if top.startswith("solutions-")]
    assert not tops & {"solutions", "autograder", "tests", "training", "benchmarks"}
    for lesson in LESSONS:
        for folder in ("notebooks", *(f"notebooks-{language}" for language in languages())):
            assert f"{folder}/{lesson}/{lesson}.ipynb" in files
    for needed in ("nbgrader_config.py", "scripts/set_up.py", "docs/learners.md"):
        assert files[needed] == (clone / needed).read_bytes()
    assert any(name.startswith("data/answers/") for name in files)


def test_every_link_in_the_copys_documents_leads_into_the_copy(files):
    documents = {name: text.decode() for name, text in files.items() if name.endswith(".md")}
    assert {"README.md", "README.zh-CN.md", "docs/learners.md"} <= set(documents)
    for name, text in documents.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"\w+:|#", link):
                path = posixpath.join(posixpath.dirname(name), link.partition("#")[0])
                assert posixpath.normpath(path) in files, (name, link)
    for readme in ("README.md", "README.zh-CN.md"):
        assert "make test" not in documents[readme] and "make lab" in documents[readme]


def test_every_target_of_the_copys_makefile_works_in_the_copy(files, tmp_path):
    (tmp_path / "Makefile").write_bytes(files["Makefile"])
    make = ["make", "-C", str(tmp_path), "--no-print-directory"]
    told = subprocess.run(make, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make (\w+)", told, re.M)) == {"lab", "clean"}
    assert "TEST_ARGS" not in told and "whole course" not in told
    for target in ("test", "class", "students", "build", "site"):
        assert "No rule" in subprocess.run([*make, target], capture_output=True, text=True).stderr
    for script in re.findall(r"scripts/\w+\.py", files["Makefile"].decode()):
        assert script in files


def test_the_copy_holds_no_solution_and_no_hidden_test(files):
    """Later lessons bring along the functions of earlier ones, in cells that say so.

    A single line, such as `return weights @ v`, stands in many a program.
    """
    texts = {}
    for name, content in files.items():
        if name.endswith(".ipynb"):
            notebook = nbformat.reads(content.decode(), as_version=4)
            texts[name] = [plain(cell.source) for cell in notebook.cells]
        elif not name.endswith((".png", ".npz", ".safetensors", ".mo")):
            texts[name] = [plain(content.decode())]
    for name, cells in texts.items():
        for words in ("### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS"):
            assert name == "scripts/students_copy.py" or not any(words in cell for cell in cells)
    lessons = list(LESSONS)
    for number, lesson in enumerate(lessons):
        for body in solution_bodies(lesson):
            later = tuple(f"/{lesson}.ipynb" for lesson in lessons[number + 1 :])
            after = {name for name in texts if name.endswith(later)}  # in every language
            own = {f"notebooks/{lesson}/{lesson}.ipynb"}
            for name in texts.keys() - after if "\n" in body else own:
                assert not any(body in cell for cell in texts[name]), (lesson, name, body)


def test_the_branch_has_never_seen_the_rest_and_grows_by_what_changed(clone, files):
    listed = git(clone, "ls-tree", "-r", "--name-only", "students").splitlines()
    assert set(listed) == set(files)
    first = git(clone, "rev-parse", "students")
    assert git(clone, "rev-list", "--count", "students") == "1"
    assert run(clone)[0] == 0
    assert git(clone, "rev-parse", "students") == first  # nothing new: the same commit

    (clone / "README.md").write_text("# Our class\n")
    code, said = run(clone)
    assert code == 0 and "Not in the copy, because it is not committed" in said
    assert git(clone, "rev-parse", "students") == first
    git(clone, "commit", "-qam", "Our words")
    assert run(clone)[0] == 0
    assert git(clone, "rev-parse", "students~1") == first
    assert git(clone, "show", "students:README.md") == "# Our class"


def test_a_notebook_with_somebodys_work_or_a_solution_in_it_makes_no_copy(clone):
    before = git(clone, "rev-parse", "students")
    path = clone / "notebooks" / "01_self_attention" / "01_self_attention.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source += "\n# mine"
    nbformat.write(notebook, path)
    (clone / "data" / "notes.md").write_text("### BEGIN SOLUTION\n")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "a slip")
    code, said = run(clone)
    assert code == 1
    assert "01_self_attention.ipynb is not as it was released" in said
    assert "data/notes.md holds a solution" in said
    assert git(clone, "rev-parse", "students") == before
    git(clone, "reset", "-q", "--hard", "HEAD~1")
