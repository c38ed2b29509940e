"""Every answer of the demo's server: what it gives, what it refuses and how, and to whom it does not speak."""

import contextlib
import http.client
import json
import re
import socket
import threading
from importlib.resources import files

import numpy as np
import pytest

import backprop as bp
from backprop.demo import server as server_module
from backprop.demo.answers import LARGEST
from backprop.demo.model import CANVAS, Model
from tests.demo.conftest import serving
from tests.demo.digits import STROKES, drawn

PIXELS = CANVAS * CANVAS
DRAWING = drawn(STROKES[4], 0.14, CANVAS).reshape(-1).astype(int).tolist()


def ask(server, method, path, body=None, headers=()):
    """Status, headers and content of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def post(server, content, **headers):
    body = content if isinstance(content, (str, bytes)) else json.dumps(content)
    status, _, answer = ask(server, "POST", "/predict", body, headers)
    return status, json.loads(answer)


def raw(server, data):
    """What comes back for these very bytes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
    return answer


def host(server):
    return f"Host: 127.0.0.1:{server.server_port}\r\n".encode()


def test_it_listens_on_this_machine_alone(server):
    assert server.socket.getsockname() == ("127.0.0.1", server.server_port)
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize(
    ("path", "name", "kind"), [(path, *rest) for path, rest in server_module.FILES.items()]
)
def test_the_page(server, path, name, kind):
    content = (files("backprop.demo") / name).read_bytes()
    status, headers, answer = ask(server, "GET", path)
    assert (status, headers["Content-Type"], answer) == (200, kind, content)
    status, headers, answer = ask(server, "HEAD", path)
    assert (status, headers["Content-Length"], answer) == (200, str(len(content)), b"")


