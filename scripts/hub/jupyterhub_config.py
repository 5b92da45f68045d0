"""JupyterHub for one class on one server, all settings in one place: see docs/hub.md."""

import os
import re
import sys
from pathlib import Path

c = get_config()  # noqa: F821 (JupyterHub puts it there)

# -- yours -----------------------------------------------------------------------------------
INSTRUCTORS = {"instructor", "assistant"}  # accounts of those who teach
GRADER = "grader"  # the account that the course belongs to; nobody logs in with it
COURSE = "/srv/attention/course"  # its clone of the course
EXCHANGE = "/srv/attention/exchange"
c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # behind a web server that speaks https
PATIENCE = 120  # seconds in which a JupyterLab must have started; a class comes all at once

# -- who logs in -----------------------------------------------------------------------------
# With the account and the password that they have on this machine.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.open_sessions = False
c.Authenticator.allow_all = True
c.Authenticator.blocked_users = {"root", GRADER}


def keep_home_private(spawner):
    """Let nobody else into a student's home: on many systems new ones are open to read."""
    home = Path(f"~{spawner.user.name}").expanduser()
    home.chmod(home.stat().st_mode & 0o700)


# -- everybody's own JupyterLab --------------------------------------------------------------
HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
SURROUNDINGS = {
    "ILLUSTRATED_ATTENTION_EXCHANGE": EXCHANGE,
    "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
    # A class shares the processors, and threads do not pay on arrays as small as the lessons'.
    "OPENBLAS_NUM_THREADS": "1",
}
# The class's edition, as the course's own settings have it: JupyterLab speaks that language.
SETTINGS = Path(COURSE, "nbgrader_config.py").read_text(encoding="utf-8")
EDITION = re.findall(r'^EDITION = "(\w+)"', SETTINGS, re.MULTILINE)[0]


def config_path(*folders):
    """Return where JupyterLab looks for its settings: first where those of the language are."""
    return os.pathsep.join(str(folder) for folder in folders if Path(folder).is_dir())


QUIET = [
    # No news, no updates, no shop of extensions.
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
c.Spawner.args = QUIET
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = c.Spawner.http_timeout = PATIENCE
c.Spawner.pre_spawn_hook = keep_home_private
# There are nbgrader's settings for students, and which panels they have no use for.
c.Spawner.environment = {
    **SURROUNDINGS,
    "JUPYTER_CONFIG_PATH": config_path(HERE / EDITION, HERE / "students"),
}

# -- formgrader, for those who teach ---------------------------------------------------------
# One JupyterLab in the course's folder, under the course's own account; instructors open it with
# their own, under Services in the hub's menu. nbgrader reads nbgrader_config.py in that folder.
FRAMES = {"headers": {"Content-Security-Policy": "frame-ancestors 'self'"}}
c.JupyterHub.services = [
    {
        "name": "course",
        "url": "http://127.0.0.1:8765",
        "user": GRADER,
        "cwd": COURSE,
        "command": [
            str(BIN / "jupyterhub-singleuser"),
            f"--ServerApp.root_dir={COURSE}",
            "--ServerApp.default_url=/lab",
            # JupyterLab shows formgrader in a frame, and JupyterHub forbids all frames.
            f"--ServerApp.tornado_settings={FRAMES}",
            *QUIET,
        ],
        "environment": {
            **SURROUNDINGS,
            "JUPYTER_CONFIG_PATH": config_path(f"{COURSE}/scripts/{EDITION}", f"{COURSE}/scripts"),
        },
        "oauth_no_confirm": True,
        "timeout": PATIENCE,
    }
]
c.JupyterHub.load_groups = {"instructors": {"users": sorted(INSTRUCTORS)}}
c.JupyterHub.load_roles = [
    {
        "name": "instructors",
        "groups": ["instructors"],
        "scopes": [
            "access:services!service=course",
            "list:services",
            "read:services!service=course",
        ],
    }
]
