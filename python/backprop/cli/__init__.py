"""The command line: `backprop train`, `predict`, `check`, `demo` and `info`.

Whatever is wrong with what the user gave is one line on stderr and exit status 2; a traceback is a bug of ours.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

PROGRAM = "backprop"


class UserError(Exception):
    """Something that the user gave is wrong; its text is the line to show."""


@contextmanager
def user_errors() -> Iterator[None]:
    """Take the errors that bad arguments, files and data raise for what they are."""
    try:
        yield
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise UserError(" ".join(str(error).split())) from error


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Leave with the message alone; argparse would print its usage too."""
        raise UserError(" ".join(message.split()))


def parser() -> Parser:
    """Describe the whole command line."""
    from backprop.cli import check, demo, info, predict, train

    main_parser = Parser(prog=PROGRAM, description="Dense neural networks on the CPU.")
    main_parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = main_parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for command in (train, predict, check, demo, info):
        name = command.__name__.rpartition(".")[2]
        summary = (command.__doc__ or "").splitlines()[0]
        subparser = commands.add_parser(name, help=summary, description=summary)
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
        Exit status: 0, 1 for a gradient that does not match, 2 for wrong input, 130 after Ctrl-C.
    """
    try:
        described = parser()
        arguments = described.parse_args(argv)
        if arguments.version:
            from bpcore import __version__

            print(f"{PROGRAM} {__version__}")
            return 0
        if arguments.command is None:
            described.print_help()
            return 2
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except UserError as error:
        print(f"{PROGRAM}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough; nothing more may be written, not even at exit.
        sys.stdout = None  # what Python itself has when there is none
        return 0
    return status
