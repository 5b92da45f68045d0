"""Which files of a hand-in are taken, which left out, and for what all is refused."""

import errno
import json
import os

import pytest
from nbformat.v4 import new_notebook

from autograder.nbgrader_steps import refused_files


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "hand-in"
    folder.mkdir()
    (folder / "week.ipynb").write_text(json.dumps(new_notebook()))
    return folder


def copied(folder, tmp_path, limits=refused_files.GRADED):
    """The files of a hand-in that are copied, and what is said about the others."""
    said = refused_files.copy_folder(folder, tmp_path / "copy", limits)
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
    with pytest.raises(refused_files.Refused, match="is a link or no ordinary file"):
        refused_files.copy_folder(folder, tmp_path / "copy")


def _pictures(folder):
    for n in range(refused_files.GRADED.files + 50):
        (folder / f"{n}.png").write_bytes(b"x" * 1000)
    return "more than is taken", refused_files.GRADED.files


def _large_file(folder):
    with open(folder / "scan.pdf", "wb") as file:
        file.truncate(refused_files.GRADED.file + 1)
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


def test_where_not_all_is_taken_the_notebook_and_python_files_come_first(folder, tmp_path):
    (folder / "week.ipynb").write_bytes(b" " * 1000)
    (folder / "helper.py").write_bytes(b" " * 100)
    for number in range(5):
        (folder / f"{number}.txt").touch()
    for number in range(5):
        (folder / f".{number}.py").touch()
    limits = refused_files.Sizes(files=2, file=10_000, total=10_000)
    files, _said = copied(folder, tmp_path, limits)
    assert files.keys() == {"week.ipynb", "helper.py"}


def test_what_is_copied_is_limited_while_it_is_copied(folder, tmp_path, monkeypatch):
    """Files that grow after they were looked at, as many as there are."""
    limits = refused_files.Sizes(files=20, file=1000, total=3000)
    for n in range(30):
        (folder / f"{n}.txt").write_bytes(b"x" * 500)
    read = refused_files._read

    def grown(source, parts, size):
        with open(folder.joinpath(*parts), "ab") as file:
            file.write(b"y" * 10**6)
        return read(source, parts, size)

    monkeypatch.setattr(refused_files, "_read", grown)
    files, _said = copied(folder, tmp_path, limits)
    assert sum(map(len, files.values())) <= 3000


@pytest.mark.skipif(not refused_files._RELATIVE, reason="without an exchange nobody can")
@pytest.mark.parametrize("name", ["week.ipynb", "data"])
def test_what_becomes_a_link_after_the_look_is_not_followed(folder, tmp_path, monkeypatch, name):
    (folder / "data").mkdir()
    (folder / "data" / "key").touch()
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("secret")
    read = refused_files._read

    def swapped(source, parts, size):
        if parts[0] == name:
            target = tmp_path / "private" if name == "data" else tmp_path / "private" / "key"
            (folder / name).rename(tmp_path / "away")
            (folder / name).symlink_to(target)
        return read(source, parts, 100)

    monkeypatch.setattr(refused_files, "_read", swapped)
    with pytest.raises(refused_files.Refused, match="link"):
        refused_files.copy_folder(folder, tmp_path / "copy")
    copies = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert all(path.read_text() != "secret" for path in copies)


def test_what_goes_while_it_is_copied_is_left_out(folder, tmp_path, monkeypatch):
    (folder / "short-lived.txt").touch()
    files = list(refused_files._files(folder, {}))
    (folder / "short-lived.txt").unlink()
    monkeypatch.setattr(refused_files, "_files", lambda folder, left_out: files)
    found, said = copied(folder, tmp_path)
    assert found.keys() == {"week.ipynb"}
    assert "short-lived.txt" in said[0]


def test_a_full_disk_is_not_the_students_fault(folder, tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(refused_files.Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        refused_files.copy_folder(folder, tmp_path / "copy")


def test_a_folder_that_is_a_link_is_refused(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(refused_files.Refused, match="link to somewhere else"):
        refused_files.copy_folder(tmp_path / "link", tmp_path / "copy")


def test_the_content_tells_hand_ins_apart_and_not_the_dates(folder):
    before = refused_files.digest(folder)
    os.utime(folder / "week.ipynb", (0, 0))
    (folder / "submission_secret.txt").write_text("a secret is no work")
    assert refused_files.digest(folder) == before
    (folder / "helper.py").write_text("x = 1")
    with_helper = refused_files.digest(folder)
    (folder / "helper.py").write_text("x = 2")
    os.utime(folder / "helper.py", (0, 0))
    assert len({before, with_helper, refused_files.digest(folder)}) == 3
    (folder / "helper.py").unlink()
    (folder / "helper.py").symlink_to("/dev/zero")
    assert refused_files.digest(folder) == before


def test_the_owner_reads_why():
    (cell,) = refused_files.refusal("The file is a link.").cells
    assert "could not be graded" in cell.source
    assert "The file is a link." in cell.source
