"""What all tests share."""

import os

import pytest

# Tests run side by side: one thread for each NumPy, also in the kernels that they start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The small course with its assignment released, made once for a file of tests."""
    from small_course import SmallCourse

    course = SmallCourse(tmp_path_factory.mktemp("course"))
    course.release()
    return course


@pytest.fixture
def course(released, tmp_path):
    """A copy of it for one test."""
    return released.copy(tmp_path / "course")


@pytest.fixture
def at_work(course, monkeypatch):
    """Commands run in that course's folder, with its settings."""
    course.write_settings()
    monkeypatch.chdir(course.root)