def test_the_page_asks_for_nothing_from_elsewhere():
    for name, _ in server_module.FILES.values():
        text = (
            (files("backprop.demo") / name)
            .read_text(encoding="utf-8")
            .replace("http://www.w3.org/2000/svg", "")
        )
        assert not re.search(r"https?:|//\w+\.|@import|innerHTML|\beval\b|style=|\son\w+=", text), name


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/model"), ("POST", "/predict"), ("GET", "/gone")]
)
def test_headers_that_keep_the_page_to_itself(server, method, path):
    _, headers, _ = ask(server, method, path)
    policy = dict(part.split(maxsplit=1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) <= {"'self'", "'none'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Python" not in headers["Server"]


def test_the_model(server, small_model):
    status, headers, answer = ask(server, "GET", "/model")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer) == small_model.description()
    assert json.loads(answer)["sizes"] == [64, 20, 10]


@pytest.mark.parametrize("label", [None, 0, 9])
def test_a_prediction_is_the_networks(server, small_model, label):
    status, got = post(server, {"pixels": DRAWING, "label": label})
    assert status == 200
    x = np.array([got["pixels"]])
    assert np.array_equal(got["probabilities"], small_model.net.predict_proba(x)[0])
    assert np.array_equal(got["scores"], small_model.net.predict(x)[0])
    view = small_model.view(np.array(DRAWING).reshape(CANVAS, CANVAS), label)
    assert np.array_equal(got["pixels"], view.pixels)
    assert np.array_equal(got["gradient"], view.gradient)
    assert [len(units) for units in got["hidden"]] == [20]
    assert got["label"] == (got["predicted"] if label is None else label)


def test_the_label_may_be_left_out(server):
    assert post(server, {"pixels": DRAWING}) == post(server, {"pixels": DRAWING, "label": None})


def test_many_at_once_do_not_mix(server):
    bodies = [{"pixels": np.roll(DRAWING, 5 * n).tolist(), "label": n % 10} for n in range(24)]
    alone = [post(server, body) for body in bodies]
    together = [None] * len(bodies)
    start = threading.Barrier(len(bodies))

    def one(n):
        start.wait()
        together[n] = post(server, bodies[n])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def changed(value):
    return {"pixels": [*DRAWING[:17], value, *DRAWING[18:]]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "the body is not JSON: Expecting property name"),
        (b"\xff\xfe", "the body is not JSON: 'utf-8' codec can't decode"),
        ("", "the body is not JSON: Expecting value"),
        ("[" * 30_000, "the body is not JSON: it is nested too deeply"),
        ([1, 2], "the body is a list, wanted an object with pixels and label"),
        ({}, "the body has nothing, wanted pixels and label"),
        ({"label": 1}, "the body has label, wanted pixels and label"),
        ({"pixels": DRAWING, "speed": 1}, "the body has pixels, speed, wanted pixels and label"),
        ({"pixels": DRAWING[:-1]}, f"pixels: got {PIXELS - 1} elements, wanted a list of {PIXELS} (112 × 112)"),
        ({"pixels": "0" * PIXELS}, f"pixels: got a str, wanted a list of {PIXELS}"),
        ({"pixels": [0] * PIXELS}, f"pixels: all {PIXELS} are 0, wanted a drawing"),
        (changed(256), "pixels[17] is 256, wanted a number from 0 to 255"),
        (changed(-0.5), "pixels[17] is -0.5, wanted a number from 0 to 255"),
        (changed(float("nan")), "the body is not JSON: NaN is no number of JSON"),
        (changed(float("inf")), "the body is not JSON: Infinity is no number of JSON"),
        (changed(10**300), "pixels[17] is 1000000000"),
        (changed(True), "pixels[17] is True, wanted"),
        (changed("7"), "pixels[17] is '7', wanted"),
        (changed(None), "pixels[17] is None, wanted"),
        ({"pixels": DRAWING, "label": 10}, "label is 10, wanted null or the number of a class, 0 to 9"),
        ({"pixels": DRAWING, "label": -1}, "label is -1, wanted null"),
        ({"pixels": DRAWING, "label": 1.0}, "label is 1.0, wanted null"),
        ({"pixels": DRAWING, "label": True}, "label is True, wanted null"),
        ({"pixels": DRAWING, "label": "4"}, "label is '4', wanted null"),
    ],
)  # fmt: skip
def test_400_names_what_came_and_what_was_wanted(server, content, message):
    status, answer = post(server, content)
    assert status == 400
    assert answer["error"].startswith(message)
    assert len(answer["error"]) < 200


@pytest.mark.parametrize("length", ["abc", "-1", "1_0", "+5", "²", "1" * 40])
def test_400_for_a_length_that_is_none(server, length):
    status, _, answer = ask(server, "POST", "/predict", headers={"Content-Length": length.encode("utf-8")})
    assert status == 400
    assert json.loads(answer)["error"].endswith("wanted one whole number")


