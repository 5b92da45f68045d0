"""`python -m autograder COMMAND`: the instructor's commands."""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m autograder", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="derive notebooks, answer keys and the kill matrix")
    template = commands.add_parser("template", help="collect all sentences for a translation")
    template.add_argument("file", type=Path, help="where to write the gettext template (.pot)")
    arguments = parser.parse_args(argv)
    return {"build": _build, "template": _template}[arguments.command](arguments)


def _build(arguments: argparse.Namespace) -> int:
    from autograder.build import build

    for path in build():
        print(path)
    return 0


def _template(arguments: argparse.Namespace) -> int:
    from autograder.template import write_template

    count = write_template(arguments.file)
    print(f"{count} sentences in {arguments.file}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
