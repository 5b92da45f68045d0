"""A class on a real JupyterHub: the commands of docs/hub.md, Unix accounts, and a browser.

`make test-hub` runs it, as root. It makes accounts and removes them, and a server in a folder of
its own: of the manual's commands only the folder's and the accounts' names are replaced.
"""

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from chromium import PROGRAM
from test_browser import RIGHT, WRONG

ROOT = Path(__file__).parent.parent
LESSON = "01_self_attention"
GRADER, TEACHER, ADA, BOB = ACCOUNTS = ("iat-grader", "iat-teach", "iat-ada", "iat-bob")
PROXY = "configurable-http-proxy"
COMMENT = "Well shifted. Next: the mask."
SLOW = 180_000  # ms: several JupyterLabs start on a busy machine


def a_python_for_all() -> str | None:
    """A Python that every account can run: one in root's home is of no use."""
    for name in ("/usr/bin/python3", "/usr/local/bin/python3"):
        code = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
        command = ["runuser", "-u", "nobody", "--", name, "-c", code]
        if (
            Path(name).exists()
            and not subprocess.run(command, stderr=subprocess.DEVNULL).returncode
        ):
            return name
    return None


def missing() -> str | None:
    """Say why there can be no hub here, or None."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "accounts can be made by root on Linux only"
    if not PROGRAM:
        return "no Chromium on this machine"
    if not find_proxy():
        return f"no {PROXY}: make test-hub"
    return None if a_python_for_all() else "no Python 3.11 or newer that every account can run"


def find_proxy() -> str | None:
    own = ROOT / ".venv" / "hub" / "node_modules" / ".bin" / PROXY
    return str(own) if own.exists() else shutil.which(PROXY)


pytestmark = pytest.mark.hub


def run(command: str, **more) -> str:
    """Run a command of root's; return what it said."""
    done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def may(account: str, command: str) -> bool:
    """Can an account do this?"""
    shell = ["runuser", "-u", account, "--", "bash", "-c", command]
    return subprocess.run(shell, capture_output=True, cwd="/").returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def remove_accounts() -> None:
    for account in ACCOUNTS:
        with contextlib.suppress(KeyError):
            uid = pwd.getpwnam(account).pw_uid
            for process in psutil.process_iter(["uids"]):
                if process.info["uids"].real == uid:
                    process.kill()
            subprocess.run(["userdel", "--remove", account], capture_output=True, check=True)


class Server:
    """The server that docs/hub.md sets up, in a folder of its own."""

    def __init__(self, base: Path):
        self.base, self.port = base, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = base / "hub.log"
        self.exchange = base / "srv" / "exchange" / "illustrated-attention"
        self.course, self.secrets = base / "srv" / "course", base / "srv" / "hub"

    def of_the_manual(self, text: str) -> str:
        """The manual's text, for this server."""
        text = text.replace("/srv/attention", f"{self.base}/srv")
        text = text.replace("/opt/attention", f"{self.base}/opt")
        text = text.replace("python3 -m", f"{a_python_for_all()} -m")
        text = text.replace("https://github.com/YOU/illustrated-attention.git", f"{self.base}/git")
        return re.sub(r"\bgrader\b", GRADER, text)

    def set_up(self) -> None:
        """Run the commands of the manual, but for the last, which starts the hub."""
        run(f"git clone -q --bare {ROOT} {self.base}/git")
        manual = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
        *blocks, self.start_command = re.findall(r"```bash\n(.*?)```", manual, re.S)
        assert len(blocks) == 2
        run("umask 022; mkdir " + f"{self.base}/srv {self.base}/opt")
        for block in blocks:
            block = self.of_the_manual(block)
            run(f"umask 022; {block}", cwd="/")
            run(f"chown -R {GRADER} {self.base}/git")  # git clones from no stranger's folder
        for account in (TEACHER, ADA, BOB):
            run(f"useradd --create-home --shell /bin/bash {account}")
            run(f"chmod 755 ~{account}; echo {account}:secret-of-{account} | chpasswd")
        config = self.base / "opt" / "etc" / "hub" / "jupyterhub_config.py"
        text = self.of_the_manual(config.read_text())
        text = text.replace('"instructor", "assistant"', f'"{TEACHER}"').replace(
            ":8000", f":{self.port}"
        )
        text = text.replace(":8765", f":{free_port()}").replace("PATIENCE = 120", "PATIENCE = 400")
        config.write_text(
            f"{text}\nc.JupyterHub.hub_port = {free_port()}\n"
            f"c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{free_port()}'\n"
            f"c.ConfigurableHTTPProxy.command = [{find_proxy()!r}]\n"
        )

    def start(self) -> None:
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                ["bash", "-ec", f"umask 022; {self.of_the_manual(self.start_command)}"],
                env={**os.environ, "PATH": f"{self.base}/opt/bin:{os.environ['PATH']}"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 400
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"{self.url}/hub/login").status == 200:
                    return
            time.sleep(1)
        raise AssertionError(self.log.read_text()[-3000:])

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def handed_in(self, account: str) -> Path:
        (folder,) = (self.exchange / "inbound").glob(f"{account}+{LESSON}+*")
        return folder


