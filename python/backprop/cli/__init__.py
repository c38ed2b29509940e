"""The command line: `backprop train`, `predict`, `check`, `demo` and `info`.

Every error that a user can cause, also by the environment, is one line on stderr and exit status 2; a traceback is a
bug of ours.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from backprop._util.names import did_you_mean
from backprop._util.other_libraries.arguments import SAME
from backprop.cli import output
from backprop.cli.errors import UserError, out_of_memory, user_errors
from backprop.cli.output import PROGRAM

# What a shell reports of a program that SIGPIPE ended.
READER_GONE = 141


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, with the nearest name that it knows."""

    suggest_on_error = False  # Python's own way from 3.14 on: we have one for every version

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is not known here, where the options are that it may have been meant for."""
        known, rest = super().parse_known_args(args, namespace)
        if rest:
            options = [one for one in self._option_string_actions if one.startswith("--")]
            wrong = next((one.partition("=")[0] for one in rest if one.startswith("-")), "")
            self.error(f"unrecognized arguments: {' '.join(rest)}{did_you_mean(wrong, options)}")
        return known, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(value, map(str, action.choices or ()), same=SAME)
            raise

    def error(self, message: str) -> NoReturn:
        """Leave with the message alone; argparse would print its usage too."""
        raise UserError(message)

    def print_help(self, file: Any = None) -> None:
        """Print the help; argparse would say nothing of a stdout that does not take it."""
        output.write(self.format_help().splitlines())
        output.flush()


def parser() -> Parser:
    """Describe the whole command line."""
    from backprop.cli import check, demo, info, predict, train

    main_parser = Parser(prog=PROGRAM, description="Dense neural networks on the CPU.")
    main_parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = main_parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for command in (train, predict, check, demo, info):
        name = command.__name__.rpartition(".")[2]
        subparser = commands.add_parser(name, help=command.SUMMARY, description=command.SUMMARY)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return main_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; by default those of the process.

    Returns
    -------
    int
        Exit status: 0, 1 for a gradient that does not match or a training that diverged, 2 for what the user gave that
        is wrong, 130 after Ctrl-C, 141 where whoever read stdout has gone.
    """
    with output.prepared():
        try:
            status = _run(argv)
            output.flush()
        except UserError as error:
            output.complain(str(error), "error")
            status = 2
        except MemoryError as error:
            output.complain(out_of_memory(error), "error")
            status = 2
        except KeyboardInterrupt:
            output.complain("interrupted")
            status = 130
        except BrokenPipeError:
            status = READER_GONE
        if sys.stdout is not None:
            try:
                sys.stdout.flush()
            except OSError:  # it has been said, or nobody is there to be told
                output.discard(sys.stdout)
    return status


def _run(argv: Sequence[str] | None) -> int:
    described = parser()
    arguments = described.parse_args(argv)
    if arguments.version or arguments.command is not None:
        with user_errors():  # in its environment, or in how it was installed
            import bpcore
    if arguments.version:
        output.line(f"{PROGRAM} {bpcore.__version__}")
        return 0
    if arguments.command is None:
        described.print_help()
        raise UserError("COMMAND is missing, wanted train, predict, check, demo or info")
    status: int = arguments.run(arguments)
    return status
