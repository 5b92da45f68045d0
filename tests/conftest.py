"""What all tests share."""

import atexit
import os
import shutil
import signal
import sys
import tempfile

import pytest
from hypothesis import HealthCheck, settings

# Tests run side by side: one thread for each NumPy, also in the kernels that they start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The kernels that tests start keep no progress in the home of whoever runs them.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="tests-")
atexit.register(shutil.rmtree, os.environ["XDG_DATA_HOME"], ignore_errors=True)

# In the background of a shell, Ctrl-C is switched off for what it starts; tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples on every run, and however long one takes: the machine may be busy.
settings.register_profile(
    "course", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("course")


# Files that take minutes come first, so that no process waits at the end for another one's.
LONG = (
    *("attacks/test_attacks", "test_work_is_kept", "test_batch", "test_class_run", "test_build"),
    *("test_same_marks", "own_notebooks/test_own_notebooks", "test_own_tests", "test_execute"),
    *("test_confine", "test_grade_command", "test_kill_matrix", "test_judge", "test_browser"),
)


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.nodeid.partition("::")[0].removeprefix("tests/").removesuffix(".py")
        return LONG.index(name) if name in LONG else len(LONG)

    items.sort(key=place)


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """The small course with its assignment released: made once, and copied by who changes it."""
    from small_course import SmallCourse

    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.release()
    return course


@pytest.fixture
def course(released, tmp_path):
    """A copy of it for one test."""
    return released.copy(tmp_path / "course")


@pytest.fixture
def at_work(course, monkeypatch):
    """Commands run in that course's folder, with its settings."""
    course.write_settings()
    monkeypatch.chdir(course.root)


@pytest.fixture
def in_this_process(monkeypatch):
    """`grade` starts no processes of its own: quicker, where a test is not about them."""
    from small_course import grade_in_this_process

    grade_in_this_process(monkeypatch)


@pytest.fixture(scope="session")
def confined():
    """Skip where strangers' code cannot be locked up."""
    if sys.platform == "linux":
        from autograder.sandbox.inside import confine

        if confine.layers().safe:
            return
    pytest.skip("needs confinement, see doctor")


@pytest.fixture(scope="module")
def zygote(confined):
    """A way to locked processes."""
    from autograder.sandbox.student_process import Zygote

    with Zygote() as zygote:
        yield zygote


@pytest.fixture(scope="module")
def browser():
    import chromium

    if not chromium.PROGRAM:
        pytest.skip("no Chromium on this machine: install it to run the tests in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.PROGRAM, args=chromium.ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def outside_of_a_notebook():
    """Whatever shell an earlier test of this process has made: this test is in none."""
    module = sys.modules.get("IPython.core.interactiveshell")
    if module and module.InteractiveShell.initialized():
        module.InteractiveShell.clear_instance()
