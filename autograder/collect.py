"""Collect hand-ins from nbgrader's exchange as what they are: folders that strangers wrote."""

import datetime
import tempfile
from pathlib import Path

from nbgrader.api import MissingEntry
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect

from autograder import batch, hand_in, intake


class Collect(ExchangeCollect):
    """nbgrader's `collect`, which follows no link and which no hand-in stops.

    A folder that is refused stays in the exchange. In its place is collected a notebook that says
    why, for its owner to read in the feedback.
    """

    def init_src(self):
        super().init_src()
        for record in self.src_records.copy():
            folder = Path(self.inbound_path, record["filename"])
            if record["username"] in ("", ".", "..") or folder.is_symlink() or not folder.is_dir():
                self.log.warning("%s is left out: it is no student's folder", folder)
                self.src_records.remove(record)

    def _path_to_record(self, path):
        try:
            return super()._path_to_record(path)
        except (ValueError, OverflowError, ExchangeError):  # the name was not made by `submit`
            name = Path(path).name
            oldest = datetime.datetime(1970, 1, 1)
            return {"username": name.split("+")[0], "filename": name, "timestamp": oldest}

    def do_copy(self, src, dest, log=None):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, "hand-in")
            try:
                left_out = intake.copy_folder(src, folder, intake.COLLECTED)
                super().do_copy(folder, dest, log)
                if left_out:
                    self.log.warning("%s: %s", src, " ".join(left_out))
                    Path(dest, hand_in.LEFT_OUT).write_text("\n".join(left_out), encoding="utf-8")
            except (intake.Refused, RuntimeError) as reason:  # nbgrader's: it is too large
                self.log.warning("%s is refused: %s", src, reason)
                intake.write_refusal(str(reason), dest, self._notebooks())
        if batch.timestamp(Path(dest)) is None:
            handed_in = self._path_to_record(src)["timestamp"]
            Path(dest, "timestamp.txt").write_text(f"{handed_in} UTC\n")

    def _notebooks(self) -> list[str]:
        assignment = self.coursedir.assignment_id
        try:
            return batch.notebooks(self.coursedir, assignment)
        except MissingEntry:  # it can be collected before the gradebook knows it
            return [assignment]
