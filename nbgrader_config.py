"""nbgrader's settings for this course: which folder plays which part, and where the exchange is.

nbgrader reads this file when it is started in the repository root. ``make lab`` also puts the
root on Jupyter's configuration path, so that the panels and every terminal in it read it too.
"""

import importlib.util
import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 (nbgrader puts it there)

root = Path(__file__).resolve().parent
if not importlib.util.find_spec("illustrated_attention"):
    sys.path.append(str(root))  # whichever Python this is

from illustrated_attention.language import _  # noqa: E402

# The edition that the class works in: "en" is the English one, "zh_CN" the Chinese one.
EDITION = "en"
# What `make lab LANGUAGE=zh_CN` asks for goes before.
edition = os.environ.get("ILLUSTRATED_ATTENTION_EDITION") or EDITION
lessons = "" if edition == "en" else f"-{edition}"  # what the folders of its lessons end in
if lessons and not (root / f"notebooks{lessons}").is_dir():
    names = sorted(folder.name.removeprefix("notebooks-") for folder in root.glob("notebooks-*/"))
    text = _("There is no edition in {language!r}. Name one of these: {known}")
    sys.exit(text.format(language=edition, known=", ".join(["en", *names])))


def exchange_folder():
    """Return the folder through which assignments, hand-ins and feedback travel.

    It is exchange/ in this clone, for one person, unless ILLUSTRATED_ATTENTION_EXCHANGE names
    the folder that a class shares.

    Raises
    ------
    SystemExit
        If ILLUSTRATED_ATTENTION_EXCHANGE is not an absolute path. An exception would not stop
        nbgrader: it goes on without any of these settings.
    """
    shared = os.environ.get("ILLUSTRATED_ATTENTION_EXCHANGE", "")
    if not shared:
        local = root / "exchange"
        local.mkdir(exist_ok=True)
        if not (root / "autograder").is_dir() and not hasattr(sys, "_exchange_told"):
            sys._exchange_told = True  # this file is read several times
            text = _(
                "ILLUSTRATED_ATTENTION_EXCHANGE is not set: what you hand in with Submit stays in "
                "this folder, and no instructor sees it. Set it, or hand in your file."
            )
            print(text, file=sys.stderr)
        return local
    if not Path(shared).is_absolute():
        text = _(
            "ILLUSTRATED_ATTENTION_EXCHANGE is {folder!r}: give the whole path of the class's "
            "exchange folder, from the top of the file system."
        )
        sys.exit(text.format(folder=shared))
    return Path(shared)


def account_must_have_a_name():
    """End the commands for which nbgrader needs the account's name, where there is none.

    In a container, a process may run under a number that nobody has entered as an account.
    """
    try:
        import pwd  # not on Windows, where there is no exchange either

        pwd.getpwuid(os.getuid())
    except ImportError:
        return
    except KeyError:
        text = _(
            "Your account, number {number}, has no name on this machine, so nbgrader cannot "
            "tell whose work it is. Ask who runs the machine to enter it, or name yourself as "
            "your instructor knows you: --student=NAME"
        )
        named = any(argument.startswith("--student") for argument in sys.argv)
        if sys.argv[1:2] in (["submit"], ["fetch_feedback"]) and not named:
            sys.exit(text.format(number=os.getuid()))


account_must_have_a_name()

# -- folders ---------------------------------------------------------------------------------
c.CourseDirectory.course_id = "illustrated-attention"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = f"solutions{lessons}"
c.CourseDirectory.release_directory = f"notebooks{lessons}"
c.CourseDirectory.submitted_directory = "autograder/submitted"
c.CourseDirectory.autograded_directory = "autograder/autograded"
c.CourseDirectory.feedback_directory = "autograder/feedback"
c.CourseDirectory.db_url = f"sqlite:///{root / 'autograder' / 'gradebook.db'}"
# nbgrader copies what lies beside a notebook, from solutions/ to students and from students to
# us. Not the sources that we edit: solutions/NN/NN.py. A student's helpers.py travels.
sources = [f"{folder.name}.py" for folder in (root / "solutions").glob("*/")]
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", *sources]

c.Exchange.root = str(exchange_folder())
# A student hands in what lies in there, with or without fetching it first.
c.Exchange.assignment_dir = str(root / f"notebooks{lessons}")
# What a student handed in is remembered beside the clone that it came from.
c.Exchange.cache = str(root / ".nbgrader_cache")

# Hand-ins that come by mail or a learning platform: ada+01_self_attention.ipynb
c.ZipCollectApp.downloaded_directory = "autograder/downloaded"

# -- grading and feedback --------------------------------------------------------------------
# Student code runs confined, and feedback shows nothing hidden: docs/grading.md. The copy that
# students get has no autograder.
if (root / "autograder" / "nbgrader_steps").is_dir():
    sys.path.append(str(root))  # whichever Python this is: without our steps, nothing is confined
autograder = importlib.util.find_spec("autograder")
if autograder and autograder.origin:
    from autograder.nbgrader_steps import settings

    settings.configure_grading(c)
    settings.configure_feedback(c)

# With a widget's state in the notebook, the page would load the live widget from the internet;
# without it, it shows the widget's static picture.
c.ExecutePreprocessor.store_widget_state = False

# -- quiet -----------------------------------------------------------------------------------
# Without encryption the kernel warns on stderr that others on this machine could listen in.
c.KernelManager.transport_encryption = "auto"
