"""What students hand in is read as a stranger's; a refusal says why."""

import errno
import json
import os
import time
import tracemalloc

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.nbgrader_steps import intake


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "hand-in"
    folder.mkdir()
    (folder / "week.ipynb").write_text(json.dumps(new_notebook()))
    return folder


def copied(folder, tmp_path, limits=intake.GRADED):
    """The files of a hand-in that are copied, and what is said about the others."""
    said = intake.copy_folder(folder, tmp_path / "copy", limits)
    files = (path for path in (tmp_path / "copy").rglob("*") if path.is_file())
    return {str(path.relative_to(tmp_path / "copy")): path.read_bytes() for path in files}, said


def test_a_notebook_with_a_few_files_is_taken(folder, tmp_path):
    (folder / "helper.py").write_text("x = 1")
    (folder / "timestamp.txt").write_text("2026-01-01 10:00:00 UTC")
    (folder / "tools").mkdir()
    (folder / "tools" / "__init__.py").touch()
    (folder / "data").mkdir()
    (folder / "data" / "größen.csv").write_text("1,2")
    files, said = copied(folder, tmp_path)
    assert files.keys() == {
        *("week.ipynb", "helper.py", "timestamp.txt"),
        *("tools/__init__.py", "data/größen.csv"),
    }
    assert files["data/größen.csv"] == b"1,2"
    assert said == []


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


@pytest.mark.parametrize("change", [_link, _link_to_folder, _hard_link, _pipe, _notebook_is_a_link])
def test_a_folder_with_links_or_pipes_is_refused(folder, tmp_path, change):
    change(folder)
    with pytest.raises(intake.Refused, match="is a link or no ordinary file"):
        intake.copy_folder(folder, tmp_path / "copy")


def _pictures(folder):
    for n in range(intake.GRADED.files + 50):
        (folder / f"{n}.png").write_bytes(b"x" * 1000)
    return "more than is taken", intake.GRADED.files


def _large_file(folder):
    with open(folder / "scan.pdf", "wb") as file:
        file.truncate(intake.GRADED.file + 1)
    return "scan.pdf", 2


def _repository(folder):
    (folder / ".git" / "objects").mkdir(parents=True)
    for n in range(500):
        (folder / ".git" / "objects" / str(n)).touch()
    return ".git", 2


