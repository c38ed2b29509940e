"""The page in a real browser: drawn on with a mouse and a finger, looked at in light and dark, wide and narrow."""

import json
from itertools import pairwise

import numpy as np
import pytest

import backprop as bp
from backprop.data import files
from backprop.demo.model import Model, trained
from tests.browser import ActionChains, By, Keys, Select, WebDriverWait, chromium
from tests.demo.conftest import serving
from tests.demo.digits import STROKES

DESKTOP, TABLET, PHONE = (1280, 900), (800, 1000), (360, 780)
PICTURES = ("drawing", "pixels", "gradient")
PATIENCE = 60  # seconds that a busy machine may take for what takes milliseconds


@pytest.fixture(scope="module")
def chrome():
    with chromium() as driver:
        yield driver


def requested(driver):
    """The addresses that the page asked for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]


@pytest.fixture
def page(chrome):
    """A page to open; at the end nothing was on its console and nobody else was asked."""
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
    requested(chrome)
    yield opened
    assert chrome.get_log("browser") == []
    asked = requested(chrome)
    assert asked
    assert [url for url in asked if not url.startswith(tuple(addresses))] == []


def until(driver, condition):
    return WebDriverWait(driver, PATIENCE, poll_frequency=0.02).until(lambda _: condition())


def text(driver, name):
    return driver.find_element(By.ID, name).text


def points(driver, strokes):
    """The strokes in pixels from the middle of the canvas."""
    side = driver.find_element(By.ID, "drawing").rect["width"]
    return [[(round((x - 0.5) * side), round((y - 0.5) * side)) for x, y in stroke] for stroke in strokes]


def pen_down(driver, strokes, release=True):
    canvas = driver.find_element(By.ID, "drawing")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    actions = ActionChains(driver, duration=0)
    for first, *others in points(driver, strokes):
        actions.move_to_element_with_offset(canvas, *first).click_and_hold()
        for point in others:
            actions.move_to_element_with_offset(canvas, *point)
        if release:
            actions.release()
    actions.perform()


def shows(driver, digit):
    until(driver, lambda: text(driver, "verdict") == str(digit))


def colours(driver, selector):
    """How many different colours each canvas has."""
    return driver.execute_script(
        """return [...document.querySelectorAll(arguments[0])].map((canvas) => {
            // Through a copy: a canvas that is read again and again is one that the browser warns of.
            const copy = new OffscreenCanvas(canvas.width, canvas.height);
            copy.getContext("2d").drawImage(canvas, 0, 0);
            const { data } = copy.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        })""",
        selector,
    )


@pytest.fixture(scope="module")
def digits_server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backprop.data.files.local_folder", lambda data: None)
        model = trained()
    with serving(model) as server:
        yield server


@pytest.fixture(scope="module")
def mnist_server():
    assert files.local_folder(bp.data.mnist.MNIST) is not None
    with serving(trained()) as server:
        yield server


@pytest.mark.parametrize("digit", [0, 1, 7])
def test_digits_are_recognized_by_8_times_8_pixels(page, digits_server, digit):
    driver = page(digits_server)
    pen_down(driver, STROKES[digit])
    shows(driver, digit)


@pytest.mark.mnist
@pytest.mark.training
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_digits_are_recognized_by_28_times_28_pixels(page, mnist_server, size):
    driver = page(mnist_server, size)
    assert "trained on MNIST" in text(driver, "about")
    for digit, strokes in STROKES.items():
        pen_down(driver, strokes)
        shows(driver, digit)
        driver.find_element(By.ID, "clear").click()
        shows(driver, "–")


def test_an_empty_canvas_shows_a_hint_and_no_prediction(page, digits_server):
    driver = page(digits_server)
    assert driver.find_element(By.ID, "hint").is_displayed()
    assert text(driver, "verdict") == "–"
    assert text(driver, "sure") == "nothing drawn yet"
    assert {row.text for row in driver.find_elements(By.CSS_SELECTOR, ".percent")} == {"–"}
    assert colours(driver, "#drawing, .picture") == [1, 1, 1]
    assert not any(driver.find_element(By.ID, name).is_enabled() for name in ("clear", "undo"))


def test_it_answers_while_the_pen_is_down(page, digits_server):
    driver = page(digits_server)
    pen_down(driver, STROKES[1], release=False)
    shows(driver, 1)
    assert driver.find_element(By.ID, "drawing").get_attribute("aria-label") == "Drawing area, 1 stroke"
    ActionChains(driver).release().perform()


def test_what_is_shown_are_the_networks_numbers(page, digits_server):
    driver = page(digits_server)
    pen_down(driver, STROKES[4])
    shows(driver, 4)
    ink = driver.execute_script(
        """const { data } = document.getElementById("drawing").getContext("2d").getImageData(0, 0, 560, 560);
        return Array.from({ length: 560 * 560 }, (_, n) => data[4 * n + 3]);"""
    )
    cells = np.floor(np.reshape(ink, (112, 5, 112, 5)).mean(axis=(1, 3)) + 0.5)  # JavaScript rounds halves up
    view = digits_server.model.view(cells)
    wanted = [f"{100 * p:.1f} %" for p in view.probabilities]
    until(driver, lambda: [e.text for e in driver.find_elements(By.CSS_SELECTOR, ".percent")] == wanted)


def test_pictures_and_cells_are_painted_and_cleared(page, digits_server):
    driver = page(digits_server)
    empty = colours(driver, "canvas")
    assert empty == [1, 1, 1, 2, 2]  # cells, all alike, and the gaps between them
    pen_down(driver, STROKES[7])
    shows(driver, 7)
    drawing, pixels, gradient, hidden, scores = colours(driver, "canvas")
    assert drawing > 1
    assert pixels > 8
    assert gradient > 16
    assert hidden > 8
    assert scores > 8
    driver.find_element(By.ID, "clear").click()
    shows(driver, "–")
    assert colours(driver, "canvas") == empty
    assert driver.find_element(By.ID, "hint").is_displayed()


def test_undo_takes_the_last_stroke_back(page, digits_server):
    driver = page(digits_server)
    first = STROKES[1][0]
    pen_down(driver, [first, [(0.2, 0.5), (0.8, 0.5)]])
    until(driver, lambda: "2 strokes" in driver.find_element(By.ID, "drawing").get_attribute("aria-label"))
    driver.find_element(By.ID, "undo").click()
    shows(driver, 1)
    driver.find_element(By.ID, "undo").click()
    shows(driver, "–")


def test_the_class_of_the_gradient_is_chosen_and_the_keyboard_is_enough(page, digits_server):
    driver = page(digits_server)
    pen_down(driver, STROKES[3])
    shows(driver, 3)
    gradient = driver.find_element(By.ID, "gradient")
    assert gradient.get_attribute("aria-label") == "Gradient of the loss of class 3 on the pixels"
    choice = driver.find_element(By.ID, "label")
    assert [option.text for option in Select(choice).options] == ["predicted", *map(str, range(10))]
    driver.execute_script("document.getElementById('undo').focus()")
    ActionChains(driver).send_keys(Keys.TAB, Keys.TAB).perform()
    assert driver.switch_to.active_element == choice
    choice.send_keys("8")
    until(driver, lambda: gradient.get_attribute("aria-label").endswith("of class 8 on the pixels"))
    assert text(driver, "verdict") == "3"
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).send_keys(
        Keys.ENTER
    ).perform()
    shows(driver, "–")


def test_a_finger_draws_and_does_not_scroll(page, digits_server):
    driver = page(digits_server, PHONE)
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        box = driver.execute_script(
            "return document.getElementById('drawing').getBoundingClientRect().toJSON()"
        )
        for stroke in points(driver, STROKES[7]):
            # Points between the corners, as a finger makes them.
            way = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(stroke)])
            for n, (x, y) in enumerate(way):
                at = {"x": box["x"] + box["width"] / 2 + x, "y": box["y"] + box["height"] / 2 + y}
                kind = "touchMove" if n else "touchStart"
                driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
            driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        shows(driver, 7)
        assert driver.execute_script("return window.scrollY") == 0
    finally:
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


LAYOUT = """
const boxes = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.data.trim() || getComputedStyle(node.parentElement).visibility === "hidden") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const card = node.parentElement.closest(".card, header, body").getBoundingClientRect();
    for (const box of range.getClientRects()) {
        if (box.width > 0) boxes.push({ text: node.data.trim(), box: box.toJSON(), card: card.toJSON() });
    }
}
return boxes;
"""


def check_layout(driver):
    """No text lies on another or out of its card, and nothing is wider than the window."""
    found = driver.execute_script(LAYOUT)
    assert len(found) > 40
    for n, one in enumerate(found):
        box, card = one["box"], one["card"]
        assert card["left"] <= box["left"], one["text"]
        assert box["right"] <= card["right"], one["text"]
        for other in found[:n]:
            b = other["box"]
            beside = box["right"] <= b["left"] or b["right"] <= box["left"]
            above = box["bottom"] <= b["top"] or b["bottom"] <= box["top"]
            assert beside or above, (one["text"], other["text"])
    wide, window = driver.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= window


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE])
def test_the_layout_holds(page, digits_server, size, theme):
    driver = page(digits_server, size, theme)
    check_layout(driver)
    pen_down(driver, STROKES[8])
    shows(driver, 8)
    check_layout(driver)


CONTRAST = """
const shade = (name) => getComputedStyle(document.querySelector(name));
const channels = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number);
return [".card h2", "#about", ".note", ".blue", ".red", ".percent", ".best .percent", "#clear"].map((name) => {
    const ground = name === "#about" ? "body" : ".card";
    return [name, channels(shade(name).color), channels(shade(ground).backgroundColor)];
});
"""


def luminance(channels):
    """Of an sRGB colour, as WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(channels) / 255]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_dark_is_dark_and_both_are_legible(page, digits_server):
    grounds = []
    for theme in ("light", "dark"):
        driver = page(digits_server, theme=theme)
        pen_down(driver, STROKES[1])
        shows(driver, 1)
        for name, colour, ground in driver.execute_script(CONTRAST):
            darker, lighter = sorted([luminance(colour), luminance(ground)])
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (theme, name)  # WCAG 2, level AA
        grounds.append(luminance(ground))
    assert grounds[0] > 0.8
    assert grounds[1] < 0.1


