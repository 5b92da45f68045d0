"""Build the course as a JupyterLite site: a folder that any web server serves, without a kernel's.

Python itself runs in the browser, by Pyodide. Pyodide comes from its usual address, or from a
folder or an archive that is given: then the site needs no other host.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from illustrated_attention.language import _, later, speaking
from website.editions import editions
from website.settings import BUILD, ROOT, lessons

EXTENSIONS = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
# Pure wheels that the course needs and Pyodide does not bring along.
WHEELS = ("comm", "ipywidgets", "jupyterlab-widgets")
SET_UP = "%pip install -q illustrated-attention"
WELCOME = later("""\
**In the browser.** Everything runs on this computer, in this page: nothing is installed and
nothing is sent. The first run of the next cell fetches Python's packages and takes a minute or so.

**Your work is kept in this browser only.** Download it when you stop. To hand in, press *Download
to hand in* above, and give the file to your instructor.
""")


def build_lite(output: Path, pyodide: str | None = None) -> int:
    """Build the site.

    Parameters
    ----------
    output : Path
        Its folder; what is in it is replaced.
    pyodide : str, optional
        A folder or a .tar.bz2 of Pyodide's full distribution, or the address of one. Without it
        the site fetches Pyodide from its usual address whenever somebody opens it.

    Returns
    -------
    int
        Its size in bytes.

    Raises
    ------
    RuntimeError
        With the builder's own words, if it stops.
    """
    shutil.rmtree(output, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        lite = Path(scratch)
        _write_lessons(lite / "files")
        (lite / "jupyter_lite_config.json").write_text(
            json.dumps(_build_settings(lite, _wheels(), pyodide))
        )
        (lite / "jupyter-lite.json").write_text(json.dumps(_settings(pyodide)))
        _run(
            "jupyter", "lite", "build", f"--lite-dir={lite}", f"--output-dir={output}", folder=lite
        )
    _open_on_the_first_lesson(output)
    return sum(path.stat().st_size for path in output.rglob("*") if path.is_file())


def _build_settings(lite, wheels, pyodide):
    settings = {
        "LiteBuildConfig": {
            "apps": ["lab"],
            "contents": [str(lite / "files")],
            # Of JupyterLab's extensions in this environment only these work without a server.
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [
                str(EXTENSIONS / "@jupyterlite" / "pyodide-kernel-extension"),
                str(EXTENSIONS / "@jupyter-widgets" / "jupyterlab-manager"),
                str(ROOT / "illustrated_attention" / "labextension" / "illustrated-attention"),
                str(ROOT / "website" / "lite_extension"),
            ],
            "no_sourcemaps": True,
            "no_unused_shared_packages": False,
        },
        "PipliteAddon": {"piplite_urls": [str(wheel) for wheel in wheels]},
    }
    if pyodide is not None and Path(pyodide).is_dir():
        shutil.copytree(pyodide, lite / "static" / "pyodide")  # where the builder looks for one
    elif pyodide is not None:
        archive = str(Path(pyodide).resolve()) if Path(pyodide).exists() else pyodide
        settings["PyodideAddon"] = {"pyodide_url": archive}
    return settings


def _settings(pyodide):
    kernel: dict = {"disablePyPIFallback": True}  # what is not in the site is Pyodide's own
    if pyodide is not None and Path(pyodide).is_dir():
        kernel["pyodideUrl"] = "./static/pyodide/pyodide.mjs"
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "Illustrated Attention",
            "handInWords": hand_in_words(),
            "contentsStorageName": "Illustrated Attention",
            "disabledExtensions": ["@jupyterlab/apputils-extension:announcements"],
            "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        },
    }


def with_set_up(file: Path, words: str, command: str) -> nbformat.NotebookNode:
    """Return a lesson's notebook with a set-up cell and some words before all others.

    They are not graded: a hand-in may have cells of its own.
    """
    notebook = nbformat.read(file, 4)
    before = [
        nbformat.v4.new_markdown_cell(words, id="words-on-this-place"),
        nbformat.v4.new_code_cell(command, id="set-up"),
    ]
    notebook.cells = before + notebook.cells
    return notebook


def hand_in_words() -> dict[str, dict[str, str]]:
    """Return what `lite_extension` says, by the folder whose notebooks are in that language."""
    found = {}
    for edition in editions():
        with speaking(edition.language):
            found[edition.folder] = {
                "kept": _("Your work is kept in this browser only. Download it when you stop."),
                "button": _("Download to hand in"),
                "tip": _("Download this notebook under your name"),
                "who": _(
                    "Your name or id, as your instructor knows it: letters, digits, dots, hyphens "
                    "and underscores."
                ),
                "download": _("Download"),
                "refused": _(
                    "Nothing was downloaded: write your name with letters, digits, dots, hyphens "
                    "and underscores only, such as ada or ada.lovelace."
                ),
                "done": _("{name} was downloaded. Give this file to your instructor."),
            }
    return found


def _write_lessons(folder):
    """Write the lessons, and those of other languages each into a folder of its name."""
    for edition in editions():
        with speaking(edition.language):
            words = _(WELCOME)
        for lesson in lessons():
            place = folder / edition.folder / lesson
            place.mkdir(parents=True)
            notebook = with_set_up(ROOT / edition.notebook(lesson), words, SET_UP)
            notebook.metadata["kernelspec"] = {"name": "python", "display_name": "Python (Pyodide)"}
            nbformat.write(notebook, place / f"{lesson}.ipynb")


def _wheels():
    """Build the course's wheel, and fetch the others once, in the versions of the lock."""
    folder = BUILD / "wheels"
    for old in folder.glob("illustrated_attention-*.whl"):
        old.unlink()
    _run("hatchling", "build", "-t", "wheel", "-d", str(folder))
    for name in WHEELS:
        if not list(folder.glob(f"{name.replace('-', '_')}-*.whl")):
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
                pinned.writelines(_locked(name))
                pinned.flush()
                _run(
                    *("pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"),
                    *("--require-hashes", "-r", pinned.name, "-d", str(folder)),
                )
    return sorted(folder.glob("*.whl"))


def _locked(name):
    """Return the lines of requirements.lock that pin one package, hashes included."""
    blocks = (ROOT / "requirements.lock").read_text(encoding="utf-8").split("\n")
    start = next(i for i, line in enumerate(blocks) if line.startswith(name + "=="))
    end = start + 1
    while end < len(blocks) and blocks[end].startswith("    --hash"):
        end += 1
    return [line + "\n" for line in blocks[start:end]]


def _open_on_the_first_lesson(output):
    """The builder's own page, which other pages read their settings from, leads to an empty Lab."""
    first, page = lessons()[0], output / "index.html"
    address = f"lab/index.html?path={first}/{first}.ipynb"
    text = page.read_text(encoding="utf-8")
    leads = f'<head>\n<meta http-equiv="refresh" content="0; url={address}">'
    if text.count("<head>") != 1:
        raise RuntimeError(f"{page} is not the page that JupyterLite used to build.")
    page.write_text(text.replace("<head>", leads), encoding="utf-8")


def _run(*command, folder=ROOT):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-3000:]
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{said}")