@pytest.fixture(scope="module")
def server():
    if why := missing():
        pytest.skip(why)
    remove_accounts()
    base = Path(tempfile.mkdtemp(prefix="attention-", dir="/var/tmp"))
    base.chmod(0o755)  # a class can go through it
    made = Server(base)
    try:
        made.set_up()
        made.start()
        yield made
    finally:
        if hasattr(made, "process"):
            made.stop()
        remove_accounts()
        shutil.rmtree(base)


class Person:
    """Somebody with a browser of their own, logged in."""

    def __init__(self, browser, server: Server, account: str):
        self.server, self.account = server, account
        self.page = browser.new_context(viewport={"width": 1280, "height": 950}).new_page()
        self.page.set_default_timeout(SLOW)
        self.page.goto(f"{server.url}/hub/login")
        self.page.fill("input[name=username]", account)
        self.page.fill("input[name=password]", f"secret-of-{account}")
        self.page.click("#login_submit")
        self.page.wait_for_url(f"**/user/{account}/lab*")

    def choose(self, *items: str) -> None:
        """Choose an item of JupyterLab's menu."""
        for item in items:
            self.page.get_by_role("menuitem", name=item, exact=True).click()

    def menu(self, name: str) -> list[str]:
        """The items of one of JupyterLab's menus."""
        self.choose(name)
        items = self.page.locator(".lm-Menu .lm-Menu-itemLabel").all_inner_texts()
        self.page.keyboard.press("Escape")
        return [item for item in items if item]

    def keep_screenshot(self, name: str) -> None:
        if "SCREENSHOTS" in os.environ:
            self.page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"hub_{name}.png")


class Student(Person):
    def assignments(self, kind: str):
        return self.page.locator(f"#{kind}_assignments_list")

    def work(self, source: str) -> None:
        """Fetch the lesson, write softmax, run it, save, and submit."""
        self.items = self.menu("Nbgrader")
        self.choose("Nbgrader", "Assignment List")
        self.assignments("released").get_by_role("button", name="Fetch").click()
        fetched = self.assignments("fetched")
        fetched.get_by_role("button", name="Submit").wait_for()
        fetched.get_by_role("button", name=LESSON).click()
        fetched.locator(".nested_list_item a").click()
        cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        cells.first.wait_for()
        softmax = cells.filter(has_text="def softmax(scores)").first
        softmax.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")
        softmax.locator(".jp-InputArea-prompt").get_by_text(re.compile(r"\[\d+\]:")).wait_for()
        self.keep_screenshot(f"{self.account}_work")
        self.page.keyboard.press("Control+s")
        path = Path(f"~{self.account}").expanduser() / LESSON / f"{LESSON}.ipynb"
        while "exp.sum(axis=" not in path.read_text():  # until it is saved
            self.page.wait_for_timeout(200)
        self.page.get_by_role("tab", name="Assignments").click()
        fetched.get_by_role("button", name="Submit").click()
        self.assignments("submitted").get_by_text(LESSON).first.wait_for()
        self.keep_screenshot(f"{self.account}_submitted")

    def feedback(self) -> str:
        """Fetch the feedback from the Assignment List; return what the page says."""
        submitted = self.assignments("submitted")
        submitted.get_by_role("button", name="Fetch Feedback").click()
        submitted.get_by_text("view feedback").first.wait_for()
        home = Path(f"~{self.account}").expanduser()
        (page,) = (home / LESSON / "feedback").glob(f"*/{LESSON}.html")
        self.page.goto(f"{self.server.url}/user/{self.account}/files/{page.relative_to(home)}")
        self.keep_screenshot(f"{self.account}_feedback")
        return self.page.locator("body").inner_text()


class Instructor(Person):
    def open_formgrader(self) -> None:
        self.page.goto(f"{self.server.url}/services/course/")
        self.choose("Nbgrader", "Formgrader")
        self.formgrader = self.page.frame_locator("iframe")

    def row(self, name: str):
        """The line of an assignment or of a student."""
        return self.formgrader.locator("tbody tr").filter(has_text=name).first

    def press(self, row: str, button: str) -> str:
        """Press a button in a line of formgrader's table; return what it says then."""
        self.row(row).locator(f"td.{button} a").click()
        said = self.formgrader.locator(".modal.in")
        said.get_by_role("heading", name="Success").wait_for()
        text = said.inner_text()
        said.get_by_role("button", name="OK").click()
        said.wait_for(state="detached")
        return text

    def comment(self, student: str, text: str) -> None:
        """Write a comment under a student's softmax."""
        page = self.formgrader
        page.get_by_role("link", name="Manage Students").first.click()
        page.locator("tbody tr").filter(has_text=student).get_by_role("link").first.click()
        lesson = page.locator("tbody").get_by_role("link", name=LESSON)
        lesson.click()  # of all the student's lessons, and then of its notebooks
        page.locator("th", has_text="Notebook ID").wait_for()
        lesson.click()
        area = page.locator("textarea.comment").nth(2)  # make_qkv, scaled_scores, softmax
        with self.page.expect_response(lambda answer: "/api/comment/" in answer.url) as saved:
            area.click()
            self.page.keyboard.insert_text(text)
            self.page.keyboard.press("Tab")
        assert saved.value.ok
        self.keep_screenshot("comment")


