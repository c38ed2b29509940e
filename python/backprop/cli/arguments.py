"""The parser of the command line: its errors are one line."""

import argparse
from typing import Any, NoReturn

from backprop._util.names import did_you_mean
from backprop._util.other_libraries.arguments import SAME
from backprop.cli import output
from backprop.cli.errors import UserError


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
