"""Many machines, one gradebook: a Dask cluster and a PostgreSQL server, both real."""

import getpass
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from small_course import ASSIGNMENT, FULL, NOTEBOOK

from autograder.__main__ import main

pytestmark = pytest.mark.usefixtures("confined", "at_work")

SLOW = "import time\n\ntime.sleep(1)\n\n\ndef double(x):\n    return 2 * x\n"
WRONG = "def double(x):\n    return 3 * x\n"


def test_a_dask_cluster_grades_the_class_though_a_worker_is_killed(course, capsys):
    distributed = pytest.importorskip("distributed", reason="the extra [cluster] is missing")
    students = [f"student{n}" for n in range(6)]
    for student in students:
        course.hand_in(student, double=SLOW)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        pids = sorted(client.run(os.getpid).values())

        def kill_a_worker_in_the_middle():
            while not course.graded_students():
                time.sleep(0.02)
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_a_worker_in_the_middle)
        killer.start()
        code = main(["grade", ASSIGNMENT, "--dask", cluster.scheduler_address])
        killer.join()
        assert sorted(client.run(os.getpid).values()) != pids  # it was killed and replaced
    assert code == 0
    assert "6 graded" in capsys.readouterr().out
    assert course.graded_students() == set(students)
    for student in students:
        assert course.scores(student) == FULL


@pytest.fixture(scope="module")
def postgresql():
    """The address of an empty database on a server of our own."""
    pytest.importorskip("psycopg", reason="the extra [cluster] is missing")
    found = shutil.which("postgres"), *sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    programs = [Path(path).resolve().parent for path in found if path]
    if not programs:
        pytest.skip("PostgreSQL's server is not installed (apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    as_user = []
    if os.getuid() == 0:  # the server refuses to run as root
        if not shutil.which("setpriv"):
            pytest.skip("PostgreSQL does not run as root, and setpriv is missing")
        shutil.chown(folder, "nobody")
        as_user = ["setpriv", "--reuid=nobody", "--clear-groups", "--"]
    data = folder / "data"
    init = [programs[-1] / "initdb", "-D", data, "-U", "course", "-A", "trust", "--no-sync"]
    run = [programs[-1] / "postgres", "-D", data, "-k", folder, "-F", "-c", "listen_addresses="]
    log = (folder / "log").open("wb")
    subprocess.run([*as_user, *init], check=True, cwd=folder, stdout=log, stderr=log)
    server = subprocess.Popen([*as_user, *run], cwd=folder, stdout=log, stderr=log)
    url = f"postgresql://course@/postgres?host={folder}"
    wait_for(url, server, folder / "log")
    yield url
    server.send_signal(signal.SIGINT)
    server.wait(30)
    log.close()
    shutil.rmtree(folder)


def wait_for(url, server, log):
    import psycopg

    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail(f"PostgreSQL did not start as {getpass.getuser()}: {log.read_text()}")
            time.sleep(0.1)


def test_a_postgresql_server_holds_the_gradebook(course, postgresql, capsys):
    config = course.config
    config.CourseDirectory.db_url = postgresql.replace("postgresql:", "postgresql+psycopg:")
    config.GenerateAssignment.force = True
    GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
    course.hand_in("ada")
    course.hand_in("bob", double=WRONG)
    course.hand_in("cleo")

    assert main(["grade", ASSIGNMENT, "--jobs", "2", "--db", postgresql]) == 0
    with Gradebook(config.CourseDirectory.db_url, "small") as gradebook:
        grades = gradebook.find_submission_notebook(NOTEBOOK, ASSIGNMENT, "ada").grades
        assert {grade.name: grade.auto_score for grade in grades} == FULL
        assert gradebook.find_submission(ASSIGNMENT, "bob").score == 3
        comment = gradebook.find_comment("essay", NOTEBOOK, ASSIGNMENT, "bob")
        comment.manual_comment = "See me."
        essay = gradebook.find_grade("essay", NOTEBOOK, ASSIGNMENT, "bob")
        essay.manual_score, essay.needs_manual_grade = 2, False
        gradebook.db.commit()

    course.hand_in("bob")
    (course.submitted("bob") / "timestamp.txt").write_text("2099-01-01 00:00:00 UTC")
    assert main(["grade", ASSIGNMENT, "--jobs", "1", "--db", postgresql]) == 0
    with Gradebook(config.CourseDirectory.db_url, "small") as gradebook:
        assert gradebook.find_submission(ASSIGNMENT, "bob").score == 8 + 2
        comment = gradebook.find_comment("essay", NOTEBOOK, ASSIGNMENT, "bob")
        assert comment.manual_comment == "See me."

    assert main(["report", ASSIGNMENT, "--db", postgresql]) == 0
    assert "bob" in (course.root / "reports" / f"{ASSIGNMENT}.csv").read_text()
    assert not (course.root / "gradebook.db-journal").exists()
