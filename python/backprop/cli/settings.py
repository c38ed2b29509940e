"""The settings of a run as a TOML file: `backprop train --save-settings FILE`, `backprop train --settings FILE`.

a) A file has the names of the options, without the dashes in front, and `data`. It is read as if they stood on the
   command line, so that the same is refused in the same words.
b) What stands on the command line wins, and takes with it what belongs to what it replaces.
c) What is written is all that decides what a network becomes, the defaults that were taken too.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backprop._util.files import expanded, opened, write_atomically
from backprop._util.messages import shown
from backprop._util.names import did_you_mean
from backprop.cli import options
from backprop.cli.arguments import Parser
from backprop.cli.errors import UserError

# More than any file of settings has.
MOST_BYTES = 1 << 20
# What is about files, not about the run.
NOT_SETTINGS = ("settings", "save_settings")
# What says what becomes of files that are there; a file may have it, and none is written with it.
NOT_WRITTEN = ("resume", "overwrite")
# What a setting of the command line makes the file's have no meaning.
REPLACED = {"epochs": ("iterations",), "iterations": ("epochs",)}
# What of the file's belongs to its optimizer.
OF_OPTIMIZER = ("lr", "weight_decay")


def merged(line: argparse.Namespace) -> argparse.Namespace:
    """What is given, on the command line and, where that says nothing, in the file of `--settings`.

    Raises
    ------
    UserError
        The file is none of settings, or has one that the command line would not take.
    """
    if line.settings is None:
        return line
    saved = vars(_parsed(line.settings))
    given = {name: value for name, value in vars(line).items() if value is not None}
    for name in given:
        for other in REPLACED.get(name, ()):
            saved.pop(other, None)
    if given.get("optimizer", saved.get("optimizer")) != saved.get("optimizer"):
        for name in OF_OPTIMIZER:
            saved.pop(name, None)
    return argparse.Namespace(**{**dict.fromkeys(vars(line)), **saved, **given})


def _parsed(path: Path) -> argparse.Namespace:
    """The settings of a file, as the command line would give them."""
    parser = Parser(prog="backprop train", add_help=False)
    options.add_arguments(parser)
    actions = {
        action.dest.replace("_", "-"): action for action in parser._actions if action.dest not in NOT_SETTINGS
    }
    words: list[str] = []
    data: list[str] = []
    for key, value in _read(path).items():
        if key not in actions:
            hint = did_you_mean(key, actions) or f"; wanted some of {', '.join(actions)}"
            raise UserError(f"{path}: {shown(key)} is no setting of train{hint}")
        if actions[key].nargs == 0:
            if not isinstance(value, bool):
                raise UserError(f"{path}: {key} is {shown(value)}, wanted true or false")
            words += [f"--{key}"] if value else []
        elif key == "data":
            data = [_text(path, key, value)]
        else:
            words.append(f"--{key}={_text(path, key, value)}")
    try:
        return parser.parse_args([*words, "--", *data])
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    with opened(expanded(path)) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UserError(f"{path}: more than {MOST_BYTES} bytes, wanted settings of a run")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not TOML: {error}") from None


def _text(path: Path, key: str, value: Any) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, list):
        return ",".join(_text(path, key, one) for one in value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UserError(f"{path}: {key} is {shown(value)}, wanted a text, a number or a list of these")
    try:
        return str(value)
    except ValueError:  # a whole number of more digits than Python writes
        raise UserError(f"{path}: {key} is {shown(value)}, wanted fewer digits") from None


def text_of_run(taken: argparse.Namespace, version: str) -> str:
    """All settings of a run, as a file has them."""
    lines = [
        f"# Settings of `backprop train`, version {version}; paths are relative to the working directory."
    ]
    for name, value in vars(taken).items():
        if value is None or name in (*NOT_SETTINGS, *NOT_WRITTEN, "command", "run", "version"):
            continue
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        lines.append(f"{name.replace('_', '-')} = {toml(one)}")
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """A value of TOML 1.0: a text, a number, a boolean, or a list of these."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return '"' + "".join(map(_escaped, str(value))) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return f"\\u{ord(letter):04x}" if ord(letter) < 32 or ord(letter) == 127 else letter


def require_writable(taken: argparse.Namespace) -> None:
    """Raise for texts that a file cannot have: names of files that are no letters."""
    for name, value in vars(taken).items():
        for text in _texts(value):
            try:
                text.encode()
            except UnicodeEncodeError:
                raise UserError(
                    f"--save-settings: {name} is {text!a}, which is no text that a file could have"
                ) from None


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return [str(value)] if isinstance(value, (str, Path)) else []


def write(taken: argparse.Namespace) -> None:
    """Write the settings of a run to its `--save-settings`."""
    import bpcore

    write_atomically(taken.save_settings, text_of_run(taken, bpcore.__version__).encode())
