"""Grade one notebook's cells: the way into the judge's process for everything that grades."""

import dataclasses
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

from autograder.sandbox.instructors_code import Setting
from autograder.sandbox.judge_process import receive, send
from autograder.sandbox.running_tests import Cell
from autograder.sandbox.student_process import COMPUTING, GraderFailure, PutOff, Unsafe
from autograder.sandbox.time_limits import (
    NOTEBOOK_SECONDS,
    QUICK,
    QUICK_SECONDS,
    TEST_SECONDS,
    Limits,
)


class Grader:
    """A judge's process of one's own, warm and used again for every notebook.

    It takes two seconds to start: without `wait`, that is waited for by the first notebook, and a
    process that is forked meanwhile may take it over.

    Raises `Unsafe` if this machine cannot confine student code, unless `unsafe` is given.
    """

    def __init__(self, unsafe: bool = False, wait: bool = True):
        self.unsafe = unsafe
        self._start()
        if wait:
            self.ready()

    def _start(self) -> None:
        self._control, theirs = multiprocessing.Pipe()
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "autograder.sandbox.judge_process"),
                    *(str(theirs.fileno()), str(int(self.unsafe))),
                ],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **COMPUTING, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C at the terminal is for us
            )
        self.pid = self._process.pid
        self.layers: str | None = None  # by which student code is confined, when it has started

    def ready(self) -> None:
        """Wait until it can be asked."""
        if self.layers:
            return
        hello = receive(self._control)
        if hello is None:
            self.close()
            raise GraderFailure("the judge's process did not start")
        if "unsafe" in hello:
            self.close()
            raise Unsafe(hello["unsafe"])
        self.layers = hello["ready"]

    def grade(
        self,
        cells: list[Cell],
        names: set[str],
        folder: str | os.PathLike | None = None,
        limits: Limits | None = None,
        seconds: float = NOTEBOOK_SECONDS,
        test_seconds: float = TEST_SECONDS,
        quick: bool = False,
        setting: Setting | None = None,
        language: str = "en",
    ) -> list[list[dict]]:
        """Run a notebook's code cells and return the outputs of each.

        Parameters
        ----------
        cells : list of Cell
            Student cells and test cells in the notebook's order.
        names : set of str
            What test cells may ask of the student.
        folder : path, optional
            The hand-in's folder; its files other than notebooks are where the student may read.
        limits : Limits
            For one student cell and one call.
        seconds, test_seconds : float
            For the notebook and for one test cell.
        quick : bool
            Do not begin what takes long: others wait.
        setting : Setting, optional
            What else is known of the notebook's names.
        language : str
            In which tests tell what they saw: the notebook's.

        Raises
        ------
        PutOff
            If something had to be stopped, or would have to be soon, in a `quick` try.
        GraderFailure
            If the grader itself failed. Nobody's marks are known then.
        """
        self.ready()
        limits = limits or Limits()
        if quick:
            limits, seconds = limits.at_most(QUICK), min(seconds, QUICK_SECONDS)
        request = {
            "cells": [list(vars(cell).values()) for cell in cells],
            "names": sorted(names),
            "folder": str(folder) if folder else None,
            "limits": dataclasses.asdict(limits),
            "seconds": seconds,
            "test": test_seconds,
            "quick": quick,
            "setting": setting.as_json() if setting else None,
            "language": language,
        }
        reply = self._ask(request)
        if reply is None:  # the judge's process has ended: once more, in a new one
            self.close()
            self._start()
            self.ready()
            reply = self._ask(request)
        if reply is None:
            self.close()
            raise GraderFailure("the judge's process has ended")
        if "put_off" in reply:
            raise PutOff(reply["put_off"])
        if "failure" in reply:
            raise GraderFailure(reply["failure"])
        outputs = reply["outputs"]
        if any(cell.test and str(index) not in outputs for index, cell in enumerate(cells)):
            # To nbgrader a test cell without outputs has passed.
            raise GraderFailure("the judge left a test without an outcome")
        return [outputs.get(str(index), []) for index in range(len(cells))]

    def _ask(self, request: dict) -> dict | None:
        """Send a request and return the reply, None when there is nobody to reply."""
        try:
            send(self._control, request)
            return receive(self._control)
        except OSError:
            return None

    @property
    def closed(self) -> bool:
        """Is there nobody to ask? When nothing was asked, nothing comes but the end."""
        return self._control.closed or (bool(self.layers) and self._control.poll())

    def leave(self) -> None:
        """Leave it to a process that was forked from this one: it ends with that one."""
        self._control.close()

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
