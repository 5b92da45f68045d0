"""Make the students' copy of the course: students.zip and a branch. ``make students`` runs it.

What is committed is taken, without solutions, hidden tests and everything else that only
instructors need. The branch has a history of its own, in which the rest has never been: pushed
alone, it can be given to nbgitpuller or GitHub Classroom.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from illustrated_attention.language import _

ROOT = Path(__file__).resolve().parents[1]
BRANCH = "students"
ZIP = "students.zip"
PATHS = [
    *("Makefile", "README.md", "LICENSE", "LICENSE-text", "pyproject.toml", "requirements.lock"),
    *("environment.yml", "nbgrader_config.py", "scripts", "illustrated_attention", "data"),
    *("docs/learners.md", "docs/anywhere.md", "docs/images", "CITATION.cff"),
    *("README.zh-CN.md", "docs/zh_CN/learners.md"),
]
LESSONS = "notebooks"  # and notebooks-zh_CN, of the edition in Chinese
# What stands between these, in a document or in the Makefile, is about what the copy does not hold.
LEFT_OUT = re.compile(
    r"<!-- whole course only -->\n.*?<!-- end -->\n|^# whole course only\n.*?^# end\n",
    re.DOTALL | re.MULTILINE,
)
NEVER = ["### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS"]


def git(*command: str, **more) -> str:
    """Run git in the clone, and return what it says."""
    run = subprocess.run(
        ["git", *command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, **more
    )
    return run.stdout.strip()


def lesson_folders(tree: str) -> list[str]:
    """Return the folders of lessons in a tree, those of every language."""
    folders = git("ls-tree", "-d", "--name-only", tree).splitlines()
    return [name for name in folders if name.partition("-")[0] == LESSONS]


def make_tree() -> str:
    """Return git's name of a tree that holds the copy."""
    listed = git("ls-tree", "-r", "HEAD", "--", *PATHS, *lesson_folders("HEAD"))
    files = "\n".join(map(_for_students, listed.splitlines()))
    with tempfile.TemporaryDirectory() as scratch:
        index = {**os.environ, "GIT_INDEX_FILE": str(Path(scratch, "index"))}
        git("update-index", "--index-info", input=files + "\n", env=index)
        return git("write-tree", env=index)


def _for_students(line: str) -> str:
    """Return git's line of a file; of one that people read, without what is not for students."""
    about, path = line.split("\t")
    mode, kind, name = about.split()
    if path.endswith(".md") or path == "Makefile":
        text = git("show", name) + "\n"
        if text != (shorter := LEFT_OUT.sub("", text)):
            name = git("hash-object", "-w", "--stdin", input=shorter)
    return f"{mode} {kind} {name}\t{path}"


def what_must_not_be_in_it(tree: str) -> list[str]:
    """Return a sentence for each file of the tree that students must not get."""
    from autograder.nbgrader_steps.stamp import fits_stamp

    patterns = [part for text in NEVER for part in ("-e", text)]
    found = subprocess.run(
        # The script names these words itself.
        ["git", "grep", "-l", "-F", *patterns, tree, "--", ".", ":!scripts/students_copy.py"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    problems = [
        _("{file} holds a solution or a hidden test.").format(file=line.partition(":")[2])
        for line in found.stdout.splitlines()
    ]
    lessons = lesson_folders(tree)
    for path in git("ls-tree", "-r", "--name-only", tree, "--", *lessons).splitlines():
        if path.endswith(".ipynb") and not fits_stamp(json.loads(git("show", f"{tree}:{path}"))):
            text = _("{file} is not as it was released: somebody has written in it.")
            problems.append(text.format(file=path))
    return problems


def commit(tree: str) -> None:
    """Put the tree on the branch, unless it is there already."""
    branch = f"refs/heads/{BRANCH}"
    before = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", branch], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    if before and git("rev-parse", f"{before}^{{tree}}") == tree:
        return
    parents = ["-p", before] if before else []
    message = f"The students' copy of {git('log', '-1', '--format=%h of %cs')}"
    git("update-ref", branch, git("commit-tree", tree, *parents, "-m", message))


def main() -> int:
    try:
        current = git("rev-parse", "--abbrev-ref", "HEAD", stderr=subprocess.DEVNULL)
    except (subprocess.CalledProcessError, FileNotFoundError):
        text = _("The students' copy is made from a clone of the course, with git.")
        print(text, file=sys.stderr)
        return 1
    if current == BRANCH:
        text = _("You are on the branch {branch}, the copy itself.")
        print(text.format(branch=BRANCH), file=sys.stderr)
        return 1
    tree = make_tree()
    if problems := what_must_not_be_in_it(tree):
        print(_("No copy was made."), *problems, sep="\n", file=sys.stderr)
        return 1
    if changed := git("status", "--porcelain", "--", *PATHS, *lesson_folders("HEAD")):
        print(_("Not in the copy, because it is not committed:"), changed, sep="\n")
    commit(tree)
    git("archive", "--format=zip", "--prefix=illustrated-attention/", f"-o{ROOT / ZIP}", BRANCH)
    text = _("{file}, and the branch {branch}: git push YOUR-STUDENTS-REPOSITORY {branch}:main")
    print(text.format(file=ROOT / ZIP, branch=BRANCH))
    return 0


if __name__ == "__main__":
    sys.exit(main())