def test_400_for_two_lengths_and_for_a_body_that_ends_early(server):
    request = b"POST /predict HTTP/1.1\r\n" + host(server)
    answer = raw(server, request + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert b"Content-Length is '2, 3', wanted one whole number" in answer
    answer = raw(server, request + b"Content-Length: 9\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert b"the body ended after 2 of 9 bytes" in answer


def test_400_and_501_for_what_is_hardly_http(server):
    answer = raw(server, b"GET / HTTP/9.x\r\n\r\n")
    assert b" 400 " in answer.splitlines()[0]
    assert b'{"error":' in answer
    status, headers, answer = ask(server, "BREW", "/")
    assert status == 501
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "BREW" in json.loads(answer)["error"]


@pytest.mark.parametrize(
    "name",
    [
        "evil.example", "evil.example:{port}", "localhost.evil.example", "evil.example:localhost",
        "notlocalhost:{port}", "127.0.0.1.evil.example:{port}", "127.0.0.2:{port}", "192.168.0.1:{port}",
        "[::2]:{port}", "::1", "::1:{port}",
        "localhost:", "localhost:x", "localhost:123456", "localhost:{port}:{port}", "localhost:{port}, evil.example",
        "evil.example@localhost:{port}", "localhost:{port}/", "0.0.0.0:{port}", "[::1", "",
    ],
)  # fmt: skip
def test_403_for_every_other_host(server, name):
    name = name.format(port=server.server_port)
    for method, path in (("GET", "/"), ("GET", "/model"), ("POST", "/predict"), ("GET", "/gone")):
        status, _, answer = ask(server, method, path, headers={"Host": name})
        assert status == 403
        wanted = "wanted 127.0.0.1, localhost or [::1], and a port"
        assert json.loads(answer)["error"] == f"Host is {name or 'missing'}, {wanted}"


@pytest.mark.parametrize(
    "name",
    [
        "localhost:{port}", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}",
        # What a browser says at the near end of a tunnel.
        "localhost:9000", "LocalHost:9000", "127.0.0.1:9000", "[::1]:9000", "127.0.0.1", "localhost", "[::1]",
    ],
)  # fmt: skip
def test_this_machine_by_any_name_and_through_a_tunnel(server, name):
    name = name.format(port=server.server_port)
    assert ask(server, "GET", "/", headers={"Host": name})[0] == 200
    for origin in (f"http://{name}", f"http://{name.lower()}"):
        assert post(server, {"pixels": DRAWING}, Host=name, Origin=origin)[0] == 200


def test_403_without_a_host_or_with_two(server):
    assert raw(server, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 403 ")
    two = raw(server, b"GET / HTTP/1.1\r\n" + host(server) + b"Host: evil.example\r\n\r\n")
    assert two.startswith(b"HTTP/1.0 403 ")


def test_403_for_another_origin(server):
    port = server.server_port
    # Another page of this machine is another page, too.
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", "http://localhost:9000", ""):
        status, answer = post(server, {"pixels": DRAWING}, Origin=origin)
        assert (status, answer["error"]) == (403, f"Origin is {origin}, wanted this page")
    status, answer = post(
        server, {"pixels": DRAWING}, Host="localhost:9000", Origin=f"http://127.0.0.1:{port}"
    )
    assert (status, answer["error"]) == (403, f"Origin is http://127.0.0.1:{port}, wanted this page")
    assert post(server, {"pixels": DRAWING}, Origin=server.url.rstrip("/"))[0] == 200


@pytest.mark.parametrize("path", ["/gone", "/predict/", "/../model.py", "/page.py", "/%2e%2e/server.py"])
def test_404(server, path):
    status, _, answer = ask(server, "GET", path)
    assert (status, json.loads(answer)["error"]) == (404, f"there is no {path}")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("PUT", "/predict", "POST"), ("POST", "/", "GET, HEAD"),
     ("DELETE", "/model", "GET, HEAD"), ("OPTIONS", "/page.js", "GET, HEAD")],
)  # fmt: skip
def test_405(server, method, path, allowed):
    status, headers, answer = ask(server, method, path)
    assert (status, headers["Allow"]) == (405, allowed)
    assert json.loads(answer)["error"] == f"{path} takes {allowed}, not {method}"


def test_411_without_a_length(server):
    request = b"POST /predict HTTP/1.1\r\n" + host(server)
    for more in (b"\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"):
        answer = raw(server, request + more)
        assert answer.startswith(b"HTTP/1.0 411 ")
        assert b"Content-Length is missing" in answer


@pytest.mark.parametrize("sent", [0, LARGEST + 1])
def test_413_above_the_limit_whether_or_not_the_body_comes(server, sent):
    headers = {"Content-Length": str(LARGEST + 1)}
    status, _, answer = ask(server, "POST", "/predict", b"0" * sent, headers)
    assert (status, json.loads(answer)["error"]) == (
        413,
        f"Content-Length is {LARGEST + 1}, wanted at most {LARGEST}",
    )


