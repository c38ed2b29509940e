"""Run the cases and print what they measured: `python -m bench [CASE …] [--quick] [--json FILE] [--chart FILE]`.

Times of ours and of the peers are measured interleaved, in one process. A case that depends on threads runs in two: one
that the operating system restricts to one processor, with every library told so, and one with all of them; one that
shows how it scales, in one for each power of two.
"""

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bpcore
from bench import cases
from bench.machine import cpus, description
from bench.peers import all_peers
from bench.results import Result, table

LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BACKPROP_NUM_THREADS")


def main() -> int:
    """Measure; exit status 1 if a promised figure was not reached."""
    names = [module.name for module in pkgutil.iter_modules(cases.__path__)]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--json", type=Path, help="write the figures and the machine there")
    parser.add_argument("--chart", type=Path, help="draw the steps of all contenders there (SVG)")
    parser.add_argument("--threads", type=int, help="only with so many threads, in this process")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(names):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if bpcore.cpu_info()["build"] != "Release":
        parser.error("this is a Debug build, whose times mean nothing; install without -e")

    results: list[Result] = []
    if arguments.threads is None:
        print("; ".join(f"{key} {value}" for key, value in description().items()))
        if missing := all_peers()[1]:
            print(f"not installed: {', '.join(missing)} (pip install 'bpcore[bench]')")
    for name in arguments.cases or names:
        case = importlib.import_module(f"bench.cases.{name}")
        if not hasattr(case, "THREADED"):
            measured = list(case.run(quick=arguments.quick))
        elif arguments.threads is not None:
            measured = [
                Result(**(result.row() | {"threads": arguments.threads}))
                for result in case.run(quick=arguments.quick, threads=arguments.threads)
            ]
        else:
            counts = sorted({1, cpus()})
            if hasattr(case, "EVERY_COUNT"):
                counts = sorted({cpus(), *(1 << n for n in range(cpus().bit_length()))})
            measured = [result for count in counts for result in elsewhere(name, count, arguments.quick)]
            measured += scaling(measured, arguments.quick)
        results += measured
        if arguments.threads is None:
            print(table(measured), flush=True)
    if arguments.json:
        rows = {"machine": description(), "results": [result.row() for result in results]}
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")
    if arguments.chart:
        from bench.chart import draw

        draw(results, arguments.chart)
    if missed := [result for result in results if not result.met]:
        print(
            "\nnot reached:",
            *(
                f"  {result.case}: {result.what}: {result.value:.4g}, not {result.required}"
                for result in missed
            ),
            sep="\n",
        )
    return 1 if missed else 0


def scaling(results: list[Result], quick: bool) -> list[Result]:
    """How much faster more threads are, as a share of how much faster multiply-adds alone become."""
    of_floor = [result for result in results if result.what.endswith(("of its floor", "of the peak"))]
    one = {result.what: result.value for result in of_floor if result.threads == 1}
    return [
        Result(
            result.case,
            f"{result.what}: relative to 1 thread",
            result.value / one[result.what],
            "",
            ">= 0.85" if result.what.endswith("of its floor") and not quick else "",
            threads=result.threads,
        )
        for result in of_floor
        if result.threads > 1 and result.what in one
    ]


def elsewhere(name: str, threads: int, quick: bool) -> list[Result]:
    """A case in a process of its own, on as many processors as it may use threads."""
    environment = os.environ | dict.fromkeys(LIMITS, str(threads))
    command = [sys.executable, "-m", "bench", name, f"--threads={threads}"] + ["--quick"] * quick
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        keep = (
            (lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads]))
            if threads < cpus()
            else None
        )
        done = subprocess.run(
            [*command, f"--json={path}"],
            env=environment,
            preexec_fn=keep,
            capture_output=True,
            text=True,
            check=False,
        )
        if not path.exists():
            raise RuntimeError(f"bench: case {name} with {threads} threads failed:\n{done.stderr[-3000:]}")
        return [Result(**row) for row in json.loads(path.read_text())["results"]]


if __name__ == "__main__":
    sys.exit(main())
