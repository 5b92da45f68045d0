"""Write requirements.lock: the newest versions pyproject.toml allows, with hashes; ``make lock``.

One lock serves every system and every Python from 3.11 on. It holds no address: each machine
downloads from the package index that it is set up for, and the hashes prove that it got the same.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
HEADER = """\
# Every package of the course and of its tests, for every system: version and hashes.
# Made from pyproject.toml by `make lock`; do not edit by hand.
"""


def main():
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras"]
    command += ["--group", "setup", "--universal", "--python-version", "3.11", "--upgrade"]
    command += ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("The lock was not changed: uv could not choose the versions (see above).")
    LOCK.write_text(HEADER + done.stdout, encoding="utf-8")
    print(f"{LOCK.name} is written. Now: make test")


if __name__ == "__main__":
    main()
