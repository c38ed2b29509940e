"""Run the cases and print what they measured: `python -m bench [CASE …] [--quick] [--json FILE]`."""

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path

import bpcore
from bench import cases
from bench.machine import description
from bench.results import table


def main() -> int:
    """Measure; exit status 1 if a promised figure was not reached."""
    names = [module.name for module in pkgutil.iter_modules(cases.__path__)]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--json", type=Path, help="write the figures and the machine there")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if bpcore.cpu_info()["build"] != "Release":
        parser.error("this is a Debug build, whose times mean nothing; install without -e")

    machine = description()
    print("; ".join(f"{key} {value}" for key, value in machine.items()))
    results = []
    for name in arguments.cases or names:
        case = importlib.import_module(f"bench.cases.{name}")
        measured = list(case.run(quick=arguments.quick))
        results += measured
        print(table(measured), flush=True)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"machine": machine, "results": [result.row() for result in results]}, indent=2) + "\n"
        )
    return 0 if all(result.met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
