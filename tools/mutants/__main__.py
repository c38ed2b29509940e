"""`python -m tools.mutants [--part PART] [--seed N] [--count N] [--jobs N] [--json FILE]`; see the package."""

import argparse
import sys
from collections import Counter
from pathlib import Path

import tools.mutants as package
from tools.mutants.enumeration import PARTS, Mutant, Sample, all_mutants
from tools.mutants.register import FILE, Register
from tools.mutants.results import Results, report

ROOT = Path(__file__).parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", choices=list(PARTS), default="kernels", help="of what (default kernels)")
    parser.add_argument("--seed", type=int, default=0, help="which sample (default 0)")
    parser.add_argument("--count", type=int, default=60, help="how many mutants count (default 60)")
    parser.add_argument(
        "--jobs", type=int, default=1, help="copies of the tree that work at once (default 1)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="keep the results there, and go on from them"
    )
    parser.add_argument("--retry", action="store_true", help="try the survivors in FILE again")
    parser.add_argument("--tuning", action="store_true", help="constants that only tune, too")
    parser.add_argument("--list", action="store_true", help="print all mutants with their numbers, and stop")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="N",
        help="these alone: numbers of --list, or what their names begin with",
    )
    return parser.parse_args()


def chosen(mutants: list[Mutant], wanted: list[str]) -> list[Mutant]:
    """The mutants of these numbers or names."""
    found = []
    for text in wanted:
        if text.isdecimal():
            these = mutants[int(text) : int(text) + 1]
        else:
            these = [mutant for mutant in mutants if mutant.name.startswith(text)]
        if not these:
            raise SystemExit(f"no mutant is {text}; see --list")
        found += these
    return list(dict.fromkeys(found))


def main() -> int:
    """Exit status 1 if a mutant survived that nobody has argued for."""
    options = arguments()
    mutants = all_mutants(ROOT, options.part, options.tuning)
    if options.list:
        for number, mutant in enumerate(mutants):
            sys.stdout.write(
                f"{number:5} {mutant.name}\n      - {mutant.original}\n      + {mutant.mutated}\n"
            )
        for file, count in sorted(Counter(mutant.file for mutant in mutants).items()):
            sys.stdout.write(f"{file:34}{count:6}\n")
        sys.stdout.write(f"{'all':34}{len(mutants):6}\n")
        return 0

    # Not needed to list them: these want a build of the package, and the first what builds it.
    from tools.mutants.running import Laboratory

    if options.part == "kernels":
        from tools.mutants.building import Build as Bench
    else:
        from tools.mutants.copying import Copy as Bench

    register = Register.of(ROOT)
    everything = [mutant for part in PARTS for mutant in all_mutants(ROOT, part, tuning=True)]
    for entry in register.unused(everything):
        sys.stderr.write(f"{FILE}: no mutant is {entry}\n")
    results = Results(options.json)
    if options.retry:
        results.forget_survivors()
    with Laboratory(ROOT, options.jobs, results, Bench).open() as laboratory:
        if options.only:
            done = laboratory.run(chosen(mutants, options.only))
        else:
            done = laboratory.run_sample(Sample(mutants, options.count, options.seed))
    sys.stdout.write("\n" + report(done, register) + "\n")
    return any(result.outcome == "survived" and register.argument(mutant) is None for mutant, result in done)


if __name__ == "__main__":
    sys.exit(main())
