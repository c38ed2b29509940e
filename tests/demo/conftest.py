"""Servers for the tests, each in a thread of its own, and the page in a browser."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import backprop as bp
from backprop.demo.model import Model, trained
from backprop.demo.server import Server


@contextmanager
def serving(model, **options):
    """A server of `model` that answers meanwhile."""
    with Server(model, **options) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def small_model():
    """A network of random weights, in float64."""
    net = bp.Network([64, 20, 10], dtype=np.float64, seed=0, input_scale=1 / 16)
    return Model(net, [str(n) for n in range(10)], source="random weights")


# Of the module: its thread is not to run beside other tests, some of which count allocations.
@pytest.fixture(scope="module")
def server(small_model):
    with serving(small_model) as server:
        yield server


@pytest.fixture(scope="module")
def digits_server():
    train, _ = bp.load_digits(normalize=False)
    net = bp.Network([64, 50, 10], seed=0, input_scale=1 / 16)
    net.fit(*train, epochs=60, batch_size=32, optimizer=bp.SGD(0.05, momentum=0.9), seed=0)
    with serving(Model(net, [str(n) for n in range(10)], source="the embedded digits")) as server:
        yield server


@pytest.fixture(scope="module")
def package_server():
    with serving(trained()) as server:
        yield server


# Imported where it is used: where there is no browser, the tests that ask for one are skipped and no others.
@pytest.fixture(scope="module")
def chrome():
    from tests.browser import chromium

    with chromium() as driver:
        yield driver


@pytest.fixture
def page(chrome):
    """A page to open; at the end nothing was on its console and nobody else was asked."""
    from tests.demo.page import DESKTOP, By, requests, until

    addresses = []

    def opened(server, size=DESKTOP, theme="light"):
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": theme}]
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        chrome.get(server.url)
        addresses.append(server.url)
        until(chrome, lambda: chrome.find_elements(By.CSS_SELECTOR, "#layers .strip"))
        return chrome

    chrome.get_log("browser")
    requests(chrome)
    yield opened
    assert chrome.get_log("browser") == []
    asked = [request["url"] for request in requests(chrome)]
    assert [url for url in asked if not url.startswith(tuple(addresses))] == []
