"""The two commands: what they set up, what they say when they cannot, and what students get."""

import ast
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest
from jupyter_server.services.config import ConfigManager
from traitlets.config import PyFileConfigLoader

from illustrated_attention import language

ROOT = Path(__file__).resolve().parents[1]
EXCHANGE = "ILLUSTRATED_ATTENTION_EXCHANGE"


def load_script(name):
    """Import scripts/<name>.py afresh."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def set_up(monkeypatch, tmp_path):
    """Return scripts/set_up.py at work in an empty folder with a .venv that was just made."""
    module = load_script("set_up")
    for file in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / file, tmp_path)
    venv = tmp_path / ".venv"
    monkeypatch.setattr(module, "ROOT", str(tmp_path))
    monkeypatch.setattr(module, "LOCK", str(tmp_path / "requirements.lock"))
    monkeypatch.setattr(module, "VENV", str(venv))
    monkeypatch.setattr(module, "VENV_PYTHON", str(venv / "bin" / "python"))
    monkeypatch.setattr(module, "DONE", str(venv / "set_up.json"))
    monkeypatch.delenv("PYTHON", raising=False)
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    (venv / "pyvenv.cfg").write_text(f"version = 3.12.1\ncommand = python -m venv {venv}\n")
    (venv / "set_up.json").write_text(
        json.dumps({"fingerprint": module.fingerprint(), "test": False})
    )
    return module


# -- make lab and make test, run again -------------------------------------------------------


def test_a_second_run_has_nothing_to_do(set_up, capsys):
    set_up.main([])
    assert capsys.readouterr().out == "The set-up is up to date.\n"


def test_the_test_tools_come_only_with_make_test(set_up):
    assert set_up.is_done(test=False)
    assert not set_up.is_done(test=True)


@pytest.mark.parametrize("file", ["pyproject.toml", "requirements.lock"])
def test_a_changed_requirement_is_installed(set_up, tmp_path, file):
    with (tmp_path / file).open("a") as text:
        text.write("# changed\n")
    assert not set_up.is_done(test=False)


def test_a_moved_clone_is_set_up_again(set_up, tmp_path):
    (tmp_path / ".venv" / "pyvenv.cfg").write_text(
        "version = 3.12.1\ncommand = python -m venv /before/.venv\n"
    )
    assert not set_up.is_done(test=False)


def test_a_named_python_replaces_another_one(set_up, monkeypatch):
    monkeypatch.setenv("PYTHON", "python3.13")
    monkeypatch.setattr(set_up.sys, "version_info", (3, 13, 0))
    assert not set_up.is_done(test=False)
    monkeypatch.setattr(set_up.sys, "version_info", (3, 12, 4))
    assert set_up.is_done(test=False)


def test_what_a_link_leads_to_stays_as_it_is(set_up, monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    monkeypatch.setattr(set_up, "VENV", str(link))
    monkeypatch.setattr(set_up, "run", lambda command, _what: os.mkdir(command[-1]))
    set_up.make_venv()
    assert link.is_dir() and not link.is_symlink()
    assert (elsewhere / "kept").exists()


def test_a_half_done_set_up_is_not_done(set_up, tmp_path):
    (tmp_path / ".venv" / "set_up.json").unlink()
    assert not set_up.is_done(test=False)


# -- clear sentences -------------------------------------------------------------------------


def stopped(capsys, function, *arguments):
    """Return what the set-up says when it stops."""
    with pytest.raises(SystemExit) as end:
        function(*arguments)
    assert end.value.code == 1
    return capsys.readouterr().err


def test_an_old_python_can_read_the_script_and_is_told(set_up, monkeypatch, capsys):
    ast.parse((ROOT / "scripts" / "set_up.py").read_text(), feature_version=(3, 5))
    monkeypatch.setattr(set_up.sys, "version_info", (3, 10, 2))
    said = stopped(capsys, set_up.check_python)
    assert "needs Python 3.11 or newer, and this is Python 3.10.2" in said
    assert "PYTHON=python3." in said


def test_a_missing_venv_module_is_named(set_up, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    said = stopped(capsys, set_up.check_python)
    assert "venv module is missing" in said
    assert "sudo apt install python3" in said


def test_a_python_without_ready_made_packages_is_told(set_up, capsys):
    text = "hint: building from source is disabled for all packages"
    command = [sys.executable, "-c", f"print({text!r}); raise SystemExit(1)"]
    assert "not ready-made for Python" in stopped(capsys, set_up.run, command, "Installing")


def unreachable_index(monkeypatch):
    """Point pip and uv at a port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/simple"
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", address)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CACHE", "1")


