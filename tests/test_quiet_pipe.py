"""The pipe from a judge: what it tells arrives whole, and its reader is seldom woken."""

import fcntl
import multiprocessing
import os
import sys
import time

import pytest

from autograder.sandbox.quiet_pipe import QuietPipe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the grader's processes need Linux")


def read_all(write, seconds=30.0):
    """What a forked writer writes, and how often its reader woke; None where it was called away."""
    pipe, (mine, theirs) = QuietPipe(), multiprocessing.Pipe()
    pid = os.fork()
    if pid == 0:
        pipe.close_reading()
        write(pipe, theirs)
        os._exit(0)
    pipe.close_writing()
    data, times, more = b"", 0, True
    while more and data is not None:
        part, more = pipe.read(seconds, mine)
        data, times = None if part is None else data + part, times + 1
    pipe.close_reading()
    os.waitpid(pid, 0)
    return data, times


def test_short_messages_wake_nobody():
    data, times = read_all(lambda pipe, _other: [pipe.write(b"x" * 100) for _ in range(300)])
    assert data == b"x" * 30_000
    assert times <= 2  # one may be that the writer was ending


ROOM = 32 << 10  # of a pipe as it is made, half
PIPE = os.pipe


def small_pipe():
    """One of two pages: Linux makes such where its user has a thousand others."""
    ends = PIPE()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 8192)
    return ends


@pytest.mark.parametrize("make_pipe", [PIPE, small_pipe])
@pytest.mark.parametrize("size", [2049, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM, 1_000_000])
def test_however_much_it_is_nobody_waits(size, make_pipe, monkeypatch):
    monkeypatch.setattr(os, "pipe", make_pipe)

    def write(pipe, _other):
        for _ in range(3):
            pipe.write(b"y" * size)
            pipe.write(b"z")

    start = time.monotonic()
    data, _times = read_all(write)
    assert data == (b"y" * size + b"z") * 3
    assert time.monotonic() - start < 20  # no wait of 30 seconds was needed


def test_what_is_urgent_arrives_at_once():
    def write(pipe, _other):
        pipe.write(b"a")
        pipe.write(b"b", urgent=True)
        time.sleep(30)

    pipe, (mine, _theirs) = QuietPipe(), multiprocessing.Pipe()
    pid = os.fork()
    if pid == 0:
        write(pipe, None)
    try:
        assert pipe.read(20, mine) == (b"ab", True)
        start = time.monotonic()
        assert pipe.read(0.5, mine) == (b"", True)
        assert time.monotonic() - start > 0.4  # one call wakes once
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_the_time_ends_and_somebody_else_may_call():
    def write(pipe, other):
        pipe.write(b"early")
        time.sleep(0.5)
        other.send(b"stop")

    assert read_all(write, seconds=0.1)[0] is None


def test_each_side_closes_all_that_was_opened():
    """A judge's process has a pipe for each run of each notebook of a class."""
    before = len(os.listdir("/proc/self/fd"))
    for _run in range(3):
        pipe = QuietPipe()
        pipe.close_writing()
        pipe.close_reading()
    assert len(os.listdir("/proc/self/fd")) == before
