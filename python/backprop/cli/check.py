"""Compare backpropagated with numerical gradients, layer by layer."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backprop.cli import user_errors

if TYPE_CHECKING:
    from backprop.checks import Comparison

HEADER = (
    f"{'layer':<30}{'array':<6}{'elements':>9}{'kinks':>6}{'difference':>12}{'bound':>9}"
    f"{'backprop':>11}{'numerical':>11}"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop check`."""
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs (0)")


def run(arguments: argparse.Namespace) -> int:
    """Print a row for every array; exit status 1 if one does not match."""
    import numpy as np

    from backprop import checks
    from backprop.network import Network

    with user_errors():
        if not 0 <= arguments.seed < 2**32:
            raise ValueError(f"--seed is {arguments.seed}, wanted 0 to {2**32 - 1}")
    rng = np.random.default_rng(arguments.seed)
    net = Network([8, 10, 6, 4], dtype=np.float64, seed=arguments.seed)
    x, t = rng.normal(size=(12, 8)), rng.integers(0, 4, 12)
    return report([*checks.layers(arguments.seed), *checks.network(net, x, t)])


def report(rows: "Sequence[Comparison]") -> int:
    """Print the table and the verdict."""
    print(HEADER)
    for row in rows:
        times = f"{1e3 * row.seconds:8.3f} ms{1e3 * row.numerical_seconds:8.3f} ms"
        verdict = "" if row.passed else "  MISMATCH"
        print(
            f"{row.name:<30}{row.array:<6}{row.elements:>9}{row.kinks:>6}{row.difference:>12.1e}{row.bound:>9.0e}"
            f"{times}{verdict}"
        )
    failed = [f"{row.name} {row.array}" for row in rows if not row.passed]
    if failed:
        print(f"{len(failed)} of {len(rows)} gradients do not match: {', '.join(failed)}")
        return 1
    print(f"all {len(rows)} gradients match")
    return 0