def test_no_network_is_told_when_uv_is_fetched(set_up, monkeypatch, capsys, tmp_path):
    unreachable_index(monkeypatch)
    monkeypatch.setattr(set_up, "VENV_PYTHON", sys.executable)
    pip = [sys.executable, "-m", "pip", "download", "--no-cache-dir", "-d", str(tmp_path)]
    said = stopped(capsys, set_up.run, [*pip, "uv==0.0.0"], "Installing uv")
    assert "needs the network" in said


def test_no_network_is_told_when_the_packages_are_fetched(set_up, monkeypatch, capsys, tmp_path):
    unreachable_index(monkeypatch)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--target", str(tmp_path / "packages")]
    said = stopped(capsys, set_up.run, [*uv, "numpy"], "Installing the packages")
    assert "needs the network" in said


@pytest.mark.parametrize(
    "words",
    [
        # pip, then uv, at a server whose certificate nobody signed whom this machine knows
        "'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
        "verify failed: unable to get local issuer certificate (_ssl.c:1006)'))': /simple/uv/\n"
        "ERROR: Could not find a version that satisfies the requirement uv (from versions: none)",
        "error: Failed to fetch: https://127.0.0.1:8743/simple/numpy/\n"
        "  cause: error sending request for url (https://127.0.0.1:8743/simple/numpy/)\n"
        "  cause: invalid peer certificate: UnknownIssuer",
    ],
    ids=["pip", "uv"],
)
def test_a_certificate_that_is_not_trusted_is_told_as_that(set_up, capsys, words):
    command = [sys.executable, "-c", f"print({words!r}); raise SystemExit(1)"]
    said = stopped(capsys, set_up.run, command, "Installing")
    assert "does not trust the certificate" in said
    assert "PIP_CERT=" in said and "SSL_CERT_FILE=" in said
    assert "needs the network" not in said


def test_no_python_at_all_is_told():
    made = subprocess.run(
        ["make", "setup", "PYTHON=python-nowhere"], cwd=ROOT, capture_output=True, text=True
    )
    assert made.returncode != 0
    assert "There is no python-nowhere on this machine." in made.stderr


def test_the_locked_uv_is_the_one_installed(set_up):
    lines = set_up.locked("uv")
    assert re.match(r"uv==\d", lines[0])
    assert len(lines) > 1 and all("--hash=sha256:" in line for line in lines[1:])


