"""Compare backpropagated with numerical gradients, layer by layer."""

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from backprop.cli import colour, user_errors

if TYPE_CHECKING:
    from backprop.gradcheck import GradientReport

HEADER = f"{'layer':<30}{'array':<6}{'points':>7}{'kinks':>6}{'absolute':>10}{'relative':>10}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop check`."""
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs (0)")


def run(arguments: argparse.Namespace) -> int:
    """Print a row for every array; exit status 1 if something is wrong."""
    from backprop import checks

    with user_errors():
        if not 0 <= arguments.seed < 2**32:
            raise ValueError(f"--seed is {arguments.seed}, wanted 0 to {2**32 - 1}")
    return table(checks.reports(arguments.seed))


def table(reports: "Iterable[tuple[str, GradientReport]]") -> int:
    """Print the largest error of every array, what was found, and the verdict."""
    print(HEADER)
    arrays, failed = 0, []
    for name, report in reports:
        for array in report.arrays:
            arrays += 1
            worst = array.worst
            errors = (0.0, 0.0) if worst is None else (worst.error, worst.relative)
            row = (
                f"{name:<30}{array.name:<6}{len(array.points):>7}{array.kinks:>6}{errors[0]:>10.1e}"
                f"{errors[1]:>10.1e}"
            )
            print(row if report.passed else colour.painted(row, colour.RED, sys.stdout))
        for finding in report.findings:
            print(colour.painted(f"  {finding}", colour.RED, sys.stdout))
        if not report.passed:
            failed.append(name)
    if failed:
        verdict = f"gradients of {len(failed)} are wrong: {', '.join(failed)}"
        print(colour.painted(verdict, colour.BOLD_RED, sys.stdout))
        return 1
    print(colour.painted(f"all {arrays} gradients match", colour.GREEN, sys.stdout))
    return 0
