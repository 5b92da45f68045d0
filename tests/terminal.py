"""A terminal for the tests in which many nbgrader commands start at once.

Importing nbgrader and our steps takes seconds. This process imports them, then forks for every
command that it reads; the fork runs exactly what the ``nbgrader`` command runs, in the folder and
with the environment that it was given, and writes what it says to a file.
"""

import json
import os
import sys

import nbgrader.apps.nbgraderapp

import autograder.nbgrader_steps.collect
import autograder.nbgrader_steps.feedback
import autograder.nbgrader_steps.release
import autograder.nbgrader_steps.zip_collect
import autograder.sandbox.grader  # noqa: F401


def run(command: list[str], folder: str, environment: dict, said: str) -> None:
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(folder)
    os.environ.update(environment)
    sys.argv = ["nbgrader", *command]
    nbgrader.apps.nbgraderapp.main()


def main() -> None:
    for line in sys.stdin:
        pids = {}
        for i, order in enumerate(json.loads(line)):
            pid = os.fork()
            if pid == 0:
                run(**order)
                sys.exit(0)
            pids[pid] = i
        codes = {}
        for _pid in pids:
            pid, status = os.wait()
            codes[pids[pid]] = os.waitstatus_to_exitcode(status)
        print(json.dumps([codes[i] for i in sorted(codes)]), flush=True)


if __name__ == "__main__":
    main()