def test_bytecode_is_there_from_the_start_whatever_later_starts_keep(set_up, monkeypatch, tmp_path):
    """In many containers PYTHONDONTWRITEBYTECODE is set: each start would compile all anew."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    runs = []
    set_up.run = lambda command, what, env=None: runs.append((command, env))
    set_up.start_once()
    ((command, env),) = runs
    for package in set_up.PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "module.py").write_text("")
    program = command[-1].partition("from illustrated_attention")[0]
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, check=True)
    made = tmp_path.glob("*/__pycache__/module.*.pyc")
    assert sorted(path.parts[-3] for path in made) == sorted(set_up.PACKAGES)
    module = "import sys; print(sys.dont_write_bytecode)"
    printed = subprocess.run([sys.executable, "-c", module], env=env, capture_output=True)
    assert printed.stdout.strip() == b"False"


# -- another language ------------------------------------------------------------------------


@pytest.fixture
def chinese(set_up, tmp_path):
    """Return what a set-up that is asked for Chinese installs, and what stays of it."""
    commands = []
    set_up.run = lambda command, what, env=None: commands.append(command)
    set_up.make_venv = set_up.install_uv = lambda: None
    (tmp_path / "notebooks-zh_CN").mkdir()
    return commands


def test_jupyterlab_gets_its_language_when_it_is_asked_for_and_keeps_it(set_up, chinese):
    set_up.main(["--language", "zh_CN"])
    (extra,) = (
        c[i + 1]
        for c in chinese
        for i, word in enumerate(c)
        if c[i : i + 2] == ["--extra", "zh-cn"]
    )
    assert f"{extra} = [" in (ROOT / "pyproject.toml").read_text()
    chinese.clear()
    set_up.main([])  # nothing is taken away,
    set_up.main(["--language", "zh_CN"])
    assert chinese == []  # and nothing done again


def test_the_set_up_speaks_the_language_that_is_asked_for(set_up, chinese, tmp_path, capsys):
    (tmp_path / "data").symlink_to(ROOT / "data")
    set_up.main(["--language", "zh_CN"])
    assert capsys.readouterr().out.endswith("安装完成。\n")
    set_up.main(["--language", "en"])
    assert capsys.readouterr().out == "The set-up is up to date.\n"


def test_a_class_of_an_edition_is_set_up_with_its_language(set_up, chinese, tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    assert set_up.class_edition() == "en"
    _choose_chinese(tmp_path)
    assert set_up.class_edition() == "zh_CN"
    set_up.main([])
    assert any("zh-cn" in command for command in chinese)


def test_a_language_that_there_is_not_is_told(set_up, chinese, capsys):
    said = stopped(capsys, set_up.main, ["--language", "tlh"])
    assert "There is no edition in 'tlh'. Name one of these: en, zh_CN" in said


def _choose_chinese(folder):
    """Write the one line that chooses a class's edition."""
    config = folder / "nbgrader_config.py"
    text = config.read_text(encoding="utf-8")
    assert text.count('\nEDITION = "en"\n') == 1
    config.write_text(text.replace('\nEDITION = "en"\n', '\nEDITION = "zh_CN"\n'), encoding="utf-8")


def test_one_line_chooses_the_edition_of_a_class_and_who_asks_for_another_gets_that(
    clone, monkeypatch
):
    def folders():
        made = settings(clone)
        course = made.CourseDirectory
        return course.source_directory, course.release_directory, made.Exchange.assignment_dir

    english = ("solutions", "notebooks", str(clone / "notebooks"))
    chinese = ("solutions-zh_CN", "notebooks-zh_CN", str(clone / "notebooks-zh_CN"))
    monkeypatch.delenv("ILLUSTRATED_ATTENTION_EDITION", raising=False)
    assert folders() == english
    _choose_chinese(clone)
    assert folders() == chinese
    for name in (*chinese[:2], "scripts/zh_CN"):
        assert (ROOT / name).is_dir()
    monkeypatch.setenv("ILLUSTRATED_ATTENTION_EDITION", "en")
    assert folders() == english


def test_an_edition_that_there_is_not_is_told(clone, monkeypatch):
    monkeypatch.setenv("ILLUSTRATED_ATTENTION_EDITION", "zh-CN")
    with pytest.raises(SystemExit, match=r"no edition in 'zh-CN'\. Name one of these: en, zh_CN"):
        settings(clone)


def test_a_hub_speaks_the_language_of_the_class(clone):
    """Set up as docs/hub.md says: beside the hub's settings lie those of each language."""
    hub = clone / "etc" / "hub"
    shutil.copytree(clone / "scripts" / "hub", hub)
    shutil.copytree(clone / "scripts" / "zh_CN", hub / "zh_CN")
    config = hub / "jupyterhub_config.py"
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub("(?m)^COURSE = .*$", f"COURSE = {str(clone)!r}", text))

    def locales():
        made = PyFileConfigLoader(config.name, path=str(hub)).load_config()
        of_students = made.Spawner.environment, hub / "students"
        of_the_course = made.JupyterHub.services[0]["environment"], clone / "scripts"
        for environment, own in (of_students, of_the_course):
            *languages, last = environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)
            assert Path(last) == own
            file = "labconfig/default_setting_overrides.json"
            yield [json.loads(Path(its, file).read_text()) for its in languages]

    assert list(locales()) == [[], []]
    _choose_chinese(clone)
    chinese = {"@jupyterlab/translation-extension:plugin": {"locale": "zh_CN"}}
    assert list(locales()) == [[chinese], [chinese]]


