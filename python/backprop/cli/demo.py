"""Serve a page on this machine where a network sees what one draws.

The port is by default one that is free: nothing is to be chosen, nothing clashes, and two demos run side by side.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from backprop.cli import output
from backprop.cli.errors import user_errors
from backprop.cli.numbers import real, require_range, whole

if TYPE_CHECKING:
    from backprop.demo.model import Model

SUMMARY = "Serve a page on this machine where a network sees what one draws."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop demo`."""
    parser.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL",
        help="what `backprop train` saved from images of 28 × 28 or 8 × 8 pixels; by default the network "
        "that comes with the package, trained on MNIST",
    )
    parser.add_argument(
        "--port", type=whole, default=0, help="to listen at on 127.0.0.1 (0: one that is free)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--full", type=real, help="MODEL's value of a pixel full of ink (what its input_scale takes to 1)"
    )
    parser.add_argument("--verbose", action="store_true", help="write a line for every request to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Print the address and serve until Ctrl-C."""
    import threading

    from backprop.demo.server import Server

    with user_errors():
        require_range("--port", arguments.port, 0, 2**16 - 1)
        model = _model(arguments)
        try:
            server = Server(model, arguments.port, verbose=arguments.verbose)
        except OSError as error:
            raise OSError(f"--port {arguments.port}: {error.strerror}") from None
    with server:
        output.line(server.url)
        output.flush()
        if arguments.open:  # in its own thread: a browser in the terminal comes back when it is left
            threading.Thread(target=_open, args=[server.url], daemon=True).start()
        server.serve_forever()
    return 0


def _open(url: str) -> None:
    """Open a page in the browser, or say that there is none; the server goes on."""
    import webbrowser

    try:
        reason = "" if webbrowser.open(url) else "none was found"
    except (webbrowser.Error, OSError, ValueError) as error:  # such as of a $BROWSER that is no command
        reason = str(error)
    if reason:
        output.complain(f"--open: no browser: {reason}; open the page yourself", "warning")


def _model(arguments: argparse.Namespace) -> "Model":
    """The network of the file, or the one of the package."""
    from backprop.cli import models
    from backprop.demo.model import Model, trained

    path, full = arguments.model, arguments.full
    if full is not None and path is None:
        raise ValueError("--full is for a MODEL, none was given")
    if full is not None and not 0 < full < float("inf"):
        raise ValueError(f"--full is {full:g}, wanted a positive finite number")
    if path is None:
        return trained()
    net = models.load(path)
    classes = models.names(path, net, "classes", net.sizes[-1])
    try:
        return Model(net, classes, full, source=path.name)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
