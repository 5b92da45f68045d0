"""``python -m website lite`` and ``python -m website site``; see the Makefile."""

import argparse
import sys
import time

from website.lite import build_lite
from website.settings import BUILD
from website.site import build_site


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m website")
    parser.add_argument("what", choices=["lite", "site"])
    parser.add_argument(
        "--pyodide",
        help="a folder or .tar.bz2 of Pyodide's full distribution, or the address of one; "
        "without it, Pyodide comes from its usual address",
    )
    asked = parser.parse_args(arguments)
    start = time.monotonic()
    output = BUILD / asked.what
    build = build_lite if asked.what == "lite" else build_site
    size = build(output, asked.pyodide)
    print(f"{output} holds {size / 1e6:.0f} MB, built in {time.monotonic() - start:.0f} s.")
    print(f"To look at it: {sys.executable} -m http.server --bind 127.0.0.1 -d {output}")


if __name__ == "__main__":
    main(sys.argv[1:])
