"""Compare backpropagated with numerical gradients, layer by layer."""

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING

from backprop.cli import colour, output
from backprop.cli.errors import user_errors
from backprop.cli.numbers import require_range, whole

if TYPE_CHECKING:
    from backprop.gradcheck import GradientReport

SUMMARY = "Compare backpropagated with numerical gradients, layer by layer."
HEADER = f"{'layer':<30}{'array':<6}{'points':>7}{'kinks':>6}{'absolute':>10}{'relative':>10}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop check`."""
    parser.add_argument("--seed", type=whole, default=0, help="of the random inputs (0)")


def run(arguments: argparse.Namespace) -> int:
    """Print a row for every array; exit status 1 if something is wrong."""
    from backprop.cli import builtin_checks

    with user_errors():
        require_range("--seed", arguments.seed, 0, 2**32 - 1)
    return table(builtin_checks.reports(arguments.seed))


def table(reports: "Iterable[tuple[str, GradientReport]]") -> int:
    """Print the largest error of every array, what was found, and the verdict."""
    output.line(HEADER)
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
            output.line(row, "" if report.passed else colour.RED)
        for finding in report.findings:
            output.line(f"  {finding}", colour.RED)
        if not report.passed:
            failed.append(name)
    if failed:
        verdict = f"gradients of {len(failed)} are wrong: {', '.join(failed)}"
        output.line(verdict, colour.BOLD_RED)
        return 1
    output.line(f"all {arrays} gradients match", colour.GREEN)
    return 0
