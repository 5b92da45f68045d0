"""`python -m autograder COMMAND`: the instructor's commands."""

import argparse


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m autograder", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="derive notebooks, answer keys and the kill matrix")
    arguments = parser.parse_args(argv)
    return {"build": _build}[arguments.command]()


def _build() -> int:
    from autograder.build import build

    for path in build():
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
