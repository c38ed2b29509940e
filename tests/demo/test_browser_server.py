"""The page when the server is gone, stopped, back or another one, or refuses a drawing."""

import threading

import numpy as np

import backprop as bp
from backprop.demo.answers import to_json
from backprop.demo.model import Model
from backprop.demo.server import Handler
from tests.browser import By
from tests.demo.conftest import serving
from tests.demo.digits import STROKES
from tests.demo.page import PATIENCE, answered, requests, text, until

GONE = "The demo does not answer; is it still running?"


def test_it_says_when_nobody_answers_and_goes_on_when_somebody_does(page, small_model):
    with serving(small_model) as server:
        driver = page(server)
        answered(driver, STROKES[1])
        before = text(driver, "sure")
        port = server.server_port
    # Without a stroke: it looks by itself.
    until(driver, lambda: text(driver, "problem") == GONE)
    answered(driver, [STROKES[7][0]])
    assert text(driver, "problem") == GONE
    assert text(driver, "sure") == "no answer", "what is shown would be of the drawing before"
    driver.find_element(By.ID, "undo").click()
    with serving(small_model, port=port):
        until(driver, lambda: not driver.find_element(By.ID, "problem").is_displayed())
        until(driver, lambda: text(driver, "sure") == before)
        driver.get("about:blank")
    refused = driver.get_log("browser")
    assert refused
    assert all("ERR_CONNECTION_REFUSED" in entry["message"] for entry in refused)


def test_it_loads_anew_where_another_model_has_taken_the_place(page, small_model, package_server):
    with serving(small_model) as server:
        driver = page(server)
        port = server.server_port
        assert text(driver, "about").startswith("8 × 8 pixels")
    with serving(package_server.model, port=port):
        # At once, since what is found before the page loads anew is gone behind it.
        about = "return document.getElementById('about').textContent"
        until(driver, lambda: driver.execute_script(about).startswith("28 × 28 pixels"))
        driver.get("about:blank")
    assert all("ERR_CONNECTION_REFUSED" in entry["message"] for entry in driver.get_log("browser"))


def test_a_tunnel_whose_other_end_is_gone_does_not_answer(page, small_model):
    with serving(small_model) as server:
        driver = page(server)
        server.contents["/model"] = b"<h1>Bad gateway</h1>", "text/html"
        until(driver, lambda: text(driver, "problem") == GONE)
        server.contents["/model"] = to_json(small_model.description()), "application/json"
        until(driver, lambda: not driver.find_element(By.ID, "problem").is_displayed())


def test_a_server_that_is_stopped_does_not_answer(page, small_model, monkeypatch):
    released, answer = threading.Event(), Handler._content

    def held(handler):
        released.wait(PATIENCE)
        return answer(handler)

    with serving(small_model) as server:
        driver = page(server)
        # It waits for seconds; here for less.
        driver.execute_script(
            "window.wait = AbortSignal.timeout; AbortSignal.timeout = () => wait.call(AbortSignal, 20);"
        )
        monkeypatch.setattr(Handler, "_content", held)
        until(driver, lambda: text(driver, "problem") == GONE)
        released.set()
        driver.execute_script("AbortSignal.timeout = window.wait")
        until(driver, lambda: not driver.find_element(By.ID, "problem").is_displayed())


def test_a_refusal_stays_while_the_server_is_there(page):
    net = bp.Network([64, 10], seed=0, input_scale=1 / 16)
    net.params["W1"][...] = np.nan
    with serving(Model(net, [str(n) for n in range(10)])) as server:
        driver = page(server)
        answered(driver, STROKES[1])
        said = text(driver, "problem")
        assert said.startswith("The demo refused the drawing: the network's numbers")
        assert text(driver, "sure") == "no answer"
        looks = []
        until(
            driver,
            lambda: (
                looks.extend(r for r in requests(driver) if r["url"].endswith("/model")) or len(looks) > 1
            ),
        )
        assert text(driver, "problem") == said
    driver.get("about:blank")
    assert all(" 422 " in entry["message"] for entry in driver.get_log("browser"))
