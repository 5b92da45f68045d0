"""Set up .venv with the packages of requirements.lock and this course; ``make`` runs it.

Run as ``python3 scripts/set_up.py`` (the course) or ``python3 scripts/set_up.py --test`` (the
test tools too), with ``--language zh_CN`` for a JupyterLab in that language. Running it again when
nothing changed takes no time.

Any Python 3 must be able to read this file, so that an old one can be told that it is too old.
"""

import gettext
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
PACKAGES = ("autograder", "illustrated_attention")
DONE = os.path.join(VENV, "set_up.json")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")

NO_NETWORK = re.compile(
    "failed to establish a new connection|name resolution|max retries exceeded"
    "|connecttimeout|proxyerror|from versions: none|failed to fetch|error sending request"
    "|dns error|network connectivity is disabled|connection refused|network is unreachable",
    re.IGNORECASE,
)
UNTRUSTED = re.compile("certificate.?verify.?failed|invalid peer certificate", re.IGNORECASE)
NO_WHEEL = re.compile("building from source is disabled|no wheels? with a matching", re.IGNORECASE)


def speak(language=None):
    """Say everything in a language from now on; in that of the environment if none is named.

    The course's own door is not installed yet; its sentences are there.
    """
    global _catalogue
    folder, languages = os.path.join(ROOT, "data", "locale"), [language] if language else None
    _catalogue = gettext.translation("illustrated_attention", folder, languages, fallback=True)
    for stream in (sys.stdout, sys.stderr):
        if language and isinstance(stream, io.TextIOWrapper) and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # the terminal may not know its letters


_catalogue = gettext.NullTranslations()
speak()


def _(text):
    """Return a sentence in the language that is spoken."""
    return _catalogue.gettext(text)


def stop(sentence):
    """End with a sentence that says what is wrong and what to do."""
    sys.stderr.write("\n" + _("Set-up stopped. {reason}").format(reason=sentence) + "\n")
    sys.exit(1)


def version_text(version):
    return ".".join(str(number) for number in version)


def fingerprint():
    """Return a text that changes when the installed packages have to."""
    digest = hashlib.sha256(ROOT.encode())
    for path in (LOCK, os.path.join(ROOT, "pyproject.toml"), os.path.abspath(__file__)):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def venv_python():
    """Return the version (3, 12) of a .venv that was made in this folder, or None.

    The programs in .venv hold its path, so one that was moved here does not work.
    """
    try:
        with open(os.path.join(VENV, "pyvenv.cfg")) as file:
            settings = file.read()
    except OSError:
        return None
    version = re.search(r"^version\s*=\s*(\d+)\.(\d+)", settings, re.MULTILINE)
    if VENV not in settings or not version or not os.path.exists(VENV_PYTHON):
        return None
    return tuple(int(number) for number in version.groups())


def last_set_up():
    """Return what the last set-up left behind: nothing if there was none."""
    try:
        with open(DONE) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def is_done(test, languages=()):
    """Say whether the last set-up is still right for this folder, this lock and this Python."""
    done = last_set_up()
    if done.get("fingerprint") != fingerprint() or (test and not done["test"]):
        return False
    if not set(languages) <= set(done.get("languages", [])):
        return False
    # A Python that the user named wins over the one of .venv; the default python3 does not, so
    # that PYTHON=python3.12 need not be said again as long as nothing changes.
    asked = sys.version_info[:2] if os.environ.get("PYTHON") else venv_python()
    return asked is not None and asked == venv_python()


def check_python():
    """Stop when this Python cannot carry the course."""
    if sys.version_info < OLDEST:
        names = ["python3.%d" % minor for minor in range(14, OLDEST[1] - 1, -1)]
        found = [name for name in names if shutil.which(name)]
        if found:
            text = _(
                "The course needs Python {oldest} or newer, and this is Python {this}. Name a "
                "newer one: PYTHON={newer} make lab"
            )
        else:
            text = _(
                "The course needs Python {oldest} or newer, and this is Python {this}. Install a "
                "newer one, then name it: PYTHON={newer} make lab"
            )
        this, newer = version_text(sys.version_info[:3]), (found or ["python3.12"])[0]
        stop(text.format(oldest=version_text(OLDEST), this=this, newer=newer))
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        text = _(
            "This Python cannot make a virtual environment: its venv module is missing. "
            "On Debian and Ubuntu: sudo apt install python{version}-venv"
        )
        stop(text.format(version=version_text(sys.version_info[:2])))


