"""formgrader, as JupyterLab serves it: nothing of a hand-in acts in the instructor's browser."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook
from pictures import DRAWING, PNG
from small_course import ASSIGNMENT, NOTEBOOK

EVIL = "<script>document.title = 'evil'</script>"
FILES = [
    "evil.html",
    "evil.svg",
    "evil.xhtml",
    "evil.xml",
    "evil.js",
    "evil.png",
    "evil",
    'ä".html',
]


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    course = released.copy(tmp_path_factory.mktemp("course"))
    course.write_settings("settings.configure_feedback(c)\n")
    settings = ["ip='127.0.0.1'", "token='word'", "open_browser=False", "allow_root=True"]
    settings += ["jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    config = course.root / "server_config.py"
    config.write_text("".join(f"c.ServerApp.{line}\n" for line in settings))
    return course


@pytest.fixture(scope="module")
def servers(course):
    """Return the addresses of two graders' servers, as two who share a folder have them."""
    started, addresses = [], []
    for grader in ("one", "other"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home = course.root / grader
        command = [sys.executable, "-m", "jupyter_server", "--config=server_config.py"]
        started.append(
            subprocess.Popen(
                [*command, f"--port={port}"],
                cwd=course.root,
                env={**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        addresses.append(f"http://127.0.0.1:{port}/formgrader")
    end = time.monotonic() + 120
    try:
        for server, address in zip(started, addresses, strict=True):
            while True:
                try:
                    ask(f"{address}/api/assignments")
                    break
                except (urllib.error.URLError, ConnectionError):
                    if server.poll() is not None or time.monotonic() > end:
                        raise
                    time.sleep(0.2)
        yield addresses
    finally:
        for server in started:
            server.terminate()
            server.wait()


def ask(address: str, put: dict | None = None) -> tuple[str, dict]:
    """Ask a server for something, or put something there."""
    body = None if put is None else json.dumps(put).encode()
    headers = {"Authorization": "token word", "Content-Type": "application/json"}
    request = urllib.request.Request(address, body, headers, method="PUT" if put else "GET")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode(), dict(answer.headers)


@pytest.fixture(scope="module")
def formgrader(course, servers):
    """Return a function that asks a server for a path of a graded hand-in's."""
    folder = course.root / "autograded" / "eve" / ASSIGNMENT
    folder.mkdir(parents=True)
    notebook = course.released()
    attachments = {"a.png": {"image/png": PNG}, "b.svg": {"image/svg+xml": DRAWING}}
    words = "![one](attachment:a.png) ![two](attachment:b.svg) <img src=x onerror=alert(1)>"
    notebook.cells += [
        new_markdown_cell(words, attachments=attachments),
        new_markdown_cell("long " * 30_000),
    ]
    nbformat.write(notebook, folder / f"{NOTEBOOK}.ipynb")
    for name in FILES:
        (folder / name).write_text(EVIL)
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        gradebook.add_student("eve")
        gradebook.add_submission(ASSIGNMENT, "eve")
        submission = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, "eve").id
    return lambda path: ask(f"{servers[0]}/submissions/{submission}/{path}")


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_hand_in_is_no_page(formgrader, name):
    text, headers = formgrader(urllib.request.quote(name))
    assert text == EVIL  # the instructor can save it
    policy = headers["Content-Security-Policy"]
    assert "sandbox" in policy and "allow-scripts" not in policy and "default-src 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    if name.endswith(".png"):
        assert headers["Content-Type"] == "image/png"
    else:
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"].startswith("attachment; filename=")


def test_nothing_but_the_hand_ins_own_files_is_served(formgrader):
    for path in ("../../../gradebook.db", "..%2f..%2f..%2fgradebook.db", "%2fetc%2fpasswd"):
        with pytest.raises(urllib.error.HTTPError):
            formgrader(path)


def test_the_page_shows_the_hand_in_within_limits(formgrader):
    page, headers = formgrader("")
    soup = BeautifulSoup(page, "html.parser")
    assert [image["alt"] for image in soup.find_all("img")] == ["one", "two"]
    assert "<img src=x onerror=alert(1)>" in soup.get_text()
    assert page.count("long ") < 5_000
    assert soup.find("textarea", id="essay-comment"), "where comments are written"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "object-src 'none'" in policy


def test_two_graders_at_once_lose_nothing_also_when_it_is_graded_again_meanwhile(course, servers):
    """Each marks a part of the same hand-in and writes a comment, again and again."""
    course.hand_in("ada", essay="Because it is computed.")
    course.autograde("ada")
    with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
        notebook = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, "ada")
        grades = {grade.name: grade.id for grade in notebook.grades}
        comments = {comment.name: comment.id for comment in notebook.comments}

    def mark(server: str, part: str, about: str) -> None:
        for points in (0.5, 1, 1.5):
            ask(f"{server}/api/grade/{grades[part]}", {"manual_score": points})
            ask(
                f"{server}/api/comment/{comments[about]}",
                {"manual_comment": f"{points} on {about}"},
            )

    def written() -> list:
        with Gradebook(course.config.CourseDirectory.db_url, "small") as gradebook:
            notebook = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, "ada")
            scores = {grade.name: grade.manual_score for grade in notebook.grades}
            texts = {comment.name: comment.comment for comment in notebook.comments}
        return [scores["essay"], scores["double_hidden"], texts["essay"], texts["double"]]

    with ThreadPoolExecutor(2) as graders:
        marking = [
            graders.submit(mark, server, part, about)
            for server, part, about in zip(
                servers, ("essay", "double_hidden"), ("essay", "double"), strict=True
            )
        ]
        course.autograde("ada")
        for one in marking:
            one.result()
    assert written() == [1.5, 1.5, "1.5 on essay", "1.5 on double"]
    course.autograde("ada")
    assert written() == [1.5, 1.5, "1.5 on essay", "1.5 on double"]
    for server, part in zip(servers, ("double_hidden", "essay"), strict=True):  # each other's
        assert json.loads(ask(f"{server}/api/grade/{grades[part]}")[0])["manual_score"] == 1.5
