"""A pipe whose reader sleeps until there is a reason to read.

To wake a reader for each short message costs more than all else about it.
"""

import fcntl
import os
import select
from multiprocessing.connection import Connection


class QuietPipe:
    """From a forked process to the one that forked it."""

    def __init__(self):
        self._reading, self._writing = os.pipe()
        self._called, self._calling = os.pipe()
        os.set_blocking(self._reading, False)
        # Bytes that may wait unread. Short writes may leave each page of a pipe half empty, and
        # where a user has many pipes, Linux gives them two pages each.
        self.room = fcntl.fcntl(self._writing, fcntl.F_GETPIPE_SZ) // 2
        self._may_call = True
        self._waiting = 0  # bytes since the reader was called last

    def close_reading(self) -> None:
        """The writer does this when it has been forked, and the reader in the end."""
        os.close(self._reading)
        os.close(self._called)

    def close_writing(self) -> None:
        """The reader does this when it has forked the writer."""
        os.close(self._writing)
        os.close(self._calling)

    def write(self, data: bytes, urgent: bool = False) -> None:
        """Write all of it. The reader is called if it is urgent, or before the pipe is full."""
        for begin in range(0, len(data), self.room):
            part = data[begin : begin + self.room]
            self._waiting += len(part)
            if self._waiting > self.room:
                self._call()
                self._waiting = len(part)
            while part:
                part = part[os.write(self._writing, part) :]
        if urgent:
            self._call()

    def _call(self) -> None:
        os.write(self._calling, b"!")

    def read(self, seconds: float, other: Connection) -> tuple[bytes | None, bool]:
        """Return what there is to read when called, when the writer has ended, or after `seconds`.

        With it, whether there may be more. None: there is something to read from `other`.
        """
        poll = select.poll()
        poll.register(self._reading, 0)  # it is told in any case when the writer has ended
        if self._may_call:
            poll.register(self._called, select.POLLIN)
        poll.register(other, select.POLLIN)
        events = dict(poll.poll(seconds * 1000))
        if other.fileno() in events:
            return None, False
        if events.get(self._called, 0) & select.POLLIN:
            os.read(self._called, 1 << 16)
        elif self._called in events:  # the writer is ending, and `_reading` tells when it has
            self._may_call = False
        parts: list[bytes] = []
        while True:
            try:
                part = os.read(self._reading, 1 << 20)
            except BlockingIOError:
                return b"".join(parts), True
            if not part:
                return b"".join(parts), False
            parts.append(part)
