"""What students hand in is read as a stranger's; a refusal says why."""

import contextlib
import errno
import json
import os

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import intake


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "hand-in"
    folder.mkdir()
    (folder / "week.ipynb").write_text(json.dumps(new_notebook()))
    return folder


def test_a_notebook_with_a_few_files_is_taken(folder):
    (folder / "helper.py").write_text("x = 1")
    (folder / "timestamp.txt").write_text("2026-01-01 10:00:00 UTC")
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("1,2")
    intake.check_folder(folder)


def _link(folder):
    (folder / "link").symlink_to("/etc/passwd")


def _link_to_folder(folder):
    (folder / "link").symlink_to("/etc")


def _hard_link(folder):
    os.link(folder / "week.ipynb", folder.parent / "elsewhere")


def _pipe(folder):
    os.mkfifo(folder / "pipe")


def _notebook_is_a_link(folder):
    (folder / "week.ipynb").rename(folder.parent / "real.ipynb")
    (folder / "week.ipynb").symlink_to(folder.parent / "real.ipynb")


def _large(folder):
    with open(folder / "large.bin", "wb") as file:
        file.truncate(intake.MAX_FILE + 1)


def _large_notebook(folder):
    with open(folder / "week.ipynb", "wb") as file:
        file.truncate(intake.MAX_NOTEBOOK + 1)


def _many(folder):
    for n in range(intake.MAX_FILES):
        (folder / f"{n}").touch()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_link, "link"),
        (_link_to_folder, "link"),
        (_hard_link, "link"),
        (_pipe, "ordinary file"),
        (_notebook_is_a_link, "link"),
        (_large, "larger than 5 MB"),
        (_large_notebook, "Clear all outputs"),
        (_many, "more than 50 files"),
    ],
)
def test_a_folder_with_anything_else_is_refused(folder, change, reason):
    change(folder)
    with pytest.raises(intake.Refused, match=reason):
        intake.check_folder(folder)


@pytest.mark.skipif(not hasattr(os, "fwalk"), reason="without an exchange nobody can")
@pytest.mark.parametrize("name", ["week.ipynb", "data"])
def test_what_becomes_a_link_after_the_check_is_not_followed(folder, tmp_path, monkeypatch, name):
    (folder / "data").mkdir()
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("secret")
    check_folder = intake.check_folder

    def check(checked):
        check_folder(checked)
        if checked == folder:
            target = tmp_path / "private" if name == "data" else tmp_path / "private" / "key"
            (folder / name).rename(tmp_path / "away")
            (folder / name).symlink_to(target)

    monkeypatch.setattr(intake, "check_folder", check)
    with contextlib.suppress(intake.Refused):
        intake.copy_folder(folder, tmp_path / "copy")
    copied = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert all(path.read_text() != "secret" for path in copied)


def test_a_full_disk_is_not_the_students_fault(folder, tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(intake.Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        intake.copy_folder(folder, tmp_path / "copy")


def test_a_folder_that_is_a_link_is_refused(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(intake.Refused, match="link"):
        intake.check_folder(tmp_path / "link")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"nbformat": ' + b"9" * 10_000 + b"}", "damaged"),
        (b"[]", "format 4"),
        (b'{"nbformat": 3, "worksheets": []}', "format 4"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "no list of cells"),
        (b'{"nbformat": 4, "cells": {"a": 1}}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [{"source": 5}]}', "Cell 1"),
        (b'{"nbformat": 4, "cells": [{"source": [["x"]]}]}', "Cell 1"),
        (json.dumps({"nbformat": 4, "cells": [{}] * 501}).encode(), "501 cells"),
        (json.dumps({"nbformat": 4, "cells": [{"source": "x" * 10**6}]}).encode(), "longer"),
        (b" " * (intake.MAX_NOTEBOOK + 1), "larger"),
    ],
)
def test_what_is_no_notebook_is_refused(text, reason):
    with pytest.raises(intake.Refused, match=reason):
        intake.read_notebook(text)


def test_only_what_counts_is_kept():
    cells = [
        {
            **{"cell_type": "code", "id": "a", "source": ["x = 1\n", "y = 2"]},
            **{"outputs": [{"data": {"text/html": "<script>"}}], "execution_count": 7},
            "metadata": {"tags": ["skip-execution"], "nbgrader": {"grade_id": "g", "points": 99}},
        },
        {"cell_type": "markdown", "id": "../../etc", "source": "text", "metadata": []},
        {"cell_type": "no such type", "source": "more"},
        {"cell_type": "raw", "source": "<script>\nalert(1)"},
    ]
    document = {"nbformat": 4, "cells": cells, "metadata": {"title": "<script>"}}
    code, text, other, raw = intake.read_notebook(json.dumps(document)).cells
    assert code.source == "x = 1\ny = 2"
    assert code.outputs == []
    assert code.metadata == {"nbgrader": {"grade_id": "g"}}
    assert text.id != "../../etc"
    assert (other.cell_type, raw.cell_type) == ("markdown", "markdown")
    assert raw.source == "    <script>\n    alert(1)"


def test_attached_pictures_stay_and_other_attachments_go():
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    cell = new_markdown_cell("![a](attachment:a.png)")
    cell.attachments = {
        **{"a.png": {"image/png": png}, "b.svg": {"image/svg+xml": "<svg onload='x'/>"}},
        "c.png": {"image/png": "bm90IGEgcG5n"},
    }
    (read,) = intake.read_notebook(json.dumps(new_notebook(cells=[cell]))).cells
    assert list(read.attachments) == ["a.png"]


def test_half_characters_do_not_stop_the_grader():
    (cell,) = intake.read_notebook('{"nbformat": 4, "cells": [{"source": "\\ud800"}]}').cells
    cell.source.encode("utf-8")


def test_an_honest_notebook_comes_through():
    cells = [new_code_cell("x = 1", id="one"), new_markdown_cell("# Title", id="two")]
    read = intake.read_notebook(json.dumps(new_notebook(cells=cells)))
    assert [(c.cell_type, c.id, c.source) for c in read.cells] == [
        ("code", "one", "x = 1"),
        ("markdown", "two", "# Title"),
    ]


def test_the_owner_reads_why():
    (cell,) = intake.refusal("The file is a link.").cells
    assert "could not be graded" in cell.source
    assert "The file is a link." in cell.source