@pytest.fixture(scope="module")
def story(browser, server):
    """What happens in a class, up to the feedback that each student reads."""
    teacher = Instructor(browser, server, TEACHER)
    teacher.open_formgrader()
    for button in ("assign", "release"):
        teacher.press(LESSON, button)
    ada, bob = (Student(browser, server, account) for account in (ADA, BOB))
    ada.work(RIGHT)
    bob.work(WRONG)
    said = teacher.press(LESSON, "collect")
    assert "2 hand-ins" in said
    teacher.row(LESSON).locator("td.num-submissions a").click()
    for student in (ADA, BOB):
        teacher.press(student, "autograde")
    teacher.keep_screenshot("graded")
    marks = {s: teacher.row(s).locator("td.score").inner_text() for s in (ADA, BOB)}
    teacher.comment(ADA, COMMENT)
    teacher.open_formgrader()
    for button in ("generate-feedback", "release-feedback"):
        teacher.press(LESSON, button)
    pages = {student.account: student.feedback() for student in (ada, bob)}
    return {"teacher": teacher, "students": (ada, bob), "marks": marks, "pages": pages}


def test_each_student_reads_the_own_marks_and_comment(story):
    assert story["marks"] == {ADA: "3 / 15", BOB: "0 / 15"}
    ada, bob = (story["pages"][student] for student in (ADA, BOB))
    assert COMMENT in ada and COMMENT not in bob
    assert "3 of 15" in ada and "0 of 15" in bob
    assert "Your columns sum to 1, your rows do not." in bob


def test_what_only_instructors_need_is_in_no_students_menu(story):
    for student in story["students"]:
        assert student.items == ["Assignment List"]
    assert "Formgrader" in story["teacher"].menu("Nbgrader")


def test_no_student_opens_formgrader_or_anothers_jupyterlab(story, server):
    ada, _bob = story["students"]
    for address in (
        *("/services/course/", "/services/course/formgrader", "/services/course/lab"),
        *("/services/course/files/autograder/gradebook.db", f"/user/{BOB}/lab"),
        *(f"/user/{BOB}/files/{LESSON}/{LESSON}.ipynb", "/hub/admin"),
    ):
        answer = ada.page.goto(f"{server.url}{address}")
        assert answer.status in (403, 404), address
        assert "softmax" not in ada.page.content()


def test_no_student_reads_or_takes_what_is_anothers(story, server):
    hand_in = server.handed_in(BOB)  # whose name nobody else can know
    course = server.course
    closed = [
        *(
            f"~{BOB}",
            f"~{BOB}/{LESSON}/{LESSON}.ipynb",
            f"~{GRADER}",
            str(server.exchange / "inbound"),
        ),
        *(str(course), f"{course}/solutions", f"{course}/autograder/gradebook.db"),
        *(f"{course}/autograder/submitted/{BOB}", str(server.secrets)),
        *(f"{server.secrets}/jupyterhub_cookie_secret", f"{server.secrets}/jupyterhub.sqlite"),
        str(server.exchange / "feedback"),
    ]
    assert all(may("root", f"test -e {path}") for path in closed)
    assert not [path for path in closed if may(ADA, f"ls {path}") or may(ADA, f"cat {path}")]
    outbound = f"{server.exchange}/outbound/{LESSON}"
    taken = [
        *(f"mv {server.exchange} {server.exchange}-mine", f"mv {server.exchange}/inbound /tmp"),
        *(
            f"touch {outbound}/x",
            f"mv {outbound} {outbound}-mine",
            f"echo > {outbound}/{LESSON}.ipynb",
        ),
        *(f"touch {server.exchange}/feedback/x", f"touch {server.base}/opt/etc/hub/x"),
        f"echo > '{hand_in}/{LESSON}.ipynb'",
    ]
    assert not [command for command in taken if may(ADA, command)]
    assert may(ADA, f"cat {outbound}/{LESSON}.ipynb")
    python = server.base / "opt" / "bin" / "python"
    assert may(ADA, f"cd / && {python} -c 'import illustrated_attention'")
    assert not may(ADA, f"cd / && {python} -c 'import autograder'")
    found = may(ADA, f"grep -rlE 'BEGIN (SOLUTION|HIDDEN TESTS)' {server.base}/opt/etc {outbound}")
    assert not found
