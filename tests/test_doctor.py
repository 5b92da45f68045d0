"""`doctor` says which layers hold, and that grading is safe only where attempts to escape fail."""

import sys

import pytest

from autograder.class_run import doctor
from autograder.sandbox.inside import confine

linux = pytest.mark.skipif(sys.platform != "linux", reason="confinement is for Linux")


@linux
@pytest.mark.usefixtures("confined")
def test_a_safe_machine_is_called_safe(capsys):
    assert doctor.main() == 0
    out = capsys.readouterr().out
    assert "Grading is safe here" in out
    assert "POSSIBLE" not in out
    assert out.count("refused") == len(doctor.PROBES)


@linux
def test_a_machine_without_layers_is_not(capsys, monkeypatch):
    monkeypatch.setattr(confine, "layers", confine.Layers)
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert "NOT safe" in out
    assert "NO  Landlock" in out
    assert "NO  seccomp" in out


@linux
def test_a_wall_with_a_hole_is_found(capsys, monkeypatch):
    """The probes really try: without confinement they succeed, and doctor says so."""
    from autograder.sandbox import student_process

    zygote = student_process.Zygote
    nothing = lambda: zygote(confine.Layers(), unsafe=True)  # noqa: E731
    monkeypatch.setattr(student_process, "Zygote", nothing)
    monkeypatch.setattr(confine, "layers", lambda: confine.Layers(7, True, False))
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert "POSSIBLE" in out
    assert "do not grade here" in out


def test_other_systems_are_told_what_it_means(capsys, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert doctor.main() == 1
    assert "UNCONFINED" in capsys.readouterr().out


def test_an_exchange_that_a_student_can_take_over_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(confine, "layers", confine.Layers)
    monkeypatch.setenv("ILLUSTRATED_ATTENTION_EXCHANGE", str(tmp_path))
    for mode, said in ((0o777, True), (0o1777, False), (0o700, False)):
        tmp_path.chmod(mode)
        doctor.main()
        assert (f"chmod 1777 {tmp_path}" in capsys.readouterr().out) == said
