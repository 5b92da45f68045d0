"""formgrader, as JupyterLab serves it: nothing of a hand-in acts in the instructor's browser."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

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
def formgrader(released, tmp_path_factory):
    """Return a function that asks a server for a path of a graded hand-in's."""
    course = released.copy(tmp_path_factory.mktemp("course"))
    course.write_settings("settings.configure_feedback(c)\n")
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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ["ip='127.0.0.1'", f"port={port}", "token='word'", "open_browser=False"]
    settings += ["jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    config = course.root / "server_config.py"
    config.write_text("".join(f"c.ServerApp.{line}\n" for line in settings))
    home = course.root / "home"
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", f"--config={config}", "--allow-root"],
        cwd=course.root,
        env={**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/formgrader/submissions/{submission}/"

    def ask(path: str) -> tuple[str, dict]:
        request = urllib.request.Request(address + path, headers={"Authorization": "token word"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode(), dict(answer.headers)

    end = time.monotonic() + 120
    try:
        while True:
            try:
                ask("evil.js")
                break
            except (urllib.error.URLError, ConnectionError):
                if server.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.2)
        yield ask
    finally:
        server.terminate()
        server.wait()


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
