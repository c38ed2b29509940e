"""`backprop demo`: one line, one page, and an end by Ctrl-C."""

import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
import webbrowser

import numpy as np
import pytest

import backprop as bp
from backprop.cli import main
from backprop.demo import model as demo_model
from backprop.demo.server import Server
from tests.cli.processes import environment


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKPROP_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path / "none"))


def save(name, sizes=(64, 10), metadata=(), **options):
    net = bp.Network(sizes, **{"seed": 0, "input_scale": 1 / 16, **options})
    net.metadata = dict(metadata)
    net.save(name)


def test_from_start_to_ctrl_c(tmp_path):
    command = [sys.executable, "-m", "backprop", "demo", "--open"]
    variables = environment(PATH="", BROWSER="")  # where no browser is found
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables
    ) as process:
        try:
            url = process.stdout.readline().rstrip("\n")
            assert select.select([process.stderr], [], [], 60)[0], "it is said that there is no browser"
            warning = process.stderr.readline()
            with urllib.request.urlopen(f"{url}model", timeout=30) as answer:
                model = json.load(answer)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert url.startswith("http://127.0.0.1:")
    assert model["sizes"] == [784, 128, 48, 10]
    assert warning == "backprop: warning: --open: no browser: none was found; open the page yourself\n"
    assert (process.returncode, out, err) == (130, "", "backprop: interrupted\n")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_requests_are_answered_though_stderr_is_full():
    command = [sys.executable, "-m", "backprop", "demo", "--verbose"]
    with (
        open("/dev/full", "w") as full,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=full, text=True) as process,
    ):
        try:
            url = process.stdout.readline().rstrip("\n")
            with urllib.request.urlopen(f"{url}model", timeout=30) as answer:
                assert json.load(answer)["sizes"] == [784, 128, 48, 10]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()


@pytest.fixture
def served(monkeypatch):
    """The servers that were to serve; they do not."""
    servers = []
    monkeypatch.setattr(Server, "serve_forever", lambda server: servers.append(server))
    return servers


def test_a_model_and_its_classes(served, capsys):
    names = ["zero", "one"]
    save("net", (784, 5, 2), {"classes": json.dumps(names)}, input_scale=1 / 255)
    assert main(["demo", "net"]) == 0
    (server,) = served
    assert capsys.readouterr() == (f"{server.url}\n", "")
    description = server.model.description()
    assert (description["classes"], description["full"], description["source"]) == (names, 255, "net")
    assert not server.verbose


def test_the_options_reach_the_server(served, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr("threading.Thread.start", lambda thread: thread.run())
    save("net", input_scale=np.linspace(1, 2, 64))
    assert main(["demo", "net", "--full", "9", "--open", "--verbose"]) == 0
    (server,) = served
    assert opened == [server.url]
    assert server.verbose
    assert server.model.full == 9


def test_a_port_that_was_chosen(served, small_server, capsys):
    save("net")
    port = small_server.server_port
    assert main(["demo", "net", "--port", str(port)]) == 2
    assert capsys.readouterr() == ("", f"backprop: error: --port {port}: Address already in use\n")
    assert served == []


@pytest.fixture
def small_server():
    net = bp.Network([64, 10], seed=0, input_scale=1 / 16)
    with Server(demo_model.Model(net, [str(n) for n in range(10)])) as server:
        yield server


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("gone", "gone: there is no such file"),
        ("text", "text: not a safetensors file"),
        ("flowers", "flowers: the network has 4 inputs, wanted 64 (8 × 8 pixels) or 784 (28 × 28 pixels)"),
        ("numbers", "numbers: the network's outputs are numbers (loss='squared_error'), wanted one that classifies"),
        ("scaled", "scaled: input_mean and input_scale do not say what value a pixel full of ink has; wanted --full"),
        ("named", "named: the metadata's classes are ['a'], wanted a list of 10 names"),
        ("good --port 65536", "--port is 65536, wanted 0 to 65535"),
        ("good --port -1", "--port is -1, wanted 0 to 65535"),
        ("good --port x", "argument --port: invalid int value: 'x'"),
        ("good --full 0", "--full is 0, wanted a positive finite number"),
        ("good --full nan", "--full is nan, wanted a positive finite number"),
        ("--full 3", "--full is for a MODEL, none was given"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(arguments, message, served, capsys, tmp_path):
    (tmp_path / "text").write_text("hello")
    save("good")
    save("flowers", (4, 10))
    save("numbers", loss="squared_error")
    save("scaled", input_scale=np.linspace(1, 2, 64))
    save("named", metadata={"classes": '["a"]'})
    assert main(["demo", *arguments.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), served) == ("", 1, [])
    assert err.startswith(f"backprop: error: {message}")


def test_the_other_commands_do_not_load_it():
    code = (
        "import sys; from backprop.cli import main; main(['--version']); "
        "print([m for m in sys.modules if m in ('http.server', 'webbrowser', 'backprop.demo')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]"]


def test_the_help_lists_it(capsys):
    main([])
    assert "demo" in capsys.readouterr().out