def test_the_largest_drawing_is_within_the_limit(server):
    body = json.dumps({"pixels": [255] * PIXELS, "label": None}, separators=(",", ":"))
    assert len(body) <= LARGEST
    assert post(server, body)[0] == 200


def test_422_for_a_network_that_is_broken():
    net = bp.Network([64, 10], seed=0, input_scale=1 / 16)
    net.params["W1"][...] = np.nan
    with serving(Model(net, [str(n) for n in range(10)])) as server:
        status, answer = post(server, {"pixels": DRAWING})
    assert (status, answer["error"]) == (422, "the network's numbers for this drawing are not finite")


@pytest.mark.parametrize(
    "begun", [b"", b"POST /pre", b"POST /predict HTTP/1.1\r\nContent-Length: 9\r\n%b\r\n{"]
)
def test_a_client_that_does_not_go_on_is_cut_off(small_model, begun):
    with (
        serving(small_model, patience=0.05) as server,
        socket.create_connection(("127.0.0.1", server.server_port), timeout=60) as connection,
    ):
        connection.sendall(begun.replace(b"%b", host(server)))
        assert connection.recv(1) == b""


REQUEST = b"POST /predict HTTP/1.1\r\n%bContent-Length: 8\r\n\r\n"


@pytest.mark.parametrize("begun", [b"", b"POST /predict HTTP/1.1\r\nX: ", REQUEST.replace(b"8", b"60000")])
def test_patience_is_for_the_whole_request_and_not_for_each_byte(small_model, begun):
    """A byte from time to time: in the first line, in a header and in the body."""
    with (
        serving(small_model, patience=0.3) as server,
        socket.create_connection(("127.0.0.1", server.server_port), timeout=0.01) as connection,
    ):
        connection.sendall(begun.replace(b"%b", host(server)))
        for _ in range(3000):  # a hundred times as long as the server's patience
            try:
                connection.sendall(b"1")
                answer = connection.recv(1)
            except TimeoutError:  # nothing is said, so it goes on
                continue
            except ConnectionError:
                answer = b""
            break
        else:
            pytest.fail("the server waits for as long as a byte comes from time to time")
        assert answer == b""


def test_who_sends_slowly_is_answered_in_time(server):
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in REQUEST.replace(b"%b", host(server)) + b'{"a": 1}':
            connection.sendall(bytes([byte]))
        assert connection.recv(1 << 16).startswith(b"HTTP/1.0 400 ")


def test_who_waits_does_not_keep_others_waiting(small_model):
    with serving(small_model, patience=60) as server, contextlib.ExitStack() as waiting:
        for begun in (b"", b"POST /pre", b"POST /predict HTTP/1.1\r\n") * 10:
            connection = waiting.enter_context(socket.create_connection(("127.0.0.1", server.server_port)))
            connection.sendall(begun)
        assert post(server, {"pixels": DRAWING})[0] == 200


def test_it_says_nothing_unless_asked(small_model, capfd):
    for verbose in (False, True):
        with serving(small_model, verbose=verbose) as server:
            assert ask(server, "GET", "/")[0] == 200
            assert post(server, "{")[0] == 400
            assert ask(server, "BREW", "/")[0] == 501
        out, err = capfd.readouterr()
        assert out == ""
        assert [line.split('"')[1] for line in err.splitlines()] == (
            ["GET / HTTP/1.1", "POST /predict HTTP/1.1", "BREW / HTTP/1.1"] if verbose else []
        )


def test_a_client_that_went_away_is_no_event_and_a_bug_of_ours_is(server, capfd):
    for error, silent in ((ConnectionResetError(), True), (TimeoutError(), True), (KeyError("bug"), False)):
        try:
            raise error
        except (OSError, KeyError):
            server.handle_error(None, ("127.0.0.1", 1))
        assert ("KeyError" not in capfd.readouterr().err) is silent


def test_a_port_that_is_taken(server, small_model):
    with pytest.raises(OSError, match="Address already in use"):
        server_module.Server(small_model, server.server_port)
