"""In Pyodide, the Python of browsers: the model's words are read, and endless loops are stopped.

Skipped unless PYODIDE names a folder with Pyodide (``npm pack pyodide``, unpacked) and there is a
Node. Where the folder has NumPy, as the full distribution does, `check` tries the right function of
every exercise. Without it an empty module stands in for NumPy, and only the rest is tried.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from illustrated_attention.data import data_path
from illustrated_attention.gpt2_files import load_pocket

ROOT = Path(__file__).resolve().parents[1]
PYODIDE = os.environ.get("PYODIDE", "")
TEXT = "A robot must obey the orders given it by humans. Zürich, 東京!"

pytestmark = pytest.mark.skipif(
    not PYODIDE or not shutil.which("node"), reason="PYODIDE names no folder, or there is no node"
)

RUN = """
import { loadPyodide } from PYODIDE;
import { readFileSync } from "node:fs";
const python = await loadPyodide();
const numpy = await python.loadPackage(["numpy"]).then((loaded) => loaded.length > 0, () => false);
python.mountNodeFS("/course", COURSE);
python.globals.set("has_numpy", numpy);
const said = await python.runPythonAsync(readFileSync(PROGRAM, "utf8"));
console.log("SAID" + said);
"""
PROGRAM = """
import importlib.util, json, pathlib, sys, time, types

if not has_numpy:
    class Anything(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {"__class_getitem__": classmethod(lambda cls, of: cls)})
    numpy = Anything("numpy")
    import contextlib
    numpy.errstate = lambda **_settings: contextlib.nullcontext()
    sys.modules["numpy"] = numpy

def load(name):
    # By itself: the package imports all else first, Matplotlib among it.
    spec = importlib.util.spec_from_file_location(name, f"/course/illustrated_attention/{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

byte_pairs, outcomes = load("byte_pairs"), load("outcomes")
tokenizer = byte_pairs.read_tokenizer(pathlib.Path("/course/data/pocket_gpt2"))
outcomes.SECONDS_PER_CALL = 0.3
if not has_numpy:
    outcomes.copy_data = lambda value: value
    outcomes.identical = lambda a, b: a is b

def endless(x):
    while True:
        pass

def catches_everything(x):
    while True:
        try:
            sum(range(1000))
        except:
            continue

stopped = {}
for function in (endless, catches_everything, lambda x: x):
    outcome = outcomes.call(function, outcomes.Case("", (1,)))
    stopped[function.__name__] = outcome.timed_out

refused = []
if has_numpy:
    sys.path.insert(0, "/course")
    from autograder.exercises.reference import reference
    from illustrated_attention import CheckFailed, check
    from illustrated_attention.contents import exercise_names

    for name in exercise_names():
        try:
            check(reference(name), name)
        except CheckFailed as failed:
            refused.append(str(failed))

ids = tokenizer.encode(TEXT)
json.dumps({"ids": ids, "stopped": stopped, "numpy": has_numpy, "refused": refused})
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pyodide")
    (folder / "program.py").write_text(f"TEXT = {TEXT!r}\n{PROGRAM}", encoding="utf-8")
    names = {
        "PYODIDE": (Path(PYODIDE).resolve() / "pyodide.mjs").as_uri(),
        "COURSE": str(ROOT),
        "PROGRAM": str(folder / "program.py"),
    }
    run = RUN
    run = run.replace("from PYODIDE", f"from {json.dumps(names['PYODIDE'])}")
    run = run.replace("COURSE", json.dumps(names["COURSE"])).replace(
        "(PROGRAM", f"({json.dumps(names['PROGRAM'])}"
    )
    (folder / "run.mjs").write_text(run, encoding="utf-8")
    done = subprocess.run(
        ["node", str(folder / "run.mjs")], capture_output=True, text=True, timeout=600
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("SAID")]
    assert lines, done.stdout[-2000:] + done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("SAID"))


def test_the_pocket_models_words_have_the_same_ids(said):
    assert data_path("pocket_gpt2").parent.parent == ROOT
    assert said["ids"] == load_pocket().encode(TEXT)[1:]


def test_endless_loops_are_stopped_and_others_are_not(said):
    assert said["stopped"] == {"endless": True, "catches_everything": True, "<lambda>": False}


def test_check_passes_the_right_function_of_every_exercise(said):
    if not said["numpy"]:
        pytest.skip("this Pyodide has no NumPy")
    assert said["refused"] == []