@pytest.mark.parametrize("asked", [True, False])
def test_the_lab_opens_the_edition_in_its_language(clone, monkeypatch, asked, capsys):
    """Asked for on the command line, or because the class works in it."""
    monkeypatch.setattr(language, "_catalogue", language._catalogue)
    if not asked:
        _choose_chinese(clone)
    monkeypatch.setenv("ILLUSTRATED_ATTENTION_EDITION", "")
    for name in ("PATH", "JUPYTER_CONFIG_PATH"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.chdir(clone)
    open_lab = load_script("open_lab")
    monkeypatch.setattr(open_lab, "ROOT", clone)
    monkeypatch.setattr(open_lab, "release_lessons", lambda settings: None)
    started = []
    monkeypatch.setattr(os, "execv", lambda program, command: started.extend(command))
    open_lab.main(["--language", "zh_CN", "--no-browser"] if asked else ["--no-browser"])
    first = "notebooks-zh_CN/00_orientation/00_orientation.ipynb"
    assert f"--LabApp.default_url=/lab/tree/{first}" in started and "--no-browser" in started
    assert "正在打开 JupyterLab。" in capsys.readouterr().out
    places = os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    found = ConfigManager(read_config_path=[f"{place}/labconfig" for place in places])
    chosen = found.get("default_setting_overrides")
    assert chosen == {"@jupyterlab/translation-extension:plugin": {"locale": "zh_CN"}}


def test_make_passes_a_language_on_that_is_asked_for_and_no_other():
    said = {
        where: subprocess.run(
            ["make", "-n", "lab", *asked],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for where, asked, environment in (
            ("command", ["LANGUAGE=zh_CN"], {}),
            ("environment", [], {"LANGUAGE": "zh_CN:zh"}),
        )
    }
    assert "set_up.py --language zh_CN" in said["command"]
    assert "open_lab.py --language zh_CN" in said["command"]
    assert "--language" not in said["environment"]


# -- the exchange ----------------------------------------------------------------------------


def settings(folder):
    """Return nbgrader's settings in a folder that holds nbgrader_config.py."""
    return PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Return a folder with what JupyterLab and nbgrader need of a fresh clone."""
    monkeypatch.delenv(EXCHANGE, raising=False)
    for file in ("nbgrader_config.py", "notebooks", "solutions", "scripts"):
        source = ROOT / file
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "feedback")
            shutil.copytree(source, tmp_path / file, ignore=ignore)
        else:
            shutil.copy(source, tmp_path / file)
    (tmp_path / "notebooks-zh_CN").symlink_to(ROOT / "notebooks-zh_CN")
    (tmp_path / "autograder").mkdir()
    return tmp_path


def test_one_person_gets_an_exchange_in_the_clone(clone):
    assert settings(clone).Exchange.root == str(clone / "exchange")
    assert (clone / "exchange").is_dir()


def test_a_class_shares_the_exchange_that_it_names(clone, monkeypatch):
    monkeypatch.setenv(EXCHANGE, str(clone / "shared"))
    assert settings(clone).Exchange.root == str(clone / "shared")
    assert not (clone / "exchange").exists()


@pytest.mark.parametrize("command", ["submit", "fetch_feedback"])
def test_an_account_without_a_name_is_told_how_to_hand_in(clone, monkeypatch, command):
    def nobody(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr(sys, "argv", ["nbgrader", command, "01_self_attention"])
    with pytest.raises(SystemExit, match=r"has no name on this machine.*--student=NAME"):
        settings(clone)
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--student=ada"])
    assert settings(clone).Exchange.root
    monkeypatch.setattr(sys, "argv", ["nbgrader", "list"])
    assert settings(clone).Exchange.root


def test_a_relative_exchange_is_refused(clone, monkeypatch):
    monkeypatch.setenv(EXCHANGE, "shared")
    with pytest.raises(SystemExit, match=f"{EXCHANGE} is 'shared': give the whole path"):
        settings(clone)
    lab = subprocess.run(
        [sys.executable, "scripts/open_lab.py"], cwd=clone, capture_output=True, text=True
    )
    assert lab.returncode == 1
    assert lab.stderr.startswith("JupyterLab was not started. ILLUSTRATED_ATTENTION_EXCHANGE is")


# -- JupyterLab ------------------------------------------------------------------------------


def test_a_taken_port_is_told(capsys):
    open_lab = load_script("open_lab")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        open_lab.say_if_taken(port)
    assert f"Port {port} is taken" in capsys.readouterr().out
    open_lab.say_if_taken(port)
    assert capsys.readouterr().out == ""


@pytest.fixture
def lab(clone, tmp_path_factory):
    """Start JupyterLab as `make lab` does; return a function that asks it for a page."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "scripts/open_lab.py", "--no-browser", f"--port={port}"]
    command += ["--IdentityProvider.token=secret"]
    log = (home / "lab.log").open("w+")
    environment = {**os.environ, "HOME": str(home)}
    server = subprocess.Popen(
        command, cwd=clone, env=environment, stdout=log, stderr=subprocess.STDOUT
    )

    def ask(page, **data):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/{page}",
            data=json.dumps(data).encode() if data else None,
            headers={"Authorization": "token secret"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    try:
        for _ in range(300):
            assert server.poll() is None, (home / "lab.log").read_text()
            if f":{port}/lab/tree/" in (home / "lab.log").read_text():
                break
            time.sleep(0.2)
        yield ask
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def test_the_lab_opens_and_nbgraders_panels_work_with_the_local_exchange(lab, clone):
    assert "<title>" in lab("lab/tree/notebooks/00_orientation/00_orientation.ipynb")

    course = "illustrated-attention"
    lessons = sorted(path.name for path in (ROOT / "solutions").iterdir())
    listed = json.loads(lab(f"assignments?course_id={course}"))
    assert listed["success"]
    assert [(found["assignment_id"], found["status"]) for found in listed["value"]] == [
        (lesson, "fetched") for lesson in lessons
    ]
    released = clone / "exchange" / course / "outbound" / lessons[0]
    assert [path.name for path in released.iterdir()] == [f"{lessons[0]}.ipynb"]

    handed_in = json.loads(lab("assignments/submit", course_id=course, assignment_id=lessons[0]))
    assert [entry["status"] for entry in handed_in["value"]].count("submitted") == 1
    assert len(list((clone / "exchange" / course / "inbound").iterdir())) == 1

    assert [found["course_id"] for found in json.loads(lab("formgraders"))["value"]] == [course]
    assert [found["name"] for found in json.loads(lab("formgrader/api/assignments"))] == lessons


# -- what students install -------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel and return it opened."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_the_wheel_holds_the_students_package_with_its_data_and_nothing_else(wheel):
    names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    tops = {top for top in tops if not top.endswith((".dist-info", ".data"))}
    assert tops == {"illustrated_attention"}
    installed = {name.partition(".data/")[2] for name in names} - {""}  # beside the package
    home = "data/share/jupyter/labextensions/illustrated-attention/"
    assert installed == {home + "package.json", home + "static/remoteEntry.js"}
    shipped = {name for name in names if name.startswith("illustrated_attention/data/")}
    data = {
        f"illustrated_attention/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "data").rglob("*")
        if path.is_file()
    }
    assert shipped == data and data


def test_the_wheel_holds_no_solution_and_no_hidden_test(wheel):
    for name in wheel.namelist():
        assert not name.endswith(".ipynb")
        content = wheel.read(name)
        assert b"### BEGIN SOLUTION" not in content, name
        assert b"### BEGIN HIDDEN TESTS" not in content, name
        if name.endswith(".py"):
            assert not re.search(rb"^\s*(from|import) (autograder|nbgrader)", content, re.M), name


def test_the_wheel_carries_both_licences(wheel):
    licences = {Path(name).name for name in wheel.namelist() if "/licenses/" in name}
    assert licences == {"LICENSE", "LICENSE-text"}


def test_an_instructor_can_import_the_autograder_from_the_clone():
    code = "import autograder; print(autograder.__file__)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=True
    ).stdout
    assert Path(printed.strip()) == ROOT / "autograder" / "__init__.py"
