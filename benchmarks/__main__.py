"""python -m benchmarks run | compare | page: see benchmarks/README.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import compare, page, results, run
from .environments import ROOT


def parse() -> argparse.Namespace:
    """Read the command and its options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    commands = parser.add_subparsers(dest="command", required=True)
    run.add_options(commands.add_parser("run", help="measure"))
    comparing = commands.add_parser("compare", help="what changed between two runs")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--all", action="store_true", help="what has not changed too")
    writing = commands.add_parser("page", help="plots and tables of docs/ and README.md, of a file")
    writing.add_argument("file", type=Path, nargs="?", help="the newest whole run's if not given")
    return parser.parse_args()


def main() -> None:
    """Do what was asked for."""
    options = parse()
    if options.command == "run":
        run.run(options)
    elif options.command == "compare":
        before, after = results.read(options.before), results.read(options.after)
        print("\n".join(compare.lines(before, after, everything=options.all)))
    else:
        path = (options.file or results.newest()).resolve()
        for written in page.update(results.read(path), path):
            print(written.relative_to(ROOT))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
