"""HTTP on 127.0.0.1, for the demo's page alone.

a) One request a connection (HTTP/1.0), one thread each; whoever has not sent a whole request in time is cut off.
b) `Host` has to name this machine, else a foreign site could point its own name at 127.0.0.1 and read the answers. Its
   port may be another than ours: that of a tunnel. `Origin`, which browsers send with a POST, has to be that page.
c) Whatever is refused is answered with JSON, `{"error": …}`.
"""

import io
import re
import socket
import socketserver
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from backprop.demo.answers import LARGEST, RefusedError, predict, to_json
from backprop.demo.model import Model

ADDRESS = "127.0.0.1"
# What a browser calls this machine, in lower case, with the port unless it is 80.
HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
# Seconds for a whole request; from the same machine it takes a few milliseconds.
PATIENCE = 10.0
# Bytes of a refused body that are read and dropped, so that the answer is read before the connection breaks.
DROPPED = 1 << 20
JSON = "application/json"
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/asking.js": ("asking.js", "text/javascript; charset=utf-8"),
    "/drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Server(ThreadingHTTPServer):
    """Serves the page of one model; `with` it, and call `serve_forever`.

    Parameters
    ----------
    model : Model
    port : int, default 0
        0 takes one that is free.
    patience : float
        Seconds for a whole request.
    verbose : bool, default False
        Write a line for every request to stderr.

    Raises
    ------
    OSError
        The port is taken.
    """

    daemon_threads = True  # the end does not wait for clients
    allow_reuse_port = False
    request_queue_size = 64  # a browser asks for all files of the page at once

    def __init__(
        self, model: Model, port: int = 0, *, patience: float = PATIENCE, verbose: bool = False
    ) -> None:
        self.model, self.patience, self.verbose = model, patience, verbose
        page = files("backprop.demo")
        self.contents = {path: ((page / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}
        self.contents["/model"] = to_json(model.description()), JSON
        super().__init__((ADDRESS, port), Handler)

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def server_bind(self) -> None:
        """Bind; what this overrides would ask a name server who 127.0.0.1 is."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave in silence a client who went away; anything else is a bug of ours and keeps its traceback."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Patient(io.RawIOBase):
    """What a socket sends, read until a point in time: a timeout of its own would begin anew with every byte."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection, self._end = connection, time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    server_version = "backprop"
    sys_version = ""
    default_request_version = "HTTP/1.0"  # to 0.9, which is what it is else, answers have no headers

    def setup(self) -> None:
        """Bound the time that reading may take, and each write."""
        super().setup()
        self.connection.settimeout(self.server.patience)
        self.rfile.close()
        self.rfile = io.BufferedReader(_Patient(self.connection, self.server.patience))

    def _respond(self) -> None:
        """Answer whatever method."""
        self._unread = 0
        try:
            content, kind = self._content()
        except RefusedError as refused:
            self._refuse(refused.status, str(refused))
            return
        self._send(HTTPStatus.OK, content, kind)

    # One by one: the server calls a method of this name, and answers 501 where there is none.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = _respond  # noqa: N815

    def _content(self) -> tuple[bytes, str]:
        """What was asked for, and its media type."""
        length = self._length()
        self._unread = length or 0
        self._check_names()
        path = self.path.partition("?")[0]
        if path != "/predict" and path not in self.server.contents:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no {path[:60]}")
        self._allowed = "POST" if path == "/predict" else "GET, HEAD"
        if self.command not in self._allowed.split(", "):
            raise RefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {self._allowed}, not {self.command}"
            )
        if path != "/predict":
            return self.server.contents[path]
        if length is None:
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        if length > LARGEST:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Content-Length is {length}, wanted at most {LARGEST}"
            )
        body = self.rfile.read(length)
        self._unread = 0
        if len(body) < length:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body ended after {len(body)} of {length} bytes")
        return predict(self.server.model, body), JSON

    def _length(self) -> int | None:
        values = self.headers.get_all("Content-Length", [])
        if not values:
            return None
        if len(values) > 1 or not (values[0].isascii() and values[0].isdecimal()) or len(values[0]) > 18:
            text = ", ".join(values)
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, f"Content-Length is {text[:60]!r}, wanted one whole number"
            )
        return int(values[0])

    def _check_names(self) -> None:
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0].lower()):
            got = ", ".join(hosts)[:60] or "missing"
            raise RefusedError(
                HTTPStatus.FORBIDDEN, f"Host is {got}, wanted {ADDRESS}, localhost or [::1], and a port"
            )
        origin = self.headers.get("Origin")
        if origin is not None and origin.lower() != f"http://{hosts[0].lower()}":
            raise RefusedError(HTTPStatus.FORBIDDEN, f"Origin is {origin[:60]}, wanted this page")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not even HTTP, which the base class finds out, in the form of all refusals."""
        self._unread = 0
        self._refuse(HTTPStatus(code), explain or message or HTTPStatus(code).description)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(status, to_json({"error": message}), JSON)
        self._drop()

    def _drop(self) -> None:
        """Read a body that nobody wants: closing over it would break the connection before the answer is read."""
        left = min(self._unread, DROPPED)
        with suppress(OSError):  # the client may be gone
            self.connection.shutdown(socket.SHUT_WR)
            while left > 0 and (piece := self.rfile.read1(min(left, 1 << 16))):
                left -= len(piece)

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", self._allowed)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the base class names it so
        """Write to stderr if asked to."""
        if self.server.verbose:
            with suppress(OSError):  # stderr may be full: the answer is worth more
                super().log_message(format, *arguments)