def _left_by_systems(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    for name in ("._week.ipynb", ".DS_Store", ".ipynb_checkpoints/week-checkpoint.ipynb"):
        (folder / name).touch()
    return None, 2


def _bytes_for_a_name(folder):
    with open(os.path.join(os.fsencode(folder), b"caf\xe9.txt"), "wb"):
        pass
    return "its name cannot be used here", 2


def _deep(folder):
    path = folder.joinpath(*["deep"] * 300)
    path.mkdir(parents=True)
    return "too deep in folders", 2


def _shut(folder):
    (folder / "shut.txt").touch()
    (folder / "shut.txt").chmod(0)
    return "shut.txt", 2


@pytest.mark.parametrize(
    "change",
    [_pictures, _large_file, _repository, _left_by_systems, _bytes_for_a_name, _deep, _shut],
)
def test_what_is_too_much_is_left_out_and_told(folder, tmp_path, change):
    """The notebook and the Python files beside it are taken, whatever else lies there."""
    (folder / "helper.py").write_text("x = 1")
    told, count = change(folder)
    if change is _shut and os.access(folder / "shut.txt", os.R_OK):
        pytest.skip("nothing is shut for root")
    files, said = copied(folder, tmp_path)
    assert {"week.ipynb", "helper.py"} <= files.keys()
    assert len(files) == count
    if told is None:
        assert said == []
    else:
        assert len(said) == 1
        assert told in said[0]


def test_what_is_copied_is_limited_while_it_is_copied(folder, tmp_path, monkeypatch):
    """Files that grow after they were looked at, as many as there are."""
    limits = intake.Sizes(files=20, file=1000, total=3000)
    for n in range(30):
        (folder / f"{n}.txt").write_bytes(b"x" * 500)
    read = intake._read

    def grown(source, parts, size):
        with open(folder.joinpath(*parts), "ab") as file:
            file.write(b"y" * 10**6)
        return read(source, parts, size)

    monkeypatch.setattr(intake, "_read", grown)
    files, _said = copied(folder, tmp_path, limits)
    assert sum(map(len, files.values())) <= 3000


@pytest.mark.skipif(not intake._RELATIVE, reason="without an exchange nobody can")
@pytest.mark.parametrize("name", ["week.ipynb", "data"])
def test_what_becomes_a_link_after_the_look_is_not_followed(folder, tmp_path, monkeypatch, name):
    (folder / "data").mkdir()
    (folder / "data" / "key").touch()
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("secret")
    read = intake._read

    def swapped(source, parts, size):
        if parts[0] == name:
            target = tmp_path / "private" if name == "data" else tmp_path / "private" / "key"
            (folder / name).rename(tmp_path / "away")
            (folder / name).symlink_to(target)
        return read(source, parts, 100)

    monkeypatch.setattr(intake, "_read", swapped)
    with pytest.raises(intake.Refused, match="link"):
        intake.copy_folder(folder, tmp_path / "copy")
    copies = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert all(path.read_text() != "secret" for path in copies)


def test_what_goes_while_it_is_copied_is_left_out(folder, tmp_path, monkeypatch):
    (folder / "short-lived.txt").touch()
    files = list(intake._files(folder, {}))
    (folder / "short-lived.txt").unlink()
    monkeypatch.setattr(intake, "_files", lambda folder, left_out: files)
    found, said = copied(folder, tmp_path)
    assert found.keys() == {"week.ipynb"}
    assert "short-lived.txt" in said[0]


def test_a_full_disk_is_not_the_students_fault(folder, tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(intake.Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        intake.copy_folder(folder, tmp_path / "copy")


def test_a_folder_that_is_a_link_is_refused(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(intake.Refused, match="link to somewhere else"):
        intake.copy_folder(tmp_path / "link", tmp_path / "copy")


def test_the_content_tells_hand_ins_apart_and_not_the_dates(folder):
    before = intake.digest(folder)
    os.utime(folder / "week.ipynb", (0, 0))
    (folder / "submission_secret.txt").write_text("a secret is no work")
    assert intake.digest(folder) == before
    (folder / "helper.py").write_text("x = 1")
    with_helper = intake.digest(folder)
    (folder / "helper.py").write_text("x = 2")
    os.utime(folder / "helper.py", (0, 0))
    assert len({before, with_helper, intake.digest(folder)}) == 3
    (folder / "helper.py").unlink()
    (folder / "helper.py").symlink_to("/dev/zero")
    assert intake.digest(folder) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "damaged"),
        (b"\xff\xfe\x00", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"nbformat": ' + b"9" * 10_000 + b"}", "damaged"),
        (b"[]", "format 4"),
        (b'{"nbformat": 5, "cells": []}', "format 4"),
        (b'{"nbformat": 3, "worksheets": [1]}', "format is old, and it is damaged"),
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
        {"cell_type": "raw", "source": "a\nb"},
    ]
    about = {"title": "<script>", "language_info": {"version": "3.12.1", "x": "<script>"}}
    document = {"nbformat": 4, "cells": cells, "metadata": about}
    read = intake.read_notebook(json.dumps(document))
    assert read.metadata == {"language_info": {"name": "python", "version": "3.12.1"}}
    code, text, other, raw = read.cells
    assert code.source == "x = 1\ny = 2"
    assert code.outputs == []
    assert code.metadata == {"nbgrader": {"grade_id": "g"}}
    assert text.id != "../../etc"
    assert (other.cell_type, raw.cell_type) == ("markdown", "raw")


def test_attached_pictures_stay_and_other_attachments_go():
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    cell = new_markdown_cell("![a](attachment:a.png)")
    cell.attachments = {
        **{"a.png": {"image/png": png}, "b.svg": {"image/svg+xml": "<svg onload='x'/>"}},
        "c.png": {"image/png": "bm90IGEgcG5n"},
    }
    (read,) = intake.read_notebook(json.dumps(new_notebook(cells=[cell]))).cells
    assert list(read.attachments) == ["a.png"]


def test_a_notebook_of_an_old_format_is_brought_to_ours():
    cells = [
        {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y"], "outputs": [5]},
        {"cell_type": "heading", "level": 2, "source": "Title"},
    ]
    document = {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}
    code, heading = intake.read_notebook(json.dumps(document)).cells
    assert (code.cell_type, code.source) == ("code", "x = 1\ny")
    assert (heading.cell_type, heading.source) == ("markdown", "## Title")


def test_of_a_notebook_with_huge_outputs_the_sources_are_read():
    cells = [new_code_cell('x = {"outputs": [1]}', id="one"), new_code_cell("y = 2", id="two")]
    document = new_notebook(cells=cells)
    shown = {"text/plain": 'a "quoted" ]}', "image/png": "A" * (30 << 20)}
    data = {"output_type": "display_data", "data": shown, "metadata": {}}
    cells[0].outputs = [data]
    document.metadata.widgets = {"state": {"deep": [[[{}]]]}}
    text = json.dumps(document, indent=1).encode()
    tracemalloc.start()
    try:
        read = intake.read_notebook(text)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert [cell.source for cell in read.cells] == [cell.source for cell in cells]


@pytest.mark.parametrize(
    "text",
    [
        b'{"outputs":' + b"[" * (20 << 20),
        b'{"a":"' + b"\\n" * (9 << 20) + b'"}',
        b'"' * (20 << 20),
        b'{"outputs":["' + b"\\" * (9 << 20) + b'"]}',
    ],
    ids=lambda text: text[:14].decode(),
)
def test_a_bomb_of_text_is_refused_in_little_time(text):
    start = time.process_time()
    with pytest.raises(intake.Refused):
        intake.read_notebook(text)
    assert time.process_time() - start < 5


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