def run(command, what, env=None):
    """Run a command, show what it prints, and stop with a sentence when it fails."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    printed = []
    for line in process.stdout or ():
        printed.append(line)
        if not line.startswith(" + "):  # uv's list of a hundred packages
            sys.stdout.write("  " + line)
            sys.stdout.flush()
    if process.wait() == 0:
        return
    text = "".join(printed)
    if UNTRUSTED.search(text):  # before NO_NETWORK: pip gives up with words for both
        text = _(
            "The packages could not be downloaded: this machine does not trust the certificate "
            "that came with them (the lines above say why). Often a company's network puts its "
            "own there. Ask who runs it for the certificate's file, name it, and run the same "
            "command again: export PIP_CERT=/path/to/file.pem SSL_CERT_FILE=/path/to/file.pem. "
            "If the lines above speak of a date, set this machine's clock."
        )
        stop(text)
    if NO_NETWORK.search(text):
        text = _(
            "The packages could not be downloaded. The first set-up needs the network: connect, "
            "then run the same command again. Behind a proxy, set HTTPS_PROXY first."
        )
        stop(text)
    if NO_WHEEL.search(text):
        text = _(
            "A package is not ready-made for Python {version} on this machine (the lines above "
            "name it). Try another Python: PYTHON=python3.12 make lab"
        )
        stop(text.format(version=version_text(sys.version_info[:2])))
    text = _("{what} failed; the lines above say why. Then run the same command again.")
    stop(text.format(what=what))


def locked(name):
    """Return the lines of requirements.lock that pin one package, hashes included."""
    lines = []
    with open(LOCK) as file:
        for line in file:
            if line.startswith(name + "=="):
                lines = [line]
            elif lines and line.startswith("    --hash"):
                lines.append(line)
            elif lines:
                break
    if not lines:
        text = _(
            "requirements.lock does not pin {name}. Restore the file: git checkout "
            "requirements.lock"
        )
        stop(text.format(name=name))
    return lines


def make_venv():
    """Make .venv, unless one that fits is there."""
    if venv_python() == sys.version_info[:2]:
        if subprocess.call([VENV_PYTHON, "-c", "import pip"]) == 0:
            return
    text = _("Making .venv with Python {version}.")
    print(text.format(version=version_text(sys.version_info[:3])))
    if os.path.islink(VENV):  # what it leads to is not this folder's
        os.unlink(VENV)
    run([sys.executable, "-m", "venv", "--clear", VENV], _("Making .venv"))


def install_uv():
    """Install the locked uv, which installs everything else, into .venv."""
    descriptor, path = tempfile.mkstemp(suffix=".txt", text=True)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.writelines(locked("uv"))
        pip = [VENV_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--only-binary", ":all:", "--require-hashes", "-r", path], _("Installing uv"))
    finally:
        os.remove(path)


def class_edition():
    """Return the language in which this clone's class works: nbgrader_config.py says it."""
    try:
        with open(os.path.join(ROOT, "nbgrader_config.py")) as file:
            found = re.search('^EDITION = "(\\w+)"', file.read(), re.MULTILINE)
    except OSError:
        return "en"
    return found.group(1) if found else "en"


def asked_language(arguments):
    """Take ``--language zh_CN`` out of the arguments and return the language, or None."""
    if "--language" not in arguments:
        return None
    place = arguments.index("--language")
    language = (arguments[place + 1 :] or [""])[0]
    del arguments[place : place + 2]
    editions = sorted(name[10:] for name in os.listdir(ROOT) if name.startswith("notebooks-"))
    if language not in ["en", *editions]:
        text = _("There is no edition in {language!r}. Name one of these: {known}")
        stop(text.format(language=language, known=", ".join(["en", *editions])))
    return language


def install_course(test, languages):
    """Install the locked packages, then the course itself from this folder."""
    uv = [VENV_PYTHON, "-m", "uv", "pip", "install", "--python", VENV_PYTHON]
    packages = ["-r", "pyproject.toml", "--group", "setup", "-c", "requirements.lock"]
    packages += ["--extra", "lab", "--extra", "grading"]
    for language in languages:  # JupyterLab's own words
        packages += ["--extra", language.lower().replace("_", "-")]
    if test:
        for extra in ("test", "site", "hub", "jupyterhub", "cluster", "fuzz", "zh-cn"):
            packages += ["--extra", extra]
    pinned = [*uv, "--only-binary", ":all:", "--require-hashes", *packages]
    run(pinned, _("Installing the packages"))
    run([*uv, "--no-deps", "--no-build-isolation", "-e", "."], _("Installing the course"))


def start_once():
    """Load once what lessons, JupyterLab and grading load: no start has to make its bytecode.

    The grader's fork server may keep none: it would make it each time. Nor the list of fonts.
    Where PYTHONDONTWRITEBYTECODE is set, as in many containers, no later start keeps any either. So
    it does not count here: what is installed comes with its bytecode, as it does from pip.
    """
    program = "import compileall; "
    program += "[compileall.compile_dir(name, quiet=1) for name in %r]; " % (PACKAGES,)
    program += "from illustrated_attention.for_the_sandbox import warm_up; warm_up(); "
    program += "import ipykernel.ipkernel, jupyterlab.labapp, matplotlib.pyplot, nbgrader.apps, "
    program += "autograder.class_run.grade"
    keeps = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    run([VENV_PYTHON, "-c", program], _("Starting the course once"), keeps)


def main(arguments):
    asked = asked_language(arguments)
    language = asked or class_edition()
    if asked or language != "en":
        speak(language)
    if arguments not in ([], ["--test"]):
        text = _("Use: {command}")
        stop(text.format(command="python3 scripts/set_up.py [--test] [--language zh_CN]"))
    test = bool(arguments)
    languages = [] if language == "en" else [language]
    if is_done(test, languages):
        print(_("The set-up is up to date."))
        return
    check_python()
    print(_("Setting up the course in .venv (the first time takes a minute or two)."))
    make_venv()
    languages = sorted(set(languages + last_set_up().get("languages", [])))
    if os.path.exists(DONE):
        os.remove(DONE)  # half done counts as not done
    install_uv()
    install_course(test, languages)
    start_once()
    with open(DONE, "w") as file:
        json.dump({"fingerprint": fingerprint(), "test": test, "languages": languages}, file)
    print(_("The set-up is finished."))


if __name__ == "__main__":
    main(sys.argv[1:])
