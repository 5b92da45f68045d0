"""pyproject.toml, environment.yml and requirements.lock describe one and the same environment."""

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def by_name(requirements):
    """Return {name: requirement} for requirement texts."""
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def conda_packages():
    """Return {name: bounds} of environment.yml, without its pip section."""
    return by_name(entry for entry in CONDA["dependencies"] if isinstance(entry, str))


def pins():
    """Return (requirement, hashes) for every pin of the lock."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK)
    blocks = [block for block in blocks if not block.startswith("#")]
    return [(Requirement(block.split(" \\")[0]), block.count("--hash=sha256:")) for block in blocks]


def pins_of(name):
    return [pin for pin, _ in pins() if canonicalize_name(pin.name) == name]


def everything_asked_for():
    """Return every requirement of pyproject.toml: the course, its extras, its groups, its build."""
    asked = list(PROJECT["dependencies"]) + PYPROJECT["build-system"]["requires"]
    for more in (PROJECT["optional-dependencies"], PYPROJECT["dependency-groups"]):
        for requirements in more.values():
            asked += requirements
    return [Requirement(text) for text in asked]


# What `make lab` sets up: the student's package, and JupyterLab with nbgrader.
COURSE = by_name(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lab"])


def test_conda_installs_what_the_course_needs_within_the_same_bounds():
    conda = conda_packages()
    for name, requirement in COURSE.items():
        assert name in conda, f"environment.yml lacks {name}"
        assert conda[name].specifier == requirement.specifier, name


def test_conda_installs_nothing_that_the_course_does_not_need():
    needed = set(COURSE) | {"python", "pip"}
    assert set(conda_packages()) == needed


def test_conda_takes_the_same_pythons_and_installs_the_course_from_the_clone():
    assert str(conda_packages()["python"].specifier) == PROJECT["requires-python"]
    assert [entry for entry in CONDA["dependencies"] if isinstance(entry, dict)] == [
        {"pip": ["-e .[lab,grading]"]}
    ]
    assert CONDA["channels"] == ["conda-forge"]


@pytest.mark.parametrize("requirement", everything_asked_for(), ids=str)
def test_the_lock_pins_what_pyproject_asks_for(requirement):
    found = pins_of(canonicalize_name(requirement.name))
    assert found, f"requirements.lock lacks {requirement.name}: make lock"
    allowed = [
        pin for pin in found if requirement.specifier.contains(str(pin.specifier).lstrip("="))
    ]
    # A requirement for some machines only binds the pin of those machines.
    assert allowed if requirement.marker else allowed == found


def test_the_lock_pins_nothing_that_nobody_asks_for():
    """Walk from pyproject.toml through what the installed packages require on this machine."""
    waiting = [(requirement, "") for requirement in everything_asked_for()]
    reached, walked = set(), set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        reached.add(name)
        for wanted in {"", *requirement.extras}:
            if (name, wanted) not in walked:
                walked.add((name, wanted))
                requires = metadata.requires(name) or []
                waiting += [(Requirement(text), wanted) for text in requires]
    here = {
        canonicalize_name(pin.name)
        for pin, _ in pins()
        if pin.marker is None or pin.marker.evaluate()
    }
    assert here == reached


def test_every_pin_is_one_version_with_its_hashes():
    for pin, hashes in pins():
        assert re.fullmatch(r"==[^=*,]+", str(pin.specifier)), pin
        assert hashes >= 1, pin


def test_the_lock_names_no_index_and_no_machine():
    assert not re.search(r"https?:|file:|index-url|find-links|trusted-host", LOCK)
    assert not re.search(r"(^|\s)/\w", LOCK)


OURS = {path.stem for path in (ROOT / "tests").rglob("*.py")} | {
    *(path.name for path in (ROOT / "tests").iterdir() if path.is_dir()),
    *("illustrated_attention", "autograder", "benchmarks", "training", "website", "__main__"),
}
# What a folder's code may import: the course, and these extras.
EXTRAS = {
    "illustrated_attention": {"hub"},
    "autograder": {"lab", "grading", "cluster", "test"},
    "scripts": {"lab", "grading"},
    "website": {"site", "grading", "test"},
    "tests": {"lab", "grading", "cluster", "hub", "test"},
}


def test_a_notebook_needs_little():
    """So that it runs in a browser, in Colab, or on a hub that has its own JupyterLab."""
    wanted = {"ipython", "ipywidgets", "matplotlib", "numpy"}
    assert set(by_name(PROJECT["dependencies"])) == wanted


@pytest.mark.parametrize("folder", EXTRAS)
def test_whatever_is_imported_is_declared(folder):
    asked = list(PROJECT["dependencies"])
    for extra in EXTRAS[folder]:
        asked += PROJECT["optional-dependencies"][extra]
    declared = set(by_name(asked))
    provided = metadata.packages_distributions()
    for path in (ROOT / folder).rglob("*.py"):
        for name in imported(path) - sys.stdlib_module_names - OURS:
            found = {canonicalize_name(dist) for dist in provided.get(name, [name])}
            assert found & declared, f"{path.relative_to(ROOT)} imports {name}"


def imported(path):
    """The packages that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return names
