"""The command line: `backprop train`, `predict`, `evaluate`, `show`, `check`, `demo` and `info`.

Every error that a user can cause, also by the environment, is one line on stderr and exit status 2; a traceback is a
bug of ours.
"""

import sys
from collections.abc import Sequence

from backprop.cli import output
from backprop.cli.arguments import Parser
from backprop.cli.errors import UserError, out_of_memory, user_errors
from backprop.cli.output import PROGRAM

# What a shell reports of a program that SIGPIPE ended.
READER_GONE = 141


def parser() -> Parser:
    """Describe the whole command line."""
    from backprop.cli import check, demo, evaluate, info, predict, show, train

    main_parser = Parser(prog=PROGRAM, description="Dense neural networks on the CPU.")
    main_parser.add_argument("--version", action="store_true", help="print the version and leave")
    commands = main_parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for command in (train, predict, evaluate, show, check, demo, info):
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
        raise UserError("COMMAND is missing, wanted train, predict, evaluate, show, check, demo or info")
    status: int = arguments.run(arguments)
    return status