def test_the_pictures_follow_a_change_to_dark(page, digits_server):
    driver = page(digits_server)
    pen_down(driver, STROKES[1])
    shows(driver, 1)
    picture = "return document.getElementById(arguments[0]).toDataURL()"
    before = [driver.execute_script(picture, name) for name in PICTURES]
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    for name, old in zip(PICTURES, before, strict=True):
        until(driver, lambda name=name, old=old: driver.execute_script(picture, name) != old)


def test_names_of_classes_are_text_and_never_markup(page):
    names = ["<img src=x onerror=alert(1)>", "a rather long name that no bar has room for, not on any screen"]
    net = bp.Network([64, 300, 2], seed=0, input_scale=1 / 16, activation="tanh")
    with serving(Model(net, names, source="<script>alert(1)</script>")) as server:
        driver = page(server, PHONE)
        pen_down(driver, STROKES[1])
        until(driver, lambda: text(driver, "verdict") in names)
        assert driver.find_elements(By.CSS_SELECTOR, "img, body script") == []
        assert "<script>alert(1)</script>" in text(driver, "about")
        assert [e.get_attribute("title") for e in driver.find_elements(By.CSS_SELECTOR, ".name")] == names
        tracks = driver.find_elements(By.CSS_SELECTOR, ".track")
        assert len({track.rect["x"] for track in tracks}) == 1, "bars begin below each other"
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= PHONE[0]


def test_it_says_when_nobody_answers_any_more(page, small_model):
    with serving(small_model) as server:
        driver = page(server)
    assert not driver.find_element(By.ID, "problem").is_displayed()
    pen_down(driver, STROKES[1])
    until(driver, lambda: text(driver, "problem") == "The demo does not answer; is it still running?")
    refused = driver.get_log("browser")
    assert refused
    assert all("ERR_CONNECTION_REFUSED" in entry["message"] for entry in refused)
