"""Open JupyterLab on the first lesson, with nbgrader's panels working; ``make lab`` runs it.

Run as ``python scripts/open_lab.py``, in .venv or in the conda environment. With ``--instructor``
as the first argument, as ``make class`` has it, the instructor's panels are there too; ``--language
zh_CN`` after it opens that edition. All other arguments go to JupyterLab as they are.
"""

import importlib.util
import io
import os
import socket
import sys
from pathlib import Path

from traitlets.config import PyFileConfigLoader

from illustrated_attention import language
from illustrated_attention.language import _, listed

ROOT = Path(__file__).resolve().parents[1]
FIRST_LESSON = "00_orientation/00_orientation.ipynb"
ENGLISH_LESSONS = "notebooks"


def nbgrader_settings():
    """Return the settings in nbgrader_config.py; loading them makes the local exchange."""
    try:
        return PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    except SystemExit as reason:
        sys.exit(language.together(_("JupyterLab was not started."), str(reason)))


def release_lessons(settings):
    """Put the lessons that are not yet there into the exchange of this clone.

    A learner alone is also the class: without a release, the Assignments panel would stay empty
    and nothing could be handed in. In a class's shared exchange the instructor releases.
    """
    exchange = Path(settings.Exchange.root)
    if exchange != ROOT / "exchange" or sys.platform == "win32":
        return
    released = exchange / settings.CourseDirectory.course_id / "outbound"
    folder = ROOT / settings.CourseDirectory.release_directory
    lessons = sorted(path.parent.name for path in folder.glob("*/*.ipynb"))
    missing = [lesson for lesson in lessons if not (released / lesson).exists()]
    if not missing:
        return
    text = _("Putting the lessons into the local exchange: {lessons}")
    print(text.format(lessons=listed(missing)))
    from nbgrader.apps import NbGraderAPI  # slow to import, and only the first start needs it

    for lesson in missing:
        result = NbGraderAPI(config=settings).release_assignment(lesson)
        if not result["success"]:
            text = _("{lesson} could not be released:")
            reason = result.get("error", result["log"])
            sys.exit(text.format(lesson=lesson) + f"\n{reason}")


def option(arguments, name, default):
    """Return the value of ``--name=value`` or ``--name value`` among the arguments."""
    for index, argument in enumerate(arguments):
        if argument.startswith(name + "="):
            return argument.partition("=")[2]
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
    return default


def say_if_taken(port):
    """Say so when another program listens on the port; JupyterLab then takes the next free one."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            text = _(
                "Port {port} is taken, perhaps by another JupyterLab, so this one takes the next "
                "free port. Use the address that it prints below."
            )
            print(text.format(port=port))


def lab_command(lessons, arguments):
    """Return the command that starts JupyterLab in this repository, on the first lesson."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}"]
    if (ROOT / lessons / FIRST_LESSON).exists():
        command.append(f"--LabApp.default_url=/lab/tree/{lessons}/{FIRST_LESSON}")
    # No news, no updates, no shop of extensions: the course works without a network.
    # (The question about news is switched off in labconfig/page_config.json.)
    command.append("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
    command.append("--LabApp.extension_manager=readonly")
    package = importlib.util.find_spec("illustrated_attention")
    if package and package.origin:
        # So that `check` knows what stands in the notebook; see notebook_state.py.
        extensions = Path(package.origin).parent / "labextension"
        command.append(f"--LabApp.extra_labextensions_path={extensions}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        print(_("You are root, as in most containers: what runs in a notebook is root too."))
        command.append("--allow-root")
    return command + arguments


def main(arguments):
    instructor = arguments[:1] == ["--instructor"]
    arguments = arguments[1:] if instructor else arguments
    if arguments[:1] == ["--language"]:  # before the class's: see nbgrader_config.py
        os.environ["ILLUSTRATED_ATTENTION_EDITION"] = arguments[1]
        arguments = arguments[2:]
    settings = nbgrader_settings()
    lessons = settings.CourseDirectory.release_directory
    if lessons != ENGLISH_LESSONS:
        language.use(lessons.partition("-")[2])
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # the terminal may not know its letters
    release_lessons(settings)
    port = option(arguments, "--port", option(arguments, "--ServerApp.port", "8888"))
    if port.isdigit():
        say_if_taken(int(port))
    os.chdir(ROOT)
    # The panels and the terminals look here for nbgrader_config.py, in whichever folder they are,
    # and JupyterLab for labconfig/.
    places = [str(ROOT), str(ROOT / "scripts"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    if lessons != ENGLISH_LESSONS:  # JupyterLab in that language, too
        places.insert(0, str(ROOT / "scripts" / lessons.partition("-")[2]))
    if not instructor:  # what a learner has no use for is left out
        places.insert(0, str(ROOT / "scripts" / "learner"))
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, places))
    # nbgrader starts programs by name: the ones of this Python come first.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # On arrays as small as the lessons', NumPy's threads wait for each other longer than they work:
    # a step of the explorer took four times as long with two of them on a busy machine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    print(_("Opening JupyterLab. To stop it, press Ctrl+C twice here."), flush=True)
    command = lab_command(lessons, arguments)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
