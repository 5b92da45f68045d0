"""How long anything of a hand-in may take: a cell, a call, a test, a notebook."""

import mmap
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Time for one cell or one call.

    A machine may be busy with other work, so CPU time counts, and for code that only waits `wall`:
    by the clock, less the time in which it wanted to run and others did.
    """

    cpu: float = 30.0  # seconds, as many as nbgrader gives a cell
    wall: float = 60.0  # seconds

    def at_most(self, other: "Limits") -> "Limits":
        return Limits(min(self.cpu, other.cpu), min(self.wall, other.wall))


# How many times longer than its limits code may take on a machine that is busy with other work.
LONGEST_DELAY = 5.0


class Budget:
    """The time that one hand-in has in all, whatever it does: running, sleeping, starting again.

    It is told in seconds by the clock, less the time in which the student's processes, or the
    judge's, wanted to run and others did: what others use costs a student nothing.
    """

    def __init__(self, seconds: float = float("inf")):
        self.seconds, self.start = seconds, time.monotonic()
        # Forked judges write into it: of processes that have ended, the student's, the judge's.
        self._delays = memoryview(mmap.mmap(-1, 24)).cast("d")

    @property
    def delayed(self) -> float:
        """For how long these processes wanted to run and others did, as far as is known."""
        return sum(self._delays)

    def delay(self, seconds: float) -> None:
        """Take in for how long the student's process in work was delayed until now."""
        self._delays[1] = seconds

    def delay_judge(self, seconds: float) -> None:
        """Take in for how long the judge in work was delayed until now."""
        self._delays[2] = seconds

    def next_process(self) -> None:
        """The student's process in work has ended."""
        self._delays[0], self._delays[1] = self._delays[0] + self._delays[1], 0.0

    def next_judge(self) -> None:
        """The judge in work has ended, and with it the student's process."""
        self._delays[0], self._delays[1], self._delays[2] = self.delayed, 0.0, 0.0

    def spent(self) -> float:
        """Seconds that have been used up."""
        return time.monotonic() - self.start - self.delayed

    def left(self) -> float:
        """Seconds that are left."""
        passed = time.monotonic() - self.start
        return min(self.seconds - passed + self.delayed, self.seconds * LONGEST_DELAY - passed)


TEST_SECONDS = 60.0  # for one test cell in the judge
# In a first try, while others wait behind: for a cell or a call, and for a notebook.
QUICK = Limits(cpu=2.0, wall=2.0)
QUICK_SECONDS = 10.0
# For all of a notebook, both times that it is run. With `QUICK` before it, and with what is done to
# a hand-in before and after, it takes a minute at most.
NOTEBOOK_SECONDS = 56.0


def seconds_after(seconds: float, spent: float) -> float:
    """What a notebook has left of its `seconds` after a first try that spent some.

    Honest work that takes long shows in one cell, after `QUICK`: so much costs it nothing.
    """
    return seconds - max(0.0, spent - QUICK.wall)


# Where something had to be stopped, more of the kind is to be expected, and of the functions that
# the cell named in every cell that names them too: all the more once one of these was stopped.
HURRIED = Limits(cpu=3.0, wall=6.0)
SLOW = Limits(cpu=0.5, wall=1.0)
SLOW_AGAIN = Limits(cpu=0.2, wall=0.4)
