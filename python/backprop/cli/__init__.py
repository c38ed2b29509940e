"""The command line: `backprop train`, `predict`, `check`, `demo` and `info`.

Whatever is wrong with what the user gave is one line on stderr and exit status 2; a traceback is a bug of ours.
"""

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from backprop._elsewhere.arguments import SAME
from backprop._names import did_you_mean
from backprop.cli import colour

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
        Exit status: 0, 1 for a gradient that does not match or a training that diverged, 2 for wrong input, 130 after
        Ctrl-C.
    """
    with _escapes(sys.stdout):
        return _main(argv)


@contextmanager
def _escapes(stream: Any) -> Iterator[None]:
    """Write letters that the stream's encoding does not have as escapes, as stderr does."""
    if not isinstance(stream, io.TextIOWrapper) or stream.errors != "strict":
        yield
        return
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        if sys.stdout is stream:  # else its reader has left, and nothing more may be written
            stream.reconfigure(errors="strict")


def _main(argv: Sequence[str] | None) -> int:
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
        label = colour.painted("error:", colour.BOLD_RED, sys.stderr)
        print(f"{PROGRAM}: {label} {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough; nothing more may be written, not even at exit.
        sys.stdout = None  # what Python itself has when there is none
        return 0
    return status
